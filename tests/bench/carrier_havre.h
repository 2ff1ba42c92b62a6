/*
 * carrier_havre.h - the rows of the table in carrier.h for Havre: carrier_havre_send.c and
 * carrier_havre_read.c.
 */
#ifndef HAVRE_BENCH_CARRIER_HAVRE_H
#define HAVRE_BENCH_CARRIER_HAVRE_H

#include "tests/bench/carrier.h"

enum err havre_senders_open(const struct senders_options *o, void **ret);
enum err havre_post(void *senders, unsigned sender, struct slice envelope);
enum err havre_acks(void *senders, ack_fn *fn, void *arg);
enum err havre_prove(void *senders, uint64_t *ret_receipts);
void havre_senders_close(void **senders);

enum err havre_reader_open(const struct reader_options *o, void **ret);
enum err havre_read(void *reader);
const char *havre_position(void *reader);
void havre_reader_close(void **reader);

/* The key of the broker that is valid now. ERR_UNKNOWN_RECIPIENT. */
enum err broker_key(const struct person *p, const Key **ret);

#endif
