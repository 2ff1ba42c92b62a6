/* The key file of a node, read again, and which of its keys is used. */
#include "services/common/keys/bucket_files.h"
#include "services/common/base/log.h"
#include "services/common/node/node_inside.h"

enum err node_open_buckets(struct node *n)
{
	struct bucket_files *files = NULL;

	TRY(bucket_files_open(n->config.home, false, &files));
	store_use_buckets(n->store, &files);
	return OK;
}

/* The link holds addresses inside the keyring: it is told in any case. */
static void use_keys(struct node *n, const uint8_t before[KEY_ID_LEN])
{
	char id[2 * KEY_ID_LEN + 1];

	if (n->link)
		link_use_keys(n->link, n->keys);
	if (memcmp(before, keyring_key_id(n->keys), KEY_ID_LEN) == 0)
		return;
	hex_encode(id, keyring_key_id(n->keys), KEY_ID_LEN);
	log_info("NODE-KEY", "key=%s", id);
}

static enum err escrow(struct node *n)
{
	bool open = n->begun;

	TRY(node_begin(n));
	TRY(engine_escrow(n->engine));
	return open ? OK : node_commit(n);
}

enum err node_choose_key(struct node *n)
{
	uint8_t before[KEY_ID_LEN];

	memcpy(before, keyring_key_id(n->keys), KEY_ID_LEN);
	if (keyring_choose(n->keys, n->registry, node_now()))
		use_keys(n, before);
	return n->engine ? escrow(n) : OK;
}

enum err node_reload_keys(struct node *n)
{
	uint8_t before[KEY_ID_LEN];
	bool locked = false;
	enum err e = keyring_needs_passphrase(n->config.key_file, &locked);

	if (e == OK && locked)
		return OK; /* nobody is there to type it: at the next start */
	memcpy(before, keyring_key_id(n->keys), KEY_ID_LEN);
	if (e == OK)
		e = keyring_reload(n->keys, n->config.key_file, false);
	if (e != OK) {
		log_error("NODE-KEYS-REFUSED", "why=%s", err_name(e));
		return OK;
	}
	keyring_choose(n->keys, n->registry, node_now());
	use_keys(n, before);
	return escrow(n);
}
