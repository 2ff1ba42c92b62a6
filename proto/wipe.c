#include "proto/wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>

static void wipe_and_free(void *p)
{
	if (p)
		sodium_memzero(p, malloc_usable_size(p));
	free(p);
}

static void *take(void *arg, size_t size)
{
	(void)arg;
	return malloc(size);
}

static void give_back(void *arg, void *p)
{
	(void)arg;
	wipe_and_free(p);
}

void message_wipe(ProtobufCMessage *m)
{
	ProtobufCAllocator wiping = {take, give_back, NULL};

	if (m)
		protobuf_c_message_free_unpacked(m, &wiping);
}

void json_wipe_frees(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}
