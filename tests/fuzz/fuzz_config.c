/* havre.conf of any program; the first byte says of which. A refused one says why. What the sandbox
 * makes of the endpoints of another. */
#include "tests/fuzz/fuzz.h"

#include "services/common/base/config.h"
#include "services/common/sandbox/sandbox_inside.h"

static void plan(enum program program, const struct config *c)
{
	struct sandbox_plan p = {.n_ports = 77};

	if (sandbox_plan(program, c, &p) == OK)
		HOLDS(p.needs && p.n_ports <= PORTS_MOST);
	else
		HOLDS(p.n_ports == 77);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	enum program program = fuzz_choice(&in) % (PROGRAM_ADMIN + 1);
	struct config c = {.home = UNTOUCHED};
	char *told = NULL;
	size_t len = 0;
	FILE *errors = open_memstream(&told, &len);
	enum err e;

	fuzz_file("havre.conf", in);
	e = config_load(fuzz_folder(), program, errors, LANG_EN, &c);
	fclose(errors);
	if (e == OK) {
		HOLDS(len == 0);
		plan(program, &c);
		config_free(&c);
	} else {
		HOLDS(len > 0 && c.home == UNTOUCHED);
	}
	free(told);
	return 0;
}
