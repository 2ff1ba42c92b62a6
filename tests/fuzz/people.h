/*
 * people.h - the invented people of the fuzz targets and of their seeds, with fixed keys, and a
 * registry that knows them.
 */
#ifndef HAVRE_FUZZ_PEOPLE_H
#define HAVRE_FUZZ_PEOPLE_H

#include "services/common/trust/registry.h"
#include "tests/unit/wire_sample.h"

#define PEOPLE 6

static inline struct person person(size_t i)
{
	static const char *const names[PEOPLE] = {
		"partner-a", "intake", "screening", "officer-1", "broker", "admin-1"};

	return person_make(names[i], (uint8_t)(i + 1));
}

static inline struct person partner(void)
{
	return person(0);
}

static inline struct person intake(void)
{
	return person(1);
}

static inline struct person broker(void)
{
	return person(4);
}

static inline struct person admin(void)
{
	return person(5);
}

static inline struct person root(void)
{
	return person_make("root", 99);
}

/* A packed Registry, valid for a month around SAMPLE_TIME. */
static inline struct buf people_registry(void)
{
	static const Role roles[PEOPLE] = {ROLE__REFERRER, ROLE__INTAKE, ROLE__SCREENING,
		ROLE__OFFICER, ROLE__BROKER, ROLE__ADMIN};
	const struct person signer = root();
	ProtobufCBinaryData root_key = bytes_of(signer.sign_pk, SIGN_PK_LEN);
	struct person who[PEOPLE];
	Principal principals[PEOPLE], *list[PEOPLE];
	Key keys[PEOPLE], *key_list[PEOPLE];
	BoxKey box[PEOPLE], *box_list[PEOPLE];
	uint8_t transport[PEOPLE][32];
	uint32_t suite = SUITE_1;
	Registry r = REGISTRY__INIT;

	for (size_t i = 0; i < PEOPLE; i++) {
		who[i] = person(i);
		memset(transport[i], (int)i + 65, sizeof(transport[i]));
		box_key__init(&box[i]);
		box[i].epoch = 1;
		box[i].box_key = bytes_of(who[i].reader.box_pk, BOX_PK_LEN);
		box_list[i] = &box[i];
		key__init(&keys[i]);
		keys[i].id = bytes_of(who[i].reader.key_id, KEY_ID_LEN);
		keys[i].sign_key = bytes_of(who[i].sign_pk, SIGN_PK_LEN);
		keys[i].transport_key = bytes_of(transport[i], sizeof(transport[i]));
		keys[i].box_keys = &box_list[i];
		keys[i].n_box_keys = 1;
		key_list[i] = &keys[i];
		principal__init(&principals[i]);
		principals[i].name = (char *)who[i].name;
		principals[i].roles = (Role *)&roles[i];
		principals[i].n_roles = 1;
		principals[i].keys = &key_list[i];
		principals[i].n_keys = 1;
		list[i] = &principals[i];
	}
	r.version = 1;
	r.issued_at = SAMPLE_TIME - 15 * INT64_C(86400000);
	r.expires_at = SAMPLE_TIME + 15 * INT64_C(86400000);
	r.threshold = 1;
	r.root_keys = &root_key;
	r.n_root_keys = 1;
	r.suites = &suite;
	r.n_suites = 1;
	r.principals = list;
	r.n_principals = PEOPLE;
	return packed(&r.base);
}

/* It lives as long as the process. */
static inline void people_know(struct registry **ret)
{
	struct buf b = people_registry();
	ProtobufCMessage *m;

	assert_int_equal(strict_unpack(&registry__descriptor, slice_buf(&b), &m), OK);
	assert_int_equal(registry_from_message((const Registry *)m, ret), OK);
	protobuf_c_message_free_unpacked(m, NULL);
	buf_free(&b);
}

#endif
