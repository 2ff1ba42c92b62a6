#include "proto/catalogue.h"

#include <string.h>

#include "proto/case.pb-c.h"
#include "proto/referral.pb-c.h"
#include "proto/trust.pb-c.h"

#define R(role) ROLE_BIT(ROLE__##role)

static const struct kind_row rows[] = {
#define KIND(number, name, step, Body, body, from, to, lane, cls, most)                            \
	{number, #name, step, &body##__descriptor, from, to, LANE_##lane, CLASS_##cls, most},
#include "proto/catalogue.def"
#undef KIND
};

const struct kind_row *catalogue_rows(unsigned *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct kind_row *catalogue_find(uint32_t kind)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

const struct kind_row *catalogue_find_name(const char *name)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

role_set roles_of(const Principal *p)
{
	role_set set = 0;

	for (size_t i = 0; i < p->n_roles; i++)
		if (p->roles[i] > 0 && p->roles[i] < 32)
			set |= ROLE_BIT(p->roles[i]);
	return set;
}

const char *lane_name(enum lane lane)
{
	return lane == LANE_URGENT ? "urgent" : "routine";
}
