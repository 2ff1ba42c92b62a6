#include "services/common/node/node.h"

#include <stdlib.h>
#include <time.h>

#include "services/common/base/civil.h"
#include "services/common/base/log.h"
#include "services/common/node/node_inside.h"
#include "services/common/keys/passphrase.h"
#include "services/common/store/recover.h"
#include "services/common/sandbox/sandbox.h"
#include "services/common/engine/trust_step.h"

int64_t node_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- opening: one stage after the other; what is wrong is said in the words of the stage --- */

static enum err open_zone(struct node *n, const struct node_options *o)
{
	(void)o;
	return civil_setup(n->config.time_zone);
}

static enum err open_passphrase(struct node *n, const struct node_options *o)
{
	bool needed = false;

	/* a key file that cannot be read is told by the next stage */
	if (keyring_needs_passphrase(n->config.key_file, &needed) != OK || !needed)
		return OK;
	return passphrase_get(o->passphrase_file, o->lang, false, &n->passphrase);
}

static enum err open_keys(struct node *n, const struct node_options *o)
{
	enum err e = keyring_load(n->config.key_file, passphrase_slice(n->passphrase), &n->keys);

	(void)o;
	passphrase_free(&n->passphrase);
	return e;
}

static enum err open_sandbox(struct node *n, const struct node_options *o)
{
	return o->sandboxed ? sandbox_enter(n->svc->program, &n->config, NULL) : OK;
}

/* One may have come as a message and been kept: then it says whose signatures count. */
static enum err open_registry(struct node *n, const struct node_options *o)
{
	const struct config *c = &n->config;
	struct registry *kept = NULL;
	enum err e;

	(void)o;
	if (trust_kept(n->store, node_now(), &kept) != OK)
		return registry_load(c->registry_file, c->root_file, 0, node_now(), &n->registry);
	e = registry_load_next(c->registry_file, kept, node_now(), &n->registry);
	if (e != OK) {
		n->registry = kept;
		kept = NULL;
	}
	if (e != OK && e != ERR_ROLLED_BACK)
		log_warn("NODE-REGISTRY-FILE", "why=%s", err_name(e));
	registry_free(&kept);
	return OK;
}

static enum err open_store(struct node *n, const struct node_options *o)
{
	struct store_layout layout;
	enum err e;

	(void)o;
	TRY(engine_layout(n->svc, &layout));
	e = store_open_lmdb(
		n->config.store_path, &layout, (size_t)n->config.store_mib << 20, &n->store);
	free((void *)layout.tables);
	return e == OK ? node_open_buckets(n) : e;
}

/* The commit follows whatever fn returned: what fails in it has had no effect. */
static enum err committed(struct node *n, enum err (*fn)(struct node *n, void *arg), void *arg)
{
	enum err result, e;

	TRY(node_begin(n));
	result = fn(n, arg);
	e = node_commit(n);
	return e != OK ? e : result;
}

static enum err note_registry(struct node *n, void *registry)
{
	return engine_note_registry(n->engine, registry_message(registry)->version);
}

static enum err resume(struct node *n, void *arg)
{
	(void)arg;
	return engine_resume(n->engine);
}

static enum err open_engine(struct node *n, const struct node_options *o)
{
	const void *context = o->context;

	if (!context)
		context = n->svc->context ? n->svc->context(&n->config) : &n->config;
	TRY(engine_open(n->svc, context, n->store, n->keys, n->registry, &n->engine));
	TRY(committed(n, note_registry, (void *)engine_registry(n->engine)));
	TRY(committed(n, resume, NULL));
	return node_show_registry(n);
}

static enum err open_choice(struct node *n, const struct node_options *o)
{
	(void)o;
	return node_choose_key(n);
}

/* A store that was put back is not used before its next epoch has begun. */
static enum err open_epoch(struct node *n, const struct node_options *o)
{
	const struct recovery r = {
		.home = n->config.home,
		.store = n->store,
		.table = engine_epoch_table(),
		.registry = n->registry,
		.principal = keyring_principal(n->keys),
		.also = engine_recovered,
	};

	(void)o;
	return recovery_run(&r);
}

enum err node_recover(struct node *n, bool *ret_recovered)
{
	TRY(open_epoch(n, NULL));
	return engine_look_again(n->engine, ret_recovered);
}

struct local {
	enum err (*fn)(struct step *s, void *arg);
	void *arg;
};

static enum err local_step(struct node *n, void *arg)
{
	const struct local *l = arg;

	return engine_local(n->engine, node_now(), l->fn, l->arg);
}

static enum err run_on_start(struct step *s, void *svc)
{
	return ((const struct service *)svc)->on_start(s);
}

static enum err open_start(struct node *n, const struct node_options *o)
{
	struct local start = {run_on_start, (void *)n->svc};

	(void)o;
	return n->svc->on_start ? committed(n, local_step, &start) : OK;
}

static enum err open_link(struct node *n, const struct node_options *o)
{
	(void)o;
	for (int i = 0; i < LANES; i++)
		TRY(posted_open((size_t)n->config.in_flight, &n->lanes[i].posted));
	return link_open(&n->config, n->keys, n->registry, &node_link_ops, n, &n->link);
}

/* about: the text of the configuration that says which. */
static const struct stage {
	enum err (*open)(struct node *n, const struct node_options *o);
	const char *words[2]; /* by enum lang */
	size_t about;
} stages[] = {
	{open_zone, {"time zone", "fuseau horaire"}, offsetof(struct config, time_zone)},
	{open_passphrase, {"passphrase", "phrase de passe"}, offsetof(struct config, key_file)},
	{open_keys, {"key file", "fichier de clés"}, offsetof(struct config, key_file)},
	{open_sandbox, {"sandbox", "isolement"}, offsetof(struct config, home)},
	{open_store, {"store", "magasin"}, offsetof(struct config, store_path)},
	{open_registry, {"registry", "registre"}, offsetof(struct config, registry_file)},
	{open_choice, {"key file", "fichier de clés"}, offsetof(struct config, key_file)},
	{open_epoch, {"store", "magasin"}, offsetof(struct config, store_path)},
	{open_engine, {"store", "magasin"}, offsetof(struct config, store_path)},
	{open_start, {"start", "démarrage"}, offsetof(struct config, home)},
	{open_link, {"broker", "courtier"}, offsetof(struct config, broker_name)},
};

static void say_failed(
	const struct node *n, const struct node_options *o, const struct stage *stage, enum err e)
{
	const char *about;

	memcpy(&about, (const char *)&n->config + stage->about, sizeof(about));
	if (stage->open == open_passphrase && o->passphrase_file)
		about = o->passphrase_file;
	fprintf(o->errors, "%s %s: %s\n", stage->words[o->lang], about, err_text(e, o->lang));
}

enum err node_open(const struct service *svc, const struct node_options *o, struct node **ret)
{
	struct node *n = calloc(1, sizeof(*n));
	enum err e;

	if (!n)
		return ERR_NOMEM;
	n->svc = svc;
	n->wake_fd = -1;
	n->reap_at = link_clock();
	e = config_load(o->home, svc->program, o->errors, o->lang, &n->config);
	n->configured = e == OK;
	for (size_t i = 0; e == OK && i < sizeof(stages) / sizeof(stages[0]); i++) {
		e = stages[i].open(n, o);
		if (e != OK)
			say_failed(n, o, &stages[i], e);
	}
	if (e != OK)
		node_free(&n);
	else
		*ret = n;
	return e;
}

void node_free(struct node **np)
{
	struct node *n = *np;

	if (!n)
		return;
	link_free(&n->link);
	for (int i = 0; i < LANES; i++) {
		posted_free(&n->lanes[i].posted);
		free(n->lanes[i].quarantined);
	}
	letters_clear(&n->queries);
	letters_clear(&n->answers);
	engine_free(&n->engine);
	store_free(&n->store);
	registry_free(&n->registry);
	passphrase_free(&n->passphrase);
	keyring_free(&n->keys);
	if (n->configured)
		config_free(&n->config);
	free(n);
	*np = NULL;
}

enum err node_show_registry(struct node *n)
{
	const struct registry *now = engine_registry(n->engine);
	enum err e = OK;

	if (now == n->registry)
		return OK;
	registry_free(&n->registry);
	n->registry = registry_ref(now);
	if (n->link)
		e = link_use_registry(n->link, now);
	if (e != OK) /* the connection that is there may last until there is a better registry */
		log_error("NODE-NO-BROKER", "why=%s", err_name(e));
	return e == ERR_UNKNOWN_RECIPIENT || e == OK ? node_choose_key(n) : e;
}

static enum err take_registry(struct node *n, struct registry *r)
{
	TRY(link_use_registry(n->link, r));
	TRY(committed(n, note_registry, r));
	engine_use_registry(n->engine, r);
	return committed(n, resume, NULL);
}

enum err node_reload_registry(struct node *n)
{
	const struct config *c = &n->config;
	struct registry *r = NULL;
	enum err e = registry_load_next(c->registry_file, n->registry, node_now(), &r);

	if (e == OK)
		e = take_registry(n, r);
	else if (e == ERR_IO || e == ERR_FULL)
		e = ERR_NOT_FOUND; /* it is the file that fails, not the store */
	if (e == OK) {
		log_info("NODE-REGISTRY", "version=%llu",
			(unsigned long long)registry_message(n->registry)->version);
	} else {
		log_error("NODE-REGISTRY-REFUSED", "why=%s", err_name(e));
	}
	registry_free(&r);
	return e;
}

/* --- what a node's user sees of it --- */

struct engine *node_engine(struct node *n)
{
	return n->engine;
}

const struct config *node_config(const struct node *n)
{
	return &n->config;
}

const struct registry *node_registry(const struct node *n)
{
	return n->registry;
}

const struct keyring *node_keys(const struct node *n)
{
	return n->keys;
}

void node_wake_on(struct node *n, int fd)
{
	n->wake_fd = fd;
}

enum err node_local(struct node *n, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	struct local l = {fn, arg};

	TRY(committed(n, local_step, &l));
	return node_post(n);
}

enum err node_read(struct node *n, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	return engine_read(n->engine, node_now(), fn, arg);
}

enum err node_run(
	struct node *n, bool (*done)(struct node *n, void *arg), void *arg, int64_t within_ms)
{
	int64_t now = link_clock(), until = now + within_ms;

	for (; !done(n, arg); now = link_clock()) {
		if (now >= until)
			return ERR_TIMEOUT;
		TRY(node_turn(n, until - now > INT32_MAX ? INT32_MAX : (int)(until - now)));
		if (n->fenced == ERR_FENCED)
			return ERR_FENCED; /* it stays so */
	}
	return OK;
}

bool node_connected(const struct node *n)
{
	return link_ready(n->link, LANE_ROUTINE) && link_ready(n->link, LANE_URGENT);
}

enum err node_fenced(const struct node *n)
{
	return n->fenced;
}

bool node_outbox_empty(struct node *n)
{
	uint64_t count = 0;

	return engine_outbox_count(n->engine, &count) == OK && count == 0;
}

bool node_caught_up(const struct node *n)
{
	for (int i = 0; i < LANES; i++)
		if (!link_ready(n->link, (enum lane)i) ||
			engine_cursor(n->engine, (enum lane)i) < n->lanes[i].target)
			return false;
	return true;
}
