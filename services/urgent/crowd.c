/* Many requests of one partner. */
#include "services/common/base/message.h"
#include "services/urgent/urgent.h"

#define HOUR_MS INT64_C(3600000)

static struct key crowd_key(const char *partner, unsigned rung)
{
	struct key k = {0};

	key_str(&k, partner);
	key_u64(&k, rung);
	return k;
}

static enum err load(struct step *s, const char *partner, unsigned rung, Crowd *ret)
{
	struct key k = crowd_key(partner, rung);
	ProtobufCMessage *m = NULL;
	enum err e = record_get(s, URGENT_CROWDS, key_slice(&k), &crowd__descriptor, &m);

	crowd__init(ret);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	ret->at = ((Crowd *)m)->at;
	ret->asked = ((Crowd *)m)->asked;
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static enum err save(struct step *s, const char *partner, unsigned rung, const Crowd *c)
{
	struct key k = crowd_key(partner, rung);

	return record_put(s, URGENT_CROWDS, key_slice(&k), &c->base);
}

enum err crowd_count(struct step *s, const char *partner, bool *ret_many)
{
	const struct config *config = step_context(s);
	Crowd c;

	TRY(load(s, partner, 0, &c));
	if (step_now(s) - c.at >= HOUR_MS) {
		c.at = step_now(s);
		c.asked = 0;
	}
	c.asked++;
	TRY(save(s, partner, 0, &c));
	*ret_many = (long)c.asked > config->crowd;
	return OK;
}

enum err crowd_due(struct step *s, const char *partner, unsigned rung, int64_t every_ms,
	bool *ret_due, unsigned *ret_asked)
{
	Crowd all, told;

	TRY(load(s, partner, 0, &all));
	TRY(load(s, partner, rung, &told));
	*ret_due = step_now(s) - told.at >= every_ms;
	*ret_asked = all.asked;
	return OK;
}

enum err crowd_told(struct step *s, const char *partner, unsigned rung)
{
	Crowd c = CROWD__INIT;

	c.at = step_now(s);
	return save(s, partner, rung, &c);
}
