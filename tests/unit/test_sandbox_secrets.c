/* Goal: keys and passphrases lie in memory that the kernel says is locked, in no core, and between
 * pages that nobody can touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/keys/keyring.h"
#include "services/common/keys/passphrase.h"
#include "tests/unit/sandbox_rig.h"

/* The flags of the mapping that holds this byte ("rd wr mr mw me lo ac dd"), from the kernel. */
static bool flags_of(const void *byte, char ret[256])
{
	unsigned long long from, to, at = (uintptr_t)byte;
	FILE *f = fopen("/proc/self/smaps", "re");
	bool inside = false, found = false;
	char line[512], *end;

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f)) {
		from = strtoull(line, &end, 16);
		if (*end == '-') {
			to = strtoull(end + 1, NULL, 16);
			inside = from <= at && at < to;
		}
		found = inside && sscanf(line, "VmFlags: %255[^\n]", ret) == 1;
	}
	(void)fclose(f);
	return found;
}

static void assert_locked(const void *secret)
{
	char flags[256] = "";

	assert_true(flags_of(secret, flags));
	if (!strstr(flags, "lo") || !strstr(flags, "dd"))
		print_error("%s\n", flags);
	assert_non_null(strstr(flags, "lo")); /* locked */
	assert_non_null(strstr(flags, "dd")); /* not dumped */
}

static void keys_are_locked(void **state)
{
	struct rig *r = *state;
	struct keyring *made = NULL, *read = NULL;
	char path[128], flags[256] = "";
	char *ordinary;

	path_in(r->home, "key", path);
	assert_int_equal(keyring_create("intake", &made), OK);
	assert_int_equal(keyring_save(made, path, (struct slice){0}), OK);
	assert_int_equal(keyring_load(path, (struct slice){0}, &read), OK);
	assert_locked(keyring_sign_seed(made));
	assert_locked(keyring_sign_seed(read));
	assert_locked(keyring_transport_secret(read));
	assert_locked(keyring_step_key(read));
	assert_locked(keyring_store_key(read));
	assert_locked(keyring_box_secret(read, 1));
	/* else the test says nothing */
	ordinary = malloc(64);
	assert_true(flags_of(ordinary, flags));
	assert_null(strstr(flags, "lo"));
	free(ordinary);
	keyring_free(&made);
	keyring_free(&read);
}

static void passphrases_are_locked(void **state)
{
	struct rig *r = *state;
	struct passphrase *p = NULL;
	char path[128];

	write_file(r->home, "passphrase", "correct horse\n");
	path_in(r->home, "passphrase", path);
	assert_int_equal(passphrase_from_file(path, &p), OK);
	assert_locked(passphrase_slice(p).data);
	passphrase_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(keys_are_locked),
		RIG_TEST(passphrases_are_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
