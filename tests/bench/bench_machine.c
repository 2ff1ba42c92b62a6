/*
 * bench_machine - what the parts cost on this machine, in this folder: the figures explain the
 * others.
 *
 *   --home FOLDER --pack FILE   (of bench-1, to intake; the folder is where the stores are)
 *
 * Prints one JSON object; each is the median of many, in microseconds.
 */
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/bench/options.h"
#include "tests/bench/pack.h"
#include "tests/bench/people.h"
#include "tests/bench/timing.h"

#define TIMES      300
#define SYNC_BYTES 4096

struct parts {
	int fd; /* of the file that is synced */
	struct person intake;
	struct pack pack;
	uint8_t public_key[32], secret_key[64], signature[64], digest[32];
};

static enum err sync_file(struct parts *p)
{
	static const uint8_t block[SYNC_BYTES];

	return write(p->fd, block, sizeof(block)) == sizeof(block) && fdatasync(p->fd) == 0
		       ? OK
		       : ERR_IO;
}

static enum err sign(struct parts *p)
{
	return crypto_sign_detached(p->signature, NULL, p->digest, 32, p->secret_key) ? ERR_IO : OK;
}

static enum err verify(struct parts *p)
{
	return crypto_sign_verify_detached(p->signature, p->digest, 32, p->public_key)
		       ? ERR_BAD_SIGNATURE
		       : OK;
}

/* All that a reader does. */
static enum err read_envelope(struct parts *p)
{
	struct message_read m;

	TRY(person_read(&p->intake, p->pack.list[0], &m));
	message_read_free(&m);
	return OK;
}

static const struct part {
	const char *name;
	enum err (*once)(struct parts *p);
} list[] = {
	{"fdatasync_us", sync_file},
	{"ed25519_sign_us", sign},
	{"ed25519_verify_us", verify},
	{"read_envelope_us", read_envelope},
};

static double median_us(const struct part *part, struct parts *p)
{
	int64_t took[TIMES];
	struct timing t;

	for (size_t i = 0; i < TIMES; i++) {
		int64_t start = clock_ns();

		MUST(part->once(p));
		took[i] = clock_ns() - start;
	}
	timing_of(took, TIMES, &t);
	return t.p50_us;
}

int main(int argc, char **argv)
{
	struct parts p = {.fd = -1};
	struct options o;
	char path[PATH_MAX];

	options_read(argc, argv, &o);
	MUST(person_open(o.home, "intake", &p.intake));
	MUST(pack_read(o.pack, &p.pack));
	snprintf(path, sizeof(path), "%s/synced", o.home);
	p.fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	MUST(p.fd >= 0 && unlink(path) == 0 ? OK : ERR_IO);
	crypto_sign_keypair(p.public_key, p.secret_key);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		printf("%s\"%s\": %.1f", i ? ", " : "{", list[i].name, median_us(&list[i], &p));
	printf("}\n");
	close(p.fd);
	pack_free(&p.pack);
	person_close(&p.intake);
	return 0;
}
