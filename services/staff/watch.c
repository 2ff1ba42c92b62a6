/* The live view: alerts, holds and the head of the queue, drawn again every two seconds and at
 * once when an alert comes or goes. */
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "proto/json.h"
#include "services/staff/view.h"

#define REDRAW_MS 2000
#define ASK_MS    3000
#define HEAD      40 /* of the queue */
#define CTRL_C    3

struct watch {
	struct session session;
	struct view view;
	unsigned rung; /* alerts that the bell was rung for */
	bool keys;     /* standard input is a terminal that gives single keys */
	bool quit;
};

/* Ctrl-C comes as a key, so that the terminal is always put back. */
static bool take_keys(struct termios *before)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) != 0)
		return false;
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void read_keys(struct watch *w)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};
	char key;

	while (w->keys && !w->quit && poll(&in, 1, 0) == 1) {
		ssize_t n = read(STDIN_FILENO, &key, 1);

		w->quit = n != 1 || key == 'q' || key == CTRL_C;
	}
}

/* As many lines as the terminal has; a longer line is cut at its edge. */
static void put_lines(const char *text, int rows)
{
	fputs("\033[H\033[?7l", stdout);
	for (; *text && rows > 1; rows--) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
	fputs("\033[0m\033[J\033[?7h", stdout);
	fflush(stdout);
}

static enum err draw(struct watch *w)
{
	enum lang lang = w->session.c->lang;
	struct winsize size = {.ws_row = 24};
	char *text = NULL, now[32];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return ERR_NOMEM;
	time_format(node_now(), now);
	fprintf(out, lang == LANG_FR ? "%s  %s  (q : quitter)\n\n" : "%s  %s  (q: quit)\n\n",
		keyring_principal(node_keys(w->session.n)), now);
	view_print(&w->view, node_now(), lang, true, out);
	if (fclose(out) != 0) {
		free(text);
		return ERR_NOMEM;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row)
		size.ws_row = 24;
	if (w->rung != w->session.seen.fresh)
		putchar('\a');
	w->rung = w->session.seen.fresh;
	put_lines(text, size.ws_row);
	free(text);
	return OK;
}

/* Until the next drawing is due, or a key or an alert comes. */
static enum err rest(struct watch *w)
{
	int64_t until = node_now() + REDRAW_MS, left;

	node_wake_on(w->session.n, w->keys ? STDIN_FILENO : -1);
	while (!w->quit && !w->session.seen.moved && (left = until - node_now()) > 0 &&
		left <= REDRAW_MS) {
		TRY(node_turn(w->session.n, (int)left));
		read_keys(w);
	}
	/* while a question is out, a key must not keep every turn awake */
	node_wake_on(w->session.n, -1);
	return OK;
}

static enum err live(struct watch *w)
{
	enum err e = OK;

	fputs("\033[2J", stdout);
	while (e == OK && !w->quit) {
		w->session.seen.moved = false;
		view_free(&w->view);
		e = view_load(&w->session, STATE__NO_STATE, HEAD, ASK_MS, &w->view);
		if (e == OK)
			e = draw(w);
		if (e == OK)
			e = rest(w);
	}
	return e;
}

static enum err once(struct watch *w)
{
	struct cli *c = w->session.c;
	int64_t within_ms;
	json_t *json;

	TRY(home_wait(c, 10, &within_ms));
	TRY(view_load(&w->session, STATE__NO_STATE, HEAD, within_ms, &w->view));
	TRY(view_json(&w->view, &json));
	if (!c->json)
		view_print(&w->view, node_now(), c->lang, false, stdout);
	TRY(tell_requests(&w->session, json));
	c->told = true; /* what is missing is named in its place */
	return view_result(&w->view);
}

static enum err watch_live(struct watch *w)
{
	struct termios before;
	enum err e;

	w->keys = take_keys(&before);
	e = live(w);
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return e;
}

enum err staff_watch(struct cli *c)
{
	struct watch w = {.session = {.c = c}};
	enum err e = session_open(c, &w.session);

	if (e == OK && (cli_flag(c, "once") || c->json || !isatty(STDOUT_FILENO)))
		e = once(&w);
	else if (e == OK)
		e = watch_live(&w);
	view_free(&w.view);
	session_close(&w.session);
	return e;
}
