/* Letters: alerts and warnings in the form that leaves, English first, then French. */
#include "services/common/trust/warning_words.h"
#include "services/relay/relay.h"

static enum err add(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text));
}

static enum err add_warning(const Warning *w, enum lang lang, struct buf *out)
{
	TRY(warning_says(w, lang, out));
	TRY(add(out, "\n"));
	TRY(warning_advice(w, lang, out));
	return add(out, "\n");
}

enum err warning_text(const Warning *w, struct buf *out)
{
	TRY(add_warning(w, LANG_EN, out));
	TRY(add(out, "\n----\n\n"));
	return add_warning(w, LANG_FR, out);
}

enum err warning_subject(const Warning *w, struct buf *out)
{
	TRY(add(out, w->over ? "Havre: over / Havre : terminé - "
			     : "Havre: WARNING / Havre : AVERTISSEMENT - "));
	TRY(add(out, protobuf_c_enum_descriptor_get_value(&warning_code__descriptor, (int)w->code)
			     ->name));
	TRY(add(out, *w->about ? " " : ""));
	return add(out, w->about);
}

enum err warning_json(const Warning *w, int64_t now, struct buf *out)
{
	return message_event(w->over ? "warning.over" : "warning.raised", &w->base, now, out);
}

static enum err set_id(struct letter *l, const ProtobufCBinaryData *delivery)
{
	if (2 * delivery->len + 1 != sizeof(l->id))
		return ERR_INVALID;
	hex_encode(l->id, delivery->data, delivery->len);
	return OK;
}

enum err letter_of_alert(const Alert *a, int64_t now, struct letter *ret)
{
	*ret = (struct letter){.id = ""};
	TRY(set_id(ret, &a->delivery));
	TRY(alert_subject(a, &ret->subject));
	TRY(alert_text(a, &ret->text));
	return alert_json(a, now, &ret->json);
}

enum err letter_of_warning(const Warning *w, int64_t now, struct letter *ret)
{
	*ret = (struct letter){.id = ""};
	TRY(set_id(ret, &w->delivery));
	TRY(warning_subject(w, &ret->subject));
	TRY(warning_text(w, &ret->text));
	return warning_json(w, now, &ret->json);
}

void letter_free(struct letter *l)
{
	buf_free(&l->subject);
	buf_free(&l->text);
	buf_free(&l->json);
	*l = (struct letter){.id = ""};
}
