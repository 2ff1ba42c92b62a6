/* Goal: a box secret is destroyed when nothing can need it any more, and not a day earlier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/day.h"
#include "proto/strict.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/common/base/file.h"
#include "services/common/trust/registry_check.h"

#define HORIZON 35

struct place {
	char home[32];
	struct keyring *root, *keys;
	Registry registry;
	Principal principal, *principals;
	ProtobufCBinaryData root_key;
	Role role;
	Key *key, *key_list[1];
	KeyRequest *request;
	uint32_t suite;
};

static void path_in(const struct place *p, const char *name, char ret[64])
{
	snprintf(ret, 64, "%s/%s", p->home, name);
}

static void write_file(const struct place *p, const char *name, struct slice bytes)
{
	char path[64];

	path_in(p, name, path);
	assert_int_equal(file_replace(path, bytes, 0600), OK);
}

/* The registry announces what the keyring has, each epoch since so many days. */
static void sign(struct place *p, const int *days)
{
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature sig = ROOT_SIGNATURE__INIT, *sigs = &sig;
	struct buf b = {0}, out = {0};
	uint8_t raw[SIG_LEN];

	for (size_t i = 0; i < p->key->n_box_keys; i++)
		p->key->box_keys[i]->since = draft_now() - days[i] * MS_A_DAY;
	assert_int_equal(strict_pack(&p->registry.base, &b), OK);
	assert_int_equal(registry_sign_bytes(slice_buf(&b), keyring_sign_seed(p->root), raw), OK);
	s.registry = (ProtobufCBinaryData){b.len, b.data};
	sig.root_key = p->root_key;
	sig.signature = (ProtobufCBinaryData){SIG_LEN, raw};
	s.signatures = &sigs;
	s.n_signatures = 1;
	assert_int_equal(strict_pack(&s.base, &out), OK);
	write_file(p, "registry", slice_buf(&out));
	buf_free(&b);
	buf_free(&out);
}

static void take_request(struct place *p)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};

	assert_int_equal(keyring_request(p->keys, "", "", 1, &b), OK);
	assert_int_equal(strict_unpack(&key_request__descriptor, slice_buf(&b), &m), OK);
	buf_free(&b);
	p->request = (KeyRequest *)m;
	p->key = p->key_list[0] = p->request->key;
}

static void make_registry(struct place *p)
{
	registry__init(&p->registry);
	principal__init(&p->principal);
	p->root_key = (ProtobufCBinaryData){SIGN_PK_LEN, (uint8_t *)keyring_sign_pk(p->root)};
	p->suite = 1;
	p->role = ROLE__NOTIFY;
	p->principal.name = "notify";
	p->principal.n_roles = 1;
	p->principal.roles = &p->role;
	p->principal.n_keys = 1;
	p->principal.keys = p->key_list;
	p->principals = &p->principal;
	p->registry.version = 1;
	p->registry.issued_at = draft_now() - 100 * MS_A_DAY;
	p->registry.expires_at = draft_now() + 100 * MS_A_DAY;
	p->registry.threshold = 1;
	p->registry.n_root_keys = 1;
	p->registry.root_keys = &p->root_key;
	p->registry.n_suites = 1;
	p->registry.suites = &p->suite;
	p->registry.n_principals = 1;
	p->registry.principals = &p->principals;
}

/* A home whose key has three epochs. */
static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct keyring *two = NULL, *one = NULL;
	char hex[2 * SIGN_PK_LEN + 1], json[256], path[64];

	snprintf(p->home, sizeof(p->home), "/tmp/havre-destroy-XXXXXX");
	assert_non_null(mkdtemp(p->home));
	assert_int_equal(keyring_create("root", &p->root), OK);
	assert_int_equal(keyring_create("notify", &one), OK);
	assert_int_equal(keyring_rotate(one, &two), OK);
	assert_int_equal(keyring_rotate(two, &p->keys), OK);
	keyring_free(&one);
	keyring_free(&two);
	take_request(p);
	make_registry(p);
	hex_encode(hex, keyring_sign_pk(p->root), SIGN_PK_LEN);
	snprintf(json, sizeof(json), "{\"threshold\": 1, \"keys\": [\"%s\"]}", hex);
	write_file(p, "root.json", slice_str(json));
	path_in(p, "key", path);
	assert_int_equal(keyring_save(p->keys, path, (struct slice){0}), OK);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", p->home);
	assert_int_equal(system(command), 0);
	key_request__free_unpacked(p->request, NULL);
	keyring_free(&p->root);
	keyring_free(&p->keys);
	free(p);
	return 0;
}

/* The exit code. */
static int destroy(const struct place *p, const char *how)
{
	static const struct cli_command commands[] = {
		CLI_COMMAND("keys destroy", "", 0, 0, keys_destroy_options, keys_destroy, "-", "-"),
		CLI_END,
	};
	static const struct cli_program program = {"havre-admin", {"-", "-"}, commands};
	char *argv[] = {"havre-admin", "keys", "destroy", "--home", (char *)p->home, "--json",
		(char *)how, NULL};

	return cli_main(&program, how ? 7 : 6, argv);
}

/* The epochs that are left, as a number: 23 is 2 and 3. */
static int left(const struct place *p)
{
	struct keyring *k = NULL;
	char path[64];
	int n = 0;

	path_in(p, "key", path);
	assert_int_equal(keyring_load(path, (struct slice){0}, &k), OK);
	for (uint32_t epoch = 1; epoch <= 3; epoch++)
		if (keyring_box_secret(k, epoch))
			n = 10 * n + (int)epoch;
	keyring_free(&k);
	return n;
}

static void what_was_replaced_long_ago_goes(void **state)
{
	struct place *p = *state;

	sign(p, (const int[]){90, HORIZON, 1});
	assert_int_equal(destroy(p, NULL), EXIT_BAD_USAGE); /* nobody looked for what waits */
	assert_int_equal(left(p), 123);
	assert_int_equal(destroy(p, "--without-broker"), EXIT_DONE);
	assert_int_equal(left(p), 23);
	assert_int_equal(destroy(p, "--without-broker"), EXIT_BAD_DATA); /* nothing more */
}

static void nothing_goes_a_day_too_early(void **state)
{
	struct place *p = *state;

	sign(p, (const int[]){90, HORIZON - 1, 1});
	assert_int_equal(destroy(p, "--without-broker"), EXIT_BAD_DATA);
	assert_int_equal(left(p), 123);
}

static void two_may_go_at_once(void **state)
{
	struct place *p = *state;

	sign(p, (const int[]){90, 80, HORIZON + 1});
	assert_int_equal(destroy(p, "--without-broker"), EXIT_DONE);
	assert_int_equal(left(p), 3);
}

/* Senders go by the registry: what it does not announce is not in use yet. */
static void only_what_the_registry_announces_counts(void **state)
{
	struct place *p = *state;
	size_t n = p->key->n_box_keys;

	p->key->n_box_keys = 1;
	sign(p, (const int[]){90});
	assert_int_equal(destroy(p, "--without-broker"), EXIT_BAD_DATA);
	assert_int_equal(left(p), 123);
	p->key->n_box_keys = n;
}

static void the_horizon_is_the_configuration_s(void **state)
{
	struct place *p = *state;

	write_file(p, "havre.conf", slice_str("[havre]\nhorizon = 7\n"));
	sign(p, (const int[]){20, 8, 6});
	assert_int_equal(destroy(p, "--without-broker"), EXIT_DONE);
	assert_int_equal(left(p), 23);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_replaced_long_ago_goes),
		TEST(nothing_goes_a_day_too_early),
		TEST(two_may_go_at_once),
		TEST(only_what_the_registry_announces_counts),
		TEST(the_horizon_is_the_configuration_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
