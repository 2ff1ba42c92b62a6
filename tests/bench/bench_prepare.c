/*
 * bench_prepare - makes a pack of sealed and signed referrals, each of other (invented) persons.
 *
 *   --home FOLDER --partners N --count MESSAGES --body REFERRAL.json --kind KIND --pack FILE
 *
 * Prints one JSON object: how many bytes the referral has, and its envelope.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/referral.pb-c.h"
#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/base/message.h"
#include "tests/bench/options.h"
#include "tests/bench/pack.h"
#include "tests/bench/people.h"

#define TO        "intake"
#define BODY_MOST (1u << 20)
#define SYLLABLES 7

static Referral *referral_read(const char *path)
{
	struct faults faults = {0};
	ProtobufCMessage *m = NULL;
	struct buf text = {0};

	MUST(file_read(path, BODY_MOST, &text));
	MUST(json_text_to_message(slice_buf(&text), &referral__descriptor, &faults, &m));
	buf_free(&text);
	return (Referral *)m;
}

/* A name that nobody has: intake must find no duplicate among them. */
static enum err new_name(char **name)
{
	static const char consonants[] = "bdfgklmnprstvz", vowels[] = "aeiou";
	char text[2 * SYLLABLES + 1];

	for (size_t i = 0; i < SYLLABLES; i++) {
		text[2 * i] = consonants[randombytes_uniform(sizeof(consonants) - 1)];
		text[2 * i + 1] = vowels[randombytes_uniform(sizeof(vowels) - 1)];
	}
	text[0] -= 'a' - 'A';
	text[sizeof(text) - 1] = 0;
	return set_text(name, text);
}

static enum err rename_all(Referral *r, unsigned number)
{
	char reference[32];

	snprintf(reference, sizeof(reference), "BENCH-%08X-%u", randombytes_random(), number);
	TRY(set_text(&r->reference, reference));
	for (size_t i = 0; i < r->n_persons; i++) {
		TRY(new_name(&r->persons[i]->identity->family_name));
		TRY(new_name(&r->persons[i]->identity->given_names));
		TRY(set_text(&r->persons[i]->identity->name_in_script, ""));
	}
	return OK;
}

static void make_all(const struct options *o, const struct person *people, Referral *r)
{
	const struct kind_row *row = catalogue_find_name(o->kind);
	FILE *out = fopen(o->pack, "w");
	struct buf packed = {0}, envelope = {0};

	MUST(out ? OK : ERR_IO);
	MUST(row && row->body == &referral__descriptor ? OK : ERR_UNKNOWN_KIND);
	MUST(strict_pack(&r->base, &packed));
	for (unsigned i = 0; i < o->count; i++) {
		MUST(rename_all(r, i));
		envelope.len = 0;
		MUST(person_write(
			&people[i % o->partners], TO, row->kind, NULL, &r->base, &envelope));
		MUST(pack_add(out, slice_buf(&envelope)));
	}
	MUST(fclose(out) == 0 ? OK : ERR_IO);
	printf("{\"referral_bytes\": %zu, \"envelope_bytes\": %zu, \"persons\": %zu}\n", packed.len,
		envelope.len, r->n_persons);
	buf_free(&packed);
	buf_free(&envelope);
}

int main(int argc, char **argv)
{
	struct person *people;
	struct options o;
	Referral *r;

	options_read(argc, argv, &o);
	MUST(o.kind && o.body && o.pack ? OK : ERR_USAGE);
	MUST(people_open(o.home, o.partners, &people));
	r = referral_read(o.body);
	make_all(&o, people, r);
	referral__free_unpacked(r, NULL);
	people_close(&people, o.partners);
	return 0;
}
