/*
 * What a broker tells a program: a byte of choices, two bytes of length, a frame; and so on. A byte
 * of choices: the lane (1), and whether the broker and the administrator sign what they would have
 * to (2): then the checkpoint and the recoveries of a Welcome are given in short, a Delivery brings
 * a message that opens, and a Receipt is for what was sent first.
 */
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#include "proto/merkle.h"
#include "services/common/store/recover.h"
#include "tests/unit/engine_rig.h"

#define FRAMES 8

static struct fixture *people;

static void know_people(void)
{
	if (people)
		return;
	people = fixture_make();
	fixture_principal(people, "director-1")->roles[0] = ROLE__ADMIN;
	fixture_rebuild(people);
}

static ProtobufCBinaryData bytes_of(const struct buf *b)
{
	return (ProtobufCBinaryData){b->len, b->data};
}

/* The root that stands there; or the one of a log whose leaves are 1 and 2. */
static void root_of(struct slice in, uint64_t size, uint8_t ret[HASH_LEN])
{
	static const uint8_t leaves[2][HASH_LEN] = {{1}, {2}};

	crypto_hash_sha256(ret, NULL, 0);
	if (size == 1)
		memcpy(ret, leaves[0], HASH_LEN);
	if (size == 2)
		merkle_node(leaves[0], leaves[1], ret);
	if (in.len == HASH_LEN)
		memcpy(ret, in.data, HASH_LEN);
}

/* In short: epoch, size, root or nothing. */
static struct buf checkpoint_in_short(ProtobufCBinaryData b)
{
	struct slice in = slice_of(b.data, b.len);
	struct checkpoint c = {.epoch = fuzz_choice(&in)};
	struct buf note = {0};

	c.size = fuzz_choice(&in);
	root_of(in, c.size, c.root);
	HOLDS(checkpoint_sign(&c, "broker", keyring_sign_seed(fixture_keys(people, "broker")),
		      &note) == OK);
	return note;
}

/* In short: the epoch that ends, the one that begins, the size, root or nothing. */
static struct buf word_in_short(ProtobufCBinaryData b)
{
	static uint8_t was[EPOCH_LEN] = {1}, next[EPOCH_LEN] = {2};
	struct slice in = slice_of(b.data, b.len);
	Recover word = RECOVER__INIT;
	uint8_t root[HASH_LEN];
	struct buf out = {0};

	word.principal = (char *)"broker";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, was};
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.was_epoch = fuzz_choice(&in);
	word.epoch = fuzz_choice(&in);
	word.from_size = fuzz_choice(&in);
	root_of(in, word.from_size, root);
	word.root = (ProtobufCBinaryData){HASH_LEN, root};
	word.at = FIXTURE_NOW;
	HOLDS(recover_sign(&word, fixture_keys(people, "director-1"), &out) == OK);
	return out;
}

static void replace(ProtobufCBinaryData *b, struct buf new)
{
	free(b->data);
	*b = bytes_of(&new);
}

static void welcome(struct rig *r, enum lane lane, bool signs, Welcome *w)
{
	struct greeting said;
	Hello hello = HELLO__INIT;
	enum err e;

	for (size_t i = 0; signs && i < w->n_recovers; i++)
		replace(&w->recovers[i], word_in_short(w->recovers[i]));
	if (signs)
		replace(&w->checkpoint, checkpoint_in_short(w->checkpoint));
	HOLDS(engine_hello(r->engine, lane, &hello, &said) == OK);
	e = engine_welcome(r->engine, lane, &said, w, FIXTURE_NOW);
	HOLDS(e == OK || e == ERR_FENCED || e == ERR_ROLLED_BACK || e == ERR_BAD_SIGNATURE);
	HOLDS(e != OK || (signs && !w->fenced));
}

static void delivery(struct rig *r, enum lane lane, bool signs, const Delivery *m)
{
	struct delivery d = {.lane = lane,
		.seq = m->seq,
		.index = m->index,
		.received_at = m->received_at,
		.envelope = slice_of(m->envelope.data, m->envelope.len)};
	struct buf b = {0};
	enum err e;

	if (signs) {
		b = rig_message(r, lane == LANE_URGENT ? KIND_SEND_THREAT : KIND_SEND_EXIT,
			"intake", "HV-2222-3333-4");
		d.envelope = slice_buf(&b);
	}
	e = engine_take(r->engine, &d);
	HOLDS(e == OK || e == ERR_INVALID);
	buf_free(&b);
}

static void receipt(struct rig *r, enum lane lane, bool signs, const Receipt *m)
{
	struct buf sent = {0};
	Receipt *right = NULL;
	enum err e;

	if (signs)
		sent = rig_sent(r, lane, 0);
	if (sent.len) {
		right = fixture_receipt(people, slice_buf(&sent), m->received_at);
		m = right;
	}
	e = engine_receipt(r->engine, m, FIXTURE_NOW);
	HOLDS(right ? e == OK : e == ERR_NOT_FOUND || e == ERR_BAD_SIGNATURE);
	if (right)
		receipt__free_unpacked(right, NULL);
	buf_free(&sent);
}

/* By one message at a time, or back to where a recovered log begins again. */
static void moved(const struct rig *r, enum lane lane, uint64_t from, const Frame *f)
{
	uint64_t to = engine_cursor(r->engine, lane);

	HOLDS(to == from ||
		(f->what_case == FRAME__WHAT_DELIVERY && to == from + 1 &&
			to == f->delivery->seq) ||
		(f->what_case == FRAME__WHAT_WELCOME && to < from && to == f->welcome->base_seq));
}

static void give(struct rig *r, uint8_t choice, struct slice bytes)
{
	enum lane lane = choice & 1 ? LANE_URGENT : LANE_ROUTINE;
	uint64_t cursor = engine_cursor(r->engine, lane);
	ProtobufCMessage *m;
	Frame *f;
	enum err e;

	if (strict_unpack(&frame__descriptor, bytes, &m) != OK)
		return;
	f = (Frame *)m;
	rig_begin(r);
	if (f->what_case == FRAME__WHAT_WELCOME)
		welcome(r, lane, choice & 2, f->welcome);
	if (f->what_case == FRAME__WHAT_DELIVERY)
		delivery(r, lane, choice & 2, f->delivery);
	if (f->what_case == FRAME__WHAT_RECEIPT)
		receipt(r, lane, choice & 2, f->receipt);
	if (f->what_case == FRAME__WHAT_REFUSAL) {
		e = engine_refusal(r->engine, f->refusal, FIXTURE_NOW);
		HOLDS(e == ERR_NOT_FOUND || e == ERR_BAD_SIGNATURE);
	}
	if (f->what_case == FRAME__WHAT_PONG)
		engine_safe(r->engine, lane, f->pong->safe);
	rig_commit(r);
	moved(r, lane, cursor, f);
	frame__free_unpacked(f, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct rig r;

	know_people();
	rig_open(&r, people, false);
	for (int n = 0; in.len >= 3 && n < FRAMES; n++) {
		uint8_t choice = fuzz_choice(&in);
		size_t len = (size_t)in.data[0] << 8 | in.data[1];

		in = slice_of(in.data + 2, in.len - 2);
		len = len < in.len ? len : in.len;
		give(&r, choice, slice_of(in.data, len));
		in = slice_of(in.data + len, in.len - len);
	}
	rig_close(&r);
	return 0;
}
