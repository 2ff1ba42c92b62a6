/* Gives every file of the folders to the target: what a build without libFuzzer runs. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>

static int give(const char *folder, const char *name)
{
	static uint8_t data[4u << 20];
	char path[4096];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f)
		return 0;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* A copy of just this length: reading beyond it shows. */
	uint8_t *exact = malloc(len ? len : 1);
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 1;
}

int main(int argc, char **argv)
{
	int n = 0;

	if (LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *entry;

		while (d && (entry = readdir(d)))
			if (entry->d_name[0] != '.')
				n += give(argv[i], entry->d_name);
		if (d)
			closedir(d);
	}
	printf("%d seeds\n", n);
	return n > 0 ? 0 : 1;
}
