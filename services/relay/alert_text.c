#include "services/relay/relay.h"

#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/words.h"

__attribute__((format(printf, 2, 3))) static enum err add(struct buf *out, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		return ERR_TOO_LARGE;
	return buf_append(out, line, (size_t)n);
}

/* Each line in both languages; %s is the value. */
static const struct words {
	const char *raised, *answered, *number, *rung, *threat, *detained, *removal, *since, *until,
		*act, *crowd;
} words[2] = {
	[LANG_EN] =
		{
			"Urgent protection is asked for. Nobody has answered yet.\n",
			"An officer has answered, or the case has left. Nothing is left to do.\n",
			"Case: %s\n",
			"Rung of the ladder: %u\n",
			"Threat: %s\n",
			"The person is detained.\n",
			"A removal is set for %s.\n",
			"Asked at: %s\n",
			"Answer before: %s\n",
			"To answer:  havre-staff ack %s\n",
			"Requests of this partner within an hour: %u. Not each "
			"has an alert of its own. All of them:  havre-staff queue\n",
		},
	[LANG_FR] =
		{
			"Une protection urgente est demandée. Personne n’a encore répondu.\n",
			"Un agent a répondu, ou le dossier est sorti. Il n’y a plus rien à "
			"faire.\n",
			"Dossier : %s\n",
			"Échelon : %u\n",
			"Menace : %s\n",
			"La personne est détenue.\n",
			"Un renvoi est fixé au %s.\n",
			"Demandé à : %s\n",
			"Répondre avant : %s\n",
			"Pour répondre :  havre-staff ack %s\n",
			"Nombre de demandes de ce partenaire en une heure : %u. Chacune n’a pas "
			"sa propre alerte. Toutes :  havre-staff queue\n",
		},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static enum err add_details(const Alert *a, enum lang lang, struct buf *out)
{
	const struct words *w = &words[lang];
	char when[32];

	for (size_t i = 0; i < a->n_threats; i++)
		TRY(add(out, w->threat, word(&threat_code__descriptor, (int)a->threats[i], lang)));
	if (a->detained)
		TRY(add(out, "%s", w->detained));
	if (*a->removal_on)
		TRY(add(out, w->removal, a->removal_on));
	time_format(a->raised_at, when);
	TRY(add(out, w->since, when));
	time_format(a->due_at, when);
	TRY(add(out, w->until, when));
	if (a->crowd)
		TRY(add(out, w->crowd, a->crowd));
	return add(out, w->act, a->case_number);
}

static enum err add_language(const Alert *a, enum lang lang, struct buf *out)
{
	const struct words *w = &words[lang];

	TRY(add(out, "%s", a->stand_down ? w->answered : w->raised));
	TRY(add(out, w->number, a->case_number));
	TRY(add(out, w->rung, a->rung));
	return a->stand_down ? OK : add_details(a, lang, out);
}
#pragma GCC diagnostic pop

enum err alert_text(const Alert *a, struct buf *out)
{
	TRY(add_language(a, LANG_EN, out));
	TRY(add(out, "\n----\n\n"));
	return add_language(a, LANG_FR, out);
}

enum err alert_subject(const Alert *a, struct buf *out)
{
	if (a->stand_down)
		return add(out, "Havre: answered / Havre : réponse reçue - %s", a->case_number);
	return add(out, "Havre: URGENT, rung %u / Havre : URGENT, échelon %u - %s", a->rung,
		a->rung, a->case_number);
}

enum err alert_json(const Alert *a, int64_t now, struct buf *out)
{
	return message_event(a->stand_down ? "alert.answered" : "alert.raised", &a->base, now, out);
}

enum err message_event(const char *type, const ProtobufCMessage *m, int64_t now, struct buf *out)
{
	json_t *data, *root;
	char when[32], *text;
	enum err e = message_to_json(m, &data);

	if (e != OK)
		return e;
	time_format(now, when);
	root = json_pack("{s:s, s:s, s:o}", "type", type, "timestamp", when, "data", data);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	e = text ? buf_append(out, text, strlen(text)) : ERR_NOMEM;
	free(text);
	json_decref(root);
	return e;
}

enum err webhook_signature(const uint8_t *secret, size_t secret_len, const char *id,
	int64_t timestamp_s, struct slice body, struct buf *out)
{
	crypto_auth_hmacsha256_state st;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char head[128], b64[sodium_base64_ENCODED_LEN(sizeof(mac), sodium_base64_VARIANT_ORIGINAL)];
	int n = snprintf(head, sizeof(head), "%s.%lld.", id, (long long)timestamp_s);

	if (n < 0 || (size_t)n >= sizeof(head))
		return ERR_INVALID;
	crypto_auth_hmacsha256_init(&st, secret, secret_len);
	crypto_auth_hmacsha256_update(&st, (const uint8_t *)head, (size_t)n);
	crypto_auth_hmacsha256_update(&st, body.data, body.len);
	crypto_auth_hmacsha256_final(&st, mac);
	sodium_bin2base64(b64, sizeof(b64), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(&st, sizeof(st));
	return add(out, "v1,%s", b64);
}
