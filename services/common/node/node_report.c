/* The metrics of a service that runs. */
#include "services/common/base/log.h"
#include "services/common/base/metrics.h"
#include "services/common/node/node_inside.h"

/* No writing follows another one sooner. */
#define PAUSE_MS 1000

struct own_report {
	const struct service *svc;
	struct metrics *m;
};

static enum err add_own(struct step *s, void *arg)
{
	const struct own_report *r = arg;

	return r->svc->on_report(s, r->m);
}

static enum err report(struct node *n)
{
	struct metrics m = {.process = keyring_principal(n->keys)};
	struct own_report own = {n->svc, &m};
	enum err e;

	if (!n->started_at)
		n->started_at = node_now();
	metrics_common(&m, n->started_at, node_now(), n->registry, n->store, n->config.store_path);
	for (int i = 0; i < LANES; i++)
		metrics_add(&m, METRIC_CONNECTED, lane_name((enum lane)i),
			link_ready(n->link, (enum lane)i));
	metrics_add(&m, METRIC_PUT_BACK, NULL, n->fenced != OK);
	e = engine_metrics(n->engine, &m);
	if (e == OK && n->svc->on_report)
		e = node_read(n, add_own, &own);
	if (m.err == OK)
		m.err = e;
	return metrics_write(&m, n->config.home);
}

void node_report(struct node *n, int *ret_next_ms)
{
	int64_t now = link_clock();
	enum err e;

	if (n->changed && n->report_at > n->reported_at + PAUSE_MS)
		n->report_at = n->reported_at + PAUSE_MS;
	if (now >= n->report_at) {
		n->changed = false;
		n->reported_at = now;
		n->report_at = now + n->config.metrics_s * 1000;
		e = report(n);
		if (e != OK)
			log_warn("METRICS-NOT-WRITTEN", "why=%s", err_name(e));
	}
	*ret_next_ms = (int)(n->report_at - now);
}
