#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <unistd.h>

#include "proto/catalogue.h"
#include "proto/case.pb-c.h"
#include "proto/envelope.pb-c.h"
#include "proto/frame.pb-c.h"
#include "proto/keyfile.pb-c.h"
#include "proto/registry.pb-c.h"
#include "proto/trust.pb-c.h"
#include "services/client/records.pb-c.h"
#include "services/common/records.pb-c.h"
#include "services/intake/records.pb-c.h"
#include "services/notify/records.pb-c.h"
#include "services/screening/records.pb-c.h"
#include "services/urgent/records.pb-c.h"
#include "services/common/base/log.h"

char fuzz_untouched;

static const ProtobufCMessageDescriptor *const outer_types[] = {
	&envelope__descriptor,
	&header__descriptor,
	&sealed__descriptor,
	&frame__descriptor,
	&note__descriptor,
	&signed_registry__descriptor,
	&registry__descriptor,
	&key_request__descriptor,
	&key_file__descriptor,
	&secrets__descriptor,
	&client_proof__descriptor,
	&signed_act__descriptor,
	&suspension_act__descriptor,
	&signed_recover__descriptor,
	&recover__descriptor,
	&bucket_file__descriptor,
	&bucket_rest__descriptor,
	&escrow_file__descriptor,
	&share__descriptor,
	/* what root reads in the homes of others */
	&stored_parked__descriptor,
	&stored_quarantine__descriptor,
	&stored_act__descriptor,
	&stored_safe__descriptor,
	&stored_kept__descriptor,
	&stored_seen__descriptor,
	&client_submission__descriptor,
	&intake_entry__descriptor,
	&screening_case__descriptor,
	&urgent_case__descriptor,
	&notify_case__descriptor,
	&crowd__descriptor,
};
#define OUTER_TYPES (sizeof(outer_types) / sizeof(outer_types[0]))

/* Files are made in one folder, which goes when the process ends as it should. */
static char folder[32], path[PATH_MAX];

static void remove_folder(void)
{
	if (path[0])
		unlink(path);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	log_setup("fuzz", LOG_ERROR);
	return sodium_init() < 0 ? -1 : 0;
}

void fuzz_same(const ProtobufCMessage *m, struct slice bytes)
{
	struct buf again = {0};

	HOLDS(strict_pack(m, &again) == OK);
	HOLDS(slice_eq(slice_buf(&again), bytes));
	buf_free(&again);
}

const char *fuzz_folder(void)
{
	if (!folder[0]) {
		snprintf(folder, sizeof(folder), "/tmp/havre-fuzz-XXXXXX");
		HOLDS(mkdtemp(folder));
		atexit(remove_folder);
	}
	return folder;
}

const char *fuzz_file(const char *name, struct slice bytes)
{
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	HOLDS(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
	close(fd);
	return path;
}

size_t fuzz_types(void)
{
	unsigned rows;

	catalogue_rows(&rows);
	return rows + OUTER_TYPES;
}

const ProtobufCMessageDescriptor *fuzz_type(size_t i)
{
	unsigned n;
	const struct kind_row *rows = catalogue_rows(&n);

	if (i < n)
		return rows[i].body;
	return i - n < OUTER_TYPES ? outer_types[i - n] : NULL;
}
