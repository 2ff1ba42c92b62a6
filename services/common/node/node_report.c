/* The metrics of a service that runs. */
#include "services/common/base/log.h"
#include "services/common/base/metrics.h"
#include "services/common/node/node_inside.h"

static enum err report(struct node *n)
{
	struct metrics m = {.process = keyring_principal(n->keys)};
	enum err e;

	if (!n->started_at)
		n->started_at = node_now();
	metrics_common(&m, n->started_at, node_now(), n->registry, n->store, n->config.store_path);
	for (int i = 0; i < LANES; i++)
		metrics_add(&m, METRIC_CONNECTED, lane_name((enum lane)i),
			link_ready(n->link, (enum lane)i));
	e = engine_metrics(n->engine, &m);
	if (m.err == OK)
		m.err = e;
	return metrics_write(&m, n->config.home);
}

void node_report(struct node *n, int *ret_next_ms)
{
	int64_t now = link_clock();
	enum err e;

	if (now >= n->report_at) {
		n->report_at = now + n->config.metrics_s * 1000;
		e = report(n);
		if (e != OK)
			log_warn("METRICS-NOT-WRITTEN", "why=%s", err_name(e));
	}
	*ret_next_ms = (int)(n->report_at - now);
}
