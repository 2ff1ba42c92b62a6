/*
 * verify.h - what the files of `havre-admin verify` share.
 *
 *   verify         the table of checks, what they found, in which order they run
 *   verify_home    one home folder: its keys, its registry, a snapshot of its store
 *   verify_log     the broker's log and its tree
 *   verify_mail    mailboxes: what is processed, set aside, waiting
 *   verify_intake, verify_screening, verify_urgent   the services' own records
 *   verify_follow  what must have followed from a message
 *   verify_notices who must have been told
 *   verify_tell    the command, and its words
 *
 * All is read beside the running processes. One snapshot is taken of each store, the broker's last:
 * whatever a service has seen in its snapshot, the broker must have in its own, since it had it
 * first. What a service has yet to see, the broker's snapshot shows as waiting. So nothing that
 * moves meanwhile is taken for a fault, and nothing waiting means that all had come to rest.
 */
#ifndef HAVRE_ADMIN_VERIFY_H
#define HAVRE_ADMIN_VERIFY_H

#include "broker/tables.h"
#include "proto/checkpoint.h"
#include "services/common/base/config.h"
#include "services/common/keys/keyring.h"
#include "services/common/store/omap.h"
#include "services/common/engine/step.h"

#define R(role) ROLE_BIT(ROLE__##role)
#define STAFF   (R(OFFICER) | R(SUPERVISOR) | R(DIRECTOR))

/* --- verify_log.c --- */

/*
 * Is this the first time of receipt of the message that a case came with? The log's time, but for
 * one that the broker lost before its sender had the receipt: it was sent again as new, and its
 * reader, who had it, keeps the time that it had.
 */
struct verify;
struct logged;
MUST_USE enum err receipt_kept(
	struct verify *v, const struct logged *m, int64_t received_at, bool *ret);
/* Is it one of which the reader may have another time? */
MUST_USE enum err receipt_may_differ(struct verify *v, const struct logged *m, bool *ret);

/* --- verify_home.c --- */

/* What a home folder holds. */
struct parts {
	struct config config;
	bool configured;
	bool locked; /* the keys open with a passphrase only: nothing else was opened */
	struct keyring *keys;
	struct registry *registry;
	role_set roles; /* of the principal */
	struct store *store;
	const char *about; /* what could not be opened */
};

/* parts_free(ret) in every case. */
MUST_USE enum err parts_open(
	const char *folder, int64_t now, enum lang lang, FILE *errors, struct parts *ret);
void parts_free(struct parts *p);
/* The tables of the store of a principal with these roles. free() its tables but for the broker's,
 * which are broker_layout's own. */
MUST_USE enum err parts_layout(role_set roles, struct store_layout *ret);

struct home {
	const struct parts *parts; /* borrowed */
	const char *name;          /* the principal */
	struct txn *txn;           /* the snapshot */
	struct step *step;         /* reads in it; NULL: the broker */
	struct engine *engine;
	uint64_t cursor[LANES]; /* in the snapshot */
	uint64_t later[LANES];  /* after the broker's snapshot was taken */
};

/* Takes the snapshot. home_end in every case. */
MUST_USE enum err home_begin(const struct parts *p, int64_t now, struct home *ret);
void home_end(struct home *h);
MUST_USE enum err home_look_again(struct home *h);

/* Each message of the outbox. */
typedef enum err each_envelope(void *arg, struct slice envelope);
MUST_USE enum err home_outbox(struct home *h, each_envelope *each, void *arg);
MUST_USE enum err home_outbox_count(struct home *h, uint64_t *ret);
/* Each message that the broker refused for good, and that is kept for a person. */
typedef enum err each_refused(void *arg, enum err code, struct slice envelope);
MUST_USE enum err home_refused(struct home *h, each_refused *each, void *arg);
/* Each message that was set aside (quarantined), or that waits for another or is held for a
 * suspension (parked). */
struct aside {
	enum lane lane;
	uint64_t seq, index;
	bool parked, held;
	bool lost; /* the log was recovered, and has not this message again yet */
};
typedef enum err each_aside(void *arg, const struct aside *a);
MUST_USE enum err home_aside(struct home *h, each_aside *each, void *arg);
/* The newest head of the log that it has seen. ERR_NOT_FOUND. */
MUST_USE enum err home_head(struct home *h, struct checkpoint *ret);
/* The epoch of its store (number 0: none), and of the log, as each lane has followed it. */
MUST_USE enum err home_epochs(struct home *h, struct epoch *ret_store, uint64_t ret_log[LANES]);
MUST_USE enum err home_has_timer(struct home *h, const char *name, struct slice key, bool *ret);
/* Opens a message that was sent to it. protobuf_c_message_free_unpacked(*ret). ERR_NOT_FOUND:
 * nobody can, since the key that it was sealed to is destroyed, or its sender is suspended. */
MUST_USE enum err home_open_message(const struct home *h, struct slice envelope,
	const struct log_row *row, ProtobufCMessage **ret);

/* --- verify.c --- */

enum finding {
#define FINDING(name, number, en, fr) FOUND_##name,
#include "services/admin/verify.def"
#undef FINDING
	FINDINGS_OF_VERIFY
};

enum check {
#define CHECK(number, en, fr, why_en, why_fr) CHECK_##number,
#include "services/admin/verify.def"
#undef CHECK
	CHECKS
};

enum result { RESULT_OK, RESULT_BROKEN, RESULT_NOT_CHECKED };

#define FINDINGS_KEPT 8
#define FINDING_SIZE  200

struct tally {
	unsigned found;
	char first[FINDINGS_KEPT][FINDING_SIZE];
	char note[FINDING_SIZE]; /* in numbers, what was checked */
	bool missing;            /* a home that it needs is not here */
};

/* A message of the log. id and cause are known when its content is there. */
struct logged {
	struct log_row row;
	uint8_t id[MSG_ID_LEN], cause[MSG_ID_LEN];
	bool has_content, has_cause;
	const struct home *aside; /* who has set it aside, or keeps it waiting for another */
	bool followed;            /* a record names it as its cause */
};

/* A principal's mailboxes. */
struct box {
	const Principal *principal;
	uint64_t last[LANES];               /* the newest message */
	uint64_t passed[LANES];             /* what all its keys have passed */
	uint64_t quarantined, parked, held; /* held: of the parked */
};

struct tallied {
	uint64_t entries, accepted, rejected, duplicates_held, persons;
	uint32_t cap, reserved, consumed, free, year, waitlisted_persons;
	uint64_t urgent_raised, urgent_acknowledged, notices_delivered;
};

struct verify {
	enum lang lang;
	int64_t now;
	struct home *homes;
	size_t n_homes;
	struct home *broker;
	struct logged *log;
	uint64_t size, epoch;
	uint64_t differences; /* what a store that was put back did differently, for a person */
	struct box *boxes;    /* of all principals of the registry */
	size_t n_boxes;
	struct omap caused; /* verify_follow.c */
	uint64_t waiting;
	struct tallied counts;
	struct tally tallies[CHECKS];
};

/* Takes the snapshots of all that is open in the list, which must outlive it. One of them must be
 * the broker's: else ERR_NOT_FOUND. */
MUST_USE enum err verify_new(
	const struct parts *list, size_t n, int64_t now, enum lang lang, struct verify **ret);
void verify_free(struct verify **vp);
MUST_USE enum err verify_run(struct verify *v);

enum result verify_result(const struct verify *v, enum check check);
bool verify_broken(const struct verify *v);
/* "I7"; what it says; why it is not checked ("": it was). */
const char *check_id(enum check check);
const char *check_words(enum check check, enum lang lang);
const char *check_why_not(const struct verify *v, enum check check, enum lang lang);

/* `where` is a number, a principal or a case number. */
__attribute__((format(printf, 3, 4))) void found(
	struct verify *v, enum finding finding, const char *where, ...);
/* The same in words that come from elsewhere. */
void found_elsewhere(struct verify *v, const char *invariant, const char *where, const char *why);
__attribute__((format(printf, 3, 5), format(printf, 4, 5))) void checked(
	struct verify *v, enum check check, const char *en, const char *fr, ...);

/* NULL: there is no such home. */
struct home *verify_home(const struct verify *v, role_set roles);
/* NULL: the log has no such message of this sender. */
MUST_USE enum err verify_find(
	struct verify *v, const char *sender, struct slice id, struct logged **ret);
bool is_staff(const struct verify *v, const char *name);
/* Has this home's service handled the message? */
bool is_processed(const struct home *h, const struct logged *m);
/* NULL: the registry does not have it. */
const struct box *verify_box(const struct verify *v, const char *name);
/* The content of a message. */
MUST_USE enum err verify_content(struct verify *v, const struct logged *m, struct slice *ret);

/* --- verify_follow.c --- */

/* Gathers what this home has sent, in the log or still in its outbox, by its kind and its cause;
 * what was gathered before is forgotten. */
MUST_USE enum err follow_gather(struct verify *v, struct home *h);
/* Has it sent such a message because of this one? */
bool is_caused(const struct verify *v, uint32_t kind, const struct logged *by);
/* home_open_message, of the log. */
MUST_USE enum err open_logged(
	struct verify *v, const struct home *h, const struct logged *m, ProtobufCMessage **ret);

/* The checks. Any error means that a store could not be read to its end. */
typedef enum err run_check(struct verify *v);
run_check check_log, check_mail, check_intake, check_screening, check_urgent, check_requests,
	check_notices, check_refused, check_erased;

#endif
