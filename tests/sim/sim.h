/*
 * sim.h - a whole Havre in one thread: the real services (node, link, engine, handlers) and the
 * real broker's core, on memory stores, with a network, clocks and crashes that follow from one
 * seed. The same seed gives the same run, byte for byte.
 *
 *   chance    the seed's numbers                trace     what happened, as one hash
 *   world     the processes; one event after    faults    what goes wrong, and when
 *             the other                         seams     where the programs meet the machine
 *   process   one program: start, turn, death   wire      connections, and what is on the way
 *   front     the broker's process              plant     bugs on purpose: a check must see each
 *   partner, officer, referral   the people     check, rest   what must be true, always and at rest
 *   trust, backup                what operators and officers do about keys and stores
 *   cheap     a cheap suite for the many worlds
 *
 * Times are milliseconds since the world began unless they are said to be of a process's clock.
 */
#ifndef HAVRE_TESTS_SIM_H
#define HAVRE_TESTS_SIM_H

#include "broker/core.h"
#include "proto/catalogue.h"
#include "services/common/node/node_inside.h"
#include "services/common/store/recover.h"
#include "services/common/trust/trust.h"
#include "services/staff/staff.h"
#include "tests/sim/chance.h"
#include "tests/unit/fixture.h"

struct sim;

/* --- who is there --- */

enum who_is {
	INTAKE,
	SCREENING,
	URGENT,
	NOTIFY,
	RELAY,
	PARTNER_A,
	PARTNER_B,
	PARTNER_C,
	OFFICER_1,
	OFFICER_2,
	SUPERVISOR,
	BROKER,
	PROCESSES,
};
#define FIRST_PARTNER PARTNER_A
#define PARTNERS      3
#define FIRST_OFFICER OFFICER_1
#define OFFICERS      3

/* A store's copy, and the two files that go with it. */
struct backup {
	struct store *copy;  /* NULL: none */
	struct safe safe;    /* HOME/safe; epoch 0: there is no such file */
	struct buf word;     /* HOME/recover; empty: no such file */
	bool lost;           /* this is the store that was lost */
	bool waits;          /* it was put back, and there is no word for it yet */
	uint64_t last_epoch; /* that a word named */
	bool older[LANES];   /* than what the broker has seen of it */
	int64_t word_at;
};

struct process {
	struct sim *sim;
	const char *name;
	const struct service *svc; /* NULL: the broker */
	struct store_layout layout;
	struct store *store;
	struct txn *before; /* what the store held before the last commit (PLANT_DISK_LIES) */

	struct node *node; /* NULL: not running; the broker has a core, and the rest of its parts */
	struct core *core;
	struct broker *broker;
	bool jobs_wait;    /* the verifiers may have something */
	int polls;         /* of its loop, in this turn */
	int64_t wake_at;   /* the next turn; when not running, the next start */
	int64_t ahead;     /* its clock: of the true time */
	int64_t waited_ms; /* what the last turn would have waited */
	int on_turn_ms;    /* what the service's own work asked for */
	bool busy;         /* the last turn took or committed something */
	bool committed;    /* since the last check */

	/* How it dies: after so many effects (commits, frames that leave) nothing that it does has
	 * an effect any more, and it ends with the turn. 0: it does not. */
	unsigned fuse;
	bool dead;
	bool failing; /* a commit was made to fail: it must end */

	struct backup backup;
	struct staff_seen seen; /* of an officer's process */
	struct staff_context staff;
};

/* --- wire.c: connections --- */

struct packet {
	struct packet *next;
	int64_t due;
	size_t len;
	uint8_t bytes[];
};

struct packets {
	struct packet *first, **end;
	unsigned n;
	int64_t last_due;
};

struct wire {
	struct wire *next;
	uint64_t id;
	struct process *process;
	enum lane lane;
	int64_t up_at;   /* connected; before that nothing can be sent */
	bool cut;        /* nothing more travels */
	int64_t seen_at; /* when the program notices; INT64_MAX: never by itself */
	bool closed;     /* by the program */
	struct packets up, down;
};

struct wire *wire_open(struct process *p, enum lane lane);
void wire_close(struct wire *w);
/* What is on the way arrives up to some point, and nothing after it. */
void wire_cut(struct wire *w, bool silent);
/* Nobody will read what the program sent. */
void wire_drop_up(struct wire *w);
/* Any of the wires of the lane from which something for the broker has arrived. NULL: none. */
struct wire *wire_pick(struct sim *s, enum lane lane);
struct conn wire_conn(const struct wire *w);
void wire_put(struct wire *w, struct packets *way, struct slice bytes);
/* The first packet that is due; free() it. NULL: none. */
struct packet *wire_take(struct packets *way, int64_t now);
struct wire *wire_find(struct sim *s, uint64_t id);
/* When something on the wires of this process (of the broker: on all) wants it to look. */
int64_t wire_next(const struct process *p);
/* Forgets what is closed and empty. */
void wires_tidy(struct sim *s);
void wires_free(struct sim *s);

/* --- process.c, front.c --- */

/* Makes its store. Ends the program when that fails. */
void process_make(struct sim *s, enum who_is who);
void process_free(struct process *p);
/* One turn, or its start when it does not run. */
void process_turn(struct process *p);
/* What was not committed is gone; it starts again later. */
void process_end(struct process *p);
bool process_runs(const struct process *p);
int64_t process_clock(const struct process *p);
/* This store, with the tables of the process's, becomes what `from` has. */
void process_copy(const struct process *p, struct txn *from, struct store *to);
/* One effect is about to happen: false when the process is dead, and it must not. */
bool process_effect(struct process *p);
/* What is on its disk now: a snapshot, until disk_close. */
struct txn *disk_open(const struct process *p);
void disk_close(const struct process *p, struct txn **tp);
/* A local step of a running program, committed. ERR_IO: it died. */
MUST_USE enum err process_local(
	struct process *p, enum err (*fn)(struct step *s, void *arg), void *arg);
MUST_USE enum err process_read(
	struct process *p, enum err (*fn)(struct step *s, void *arg), void *arg);

MUST_USE enum err front_start(struct process *p);
MUST_USE enum err front_turn(struct process *p);
void front_end(struct process *p);

/* --- seams.c --- */

/* Whose code runs: the seams act for it. NULL: nobody's. */
void seams_enter(struct process *p);

/* --- cheap.c --- */

void cheap_crypto(bool on);

/* --- the people --- */

enum act_kind { ACT_SUBMIT, ACT_SUBMIT_AGAIN, ACT_RISK, ACT_WITHDRAW };

struct act {
	enum act_kind kind;
	enum who_is partner;
	int64_t at;
	unsigned person; /* which of the invented people */
	unsigned reference;
	bool urgent;
	bool done, dropped;
	uint8_t id[MSG_ID_LEN];
};

void partners_plan(struct sim *s);
/* Does what is due, where the program runs. */
void partners_act(struct sim *s);
int64_t partners_next(const struct sim *s);
/* All acts are done or dropped. */
bool partners_rest(const struct sim *s);

struct officer {
	int64_t at; /* looks next */
	bool asking;
	enum kind kind;
	uint8_t id[MSG_ID_LEN];
	int64_t until; /* then the question is given up */
};

void officers_act(struct sim *s);
/* After a turn of the officer's program: its answers. An error: the program must end. */
MUST_USE enum err officer_hears(struct process *p);
/* By a step of its own, in its outbox. */
MUST_USE enum err officer_sends_act(struct process *p, const SignedAct *act, const char *about);
void officer_forgets(struct process *p);
int64_t officers_next(const struct sim *s);

/* A referral of good form about an invented person; all texts hold the canary. Free with
 * referral_free. */
#define CANARY "Canarybird"
Referral *sim_referral(struct sim *s, const struct act *a, int64_t now);
RiskReport *sim_risk(const char *case_number);

/* --- plant.c --- */

enum plant {
#define PLANT(name, invariant, words) PLANT_##name,
#include "tests/sim/plants.def"
#undef PLANT
	PLANTS
};
extern const struct plant_row {
	const char *name, *invariant, *words;
} plant_rows[PLANTS];
/* Called between two events: what a plant does by itself. */
void plant_act(struct sim *s);

/* --- trust.c --- */

#define ADMIN_NAME      "director-1" /* nobody else needs a director here */
#define REGISTRIES_MOST 4

struct suspension {
	int64_t at; /* looks next; INT64_MAX: nobody is to be suspended */
	enum who_is target;
	unsigned except; /* the officer who does not sign */
	int64_t lift_at, made_at;
	struct buf act; /* that they sign */
	bool signed_by[OFFICERS], suspended;
};

void trust_begin(struct sim *s);
void trust_free(struct sim *s);
/* What this program would find in its registry file. */
MUST_USE enum err trust_file(const struct process *p, uint64_t seen_version, struct registry **ret);
/* The broker gets the next version, and starts again. */
void trust_new_registry(struct sim *s);
/* A partner, once in a world. */
void trust_suspend(struct sim *s);
void trust_act(struct sim *s);
bool trust_rests(const struct sim *s);
/* At rest: everybody holds the partner as the broker does. */
void trust_check(struct sim *s);

/* --- backup.c --- */

/* Of any service or of the broker. */
void backup_make(struct sim *s);
/* One store in a world: its copy is put back, and somebody signs for it, later. It may be lost a
 * second time, and the same copy put back again. */
void backup_lose(struct sim *s);
/* What is in HOME/safe, and in HOME/recover. */
MUST_USE enum err backup_safe(const struct process *p, struct safe *ret);
MUST_USE enum err backup_word(const struct process *p, struct buf *ret);
/* HOME/recover did its work. */
void backup_word_used(struct process *p);
void backup_act(struct sim *s);
int64_t backup_next(const struct sim *s);
void backup_free(struct process *p);

/* --- faults.c --- */

struct chances {
	int64_t delay_most, delay_tail, verify_most;
	unsigned jobs_most; /* of a lane: beyond it BUSY */
	unsigned batch;     /* most messages of a commit */
	unsigned queue;     /* most frames on the way to a program: beyond it it takes nothing */
	long in_flight, credit, cap;
};

void faults_plan(struct sim *s);
/* Makes the next thing go wrong when it is time. */
void faults_act(struct sim *s);

/* --- check.c, rest.c --- */

/* What leaves a program or the broker. */
void check_sent(struct process *p, enum lane lane, const Frame *f);
void check_answered(struct sim *s, const struct wire *w, const Frame *f);
void check_text(struct sim *s, const char *where, struct slice bytes);
/* The broker's store will be this copy: what was receipted since must come again. */
void check_log_lost(struct process *p, struct store *copy);
/* After each turn that committed. */
void check_turn(struct process *p);
/* All that `havre-admin verify` checks, on what is on the disks now. */
void check_whole(struct sim *s);
/* Is there nothing left to do? *ret_why: what is. */
bool rest_reached(struct sim *s, const char **ret_why);
/* What must be true then. */
void rest_check(struct sim *s);

/* --- trace.c --- */

struct trace {
	uint64_t hash, events;
	bool print;
};
__attribute__((format(printf, 2, 3))) void trace(struct sim *s, const char *fmt, ...);
uint64_t trace_bytes(struct slice bytes);

/* --- world.c --- */

struct options {
	unsigned referrals, crashes;
	enum plant plant; /* PLANTS: none */
	unsigned every;   /* so many commits between two looks at the whole; 0: see world.c */
	bool print, cheap;
};

struct counts {
	unsigned crashes, cuts, commits, frames, cases, receipts, jumps;
	unsigned losses, fenced, stopped, suspensions;
};

/* A message of the broker's log, as it was first seen. */
struct first_seen {
	int64_t received_at;
	bool resent, receipted;
};

struct lost_row {
	uint8_t hash[HASH_LEN];
	int64_t received_at;
};

struct sim {
	uint64_t seed;
	struct options o;
	struct chance chance;
	struct chances chances;
	struct fixture *fixture;
	int64_t start; /* the true time of day when the world began */
	int64_t now;
	int64_t chaos_ends;
	bool quiet;
	struct process processes[PROCESSES];
	struct wire *wires;
	uint64_t last_wire;
	FILE *nowhere; /* for the words of programs that do not start */
	struct act *acts;
	size_t n_acts;
	struct officer officers[OFFICERS];
	int64_t fault_at;
	unsigned crashes_left;
	uint64_t log_size; /* of the broker, as of the last check */
	struct first_seen *log;
	struct lost_row *lost_rows; /* receipted, and lost with the broker's store */
	size_t n_lost_rows;
	bool lost; /* a store was lost */
	struct buf registries[REGISTRIES_MOST];
	unsigned n_registries;
	struct suspension suspension;
	int64_t plant_at; /* tries next */
	bool planted;     /* the plant did its deed */
	struct trace trace;
	struct counts counts;
	char invariant[8], failure[240]; /* the first that was found; "": none */
};

/* One world from its beginning to its rest; false: something was found. sim_free in every case. */
bool sim_run(uint64_t seed, const struct options *o, struct sim *s);
void sim_free(struct sim *s);
/* invariant: "I1" .. "I11", "END" (a process ended without a cause), "REST" (it never came to
 * rest). The first one counts. */
__attribute__((format(printf, 3, 4))) void sim_found(
	struct sim *s, const char *invariant, const char *fmt, ...);
void sim_must(enum err e, const char *what);

#endif
