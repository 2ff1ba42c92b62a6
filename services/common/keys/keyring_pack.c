/* Secrets of keyfile.proto to and from a keyring; all of it in locked memory. */
#include <sodium.h>

#include "proto/keyfile.pb-c.h"
#include "services/common/keys/keyring_secrets.h"

/* The messages that point into a keyring, to be packed. */
struct packing {
	Secrets secrets;
	KeySecrets keys[KEYS_MOST], *key_refs[KEYS_MOST];
	BoxSecret box[KEYS_MOST][EPOCHS_MOST], *box_refs[KEYS_MOST][EPOCHS_MOST];
};

static void point_at_key(struct packing *p, size_t i, const struct own_key *from, bool signing)
{
	KeySecrets *to = &p->keys[i];

	key_secrets__init(to);
	to->key_id = bytes_of(from->id, KEY_ID_LEN);
	if (from->signs && signing) {
		to->sign_seed = bytes_of(from->sign_seed, sizeof(from->sign_seed));
		to->transport_secret = bytes_of(from->transport_secret, KEY_LEN);
	}
	for (size_t j = 0; j < from->n_box; j++) {
		box_secret__init(&p->box[i][j]);
		p->box[i][j].epoch = from->box[j].epoch;
		p->box[i][j].box_secret = bytes_of(from->box[j].secret, BOX_SK_LEN);
		p->box_refs[i][j] = &p->box[i][j];
	}
	to->n_box_secrets = from->n_box;
	to->box_secrets = p->box_refs[i];
	p->key_refs[i] = to;
}

enum err keyring_pack(const struct keyring *k, bool signing, uint8_t **ret, size_t *ret_len)
{
	struct packing p;
	void *packed = NULL;
	size_t len;

	secrets__init(&p.secrets);
	p.secrets.step_key = bytes_of(k->step_key, KEY_LEN);
	p.secrets.store_key = bytes_of(k->store_key, KEY_LEN);
	for (size_t i = 0; i < k->n_keys; i++)
		point_at_key(&p, i, &k->keys[i], signing);
	p.secrets.n_keys = k->n_keys;
	p.secrets.keys = p.key_refs;
	len = secrets__get_packed_size(&p.secrets);
	TRY(locked_alloc(len, &packed));
	secrets__pack(&p.secrets, packed);
	*ret = packed;
	*ret_len = len;
	return OK;
}

/* Memory for unpacking: handed out once, given back all together. */
struct arena {
	uint8_t *data;
	size_t len, used;
};

static void *arena_alloc(void *data, size_t size)
{
	struct arena *a = data;
	size_t at = (a->used + 15) & ~(size_t)15;

	if (at > a->len || size > a->len - at)
		return NULL;
	a->used = at + size;
	return a->data + at;
}

static void arena_free(void *data, void *p)
{
	(void)data, (void)p;
}

static bool take(uint8_t *to, size_t len, const ProtobufCBinaryData *from)
{
	if (from->len != len)
		return false;
	memcpy(to, from->data, len);
	return true;
}

static bool take_boxes(struct own_key *to, const KeySecrets *from)
{
	if (from->n_box_secrets < 1 || from->n_box_secrets > EPOCHS_MOST)
		return false;
	for (size_t i = 0; i < from->n_box_secrets; i++) {
		const BoxSecret *b = from->box_secrets[i];

		if (i && b->epoch <= to->box[i - 1].epoch)
			return false;
		to->box[i].epoch = b->epoch;
		if (!take(to->box[i].secret, BOX_SK_LEN, &b->box_secret))
			return false;
	}
	to->n_box = from->n_box_secrets;
	return true;
}

static bool take_key(struct own_key *to, const KeySecrets *from)
{
	to->signs = from->sign_seed.len || from->transport_secret.len;
	if (to->signs && !(take(to->sign_seed, SIGN_SEED_LEN, &from->sign_seed) &&
				 take(to->transport_secret, KEY_LEN, &from->transport_secret)))
		return false;
	return take(to->id, KEY_ID_LEN, &from->key_id) && take_boxes(to, from);
}

static bool take_secrets(struct keyring *k, const Secrets *s)
{
	if (s->n_keys < 1 || s->n_keys > KEYS_MOST)
		return false;
	for (size_t i = 0; i < s->n_keys; i++)
		if (!take_key(&k->keys[i], s->keys[i]))
			return false;
	k->n_keys = s->n_keys;
	return take(k->step_key, KEY_LEN, &s->step_key) &&
	       take(k->store_key, KEY_LEN, &s->store_key);
}

enum err keyring_unpack(struct keyring *k, struct slice packed)
{
	/* what is sound needs less: a BoxSecret has 36 bytes, and takes 96 here */
	struct arena arena = {.len = 4 * packed.len + 4096};
	ProtobufCAllocator allocator = {arena_alloc, arena_free, &arena};
	void *p = NULL;
	Secrets *s;
	bool sound;

	TRY(locked_alloc(arena.len, &p));
	arena.data = p;
	s = secrets__unpack(&allocator, packed.len, packed.data);
	sound = s && take_secrets(k, s);
	sodium_free(p);
	return sound ? OK : ERR_CORRUPT;
}
