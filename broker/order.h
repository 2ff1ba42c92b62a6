/*
 * order.h - the order of a connection's Posts. After one was answered BUSY all others are, until
 * that one comes again: else those behind it would overtake it. One id is remembered for each of
 * the two places where BUSY is said.
 */
#ifndef HAVRE_BROKER_ORDER_H
#define HAVRE_BROKER_ORDER_H

#include "broker/verify.h"

/* What the first gate lets in comes to the second in the same order. */
enum gate {
	GATE_COME,   /* before it is verified: the verifiers are full */
	GATE_JUDGED, /* after that: the store or the batch is full, the registry has expired */
	GATES
};

/* All zero at the first hello. */
struct order {
	struct held {
		bool holds;
		uint8_t id[MSG_ID_LEN];
	} at[GATES];
	size_t unjudged; /* let in, not judged yet */
	size_t stale;    /* how many of those came before the last hello */
};

/* false: it is to be answered BUSY. Only id and has_id are read; bytes without an id have no
 * place in the order, and pass. */
bool order_lets(struct order *o, enum gate gate, const struct verdict *v);
/* It is answered BUSY. */
void order_busy(struct order *o, enum gate gate, const struct verdict *v);
/* It is let in; later it is judged. false: since then there was a new hello, and it is not heard
 * any more. */
void order_in(struct order *o);
bool order_out(struct order *o);
/* A new hello on the same connection: nothing is held. */
struct order order_anew(const struct order *o);

#endif
