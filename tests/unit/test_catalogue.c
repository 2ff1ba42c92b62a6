/* Goal: the catalogue permits what it should and nothing else, and PROTOCOL.md's tables of kinds
 * and codes are the lists of the source. */
#include "wire_sample.h"

#include "proto/case.pb-c.h"
#include "proto/referral.pb-c.h"

#define R(role) ROLE_BIT(ROLE__##role)

static const struct kind_row *rows;
static unsigned n_rows;

static int get_rows(void **state)
{
	(void)state;
	rows = catalogue_rows(&n_rows);
	return sodium_init() < 0;
}

static void every_kind_is_found_and_no_other(void **state)
{
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < n_rows; i++) {
		assert_true(i == 0 || rows[i].kind > rows[i - 1].kind);
		assert_ptr_equal(catalogue_find(rows[i].kind), &rows[i]);
		assert_ptr_equal(catalogue_find_name(rows[i].name), &rows[i]);
	}
	for (uint32_t kind = 0; kind < 1000; kind++)
		found += catalogue_find(kind) != NULL;
	assert_int_equal(found, n_rows);
	assert_null(catalogue_find(UINT32_MAX));
	assert_null(catalogue_find_name(""));
	assert_null(catalogue_find_name("submit_referral"));
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_rows; i++) {
		const struct kind_row *row = &rows[i];

		assert_non_null(row->body);
		assert_in_range(row->step, 1, 7);
		assert_true(row->from && row->to);
		/* somebody's, and nobody's who has no business with cases; the broker and carriers
		 * have some with who is who, and the broker with what people must see to */
		assert_false((row->from | row->to) &
			     (ROLE_BIT(0) | R(ADMIN) | R(MONITOR) | R(SETTLEMENT) | R(SUPPORT)));
		assert_false(((row->from | row->to) & (R(BROKER) | R(CARRIER))) &&
			     (row->kind < KIND_WARN_OPERATOR || row->kind > KIND_SPREAD_REGISTRY));
		assert_in_range(row->most, 1024, 1024 * 1024);
	}
}

static void an_answer_goes_back_the_way_of_its_question(void **state)
{
	unsigned questions = 0;

	(void)state;
	for (unsigned i = 0; i < n_rows; i++) {
		const struct kind_row *tell;

		if (rows[i].cls != CLASS_QUERY || strncmp(rows[i].name, "ASK_", 4) != 0)
			continue;
		questions++;
		tell = catalogue_find((uint32_t)rows[i].kind + 1);
		assert_non_null(tell);
		assert_int_equal(tell->cls, CLASS_QUERY);
		assert_memory_equal(tell->name, "TELL_", 5);
		assert_string_equal(tell->name + 5, rows[i].name + 4);
		assert_int_equal(tell->from, rows[i].to);
		assert_int_equal(tell->to, rows[i].from);
		assert_int_equal(tell->lane, rows[i].lane);
	}
	assert_int_equal(questions, 5);
}

static bool holds(const ProtobufCMessageDescriptor *type, const ProtobufCMessageDescriptor *what)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
			(type->fields[i].descriptor == what ||
				holds(type->fields[i].descriptor, what)))
			return true;
	return false;
}

/* I8: names and free text go to intake, and out of it only to the officer who opened them. */
static void identities_stay_with_intake(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_rows; i++) {
		if (!holds(rows[i].body, &identity__descriptor) &&
			!holds(rows[i].body, &narrative__descriptor))
			continue;
		if (rows[i].kind == KIND_IDENTITY_OPENED)
			assert_int_equal(rows[i].from, R(INTAKE));
		else
			assert_int_equal(rows[i].to, R(INTAKE));
	}
}

/* I5: what decides over a case comes from a person. */
static void only_staff_decides(void **state)
{
	const role_set staff = R(OFFICER) | R(SUPERVISOR) | R(DIRECTOR);
	const enum kind decisions[] = {KIND_DECIDE_CASE, KIND_DECIDE_PROTECTION,
		KIND_DECIDE_DUPLICATE, KIND_ACKNOWLEDGE_ALERT, KIND_OPEN_IDENTITY, KIND_CLOSE_YEAR,
		KIND_PROPOSE_SUSPENSION};

	(void)state;
	for (size_t i = 0; i < N_OF(decisions); i++)
		assert_int_equal(catalogue_find(decisions[i])->from & ~staff, 0);
	assert_int_equal(catalogue_find(KIND_CLOSE_YEAR)->from & R(OFFICER), 0);
	/* and a partner can send nothing to anybody but intake */
	for (unsigned i = 0; i < n_rows; i++)
		if (rows[i].from & (R(REFERRER) | R(IDENTIFIER) | R(ADVOCATE)))
			assert_int_equal(rows[i].to, R(INTAKE));
}

static void roles_make_a_set(void **state)
{
	Principal p = PRINCIPAL__INIT;
	Role roles[] = {ROLE__REFERRER, ROLE__NO_ROLE, (Role)-1, (Role)32, (Role)64, ROLE__ADMIN};

	(void)state;
	assert_int_equal(roles_of(&p), 0);
	p.roles = roles;
	p.n_roles = N_OF(roles);
	assert_int_equal(roles_of(&p), R(REFERRER) | R(ADMIN));
	assert_string_equal(lane_name(LANE_URGENT), "urgent");
	assert_string_equal(lane_name(LANE_ROUTINE), "routine");
}

/* --- PROTOCOL.md --- */

static void add(struct buf *b, const char *text)
{
	assert_int_equal(buf_append(b, text, strlen(text)), OK);
}

static void add_number(struct buf *b, const char *before, unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", n);
	add(b, before);
	add(b, text);
}

static void add_roles(struct buf *b, role_set set)
{
	const char *between = " | ";

	for (int role = 1; role < 32; role++)
		if (set & ROLE_BIT(role)) {
			add(b, between);
			add(b, protobuf_c_enum_descriptor_get_value(&role__descriptor, role)->name);
			between = ", ";
		}
}

static char *catalogue_table(void)
{
	struct buf b = {0};

	add(&b, "| Number | Kind | Step | Body | From | To | Lane | Class | Most |\n"
		"|---|---|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < n_rows; i++) {
		add_number(&b, "| ", rows[i].kind);
		add(&b, " | `");
		add(&b, rows[i].name);
		add_number(&b, "` | ", (unsigned)rows[i].step);
		add(&b, " | `");
		add(&b, rows[i].body->short_name);
		add(&b, "`");
		add_roles(&b, rows[i].from);
		add_roles(&b, rows[i].to);
		add(&b, " | ");
		add(&b, lane_name(rows[i].lane));
		add(&b, rows[i].cls == CLASS_DURABLE ? " | durable" : " | query");
		add_number(&b, " | ", rows[i].most);
		add(&b, " |\n");
	}
	assert_int_equal(buf_append(&b, "", 1), OK);
	return (char *)b.data;
}

static char *codes_table(void)
{
	static const enum err codes[] = {
#define ERR(name, number, en, fr) ERR_##name,
#include "proto/err.def"
#undef ERR
	};
	struct buf b = {0};

	add(&b, "| Code | Name | Words |\n|---|---|---|\n");
	for (size_t i = 0; i < N_OF(codes); i++) {
		assert_true(i == 0 || codes[i] > codes[i - 1]);
		if (codes[i] < 100)
			continue;
		add_number(&b, "| ", codes[i]);
		add(&b, " | `");
		add(&b, err_name(codes[i]));
		add(&b, "` | ");
		add(&b, err_text(codes[i], LANG_EN));
		add(&b, " |\n");
	}
	assert_int_equal(buf_append(&b, "", 1), OK);
	return (char *)b.data;
}

/* What stands between the line that starts with `mark` and the next end. free() it. */
static char *table_of_document(const char *mark)
{
	FILE *f = fopen(SOURCE_DIR "/proto/PROTOCOL.md", "rb");
	char *text = NULL, *from, *to, *table;
	size_t room = 0;

	assert_non_null(f);
	assert_true(getdelim(&text, &room, 0, f) > 0);
	assert_int_equal(fclose(f), 0);
	from = strstr(text, mark);
	assert_non_null(from);
	from = strchr(from, '\n') + 1;
	to = strstr(from, "<!-- end -->");
	assert_non_null(to);
	table = strndup(from, (size_t)(to - from));
	free(text);
	return table;
}

static void check_table(const char *mark, char *expected)
{
	char *written = table_of_document(mark);

	if (strcmp(written, expected) != 0) {
		(void)fputs(expected, stderr);
		fail_msg("the table in PROTOCOL.md should be as above");
	}
	free(written);
	free(expected);
}

static void the_document_has_the_catalogue(void **state)
{
	(void)state;
	check_table("<!-- catalogue:", catalogue_table());
}

static void the_document_has_the_codes(void **state)
{
	(void)state;
	check_table("<!-- codes:", codes_table());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_found_and_no_other),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(an_answer_goes_back_the_way_of_its_question),
		cmocka_unit_test(identities_stay_with_intake),
		cmocka_unit_test(only_staff_decides),
		cmocka_unit_test(roles_make_a_set),
		cmocka_unit_test(the_document_has_the_catalogue),
		cmocka_unit_test(the_document_has_the_codes),
	};

	return cmocka_run_group_tests(tests, get_rows, NULL);
}
