/* Written reasons: sealed to the partner and to the vault, opaque to everybody between. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/case.pb-c.h"
#include "proto/envelope.h"
#include "proto/strict.h"

/* Sizes of padded notes: powers of two. A note must fit into every body that carries one. */
#define NOTE_LEAST 512
#define NOTE_MOST  (32 * 1024)

static enum err note_context(const char *case_number, struct buf *out)
{
	struct slice piece = slice_str(case_number);

	return pae(out, "note", &piece, 1);
}

enum err note_seal(const char *text, const char *case_number, const struct reader *readers,
	size_t n, struct entropy *e, struct buf *ret)
{
	Note note = NOTE__INIT;
	struct buf plain = {0}, context = {0}, sealed = {0};
	size_t padded = NOTE_LEAST;
	enum err result;

	note.text = (char *)text;
	result = strict_pack(&note.base, &plain);
	while (padded <= plain.len && padded < NOTE_MOST)
		padded *= 2;
	if (result == OK && padded <= plain.len)
		result = ERR_TOO_LARGE;
	if (result == OK)
		result = note_context(case_number, &context);
	if (result == OK)
		result = crypto_seal(
			&sealed, slice_buf(&plain), padded, slice_buf(&context), readers, n, e);
	if (result == OK)
		*ret = sealed;
	else
		buf_free(&sealed);
	buf_free(&plain);
	buf_free(&context);
	return result;
}

static enum err text_of(struct slice plain, char **ret_text)
{
	ProtobufCMessage *m;
	Note *note;

	TRY(strict_unpack(&note__descriptor, plain, &m));
	note = (Note *)m;
	if (note->text != protobuf_c_empty_string) {
		*ret_text = note->text;
		note->text = NULL;
	} else {
		*ret_text = calloc(1, 1);
	}
	note__free_unpacked(note, NULL);
	return *ret_text ? OK : ERR_NOMEM;
}

enum err note_open(struct slice sealed, const char *case_number, const uint8_t key_id[KEY_ID_LEN],
	const uint8_t box_sk[BOX_SK_LEN], char **ret_text)
{
	struct buf plain = {0}, context = {0};
	char *text = NULL;
	enum err result = note_context(case_number, &context);

	if (result == OK)
		result = crypto_open(sealed, slice_buf(&context), key_id, box_sk, &plain);
	if (result == OK)
		result = text_of(slice_buf(&plain), &text);
	if (result == OK)
		*ret_text = text;
	buf_free(&plain);
	buf_free(&context);
	return result;
}
