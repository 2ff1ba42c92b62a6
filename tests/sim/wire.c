/* Connections: what is sent arrives in order, late, or, when the connection is cut, up to some
 * point and no further. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct wire *wire_open(struct process *p, enum lane lane)
{
	struct sim *s = p->sim;
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->id = ++s->last_wire;
	w->process = p;
	w->lane = lane;
	w->up.end = &w->up.first;
	w->down.end = &w->down.first;
	w->up_at = s->now + chance_between(&s->chance, 1, s->quiet ? 5 : 60);
	w->next = s->wires;
	s->wires = w;
	if (!process_runs(&s->processes[BROKER])) {
		w->cut = true;
		w->seen_at = w->up_at;
	}
	trace(s, "%s opens %s %" PRIu64, p->name, lane_name(lane), w->id);
	return w;
}

static void forget(struct packets *way, size_t keep)
{
	struct packet **at = &way->first;

	for (way->n = 0; *at && way->n < keep; way->n++)
		at = &(*at)->next;
	way->end = at;
	while (*at) {
		struct packet *p = *at;

		*at = p->next;
		free(p);
	}
}

static void lose_some(struct sim *s, struct packets *way)
{
	forget(way, (size_t)chance_below(&s->chance, way->n + 1));
}

void wire_close(struct wire *w)
{
	w->closed = true;
	forget(&w->down, 0);
	if (w->process->dead)
		lose_some(w->process->sim, &w->up);
}

void wire_cut(struct wire *w, bool silent)
{
	struct sim *s = w->process->sim;

	if (w->cut)
		return;
	w->cut = true;
	w->seen_at = silent ? INT64_MAX : s->now + chance_between(&s->chance, 0, 1500);
	lose_some(s, &w->up);
	lose_some(s, &w->down);
	s->counts.cuts++;
	trace(s, "%s %s %" PRIu64 " cut%s", w->process->name, lane_name(w->lane), w->id,
		silent ? ", silently" : "");
}

void wire_drop_up(struct wire *w)
{
	forget(&w->up, 0);
}

static int64_t delay(struct sim *s)
{
	if (s->quiet)
		return chance_between(&s->chance, 1, 20);
	if (chance_one_in(&s->chance, 200))
		return chance_between(&s->chance, 1, s->chances.delay_tail);
	return chance_between(&s->chance, 1, s->chances.delay_most);
}

void wire_put(struct wire *w, struct packets *way, struct slice bytes)
{
	struct sim *s = w->process->sim;
	struct process *reader = way == &w->up ? &s->processes[BROKER] : w->process;
	struct packet *p;

	if (w->cut || (way == &w->down && w->closed))
		return;
	p = malloc(sizeof(*p) + bytes.len);
	if (!p)
		abort();
	*p = (struct packet){.due = s->now + delay(s), .len = bytes.len};
	if (p->due < way->last_due)
		p->due = way->last_due;
	way->last_due = p->due;
	memcpy(p->bytes, bytes.data, bytes.len);
	*way->end = p;
	way->end = &p->next;
	way->n++;
	if (process_runs(reader) && p->due < reader->wake_at)
		reader->wake_at = p->due;
}

struct packet *wire_take(struct packets *way, int64_t now)
{
	struct packet *p = way->first;

	if (!p || p->due > now)
		return NULL;
	way->first = p->next;
	way->n--;
	if (!way->first)
		way->end = &way->first;
	return p;
}

struct wire *wire_find(struct sim *s, uint64_t id)
{
	struct wire *w = s->wires;

	while (w && w->id != id)
		w = w->next;
	return w;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t wire_next(const struct process *p)
{
	const struct sim *s = p->sim;
	int64_t next = INT64_MAX;

	for (const struct wire *w = s->wires; w; w = w->next) {
		const struct packets *way = p->svc ? &w->down : &w->up;

		if (p->svc && (w->process != p || w->closed))
			continue;
		if (way->first)
			next = sooner(next, way->first->due);
		if (p->svc && w->up_at > s->now)
			next = sooner(next, w->up_at);
		if (p->svc && w->cut && w->seen_at > s->now)
			next = sooner(next, w->seen_at);
	}
	return next;
}

static bool has_arrived(const struct wire *w, enum lane lane)
{
	return w->lane == lane && w->up.first && w->up.first->due <= w->process->sim->now;
}

struct wire *wire_pick(struct sim *s, enum lane lane)
{
	struct wire *w;
	uint64_t n = 0;

	for (w = s->wires; w; w = w->next)
		n += has_arrived(w, lane);
	if (n == 0)
		return NULL;
	n = chance_below(&s->chance, n);
	for (w = s->wires; w; w = w->next)
		if (has_arrived(w, lane) && n-- == 0)
			break;
	return w;
}

struct conn wire_conn(const struct wire *w)
{
	const struct process *p = w->process;
	struct conn c = {.id = w->id, .lane = w->lane};

	snprintf(c.peer.principal, sizeof(c.peer.principal), "%s", p->name);
	memcpy(c.peer.key_id, keyring_key_id(fixture_keys(p->sim->fixture, p->name)), KEY_ID_LEN);
	return c;
}

static void wire_free(struct wire *w)
{
	forget(&w->up, 0);
	forget(&w->down, 0);
	free(w);
}

void wires_tidy(struct sim *s)
{
	struct wire **at = &s->wires;

	while (*at) {
		struct wire *w = *at;

		if (!w->closed || w->up.first) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		wire_free(w);
	}
}

void wires_free(struct sim *s)
{
	while (s->wires) {
		struct wire *w = s->wires;

		s->wires = w->next;
		wire_free(w);
	}
}
