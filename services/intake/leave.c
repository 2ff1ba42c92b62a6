/*
 * A partner withdraws its referral, or tells of a revoked consent. Cases that an officer merged are
 * several referrals of one person: the case goes on while one of them stands. The consent is the
 * person's: its end is the end of all.
 */
#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/referral/referral_check.h"

/* The case that goes on, first, and all that were merged into it. */
struct group {
	IntakeEntry **list;
	size_t n;
	IntakeEntry *own; /* one of them: the sender's */
};

static void group_free(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		intake_entry__free_unpacked(g->list[i], NULL);
	free(g->list);
	*g = (struct group){0};
}

static enum err load_merged(struct step *s, const IntakeEntry *root, struct group *g)
{
	for (size_t i = 0; i < root->n_merged; i++) {
		TRY(entry_load(s, root->merged[i], &g->list[g->n]));
		g->n++;
	}
	return OK;
}

static enum err group_load(struct step *s, const char *case_number, struct group *ret)
{
	struct group g = {0};
	IntakeEntry *root;
	enum err e;

	TRY(entry_load_merged(s, case_number, &root));
	g.list = calloc(root->n_merged + 1, sizeof(IntakeEntry *));
	if (!g.list) {
		intake_entry__free_unpacked(root, NULL);
		return ERR_NOMEM;
	}
	g.list[g.n++] = root;
	e = load_merged(s, root, &g);
	for (size_t i = 0; i < g.n; i++)
		if (strcmp(g.list[i]->case_number, case_number) == 0)
			g.own = g.list[i];
	if (e == OK && !g.own)
		e = ERR_CORRUPT;
	if (e == OK)
		*ret = g;
	else
		group_free(&g);
	return e;
}

static enum err group_save(struct step *s, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		TRY(entry_save(s, g->list[i]));
	return OK;
}

static bool another_stands(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i] != g->own && !g->list[i]->withdrawn)
			return true;
	return false;
}

static enum err end_referral(struct step *s, struct group *g, Reason reason)
{
	bool goes_on = another_stands(g);

	g->own->withdrawn = true;
	if (goes_on)
		return tell_part_withdrawn(s, g->own, reason);
	g->list[0]->state = STATE__WITHDRAWN;
	return tell_exit(s, g->list[0], EVENT__WITHDRAW_CASE, reason);
}

static enum err end_consent(struct step *s, struct group *g, Reason reason)
{
	for (size_t i = 0; i < g->n; i++)
		g->list[i]->state = STATE__CONSENT_REVOKED;
	return tell_exit(s, g->list[0], EVENT__REVOKE_CONSENT, reason);
}

/* A referral is withdrawn once, while its case is in the stream; a consent once, at any time. */
static bool is_too_late(const struct group *g, const Withdrawal *w)
{
	if (w->consent_revoked)
		return g->own->state == STATE__CONSENT_REVOKED;
	return g->own->withdrawn || entry_has_left(g->list[0]);
}

static enum err withdraw(struct step *s, const Withdrawal *w, struct faults *faults)
{
	struct group g = {0};
	enum err e = group_load(s, w->case_number, &g);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	/* an unknown case reads like somebody else's: nobody can try out numbers */
	if (e == ERR_NOT_FOUND || strcmp(g.own->partner, step_sender(s)) != 0) {
		fault_add(faults, FAULT_NOT_YOUR_CASE, "case_number");
		e = ERR_INVALID;
	} else if (is_too_late(&g, w)) {
		fault_add(faults, FAULT_CASE_HAS_LEFT, "case_number");
		e = ERR_INVALID;
	} else if (w->consent_revoked) {
		e = end_consent(s, &g, w->reason);
	} else {
		e = end_referral(s, &g, w->reason);
	}
	if (e == OK)
		e = group_save(s, &g);
	group_free(&g);
	return e;
}

enum err on_withdraw(struct step *s, const ProtobufCMessage *m)
{
	const Withdrawal *w = (const Withdrawal *)m;
	struct faults faults = {0};
	enum err e = withdrawal_check(w, step_now(s), &faults);

	if (e == OK)
		e = withdraw(s, w, &faults);
	return e == ERR_INVALID ? tell_rejected(s, &faults) : e;
}
