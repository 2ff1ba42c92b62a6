#include "services/common/keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "services/common/base/file.h"
#include "services/common/keys/keyring_secrets.h"

struct passphrase {
	size_t len;
	uint8_t text[PASSPHRASE_MOST + 1];
};

enum prompt { ASK, ASK_NEW, ASK_AGAIN };

static const char *const prompts[][2] = {
	[ASK] = {"Passphrase: ", "Phrase de passe : "},
	[ASK_NEW] = {"New passphrase: ", "Nouvelle phrase de passe : "},
	[ASK_AGAIN] = {"The same again: ", "La même encore une fois : "},
};

static enum err passphrase_alloc(struct passphrase **ret)
{
	void *p = NULL;

	TRY(locked_alloc(sizeof(struct passphrase), &p));
	*ret = p;
	return OK;
}

void passphrase_free(struct passphrase **pp)
{
	if (*pp)
		sodium_free(*pp);
	*pp = NULL;
}

struct slice passphrase_slice(const struct passphrase *p)
{
	return p ? slice_of(p->text, p->len) : (struct slice){0};
}

/* Keeps the first line. */
static enum err cut_line(struct passphrase *p)
{
	const uint8_t *end = memchr(p->text, '\n', p->len);

	if (end)
		p->len = (size_t)(end - p->text);
	if (p->len && p->text[p->len - 1] == '\r')
		p->len--;
	return p->len && p->len <= PASSPHRASE_MOST ? OK : ERR_PASSPHRASE;
}

enum err passphrase_from_file(const char *path, struct passphrase **ret)
{
	struct passphrase *p = NULL;
	struct buf b = {0};
	enum err e;

	TRY(file_read_secret(path, 64 * 1024, &b));
	e = passphrase_alloc(&p);
	if (e == OK) {
		p->len = b.len < sizeof(p->text) ? b.len : sizeof(p->text);
		if (p->len)
			memcpy(p->text, b.data, p->len);
		e = cut_line(p);
	}
	buf_free(&b);
	if (e != OK)
		passphrase_free(&p);
	else
		*ret = p;
	return e;
}

static enum err say(int tty, const char *text)
{
	return write(tty, text, strlen(text)) == (ssize_t)strlen(text) ? OK : ERR_PASSPHRASE;
}

/* The terminal hands over a line at a time. A signal ends the wait. */
static enum err read_line(int tty, int signals, struct passphrase *p)
{
	struct pollfd fds[2] = {{.fd = tty, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	while (!memchr(p->text, '\n', p->len)) {
		ssize_t n;

		if (p->len == sizeof(p->text))
			return ERR_PASSPHRASE;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ERR_PASSPHRASE;
		if (fds[1].revents)
			return ERR_PASSPHRASE;
		n = read(tty, p->text + p->len, sizeof(p->text) - p->len);
		if (n == 0 || (n < 0 && errno != EINTR))
			return ERR_PASSPHRASE;
		p->len += n > 0 ? (size_t)n : 0;
	}
	return cut_line(p);
}

static enum err ask_without_echo(int tty, int signals, const char *prompt, struct passphrase **ret)
{
	struct passphrase *p = NULL;
	struct termios before, silent;
	enum err e;

	if (tcgetattr(tty, &before))
		return ERR_PASSPHRASE;
	TRY(passphrase_alloc(&p));
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	silent.c_lflag |= ECHONL | ICANON;
	e = tcsetattr(tty, TCSAFLUSH, &silent) ? ERR_PASSPHRASE : say(tty, prompt);
	if (e == OK)
		e = read_line(tty, signals, p);
	tcsetattr(tty, TCSAFLUSH, &before);
	if (e != OK)
		passphrase_free(&p);
	else
		*ret = p;
	return e;
}

static enum err ask_both(int tty, int signals, enum lang lang, struct passphrase **ret)
{
	struct passphrase *first = NULL, *second = NULL;
	enum err e;

	TRY(ask_without_echo(tty, signals, prompts[ASK_NEW][lang], &first));
	e = ask_without_echo(tty, signals, prompts[ASK_AGAIN][lang], &second);
	if (e == OK &&
		(first->len != second->len || sodium_memcmp(first->text, second->text, first->len)))
		e = ERR_PASSPHRASE;
	passphrase_free(&second);
	if (e != OK)
		passphrase_free(&first);
	else
		*ret = first;
	return e;
}

/* Signals wait until the terminal echoes again, then do what they always do. */
enum err passphrase_ask_on(int tty, enum lang lang, bool twice, struct passphrase **ret)
{
	static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	sigset_t set, before;
	enum err e;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaddset(&set, stops[i]);
	if (pthread_sigmask(SIG_BLOCK, &set, &before))
		return ERR_PASSPHRASE;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		e = ERR_PASSPHRASE;
	else if (twice)
		e = ask_both(tty, fd, lang, ret);
	else
		e = ask_without_echo(tty, fd, prompts[ASK][lang], ret);
	if (fd >= 0)
		close(fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

enum err passphrase_ask(enum lang lang, bool twice, struct passphrase **ret)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	enum err e;

	if (tty < 0)
		return ERR_PASSPHRASE;
	e = passphrase_ask_on(tty, lang, twice, ret);
	close(tty);
	return e;
}

enum err passphrase_get(const char *file, enum lang lang, bool twice, struct passphrase **ret)
{
	return file ? passphrase_from_file(file, ret) : passphrase_ask(lang, twice, ret);
}
