/* Goal: a command line means what the tables say, in both languages, and a passphrase is read from
 * where it is safe only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "services/common/cli/cli.h"
#include "services/common/base/file.h"
#include "services/common/keys/passphrase.h"

/* What a run leaves for the test to see: the commands below have no other way. */
static struct {
	int calls;
	struct cli cli;
	char operand[32], value[32], last[32];
	int values;
	enum err give;
} seen;

static enum err record(struct cli *c)
{
	const char *v = cli_value(c, "to");

	seen.calls++;
	seen.cli = *c;
	snprintf(seen.operand, sizeof(seen.operand), "%s", c->n_operands ? c->operands[0] : "");
	snprintf(seen.last, sizeof(seen.last), "%s", v ? v : "");
	v = cli_value_at(c, "to", 0);
	snprintf(seen.value, sizeof(seen.value), "%s", v ? v : "");
	while (cli_value_at(c, "to", (size_t)seen.values))
		seen.values++;
	return seen.give;
}

static enum err needs(struct cli *c)
{
	const char *to = NULL;
	long n = 7;

	TRY(cli_required(c, "to", &to));
	TRY(cli_number(c, "n", 1, 10, &n));
	cli_say(c, "%s %ld en\n", "%s %ld fr\n", to, n);
	cli_json(c, json_pack("{s:s, s:i}", "to", to, "n", (int)n));
	return OK;
}

static enum err bad_fields(struct cli *c)
{
	struct faults f = {0};

	fault_add(&f, FAULT_REQUIRED, "persons[%d].born_on", 1);
	return cli_fail_faults(c, ERR_INVALID, "form.json", &f);
}

static const struct cli_option options[] = {
	CLI_OPTION("to", "NAME", "to whom", "à qui"),
	CLI_OPTION("n", "N", "how many", "combien"),
	CLI_FLAG("force", "do it anyway", "le faire quand même"),
	CLI_END,
};

static const struct cli_command commands[] = {
	CLI_COMMAND("send", "FILE...", 1, 2, options, record, "send files", "envoyer des fichiers"),
	CLI_COMMAND("keys", "", 0, 0, NULL, bad_fields, "show keys", "montrer les clés"),
	CLI_COMMAND("keys new", "", 0, 0, options, needs, "make keys", "créer des clés"),
	CLI_COMMAND("tree show", "", 0, 0, NULL, record, "show a tree", "montrer un arbre"),
	CLI_END,
};

static const struct cli_program program = {"havre-test", {"a program", "un programme"}, commands};

static char out[8192], err[8192];

static void read_back(FILE *f, char *text, size_t size)
{
	rewind(f);
	text[fread(text, 1, size - 1, f)] = 0;
	fclose(f);
}

/* Runs `line`, words split at spaces, with both outputs caught. */
static int run(const char *line)
{
	int argc = 0, code, old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	FILE *to_out = tmpfile(), *to_err = tmpfile();
	char copy[512], *argv[32], *at = copy;

	assert_true(to_out && to_err && strlen(line) < sizeof(copy));
	memset(&seen.cli, 0, sizeof(seen.cli));
	seen.calls = seen.values = 0;
	strcpy(copy, line);
	while ((argv[argc] = strsep(&at, " ")))
		argc++;
	fflush(stdout);
	dup2(fileno(to_out), STDOUT_FILENO);
	dup2(fileno(to_err), STDERR_FILENO);
	code = cli_main(&program, argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	close(old_out);
	close(old_err);
	read_back(to_out, out, sizeof(out));
	read_back(to_err, err, sizeof(err));
	return code;
}

static int set_up(void **state)
{
	(void)state;
	seen.give = OK;
	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	setenv("LANG", "C.UTF-8", 1);
	setenv("HOME", "/home/somebody", 1);
	unsetenv("HAVRE_HOME");
	return 0;
}

static void options_stand_before_and_after(void **state)
{
	(void)state;
	assert_int_equal(run("havre-test --json send --to a file --to=b --home /h --force"), 0);
	assert_int_equal(seen.calls, 1);
	assert_true(seen.cli.json);
	assert_string_equal(seen.cli.home, "/h");
	assert_string_equal(seen.operand, "file");
	assert_int_equal(seen.cli.n_operands, 1);
	assert_int_equal(seen.values, 2);
	assert_string_equal(seen.value, "a");
	assert_string_equal(seen.last, "b");
	assert_int_equal(run("havre-test --home /h --passphrase-file p send -- --to"), 0);
	assert_string_equal(seen.operand, "--to");
	assert_string_equal(seen.cli.passphrase_file, "p");
	assert_false(seen.cli.json);
}

static void the_longest_name_is_the_command(void **state)
{
	(void)state;
	assert_int_equal(run("havre-test keys new --to x --n 3"), 0);
	assert_string_equal(out, "x 3 en\n");
	assert_int_equal(run("havre-test keys new --to x --json"), 0);
	assert_string_equal(out, "{\"to\":\"x\",\"n\":7}\n");
	assert_int_equal(run("havre-test --lang fr keys new --to x"), 0);
	assert_string_equal(out, "x 7 fr\n");
}

/* What is said, in both languages; about: what it is about. */
static void what_is_not_understood_is_64(void **state)
{
	static const struct {
		const char *line, *about, *en, *fr;
	} rows[] = {
		{"", "", "a command is missing", "il manque une commande"},
		{" frob", "frob", "no such command", "cette commande n’existe pas"},
		{" frob --to x", "frob", "no such command", "cette commande n’existe pas"},
		{" tree frob --to x", "tree frob", "no such command", "cette commande n’existe"},
		{" tree", "tree", "the second word", "le deuxième mot"},
		{" send", "FILE...", "missing", "absent"},
		{" send a b c", "c", "one word too many", "un mot de trop"},
		{" keys frob", "frob", "one word too many", "un mot de trop"},
		{" keys new --to x y", "y", "one word too many", "un mot de trop"},
		{" send a --frob", "--frob", "no such option", "cette option n’existe pas"},
		{" --frob send a", "--frob", "no such option", "cette option n’existe pas"},
		{" send -hx a", "-x", "no such option", "cette option n’existe pas"},
		{" send a --force=1", "--force=1", "takes no value", "ne prend pas de valeur"},
		{" send a --home=", "--home", "cannot have this value", "ne peut pas avoir cette"},
		{" keys new", "--to", "must be given", "est obligatoire"},
		{" keys new --to=", "--to", "needs a value", "demande une valeur"},
		{" keys new --to x --n 0", "--n", "cannot have this", "ne peut pas avoir cette"},
		{" keys new --to x --n 11", "--n", "cannot have this", "ne peut pas avoir cette"},
		{" keys new --to x --n 3x", "--n", "cannot have this", "ne peut pas avoir cette"},
	};
	char line[128], said[128];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const char *about = rows[i / 2].about;
		bool fr = i % 2;
		const char *colon = fr ? " : " : ": ";

		snprintf(line, sizeof(line), "havre-test --lang %s%s", fr ? "fr" : "en",
			rows[i / 2].line);
		snprintf(said, sizeof(said), "havre-test%s%s%s", colon, about, *about ? colon : "");
		assert_int_equal(run(line), 64);
		assert_int_equal(seen.calls, 0);
		assert_string_equal(out, "");
		assert_int_equal(strncmp(err, said, strlen(said)), 0);
		assert_non_null(strstr(err, fr ? rows[i / 2].fr : rows[i / 2].en));
	}
}

static void a_misuse_is_told_wherever_it_stands(void **state)
{
	(void)state;
	assert_int_equal(run("havre-test send a --to"), 64);
	assert_ptr_equal(strstr(err, "havre-test: --to: this option needs a value"), err);
	assert_int_equal(run("havre-test send a --lang de"), 64);
	assert_ptr_equal(strstr(err, "havre-test: --lang: this option cannot"), err);
	assert_int_equal(run("havre-test --frob --lang=fr"), 64);
	assert_non_null(strstr(err, "cette option n’existe pas"));
	assert_int_equal(run("havre-test --json send"), 64);
	assert_non_null(strstr(out, "\"error\":\"USAGE\""));
	assert_non_null(strstr(out, "\"about\":\"FILE...\""));
	assert_string_equal(err, "");
}

static void help_has_every_row_in_both_languages(void **state)
{
	(void)state;
	/* of a word that several commands begin with, too */
	assert_int_equal(run("havre-test tree --help"), 0);
	assert_non_null(strstr(out, "tree show"));
	for (int fr = 0; fr < 2; fr++) {
		assert_int_equal(run(fr ? "havre-test --help --lang fr" : "havre-test --help"), 0);
		for (const struct cli_command *k = commands; k->name; k++)
			assert_non_null(strstr(out, k->words[fr]));
		assert_int_equal(
			run(fr ? "havre-test send -h --lang fr" : "havre-test send -h"), 0);
		assert_int_equal(seen.calls, 0);
		for (const struct cli_option *o = options; o->name; o++)
			assert_non_null(strstr(out, o->words[fr]));
		assert_non_null(strstr(out, "--passphrase-file FILE"));
	}
	assert_int_equal(run("havre-test --version"), 0);
	assert_string_equal(out, "havre-test " HAVRE_VERSION "\n");
}

static void errors_have_exit_codes(void **state)
{
	static const struct {
		enum err e;
		int code;
	} rows[] = {{OK, 0}, {ERR_USAGE, 64}, {ERR_INVALID, 65}, {ERR_CORRUPT, 65},
		{ERR_NOT_FOUND, 65}, {ERR_BAD_SIGNATURE, 65}, {ERR_STALE, 65},
		{ERR_UNREACHABLE, 69}, {ERR_TIMEOUT, 69}, {ERR_IO, 70}, {ERR_NOMEM, 70},
		{ERR_NOT_PERMITTED, 77}, {ERR_PERMISSIONS, 77}, {ERR_PASSPHRASE, 77},
		{ERR_SUSPENDED, 77}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		seen.give = rows[i].e;
		assert_int_equal(run("havre-test send a"), rows[i].code);
		assert_true((*err == 0) == (rows[i].e == OK));
	}
	seen.give = ERR_STALE;
	run("havre-test send a --lang fr");
	assert_non_null(strstr(err, err_text(ERR_STALE, LANG_FR)));
}

static void bad_fields_are_all_told(void **state)
{
	json_t *o, *f;

	(void)state;
	assert_int_equal(run("havre-test keys"), 65);
	assert_non_null(strstr(err, "form.json"));
	assert_non_null(strstr(err, "persons[1].born_on: "));
	assert_int_equal(run("havre-test keys --json"), 65);
	o = json_loads(out, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "error")), "INVALID");
	f = json_array_get(json_object_get(o, "faults"), 0);
	assert_string_equal(json_string_value(json_object_get(f, "path")), "persons[1].born_on");
	assert_string_equal(json_string_value(json_object_get(f, "code")), "REQUIRED");
	assert_string_equal(json_string_value(json_object_get(f, "message_fr")),
		fault_text(FAULT_REQUIRED, LANG_FR));
	json_decref(o);
}

static void the_environment_has_defaults(void **state)
{
	(void)state;
	assert_int_equal(run("havre-test send a"), 0);
	assert_string_equal(seen.cli.home, "/home/somebody/.havre");
	assert_int_equal(seen.cli.lang, LANG_EN);
	setenv("HAVRE_HOME", "/srv/h", 1);
	setenv("LANG", "fr_CA.UTF-8", 1);
	assert_int_equal(run("havre-test send a"), 0);
	assert_string_equal(seen.cli.home, "/srv/h");
	assert_int_equal(seen.cli.lang, LANG_FR);
	setenv("LC_ALL", "en_CA.UTF-8", 1);
	assert_int_equal(run("havre-test send a"), 0);
	assert_int_equal(seen.cli.lang, LANG_EN);
	assert_int_equal(run("havre-test send a --lang fr"), 0);
	assert_int_equal(seen.cli.lang, LANG_FR);
	setenv("LC_ALL", "", 1);
	setenv("LC_MESSAGES", "fr", 1);
	assert_int_equal(run("havre-test send a"), 0);
	assert_int_equal(seen.cli.lang, LANG_FR);
}

static void a_passphrase_file_is_for_its_owner_only(void **state)
{
	static const struct {
		const char *text, *phrase;
	} rows[] = {{"correct horse\n", "correct horse"}, {"no line end", "no line end"},
		{"dos\r\n", "dos"}, {"first\nsecond\n", "first"}, {" kept ", " kept "}, {"", NULL},
		{"\nsecond\n", NULL}};
	char folder[] = "/tmp/havre-cli-XXXXXX", path[64], long_text[PASSPHRASE_MOST + 2];
	struct passphrase *p = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/phrase", folder);
	assert_int_equal(passphrase_from_file(path, &p), ERR_NOT_FOUND);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(file_replace(path, slice_str(rows[i].text), 0600), OK);
		assert_int_equal(
			passphrase_from_file(path, &p), rows[i].phrase ? OK : ERR_PASSPHRASE);
		assert_true(!rows[i].phrase ||
			    slice_eq(passphrase_slice(p), slice_str(rows[i].phrase)));
		passphrase_free(&p);
	}
	memset(long_text, 'x', sizeof(long_text));
	assert_int_equal(file_replace(path, slice_of(long_text, PASSPHRASE_MOST), 0600), OK);
	assert_int_equal(passphrase_from_file(path, &p), OK);
	passphrase_free(&p);
	assert_int_equal(file_replace(path, slice_of(long_text, PASSPHRASE_MOST + 1), 0600), OK);
	assert_int_equal(passphrase_from_file(path, &p), ERR_PASSPHRASE);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(passphrase_from_file(path, &p), ERR_PERMISSIONS);
	assert_null(p);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

/* Somebody at a terminal: types a line when there is a prompt. */
struct typist {
	int master;
	const char *const *lines; /* ends with NULL */
	char screen[512];
	size_t len;
};

/* Reads what the screen shows until `c` has come `times` times. */
static bool wait_for(struct typist *t, char c, int times)
{
	for (;;) {
		int n = 0;
		ssize_t got;

		for (size_t i = 0; i < t->len; i++)
			n += t->screen[i] == c;
		if (n >= times)
			return true;
		got = read(t->master, t->screen + t->len, sizeof(t->screen) - 1 - t->len);
		if (got <= 0)
			return false;
		t->len += (size_t)got;
	}
}

static void *type(void *arg)
{
	struct typist *t = arg;

	for (int i = 0; t->lines[i]; i++) {
		if (!wait_for(t, ':', i + 1))
			return NULL;
		if (write(t->master, t->lines[i], strlen(t->lines[i])) < 0)
			return NULL;
	}
	return NULL;
}

static enum err ask(bool twice, const char *const *lines, struct passphrase **ret)
{
	struct typist t = {.lines = lines};
	struct termios before, after;
	pthread_t thread;
	enum err e;
	int slave;

	assert_int_equal(openpty(&t.master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(pthread_create(&thread, NULL, type, &t), 0);
	e = passphrase_ask_on(slave, LANG_EN, twice, ret);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag); /* it echoes again */
	assert_true(wait_for(&t, '\n', twice ? 2 : 1));
	t.screen[t.len] = 0;
	assert_null(strstr(t.screen, "horse"));
	close(slave);
	close(t.master);
	return e;
}

static void a_terminal_shows_nothing(void **state)
{
	struct passphrase *p = NULL;

	(void)state;
	assert_int_equal(ask(false, (const char *const[]){"correct horse\n", NULL}, &p), OK);
	assert_true(slice_eq(passphrase_slice(p), slice_str("correct horse")));
	passphrase_free(&p);
	assert_int_equal(ask(true, (const char *const[]){"horse 1\n", "horse 1\n", NULL}, &p), OK);
	passphrase_free(&p);
	assert_int_equal(ask(true, (const char *const[]){"horse 1\n", "horse 2\n", NULL}, &p),
		ERR_PASSPHRASE);
	assert_int_equal(ask(false, (const char *const[]){"\n", NULL}, &p), ERR_PASSPHRASE);
	assert_null(p);
	assert_int_equal(passphrase_ask_on(-1, LANG_EN, false, &p), ERR_PASSPHRASE);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_stand_before_and_after),
		TEST(the_longest_name_is_the_command),
		TEST(what_is_not_understood_is_64),
		TEST(a_misuse_is_told_wherever_it_stands),
		TEST(help_has_every_row_in_both_languages),
		TEST(errors_have_exit_codes),
		TEST(bad_fields_are_all_told),
		TEST(the_environment_has_defaults),
		TEST(a_passphrase_file_is_for_its_owner_only),
		TEST(a_terminal_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
