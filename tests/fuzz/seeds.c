/* Seeds of what stands in stores and homes, and of what a broker says. */
#include "tests/fuzz/people.h"
#include "tests/fuzz/seeds.h"

#include "broker/tables.h"
#include "proto/frame.pb-c.h"
#include "proto/trust.pb-c.h"
#include "services/common/records.pb-c.h"
#include "services/common/trust/trust.h"

/* --- stores, homes and epochs --- */

static void recoveries(void)
{
	static uint8_t was[EPOCH_LEN] = {1}, next[EPOCH_LEN] = {2}, root_hash[HASH_LEN] = {3};
	Recover r = RECOVER__INIT;
	StoredSafe s = STORED_SAFE__INIT;
	struct buf b;

	write_message("recover", "form", 0, &signed_recover__descriptor);
	r.principal = (char *)"broker";
	r.was = bytes_of(was, EPOCH_LEN);
	r.store = bytes_of(next, EPOCH_LEN);
	r.was_epoch = 1;
	r.epoch = 2;
	r.from_size = 7;
	r.root = bytes_of(root_hash, HASH_LEN);
	r.at = SAMPLE_TIME;
	b = packed(&r.base);
	write_seed("recover", "signed", 1, slice_buf(&b));
	buf_free(&b);
	r.was_epoch = 2;
	b = packed(&r.base);
	write_seed("recover", "same-epoch", 1, slice_buf(&b));
	buf_free(&b);
	s.store = bytes_of(was, EPOCH_LEN);
	s.epoch = 1;
	s.done = 12345;
	s.at = SAMPLE_TIME;
	b = packed(&s.base);
	write_seed("recover", "safe", 2, slice_buf(&b));
	buf_free(&b);
	s.store.len--;
	b = packed(&s.base);
	write_seed("recover", "safe-short", 2, slice_buf(&b));
	buf_free(&b);
}

static void suspensions(void)
{
	SuspensionAct a = SUSPENSION_ACT__INIT;
	SignedAct s = SIGNED_ACT__INIT;
	ActSignature one = ACT_SIGNATURE__INIT, *list[2] = {&one, &one};
	const struct person officer = person(3);
	uint8_t sig[SIG_LEN];
	struct buf b, whole;

	write_message("suspension", "form", -1, &signed_act__descriptor);
	a.principal = (char *)"partner-a";
	a.serial = 1;
	a.reason = SUSPENSION_REASON__KEY_STOLEN;
	a.made_at = SAMPLE_TIME;
	b = packed(&a.base);
	HOLDS(act_sign(slice_buf(&b), officer.seed, sig) == OK);
	s.act = bytes_of(b.data, b.len);
	one.officer = (char *)officer.name;
	one.key_id = bytes_of(officer.reader.key_id, KEY_ID_LEN);
	one.signature = bytes_of(sig, SIG_LEN);
	s.signatures = list;
	for (s.n_signatures = 0; s.n_signatures <= 2; s.n_signatures++) {
		static const char *const names[] = {"unsigned", "one-officer", "one-officer-twice"};

		whole = packed(&s.base);
		write_seed("suspension", names[s.n_signatures], -1, slice_buf(&whole));
		buf_free(&whole);
	}
	buf_free(&b);
}

void seeds_recovered(void)
{
	recoveries();
	suspensions();
}

/* fuzz_stored.c has the tables. */
void seeds_stored(void)
{
	static const uint8_t epoch[EPOCH_LEN + 8] = {1, [EPOCH_LEN + 7] = 1};
	static const uint8_t none[EPOCH_LEN + 8] = {1}, head[50] = {9};
	struct log_row row = {.received_at = SAMPLE_TIME,
		.kind = KIND_SUBMIT_REFERRAL,
		.seq = 1,
		.sender = "partner-a",
		.recipient = "intake"};
	struct store *store;
	struct slice value;
	struct txn *t;
	struct key k;

	HOLDS(store_open_memory(&broker_layout, &store) == OK);
	HOLDS(store_begin(store, TXN_WRITE, &t) == OK && log_row_append(t, 0, &row) == OK);
	index_key(&k, 0);
	HOLDS(txn_get(t, TABLE_LOG, key_slice(&k), &value) == OK);
	write_seed("stored", "log-row", 0, value);
	write_seed("stored", "log-row-cut", 0, slice_of(value.data, value.len - 1));
	txn_abort(&t);
	store_free(&store);
	write_seed("stored", "number", 1, slice_of(epoch, 8));
	write_seed("stored", "epoch", 2, slice_of(epoch, sizeof(epoch)));
	write_seed("stored", "epoch-0", 2, slice_of(none, sizeof(none)));
	write_message("stored", "act", 3, &stored_act__descriptor);
	write_message("stored", "parked", 4, &stored_parked__descriptor);
	write_seed("stored", "followed", 5, slice_of(epoch, 16));
	write_seed("stored", "head", 6, slice_of(head, sizeof(head)));
}

/* --- what a broker tells: fuzz_welcome.c says how --- */

static void add_welcome(struct buf *out, int choice, const char *head, const char *word, bool grew)
{
	ProtobufCBinaryData recover = bytes_of(word, word ? 3 : 0), proof = {0};
	static uint8_t leaf[HASH_LEN] = {2};
	Welcome w = WELCOME__INIT;
	Frame f = FRAME__INIT;

	proof = bytes_of(leaf, HASH_LEN);
	w.protocol = 1;
	w.broker = (char *)"broker";
	w.checkpoint = bytes_of(head, 2);
	if (word) {
		w.recovers = &recover;
		w.n_recovers = 1;
	} else if (grew) { /* from 1 to 2 */
		w.consistency = &proof;
		w.n_consistency = 1;
	}
	f.what_case = FRAME__WHAT_WELCOME;
	f.welcome = &w;
	add_frame(out, choice, &f.base);
}

static void add_delivery(struct buf *out, int choice, uint64_t seq)
{
	Delivery d = DELIVERY__INIT;
	Frame f = FRAME__INIT;

	d.seq = d.index = seq;
	d.received_at = SAMPLE_TIME;
	f.what_case = FRAME__WHAT_DELIVERY;
	f.delivery = &d;
	add_frame(out, choice, &f.base);
}

static void add_receipt(struct buf *out, int choice)
{
	Receipt r = RECEIPT__INIT;
	Frame f = FRAME__INIT;

	r.received_at = SAMPLE_TIME;
	f.what_case = FRAME__WHAT_RECEIPT;
	f.receipt = &r;
	add_frame(out, choice, &f.base);
}

void seeds_welcome(void)
{
	struct buf out = {0};

	add_welcome(&out, 2, "\1\1", NULL, false);
	add_welcome(&out, 2, "\1\2", NULL, true);
	add_welcome(&out, 3, "\1\2", NULL, false); /* as the other lane */
	write_seed("welcome", "grows", -1, slice_buf(&out));
	add_welcome(&out, 2, "\1\1", NULL, false);
	write_seed("welcome", "shrinks", -1, slice_buf(&out));
	buf_free(&out);
	add_welcome(&out, 0, "\1\1", NULL, false);
	add_delivery(&out, 0, 1);
	add_receipt(&out, 0);
	write_seed("welcome", "unsigned", -1, slice_buf(&out));
	buf_free(&out);
	add_welcome(&out, 3, "\1\2", NULL, false);
	add_delivery(&out, 3, 1);
	add_receipt(&out, 2);
	add_delivery(&out, 3, 3); /* a gap */
	write_seed("welcome", "takes", -1, slice_buf(&out));
	add_welcome(&out, 3, "\2\1", "\1\2", false);
	add_delivery(&out, 3, 1);
	write_seed("welcome", "recovered", -1, slice_buf(&out));
	buf_free(&out);
	add_welcome(&out, 2, "\1\1", NULL, false);
	add_welcome(&out, 2, "\3\0", "\2\3", false);
	write_seed("welcome", "epoch-left-out", -1, slice_buf(&out));
	buf_free(&out);
}
