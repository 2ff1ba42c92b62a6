/* Goal: inside its sandbox every program can do its work: keep a store, start threads, hold
 * secrets, use its ports, find hosts by name when it has to, deliver alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <cmocka.h>

#include "services/common/base/civil.h"
#include "services/common/keys/keyring.h"
#include "services/common/store/store.h"
#include "tests/unit/sandbox_rig.h"

#define WENT_WRONG 254 /* what a child gives whose own step failed */

static const char *const tables[] = {"one", NULL};
static const struct store_layout layout = {.tables = tables};

/* A store is made, grows over many pages, is closed and opened again. */
static enum err use_store(const struct rig *r)
{
	uint8_t key[8], value[1024] = {1};
	struct store *s = NULL;
	struct txn *t = NULL;
	uint64_t n = 0;

	TRY(store_open_lmdb(r->config.store_path, &layout, (size_t)16 << 20, &s));
	for (uint64_t i = 0; i < 4000; i++) {
		if (i % 1000 == 0)
			TRY(store_begin(s, TXN_WRITE, &t));
		be64_put(key, i);
		TRY(txn_put(t, 0, slice_of(key, 8), slice_of(value, sizeof(value))));
		if (i % 1000 == 999)
			TRY(txn_commit(&t));
	}
	store_free(&s);
	TRY(store_open_lmdb(r->config.store_path, &layout, (size_t)16 << 20, &s));
	TRY(store_begin(s, TXN_READ, &t));
	TRY(txn_count(t, 0, &n));
	txn_abort(&t);
	store_free(&s);
	return n == 4000 ? OK : ERR_CORRUPT;
}

static void *do_nothing(void *arg)
{
	return arg;
}

static enum err use_thread(const struct rig *r)
{
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, do_nothing, (void *)r) != 0)
		return ERR_NOMEM;
	return pthread_join(thread, &result) == 0 && result == r ? OK : ERR_IO;
}

static enum err use_secrets(const struct rig *r)
{
	struct keyring *made = NULL, *read = NULL;
	char path[128];
	enum err e;

	path_in(r->home, "key", path);
	unlink(path);
	TRY(keyring_create("intake", &made));
	e = keyring_save(made, path, (struct slice){0});
	if (e == OK)
		e = keyring_load(path, (struct slice){0}, &read);
	keyring_free(&made);
	keyring_free(&read);
	return e;
}

static enum err use_files(const struct rig *r)
{
	char path[128];
	struct buf b = {0};

	path_in(r->home, "mine", path);
	TRY(file_replace(path, slice_str("new"), 0600));
	TRY(file_read(path, 100, &b));
	buf_free(&b);
	TRY(civil_setup("Asia/Tokyo"));
	return civil_year(0) == 1970 ? OK : ERR_INVALID;
}

static enum err use_network(const struct rig *r, int program)
{
	struct sockaddr_in at = local_address(program == PROGRAM_BROKER ? r->bindable : r->port);
	int s, result;

	if (program == PROGRAM_ADMIN)
		return OK;
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (program == PROGRAM_BROKER)
		result = bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 4);
	else
		result = connect(s, (struct sockaddr *)&at, sizeof(at));
	close(s);
	return result == 0 ? OK : ERR_UNREACHABLE;
}

/* Which program is inside: try_inside's function takes no more. */
static int program;

static int work(const struct rig *r)
{
	enum err e = use_store(r);

	if (e == OK)
		e = use_thread(r);
	if (e == OK)
		e = use_secrets(r);
	if (e == OK)
		e = use_files(r);
	if (e == OK)
		e = use_network(r, program);
	return e == OK ? 0 : (int)e + 100;
}

static void every_program_can_do_its_work(void **state)
{
	const struct rig *r = *state;

	for (program = 0; program < PROGRAMS; program++) {
		int result = try_inside(r, program, work);

		if (result)
			print_error("%s: %d\n", program_names[program], result);
		assert_int_equal(result, 0);
		assert_int_equal(nftw(r->config.store_path, rig_remove, 16, FTW_DEPTH), 0);
	}
}

static int resolve(const struct rig *r)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)r;
	if (s < 0)
		return errno;
	close(s);
	if (getaddrinfo("localhost", "80", &hints, &list) != 0)
		return WENT_WRONG;
	freeaddrinfo(list);
	return 0;
}

/* Only who has a name in the configuration may ask for one. */
static void names_are_resolved_when_there_are_any(void **state)
{
	struct rig *r = *state;
	char text[128];

	assert_int_equal(try_inside(r, PROGRAM_INTAKE, resolve), EPERM);
	snprintf(text, sizeof(text), "[broker]\nroutine = tcp://localhost:%u\n", r->port);
	write_file(r->home, "havre.conf", text);
	config_free(&r->config);
	assert_int_equal(config_load(r->home, PROGRAM_ADMIN, stderr, LANG_EN, &r->config), OK);
	/* a machine without /etc/hosts may not know itself: inside is as outside */
	assert_int_equal(try_inside(r, PROGRAM_INTAKE, resolve), resolve(r));
}

/* A file of the configuration may lie elsewhere, and be replaced there. */
static int read_elsewhere(const struct rig *r)
{
	char path[128];
	struct buf b = {0};
	enum err e;

	path_in(r->outside, "registry", path);
	e = file_read(path, 100, &b);
	buf_free(&b);
	if (e != OK)
		return (int)e;
	return file_replace(path, slice_str("mine"), 0600) == OK ? WENT_WRONG : 0;
}

static void paths_of_the_configuration_are_there(void **state)
{
	struct rig *r = *state;
	char more[256];

	write_file(r->outside, "registry", "first");
	snprintf(more, sizeof(more), "registry = %s/registry\nstore = %s/deep/store\n", r->outside,
		r->folder);
	rig_configure(r, more);
	assert_int_equal(mkdir(strcat(strcpy(more, r->folder), "/deep"), 0700), 0);
	assert_int_equal(try_inside(r, PROGRAM_URGENT, read_elsewhere), 0);
	program = PROGRAM_URGENT;
	assert_int_equal(try_inside(r, PROGRAM_URGENT, work), 0);
}

/* --- the relay's libcurl --- */

static int deliver_by_name(const struct rig *r)
{
	CURL *h = curl_easy_init();
	CURLcode code;

	if (!h)
		return WENT_WRONG;
	curl_easy_setopt(h, CURLOPT_URL, r->config.relay_url);
	curl_easy_setopt(h, CURLOPT_CONNECT_ONLY, 1L);
	code = curl_easy_perform(h);
	curl_easy_cleanup(h);
	return (int)code;
}

static int read_roots(const struct rig *r)
{
	(void)r;
	return result_of_fd(open("/etc/ssl/certs/ca-certificates.crt", O_RDONLY | O_CLOEXEC));
}

/* libcurl knows localhost by itself: another name of this machine is better, if there is one. */
static void name_the_host(struct rig *r)
{
	char own[HOST_NAME_MAX + 1] = "", url[HOST_NAME_MAX + 32];
	const char *const names[] = {own, "ip4-localhost", "localhost.localdomain", "localhost"};
	int result = -1;

	gethostname(own, sizeof(own) - 1);
	for (size_t i = 0; result != CURLE_OK && i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(url, sizeof(url), "http://%s:%u/", names[i], r->elsewhere);
		free(r->config.relay_url);
		r->config.relay_url = strdup(url);
		result = try_inside(r, NO_PROGRAM, deliver_by_name);
	}
	assert_int_equal(result, CURLE_OK);
}

static void a_relay_finds_its_host_and_checks_it(void **state)
{
	struct rig *r = *state;

	assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
	name_the_host(r);
	assert_int_equal(try_inside(r, PROGRAM_RELAY, deliver_by_name), CURLE_OK);
	assert_int_not_equal(try_inside(r, PROGRAM_NOTIFY, deliver_by_name), CURLE_OK);
	curl_global_cleanup();
	if (try_inside(r, NO_PROGRAM, read_roots) != 0)
		skip(); /* no roots on this machine */
	assert_int_equal(try_inside(r, PROGRAM_RELAY, read_roots), 0);
	assert_int_equal(try_inside(r, PROGRAM_NOTIFY, read_roots), EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_program_can_do_its_work),
		RIG_TEST(names_are_resolved_when_there_are_any),
		RIG_TEST(paths_of_the_configuration_are_there),
		RIG_TEST(a_relay_finds_its_host_and_checks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
