#include "broker/order.h"

bool order_lets(struct order *o, enum gate gate, const struct verdict *v)
{
	struct held *held = &o->at[gate];

	if (!held->holds || !v->has_id)
		return true;
	if (memcmp(held->id, v->id, MSG_ID_LEN) != 0)
		return false;
	held->holds = false;
	return true;
}

void order_busy(struct order *o, enum gate gate, const struct verdict *v)
{
	struct held *held = &o->at[gate];

	if (held->holds || !v->has_id)
		return;
	held->holds = true;
	memcpy(held->id, v->id, MSG_ID_LEN);
}

void order_in(struct order *o)
{
	o->unjudged++;
}

bool order_out(struct order *o)
{
	bool stale = o->stale > 0;

	if (o->unjudged > 0)
		o->unjudged--;
	if (stale)
		o->stale--;
	return !stale;
}

struct order order_anew(const struct order *o)
{
	return (struct order){.unjudged = o->unjudged, .stale = o->unjudged};
}
