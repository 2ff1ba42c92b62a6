/* What the broker tells in numbers (services/common/base/metrics.h). */
#include "broker/core_state.h"
#include "broker/report.h"

#define SERVICES                                                                                   \
	(ROLE_BIT(ROLE__INTAKE) | ROLE_BIT(ROLE__SCREENING) | ROLE_BIT(ROLE__URGENT_SERVICE) |     \
		ROLE_BIT(ROLE__NOTIFY) | ROLE_BIT(ROLE__ALERT_RECEIVER))

static void add_counts(const struct core_counts *n, struct metrics *m)
{
	const struct {
		enum metric metric;
		uint64_t value;
	} rows[] = {
		{METRIC_RECEIVED, n->received},
		{METRIC_ACCEPTED, n->accepted},
		{METRIC_DUPLICATES, n->duplicates},
		{METRIC_BUSY, n->busy},
		{METRIC_DELIVERED, n->delivered},
		{METRIC_UNHEARD, n->unheard},
		{METRIC_FENCED, n->fenced},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_add(m, rows[i].metric, NULL, (int64_t)rows[i].value);
	for (size_t i = 0; i < CODES_MOST; i++)
		if (n->refused[i] > 0)
			metrics_add(m, METRIC_REFUSED, err_name((enum err)(100 + i)),
				(int64_t)n->refused[i]);
}

/* Both lanes, of the key that has read the most. */
static enum err unread_of(struct txn *t, const Principal *p, int64_t *ret)
{
	uint64_t n = 0, last, read, cursor;
	struct key k;

	for (int lane = 0; lane < LANES; lane++) {
		TRY(mailbox_stored_last(t, p->name, (enum lane)lane, &last));
		read = 0;
		for (size_t i = 0; i < p->n_keys; i++) {
			enum err e;

			cursor_key(&k, p->name, (enum lane)lane, p->keys[i]->id.data);
			e = number_get(t, TABLE_CURSOR, key_slice(&k), &cursor);
			if (e != OK && e != ERR_NOT_FOUND)
				return e;
			if (e == OK && cursor > read)
				read = cursor;
		}
		n += last - read;
	}
	*ret = (int64_t)n;
	return OK;
}

static enum err add_unread(const struct core *c, int64_t now, struct metrics *m)
{
	const Principal *p;
	struct txn *t;
	enum err e = OK;

	TRY(store_begin(c->o.store, TXN_READ, &t));
	for (unsigned i = 0; e == OK && (p = registry_with_roles(c->o.registry, SERVICES, now, i));
		i++) {
		int64_t unread;

		e = unread_of(t, p, &unread);
		if (e == OK)
			metrics_add(m, METRIC_UNREAD, p->name, unread);
	}
	txn_abort(&t);
	return e;
}

/* Nothing, when a backup has all. */
static enum err add_unsaved(const struct core *c, struct metrics *m)
{
	struct log_row row;
	struct txn *t;
	enum err e;

	TRY(store_begin(c->o.store, TXN_READ, &t));
	e = log_row_get(t, c->safe, &row);
	txn_abort(&t);
	if (e == OK)
		metrics_add(m, METRIC_UNSAVED_SINCE, NULL, row.received_at / 1000);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err core_report(const struct core *c, int64_t now, struct metrics *m)
{
	metrics_add(m, METRIC_LOG, NULL, (int64_t)c->size);
	add_counts(&c->counts, m);
	TRY(add_unsaved(c, m));
	return add_unread(c, now, m);
}
