/*
 * envelope.h - the only code that signs, verifies, seals and opens envelopes.
 *
 * An envelope is made in one go (envelope_make) and read in two: the broker checks and verifies it
 * without being able to open it (envelope_parse, envelope_verify); the reader does the same and
 * then opens it (envelope_open).
 */
#ifndef HAVRE_PROTO_ENVELOPE_H
#define HAVRE_PROTO_ENVELOPE_H

#include "proto/catalogue.h"
#include "proto/crypto.h"
#include "proto/envelope.pb-c.h"

#define SUITE_1 1

/* Total sizes of envelopes, in bytes: what an observer of a store or a wire can tell apart. */
#define ENVELOPE_SIZES                                                                             \
	{                                                                                          \
		2000, 4080, 8176, 16368, 32752, 65520, 131056, 262128, 524272, 1048560, 1310704    \
	}

/* 48 bits of milliseconds, then 80 bits of `e`: ids sort by time. */
void msg_id_make(uint8_t ret_id[MSG_ID_LEN], int64_t ms, struct entropy *e);
int64_t msg_id_time(const uint8_t id[MSG_ID_LEN]);

struct envelope_spec {
	enum kind kind;
	const uint8_t *id; /* MSG_ID_LEN */
	const char *sender, *recipient;
	const uint8_t *key_id;    /* KEY_ID_LEN: of the sender's key */
	const uint8_t *sign_seed; /* SIGN_SEED_LEN */
	int64_t created_at;       /* ms */
	const uint8_t *cause;     /* MSG_ID_LEN, or NULL */
	uint32_t epoch;           /* of the recipient's box keys */
	const struct reader *readers;
	size_t n_readers; /* 1..READERS_MOST */
};

/* Packs, pads, seals, signs. Appends the envelope's bytes to *out. ERR_TOO_LARGE, ERR_INVALID. */
MUST_USE enum err envelope_make(const struct envelope_spec *spec, const ProtobufCMessage *body,
	struct entropy *e, struct buf *out);

/* A parsed envelope; it keeps a copy of nothing: `bytes` must outlive it. */
struct envelope {
	Envelope *outer;
	Header *header;
	const struct kind_row *row;
	struct slice bytes;
};

/*
 * Strict decoding, the catalogue row, lengths of every field, the size limit of the kind, the name
 * syntax. No signature is checked. ERR_MALFORMED, ERR_NOT_CANONICAL, ERR_UNKNOWN_KIND,
 * ERR_TOO_LARGE, ERR_SUITE_REFUSED (a suite that this build does not know).
 */
MUST_USE enum err envelope_parse(struct slice bytes, struct envelope *ret);
void envelope_free(struct envelope *e);

/* Directly signed or through a batch. ERR_BAD_SIGNATURE. */
MUST_USE enum err envelope_verify(const struct envelope *e, const uint8_t sign_pk[SIGN_PK_LEN]);

/* Opens the seal and decodes the body strictly, as the kind's body type. Call only after verify.
 * ERR_NOT_FOR_ME, ERR_NOT_CANONICAL, ERR_MALFORMED. protobuf_c_message_free_unpacked(*ret). */
MUST_USE enum err envelope_open(const struct envelope *e, const uint8_t key_id[KEY_ID_LEN],
	const uint8_t box_sk[BOX_SK_LEN], ProtobufCMessage **ret);

/* Does the seal name this key? Says nothing about whether it opens. ERR_MALFORMED, ERR_NOMEM. */
MUST_USE enum err envelope_names(
	const struct envelope *e, const uint8_t key_id[KEY_ID_LEN], bool *ret);

/* SHA-256 of the envelope's bytes: receipts and the log name an envelope by it. */
void envelope_hash(struct slice bytes, uint8_t ret_hash[HASH_LEN]);

/* a-z, 0-9 and -, not first or last, 1 to 48 characters. */
bool principal_name_valid(const char *name);

/* --- sealed notes: written reasons, readable by the partner and the vault only --- */
MUST_USE enum err note_seal(const char *text, const char *case_number, const struct reader *readers,
	size_t n, struct entropy *e, struct buf *ret);
/* *ret_text: free() it. */
MUST_USE enum err note_open(struct slice sealed, const char *case_number,
	const uint8_t key_id[KEY_ID_LEN], const uint8_t box_sk[BOX_SK_LEN], char **ret_text);

#endif
