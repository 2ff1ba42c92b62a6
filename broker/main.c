/* havre-broker: the order of things, from the command line to the end. */
#include "broker/front.h"
#include "broker/report.h"
#include "services/common/cli/daemon.h"
#include "services/common/base/config.h"
#include "services/common/keys/keyring.h"
#include "services/common/base/log.h"
#include "services/common/sandbox/sandbox.h"

#include <inttypes.h>
#include <time.h>

struct broker {
	const struct config *config;
	struct keyring *keys;
	struct store *store;
	struct who *who;
	struct core *core;
	struct pool *pool;
	struct front *front;
	int64_t started_at;
};

/* In milliseconds, as the dates of keys: one may have been made in this very second. */
static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* One without any key of this broker that can be used now would end it, at once or at the next
 * start. */
static bool has_own_key(const struct broker *b, const struct registry *r)
{
	const uint8_t *id;
	const Key *key;

	for (size_t i = 0; (id = keyring_id_at(b->keys, i)); i++)
		if (registry_key(r, keyring_principal(b->keys), id, clock_ms(), &key) == OK &&
			!key->retired)
			return true;
	return false;
}

static enum err load_registry(void *arg, struct registry **ret)
{
	struct broker *b = arg;
	struct registry *r;
	uint64_t seen;
	enum err e = keyring_reload(b->keys, b->config->key_file, true);

	if (e != OK) /* the key in use stays the same until the next start */
		log_error("BROKER-KEYS-REFUSED", "why=%s", err_name(e));
	TRY(core_seen_registry(b->store, &seen));
	TRY(registry_load(b->config->registry_file, b->config->root_file, seen, clock_ms(), &r));
	if (!has_own_key(b, r)) {
		registry_free(&r);
		return ERR_UNKNOWN_KEY;
	}
	*ret = r;
	return OK;
}

/* The registry must say that this is the broker and its key, or nobody could check a receipt. */
static enum err check_self(const struct broker *b)
{
	const char *name = keyring_principal(b->keys);
	const struct registry *r = who_now(b->who);
	const Principal *p = registry_find(r, name);
	const Key *key;

	if (strcmp(name, b->config->broker_name) != 0)
		return ERR_INVALID;
	TRY(registry_key(r, name, keyring_key_id(b->keys), clock_ms(), &key));
	return p && roles_of(p) & ROLE_BIT(ROLE__BROKER) ? OK : ERR_NOT_PERMITTED;
}

/* A store that was put back is not used before its next epoch has begun. */
static enum err recover_store(struct broker *b)
{
	const struct recovery r = {
		.home = b->config->home,
		.store = b->store,
		.table = TABLE_EPOCH,
		.registry = who_now(b->who),
		.principal = keyring_principal(b->keys),
		.also = core_recovered,
	};

	return recovery_run(&r);
}

static enum err open_parts(struct broker *b)
{
	struct registry *registry = NULL;
	struct core_options o;

	TRY(store_open_lmdb(b->config->store_path, &broker_layout,
		(size_t)b->config->store_mib << 20, &b->store));
	TRY(load_registry(b, &registry));
	keyring_choose_oldest(b->keys, registry, clock_ms());
	if (who_open(&registry, &b->who) != OK) {
		registry_free(&registry);
		return ERR_NOMEM;
	}
	TRY(check_self(b));
	TRY(recover_store(b));
	o = (struct core_options){
		.store = b->store,
		.store_bytes = (uint64_t)b->config->store_mib << 20,
		.registry = who_now(b->who),
		.principal = keyring_principal(b->keys),
		.sign_seed = keyring_sign_seed(b->keys),
		.keys = b->keys,
		.unread_ms = b->config->unread_s * 1000,
	};
	TRY(core_open(&o, &b->core));
	return pool_open(
		b->who, (unsigned)b->config->verify_threads, (size_t)b->config->queue, &b->pool);
}

static void report(void *arg)
{
	struct broker *b = arg;
	struct metrics m = {.process = keyring_principal(b->keys)};
	int64_t now = clock_ms();
	enum err e;

	metrics_common(&m, b->started_at, now, who_now(b->who), b->store, b->config->store_path);
	e = core_report(b->core, now, &m);
	if (m.err == OK)
		m.err = e;
	e = metrics_write(&m, b->config->home);
	if (e != OK)
		log_warn("METRICS-NOT-WRITTEN", "why=%s", err_name(e));
}

static enum err listen_on_lanes(struct broker *b)
{
	struct front_options o = {
		.endpoint = {b->config->routine, b->config->urgent},
		.transport_secret = keyring_transport_secret(b->keys),
		.batch = (unsigned)b->config->batch,
		.who = b->who,
		.pool = b->pool,
		.core = b->core,
		.home = b->config->home,
		.load_registry = load_registry,
		.report = report,
		.report_ms = b->config->metrics_s * 1000,
		.arg = b,
	};

	b->started_at = clock_ms();
	TRY(front_open(&o, &b->front));
	log_info("STARTED",
		"version=%s principal=%s routine=%s urgent=%s log=%" PRIu64 " registry=%" PRIu64,
		HAVRE_VERSION, keyring_principal(b->keys), b->config->routine, b->config->urgent,
		core_size(b->core), registry_message(who_now(b->who))->version);
	return OK;
}

/* In the reverse order of opening. */
static void broker_close(struct broker *b)
{
	front_free(&b->front);
	pool_free(&b->pool);
	core_free(&b->core);
	who_free(&b->who);
	store_free(&b->store);
	keyring_free(&b->keys);
}

static enum err open_and_run(struct broker *b)
{
	enum err e = sandbox_enter(PROGRAM_BROKER, b->config, NULL);

	if (e == OK)
		e = open_parts(b);
	if (e == OK)
		e = listen_on_lanes(b);
	if (e != OK) {
		log_error("NOT-STARTED", "why=%s", err_name(e));
		return e;
	}
	return daemon_stopped(front_run(b->front));
}

static enum err serve(struct cli *c, const struct config *config)
{
	struct broker b = {.config = config};
	enum err e = keyring_load(config->key_file, (struct slice){0}, &b.keys);

	e = e == OK ? open_and_run(&b) : cli_fail(c, e, config->key_file);
	broker_close(&b);
	return e;
}

int main(int argc, char **argv)
{
	struct daemon d = {
		.program = {.name = "havre-broker",
			.words = {"the durable log between partners and services",
				"le journal durable entre les partenaires et les services"},
			.program = PROGRAM_BROKER},
		.name = "broker",
		.serve = serve,
	};

	return daemon_main(&d, argc, argv);
}
