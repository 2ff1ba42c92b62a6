/* Alarms: what nobody but the broker can see. Each is told once, again after a while, and stood
 * down when it is over; what was told is in the store, so that a restart does not repeat it. */
#include "broker/own.h"
#include "services/common/base/log.h"

#include <inttypes.h>

#define MINUTE INT64_C(60000)
#define DAY    (24 * 60 * MINUTE)

#define UNREAD_AGAIN     (15 * MINUTE)
#define UNHEARD_AGAIN    MINUTE     /* what nobody could be told */
#define REGISTRY_WARNING (30 * DAY) /* before it expires */
#define DISK_CALM        85         /* percent: below it the alarm is over */
#define COUNT_MOST       1000       /* unread messages that are counted */

/* Who is told. */
static role_set operators(void)
{
	return catalogue_find(KIND_WARN_OPERATOR)->to;
}

/* Whose mail is watched: not people's, who come and go, nor partners'. */
#define WATCHED                                                                                    \
	(ROLE_BIT(ROLE__INTAKE) | ROLE_BIT(ROLE__SCREENING) | ROLE_BIT(ROLE__URGENT_SERVICE) |     \
		ROLE_BIT(ROLE__NOTIFY) | ROLE_BIT(ROLE__ALERT_RECEIVER))

/* --- what was told --- */

#define UNHEARD 0

struct told {
	int64_t at;
	uint64_t level; /* from 1: the higher the worse; UNHEARD: there was nobody */
};

static struct key alarm_key(WarningCode code, const char *about)
{
	struct key k = {0};

	key_u8(&k, (uint8_t)code);
	key_str(&k, about);
	return k;
}

/* ERR_NOT_FOUND: it was not told, or is over. */
static enum err told_get(struct txn *t, const struct key *k, struct told *ret)
{
	struct slice v;

	TRY(txn_get(t, TABLE_ALARMS, key_slice(k), &v));
	if (v.len != 16)
		return ERR_CORRUPT;
	ret->at = (int64_t)be64_get(v.data);
	ret->level = be64_get(v.data + 8);
	return OK;
}

static enum err told_put(struct txn *t, const struct key *k, const struct told *told)
{
	uint8_t v[16];

	be64_put(v, (uint64_t)told->at);
	be64_put(v + 8, told->level);
	return txn_put(t, TABLE_ALARMS, key_slice(k), slice_of(v, sizeof v));
}

static enum err tell(struct core *c, struct txn *t, Warning *w, int64_t now)
{
	uint8_t delivery[MSG_ID_LEN];
	struct entropy random;
	uint8_t place[OWN_PLACE_LEN];
	enum err e;

	own_place(c, place);
	entropy_from(&random, keyring_step_key(c->o.keys), slice_of(place, sizeof place));
	entropy_bytes(&random, delivery, sizeof delivery);
	w->delivery = (ProtobufCBinaryData){sizeof delivery, delivery};
	w->raised_at = now;
	c->written = true;
	e = own_send_all(c, t, KIND_WARN_OPERATOR, operators(), w->about, &w->base, now);
	w->delivery = (ProtobufCBinaryData){0};
	return e;
}

/* Told now if it is new or worse, or was told longer ago than `again`. *ret_told: it was. When
 * there is nobody to tell, the log says so and it is tried again. */
static enum err raise_alarm(struct core *c, struct txn *t, Warning *w, uint64_t level,
	int64_t again, int64_t now, bool *ret_told)
{
	struct key k = alarm_key(w->code, w->about);
	struct told told = {0, 1};
	enum err e = told_get(t, &k, &told);

	*ret_told = false;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (told.level == UNHEARD)
		again = UNHEARD_AGAIN;
	else if (e == OK && level > told.level)
		again = 0;
	if (e == OK && now - told.at < again)
		return OK;
	e = tell(c, t, w, now);
	if (e == ERR_UNKNOWN_RECIPIENT) {
		log_error("ALARM-UNHEARD", "code=%d about=%s", (int)w->code, w->about);
		level = UNHEARD;
	} else if (e != OK) {
		return e;
	}
	told = (struct told){now, level};
	*ret_told = level != UNHEARD;
	return told_put(t, &k, &told);
}

static enum err calm(
	struct core *c, struct txn *t, WarningCode code, const char *about, int64_t now)
{
	struct key k = alarm_key(code, about);
	Warning w = WARNING__INIT;
	struct told told;
	enum err e = told_get(t, &k, &told);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	TRY(txn_delete(t, TABLE_ALARMS, key_slice(&k)));
	w.code = code;
	w.about = (char *)about;
	w.over = true;
	log_info("ALARM-OVER", "code=%d about=%s", (int)code, about);
	e = tell(c, t, &w, now);
	return e == ERR_UNKNOWN_RECIPIENT ? OK : e;
}

/* --- unread urgent mail --- */

/* What any of its keys has taken is taken: a second key may wait for its day. */
static enum err taken(struct txn *t, const Principal *p, uint64_t *ret)
{
	uint64_t most = 0, cursor;
	struct key k;

	for (size_t i = 0; i < p->n_keys; i++) {
		enum err e;

		cursor_key(&k, p->name, LANE_URGENT, p->keys[i]->id.data);
		e = number_get(t, TABLE_CURSOR, key_slice(&k), &cursor);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		if (e == OK && cursor > most)
			most = cursor;
	}
	*ret = most;
	return OK;
}

/* The oldest that somebody else than the broker sent, and how many there are. An alarm about an
 * alarm would be no news. */
static enum err unread(const struct core *c, struct txn *t, const Principal *p,
	struct log_row *ret_oldest, uint64_t *ret_n)
{
	uint64_t seq = 0, index;
	struct log_row row;
	struct key k;
	enum err e;

	*ret_n = 0;
	TRY(taken(t, p, &seq));
	while (*ret_n < COUNT_MOST) {
		mailbox_key(&k, p->name, LANE_URGENT, ++seq);
		e = number_get(t, TABLE_MAILBOX, key_slice(&k), &index);
		if (e == ERR_NOT_FOUND)
			return OK;
		TRY(e);
		TRY(log_row_get(t, index, &row));
		if (strcmp(row.sender, c->o.principal) == 0)
			continue;
		if (++*ret_n == 1)
			*ret_oldest = row;
	}
	return OK;
}

static enum err watch_mailbox(struct core *c, struct txn *t, const Principal *p, int64_t now)
{
	Warning w = WARNING__INIT;
	struct log_row oldest = {0};
	bool told;

	TRY(unread(c, t, p, &oldest, &w.count));
	if (w.count == 0 || now - oldest.received_at < c->o.unread_ms)
		return w.count == 0 ? calm(c, t, WARNING_CODE__MAIL_UNREAD, p->name, now) : OK;
	w.code = WARNING_CODE__MAIL_UNREAD;
	w.about = p->name;
	w.kind = oldest.kind;
	w.sender = oldest.sender;
	w.since_at = oldest.received_at;
	TRY(raise_alarm(c, t, &w, 1, UNREAD_AGAIN, now, &told));
	if (told)
		log_error("MAIL-UNREAD",
			"mailbox=%s kind=%s from=%s count=%" PRIu64 " seconds=%" PRId64, p->name,
			catalogue_find(oldest.kind) ? catalogue_find(oldest.kind)->name : "?",
			oldest.sender, w.count, (now - oldest.received_at) / 1000);
	return OK;
}

static enum err watch_mail(struct core *c, struct txn *t, int64_t now)
{
	const Principal *p;

	for (unsigned i = 0; (p = registry_with_roles(c->o.registry, WATCHED, now, i)); i++)
		TRY(watch_mailbox(c, t, p, now));
	return OK;
}

/* --- the registry's end, the disk, an id that is reused --- */

static enum err watch_registry(struct core *c, struct txn *t, int64_t now)
{
	const Registry *r = registry_message(c->o.registry);
	int64_t left = r->expires_at - now;
	bool over = left <= 0, told;
	Warning w = WARNING__INIT;

	if (left > REGISTRY_WARNING)
		return calm(c, t, WARNING_CODE__REGISTRY_ENDS, "", now);
	w.code = WARNING_CODE__REGISTRY_ENDS;
	w.since_at = r->expires_at;
	w.count = r->version;
	TRY(raise_alarm(c, t, &w, over ? 2 : 1, over ? DAY : 7 * DAY, now, &told));
	if (told && over)
		log_error("REGISTRY-EXPIRED", "version=%" PRIu64, r->version);
	else if (told)
		log_warn("REGISTRY-ENDS", "version=%" PRIu64 " days=%" PRId64, r->version,
			left / DAY);
	return OK;
}

static enum err watch_disk(struct core *c, struct txn *t, int64_t now)
{
	int percent = store_fill_percent(c->o.store);
	Warning w = WARNING__INIT;
	bool told;

	if (percent < FULL_ROUTINE_PERCENT)
		return percent < DISK_CALM ? calm(c, t, WARNING_CODE__DISK_FILLS, "", now) : OK;
	w.code = WARNING_CODE__DISK_FILLS;
	w.count = (uint64_t)percent;
	TRY(raise_alarm(c, t, &w, percent < FULL_URGENT_PERCENT ? 1 : 2, DAY, now, &told));
	if (told)
		log_error("DISK-FILLS", "percent=%d", percent);
	return OK;
}

enum err own_watch(struct core *c, struct txn *t, int64_t now)
{
	TRY(watch_mail(c, t, now));
	TRY(watch_registry(c, t, now));
	return watch_disk(c, t, now);
}

enum err own_id_reused(struct core *c, struct txn *t, const struct verdict *v, int64_t now)
{
	Warning w = WARNING__INIT;
	bool told;

	if (!c->o.keys)
		return OK;
	w.code = WARNING_CODE__ID_TWICE;
	w.about = (char *)v->sender;
	w.kind = v->row->kind;
	w.sender = (char *)v->sender;
	w.since_at = now;
	return raise_alarm(c, t, &w, 1, UNREAD_AGAIN, now, &told);
}
