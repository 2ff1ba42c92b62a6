#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "services/common/base/log.h"

#define R(role) ROLE_BIT(ROLE__##role)

#define CLIMB    "climb"
#define DECISION "decision"

struct rung {
	role_set roles;
	size_t seconds; /* offset in struct config */
};

static const struct rung rungs[] = {
#define RUNG(number, roles, field) [(number)-1] = {(roles), offsetof(struct config, field)},
#include "services/urgent/ladder.def"
#undef RUNG
};
#define RUNGS (sizeof(rungs) / sizeof(rungs[0]))

static int64_t rung_ms(const struct step *s, const struct rung *r)
{
	const char *config = step_context(s);
	long seconds;

	memcpy(&seconds, config + r->seconds, sizeof(seconds));
	return (int64_t)seconds * 1000;
}

/* 4. One alert to everybody with one of these roles: codes and a case number only. Who has no key
 * to seal to is left out: one officer's expired key must not keep the alert from the others. */
static enum err alert_all(struct step *s, const UrgentCase *c, role_set roles, bool stand_down,
	unsigned crowd, unsigned *ret_reached)
{
	Alert a = ALERT__INIT;
	uint8_t delivery[16];
	const Principal *p;
	unsigned reached = 0;

	step_random(s, delivery, sizeof(delivery));
	a.case_number = c->case_number;
	a.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	a.rung = c->rung;
	a.threats = c->request->threats;
	a.n_threats = c->request->n_threats;
	a.detained = c->request->detained;
	a.removal_on = c->request->removal_on;
	a.raised_at = c->raised_at;
	a.due_at = c->next_rung_at;
	a.stand_down = stand_down;
	a.crowd = crowd;
	for (unsigned i = 0; (p = registry_with_roles(step_registry(s), roles, step_now(s), i));
		i++) {
		enum err e = step_send(s, KIND_RAISE_ALERT, p->name, &a.base);

		if (e != OK && e != ERR_UNKNOWN_RECIPIENT && e != ERR_SUSPENDED)
			return e;
		if (e == OK)
			reached++;
		else
			log_error("ALERT-NO-KEY", "case=%s to=%s", c->case_number, p->name);
	}
	*ret_reached = reached;
	return OK;
}

/* Those of the case's rung, for it alone; or, with the crowd's others, when they are due to hear of
 * them again. */
static enum err alert_rung(struct step *s, UrgentCase *c, const char *crowd, unsigned *ret_reached)
{
	const struct rung *r = &rungs[c->rung - 1];
	unsigned asked = 0;
	bool due = true;

	if (*crowd)
		TRY(crowd_due(s, crowd, c->rung, rung_ms(s, r), &due, &asked));
	if (!due) {
		log_info("ALERT-JOINED", "case=%s rung=%u from=%s", c->case_number, c->rung, crowd);
		*ret_reached = 1; /* somebody was, of the others */
		return OK;
	}
	TRY(alert_all(s, c, r->roles, false, asked, ret_reached));
	if (!*ret_reached)
		return OK;
	c->alerted = true;
	log_warn("ALERT-RAISED", "case=%s rung=%u", c->case_number, c->rung);
	return *crowd ? crowd_told(s, crowd, c->rung) : OK;
}

enum err ladder_again(struct step *s, UrgentCase *c, const char *crowd)
{
	unsigned reached;

	return alert_rung(s, c, crowd, &reached);
}

enum err ladder_raise(struct step *s, UrgentCase *c, unsigned rung)
{
	unsigned reached = 0;

	/* a rung on which nobody stands is no rung: the next one now */
	for (c->rung = rung;; c->rung++) {
		c->next_rung_at = step_now(s) + rung_ms(s, &rungs[c->rung - 1]);
		TRY(alert_rung(s, c, c->crowd, &reached));
		if (reached || c->rung == RUNGS)
			break;
	}
	if (!reached)
		log_error("ALERT-TO-NOBODY", "case=%s", c->case_number);
	return step_timer_set(s, CLIMB, slice_str(c->case_number), c->next_rung_at);
}

enum err ladder_stand_down(struct step *s, UrgentCase *c)
{
	struct slice key = slice_str(c->case_number);
	unsigned rung = c->rung, reached;
	enum err e = step_timer_cancel(s, CLIMB, key);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	e = step_timer_cancel(s, DECISION, key);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	c->next_rung_at = 0;
	if (rung && c->alerted)
		TRY(alert_all(s, c, rungs[rung - 1].roles, true, 0, &reached));
	c->rung = 0;
	c->alerted = false;
	return OK;
}

/* The case that a timer is about; its key is the case number. */
static enum err load_by_key(struct step *s, struct slice key, UrgentCase **ret)
{
	char number[64] = "";

	if (key.len >= sizeof(number))
		return ERR_CORRUPT;
	memcpy(number, key.data, key.len);
	return urgent_load(s, number, ret);
}

enum err ladder_climb(struct step *s, struct slice key)
{
	UrgentCase *c;
	enum err e;

	TRY(load_by_key(s, key, &c));
	e = ladder_raise(s, c, c->rung < RUNGS ? c->rung + 1 : RUNGS);
	if (e == OK)
		e = urgent_save(s, c);
	urgent_case__free_unpacked(c, NULL);
	return e;
}

enum err ladder_expect_decision(struct step *s, const UrgentCase *c)
{
	const struct config *config = step_context(s);

	return step_timer_set(s, DECISION, slice_str(c->case_number),
		step_now(s) + (int64_t)config->decision_s * 1000);
}

enum err ladder_decision_overdue(struct step *s, struct slice key)
{
	UrgentCase *c;
	enum err e;

	TRY(load_by_key(s, key, &c));
	log_warn("DECISION-OVERDUE", "case=%s", c->case_number);
	e = ladder_raise(s, c, c->rung > 2 ? c->rung : 2); /* never down again */
	if (e == OK)
		e = urgent_save(s, c);
	urgent_case__free_unpacked(c, NULL);
	return e;
}
