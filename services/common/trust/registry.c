#include "services/common/trust/registry.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/trust/registry_check.h"

#define TRANSPORT_LEN 32

struct connection {
	const Principal *principal;
	const Key *key;
};

struct registry {
	Registry *message;
	const Principal **by_name; /* n_principals, in order */
	struct connection *by_transport;
	size_t n_connections;
	struct buf bytes;               /* the SignedRegistry; empty: not signed */
	uint8_t (*stopped)[KEY_ID_LEN]; /* keys that are suspended alone */
	size_t n_stopped;
	uint64_t acts; /* the sum of the acts' serials, which only rises */
	atomic_uint owners;
};

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const Principal *const *)a)->name, (*(const Principal *const *)b)->name);
}

static int by_transport(const void *a, const void *b)
{
	const struct connection *x = a, *y = b;

	return memcmp(x->key->transport_key.data, y->key->transport_key.data, TRANSPORT_LEN);
}

static enum err make_index(struct registry *r)
{
	Registry *m = r->message;
	size_t keys = 0;

	for (size_t i = 0; i < m->n_principals; i++)
		keys += m->principals[i]->n_keys;
	r->by_name = calloc(m->n_principals + 1, sizeof(Principal *));
	r->by_transport = calloc(keys + 1, sizeof(*r->by_transport));
	if (!r->by_name || !r->by_transport)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->n_principals; i++) {
		const Principal *p = m->principals[i];

		r->by_name[i] = p;
		for (size_t j = 0; j < p->n_keys; j++)
			r->by_transport[r->n_connections++] = (struct connection){p, p->keys[j]};
	}
	qsort(r->by_name, m->n_principals, sizeof(Principal *), by_name);
	qsort(r->by_transport, r->n_connections, sizeof(*r->by_transport), by_transport);
	return OK;
}

/* Takes over the message when it returns OK. */
static enum err registry_new(Registry **message, struct registry **ret)
{
	struct registry *r;
	enum err e;

	TRY(registry_check_principals(*message));
	r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	r->message = *message;
	atomic_init(&r->owners, 1);
	e = make_index(r);
	if (e != OK) {
		r->message = NULL;
		registry_free(&r);
		return e;
	}
	*message = NULL;
	*ret = r;
	return OK;
}

void registry_free(struct registry **rp)
{
	struct registry *r = *rp;

	*rp = NULL;
	if (!r || atomic_fetch_sub(&r->owners, 1) > 1)
		return;
	if (r->message)
		protobuf_c_message_free_unpacked(&r->message->base, NULL);
	free(r->by_name);
	free(r->by_transport);
	free(r->stopped);
	buf_free(&r->bytes);
	free(r);
}

struct registry *registry_ref(const struct registry *r)
{
	struct registry *mine = (struct registry *)r; /* only the count of owners changes */

	atomic_fetch_add(&mine->owners, 1);
	return mine;
}

enum err registry_from_message(const Registry *message, struct registry **ret)
{
	ProtobufCMessage *copy = NULL;
	Registry *m;
	struct buf b = {0};
	enum err e = strict_pack(&message->base, &b);

	if (e == OK)
		e = strict_unpack(&registry__descriptor, slice_buf(&b), &copy);
	buf_free(&b);
	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	m = (Registry *)copy;
	e = registry_new(&m, ret);
	if (m)
		protobuf_c_message_free_unpacked(&m->base, NULL);
	return e;
}

static enum err check_times(const Registry *m, uint64_t seen_version, int64_t now)
{
	if (m->version < seen_version)
		return ERR_ROLLED_BACK;
	return now > m->expires_at + REGISTRY_GRACE_MS ? ERR_REGISTRY_EXPIRED : OK;
}

enum err registry_from_bytes(struct slice signed_registry, const uint8_t (*roots)[32],
	size_t n_roots, unsigned threshold, uint64_t seen_version, int64_t now,
	struct registry **ret)
{
	struct registry *r = NULL;
	Registry *m = NULL;
	enum err e;

	TRY(registry_check_signed(signed_registry, roots, n_roots, threshold, &m));
	e = check_times(m, seen_version, now);
	if (e == OK)
		e = registry_new(&m, &r);
	if (m)
		protobuf_c_message_free_unpacked(&m->base, NULL);
	if (e == OK)
		e = buf_append(&r->bytes, signed_registry.data, signed_registry.len);
	if (e == OK)
		*ret = r;
	else
		registry_free(&r);
	return e;
}

/* --- the suspension list --- */

static void subtract(struct registry *r, const SuspensionAct *act)
{
	r->acts += act->serial;
	if (act->lift)
		return;
	if (act->key_id.len == KEY_ID_LEN) {
		memcpy(r->stopped[r->n_stopped++], act->key_id.data, KEY_ID_LEN);
		return;
	}
	for (size_t i = 0; i < r->message->n_principals; i++)
		if (strcmp(r->message->principals[i]->name, act->principal) == 0)
			r->message->principals[i]->suspended = true;
}

enum err registry_with_acts(const struct registry *base, const SuspensionAct *const *acts, size_t n,
	struct registry **ret)
{
	struct registry *r = NULL;
	enum err e;

	if (n == 0) {
		*ret = registry_ref(base);
		return OK;
	}
	TRY(registry_from_message(base->message, &r));
	r->stopped = calloc(base->n_stopped + n, sizeof(*r->stopped));
	e = r->stopped ? buf_append(&r->bytes, base->bytes.data, base->bytes.len) : ERR_NOMEM;
	if (e == OK && base->n_stopped)
		memcpy(r->stopped, base->stopped, base->n_stopped * sizeof(*r->stopped));
	r->n_stopped = base->n_stopped;
	r->acts = base->acts;
	for (size_t i = 0; e == OK && i < n; i++)
		subtract(r, acts[i]);
	if (e == OK)
		*ret = r;
	else
		registry_free(&r);
	return e;
}

static bool key_stopped(const struct registry *r, const Key *k)
{
	for (size_t i = 0; i < r->n_stopped; i++)
		if (memcmp(r->stopped[i], k->id.data, KEY_ID_LEN) == 0)
			return true;
	return false;
}

const Registry *registry_message(const struct registry *r)
{
	return r->message;
}

struct slice registry_bytes(const struct registry *r)
{
	return slice_buf(&r->bytes);
}

uint64_t registry_generation(const struct registry *r)
{
	return r->message->version << 32 | (r->acts & UINT32_MAX);
}

bool registry_expired(const struct registry *r, int64_t now)
{
	return r->message->expires_at && now >= r->message->expires_at;
}

bool registry_allows_suite(const struct registry *r, uint32_t suite)
{
	for (size_t i = 0; i < r->message->n_suites; i++)
		if (r->message->suites[i] == suite)
			return true;
	return false;
}

const Principal *registry_find(const struct registry *r, const char *name)
{
	size_t low = 0, high = r->message->n_principals;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(name, r->by_name[mid]->name);

		if (c == 0)
			return r->by_name[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* From not_before on, until before not_after (0: without end). */
static bool within(int64_t not_before, int64_t not_after, int64_t at)
{
	return at >= not_before && (not_after == 0 || at < not_after);
}

static bool principal_valid(const Principal *p, int64_t at)
{
	return within(p->not_before, p->not_after, at);
}

/* A key that was retired on a date goes on vouching for what was sent before it. */
static bool key_valid(const Key *k, int64_t at)
{
	return within(k->not_before, k->not_after, at) && !(k->retired && k->not_after == 0);
}

/* It may open a connection and be sealed to. */
static bool key_current(const Key *k, int64_t at)
{
	return !k->retired && key_valid(k, at);
}

static enum err find_sender(
	const struct registry *r, const char *name, int64_t at, const Principal **ret)
{
	const Principal *p = registry_find(r, name);

	if (!p || !principal_valid(p, at))
		return ERR_UNKNOWN_SENDER;
	if (p->suspended)
		return ERR_SUSPENDED;
	*ret = p;
	return OK;
}

enum err registry_key(const struct registry *r, const char *name, const uint8_t key_id[KEY_ID_LEN],
	int64_t at, const Key **ret)
{
	const Principal *p = NULL;

	TRY(find_sender(r, name, at, &p));
	for (size_t i = 0; i < p->n_keys; i++)
		if (memcmp(p->keys[i]->id.data, key_id, KEY_ID_LEN) == 0 &&
			key_valid(p->keys[i], at)) {
			if (key_stopped(r, p->keys[i]))
				return ERR_SUSPENDED;
			*ret = p->keys[i];
			return OK;
		}
	return ERR_UNKNOWN_KEY;
}

enum err registry_by_transport(const struct registry *r, const uint8_t transport_pk[32], int64_t at,
	const Principal **ret_principal, const Key **ret_key)
{
	Key wanted = {.transport_key = {TRANSPORT_LEN, (uint8_t *)transport_pk}};
	struct connection c = {.key = &wanted}, *found;
	const Principal *p = NULL;

	found = bsearch(&c, r->by_transport, r->n_connections, sizeof(c), by_transport);
	if (!found)
		return ERR_UNKNOWN_KEY;
	TRY(find_sender(r, found->principal->name, at, &p));
	if (key_stopped(r, found->key))
		return ERR_SUSPENDED;
	if (!key_current(found->key, at))
		return ERR_UNKNOWN_KEY;
	*ret_principal = p;
	*ret_key = found->key;
	return OK;
}

static const BoxKey *box_key_of(const Key *k, uint32_t epoch)
{
	for (size_t i = 0; i < k->n_box_keys; i++)
		if (k->box_keys[i]->epoch == epoch)
			return k->box_keys[i];
	return NULL;
}

/* The newest epoch that all these keys have. */
static bool common_epoch(const Key *const *keys, size_t n, uint32_t *ret)
{
	for (size_t i = n ? keys[0]->n_box_keys : 0; i-- > 0;) {
		uint32_t epoch = keys[0]->box_keys[i]->epoch;
		size_t have = 1;

		while (have < n && box_key_of(keys[have], epoch))
			have++;
		if (have == n) {
			*ret = epoch;
			return true;
		}
	}
	return false;
}

enum err registry_readers(const struct registry *r, const char *name, int64_t at,
	struct reader ret_readers[READERS_MOST], size_t *ret_n, uint32_t *ret_epoch)
{
	const Principal *p = registry_find(r, name);
	const Key *keys[READERS_MOST] = {NULL};
	uint32_t epoch = 0;
	size_t n = 0;

	if (!p || !principal_valid(p, at))
		return ERR_UNKNOWN_RECIPIENT;
	for (size_t i = 0; i < p->n_keys && n < READERS_MOST; i++)
		if (key_current(p->keys[i], at) && !key_stopped(r, p->keys[i]))
			keys[n++] = p->keys[i];
	if (!common_epoch(keys, n, &epoch))
		return ERR_UNKNOWN_RECIPIENT;
	for (size_t i = 0; i < n; i++) {
		memcpy(ret_readers[i].key_id, keys[i]->id.data, KEY_ID_LEN);
		memcpy(ret_readers[i].box_pk, box_key_of(keys[i], epoch)->box_key.data, BOX_PK_LEN);
	}
	*ret_n = n;
	*ret_epoch = epoch;
	return OK;
}

bool registry_key_stopped(const struct registry *r, const char *name)
{
	const Principal *p = registry_find(r, name);
	bool stopped = false;

	for (size_t i = 0; p && i < p->n_keys; i++)
		stopped |= key_stopped(r, p->keys[i]);
	return stopped;
}

#define SERVICES                                                                                   \
	(ROLE_BIT(ROLE__INTAKE) | ROLE_BIT(ROLE__SCREENING) | ROLE_BIT(ROLE__URGENT_SERVICE) |     \
		ROLE_BIT(ROLE__NOTIFY))

const Principal *registry_with_roles(
	const struct registry *r, role_set roles, int64_t at, unsigned i)
{
	for (size_t j = 0; j < r->message->n_principals; j++) {
		const Principal *p = r->by_name[j];

		bool told = !p->suspended || (roles_of(p) & SERVICES);

		if ((roles_of(p) & roles) && told && principal_valid(p, at) && i-- == 0)
			return p;
	}
	return NULL;
}

enum err registry_permits(const struct registry *r, const struct kind_row *row, const char *sender,
	const char *recipient, int64_t at)
{
	const Principal *from = NULL, *to = registry_find(r, recipient);

	TRY(find_sender(r, sender, at, &from));
	if (!to || !principal_valid(to, at))
		return ERR_UNKNOWN_RECIPIENT;
	return (roles_of(from) & row->from) && (roles_of(to) & row->to) ? OK : ERR_NOT_PERMITTED;
}
