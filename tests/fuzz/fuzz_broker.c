/*
 * Frames of several connections to the broker's core, as the front gives them: a byte that says
 * whose connection it is and whether the batch ends here, two bytes of length, the frame. Every
 * commit succeeds, and what leaves are frames.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "broker/core.h"

#define COMMITS 8

static struct registry *registry;

static struct conn conn_of(uint8_t choice)
{
	struct conn c = {.id = 1 + choice % 8, .lane = choice % 2};
	const struct person p = person(choice % 8 / 2);

	snprintf(c.peer.principal, sizeof(c.peer.principal), "%s", p.name);
	memcpy(c.peer.key_id, p.reader.key_id, KEY_ID_LEN);
	return c;
}

static void judge(struct core *c, const struct conn *from, enum via via, ProtobufCBinaryData b)
{
	struct slice envelope = slice_of(b.data, b.len);
	struct verdict v;

	if (via == VIA_POST && !core_lets(c, from, envelope)) {
		HOLDS(core_busy(c, from, via, envelope) == OK);
		return;
	}
	if (via == VIA_POST)
		core_given(c, from);
	verify(registry, from, via, SAMPLE_TIME, envelope, &v);
	HOLDS(core_judged(c, from, via, &v, envelope, SAMPLE_TIME) == OK);
}

static void give(struct core *c, const struct conn *from, struct slice bytes)
{
	ProtobufCMessage *m = NULL;
	const Frame *f;

	if (strict_unpack(&frame__descriptor, bytes, &m) != OK)
		return;
	f = (const Frame *)m;
	if (!core_knows(c, from) ||
		(f->what_case != FRAME__WHAT_POST && f->what_case != FRAME__WHAT_QUERY &&
			f->what_case != FRAME__WHAT_ANSWER))
		HOLDS(core_control(c, from, f, SAMPLE_TIME) == OK);
	else if (f->what_case == FRAME__WHAT_POST)
		judge(c, from, VIA_POST, f->post->envelope);
	else if (f->what_case == FRAME__WHAT_QUERY)
		judge(c, from, VIA_QUERY, f->query->envelope);
	else
		judge(c, from, VIA_ANSWER, f->answer->envelope);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void commit(struct core *c)
{
	struct output *o;

	HOLDS(core_commit(c) == OK);
	while ((o = core_output(c))) {
		ProtobufCMessage *m;

		HOLDS(o->conn >= 1 && o->conn <= 8);
		HOLDS(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m) == OK);
		protobuf_c_message_free_unpacked(m, NULL);
		free(o);
	}
}

static void run(struct core *c, struct slice in)
{
	int commits = 0;

	while (in.len >= 3 && commits < COMMITS) {
		uint8_t choice = fuzz_choice(&in);
		size_t len = (size_t)in.data[0] << 8 | in.data[1];
		struct conn from = conn_of(choice);

		in = slice_of(in.data + 2, in.len - 2);
		len = len < in.len ? len : in.len;
		give(c, &from, slice_of(in.data, len));
		in = slice_of(in.data + len, in.len - len);
		if (choice & 128) {
			commit(c);
			commits++;
		}
	}
	commit(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct person self = broker();
	struct core_options o = {.principal = self.name, .sign_seed = self.seed};
	struct core *c = NULL;

	if (!registry)
		people_know(&registry);
	o.registry = registry;
	HOLDS(store_open_memory(&broker_layout, &o.store) == OK);
	HOLDS(core_open(&o, &c) == OK);
	run(c, slice_of(data, size));
	core_free(&c);
	store_free(&o.store);
	return 0;
}
