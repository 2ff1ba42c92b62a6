#include "services/relay/relay.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/common/base/log.h"
#include "services/common/keys/locked.h"

/* A relay serves its link between two deliveries: none may hold it longer than this. */
#define CONNECT_MS 5000L
#define WHOLE_MS   10000L

#define SECRET_MOST 256

static void set_common(CURL *h, const char *url)
{
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, WHOLE_MS);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
}

/* What libcurl reads the mail from. */
struct source {
	struct slice rest;
};

static size_t read_source(char *out, size_t size, size_t n, void *arg)
{
	struct source *src = arg;
	size_t len = size * n < src->rest.len ? size * n : src->rest.len;

	memcpy(out, src->rest.data, len);
	src->rest.data += len;
	src->rest.len -= len;
	return len;
}

static size_t ignore_answer(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static enum err add(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

/* RFC 5322, the body in base64 so that both languages pass every server. */
static enum err compose_mail(
	const struct config *c, const struct letter *l, int64_t now, struct buf *mail)
{
	char head[2048], date[64], b64[8192] = "", b64_subject[512];
	time_t t = (time_t)(now / 1000);
	struct tm tm;
	enum err e;

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	if (l->text.len > 5000 || l->subject.len > 300)
		return ERR_TOO_LARGE;
	sodium_bin2base64(
		b64, sizeof(b64), l->text.data, l->text.len, sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(b64_subject, sizeof(b64_subject), l->subject.data, l->subject.len,
		sodium_base64_VARIANT_ORIGINAL);
	snprintf(head, sizeof(head),
		"Date: %s\r\nFrom: <%.200s>\r\nTo: <%.200s>\r\nMessage-ID: <%s@havre>\r\n"
		"Subject: =?UTF-8?B?%s?=\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		date, c->relay_from, c->relay_to, l->id, b64_subject);
	e = add(mail, head);
	for (size_t i = 0, n = strlen(b64); e == OK && i < n; i += 76) {
		e = buf_append(mail, b64 + i, n - i < 76 ? n - i : 76);
		if (e == OK)
			e = add(mail, "\r\n");
	}
	return e;
}

enum err deliver_smtp(const struct config *c, const struct letter *l, int64_t now)
{
	struct buf mail = {0};
	struct source src;
	struct curl_slist *to;
	CURLcode code = CURLE_FAILED_INIT;
	CURL *h = curl_easy_init();
	enum err e = h ? compose_mail(c, l, now, &mail) : ERR_NOMEM;

	if (e == OK) {
		src.rest = slice_buf(&mail);
		to = curl_slist_append(NULL, c->relay_to);
		set_common(h, c->relay_url);
		curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
		curl_easy_setopt(h, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
		curl_easy_setopt(h, CURLOPT_MAIL_FROM, c->relay_from);
		curl_easy_setopt(h, CURLOPT_MAIL_RCPT, to);
		curl_easy_setopt(h, CURLOPT_READFUNCTION, read_source);
		curl_easy_setopt(h, CURLOPT_READDATA, &src);
		curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
		code = curl_easy_perform(h);
		curl_slist_free_all(to);
		e = code == CURLE_OK ? OK : ERR_UNREACHABLE;
	}
	if (e == ERR_UNREACHABLE)
		log_debug("RELAY-ANSWER", "curl=%d", (int)code);
	curl_easy_cleanup(h);
	buf_free(&mail);
	return e;
}

/* The signing secret: raw bytes of a file that only its owner may read. */
static enum err read_secret(const char *path, uint8_t *out, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n = -1;
	enum err e = OK;

	if (fd < 0)
		return ERR_NOT_FOUND;
	if (fstat(fd, &st) || (st.st_mode & 077) || st.st_uid != geteuid())
		e = ERR_PERMISSIONS;
	else
		n = read(fd, out, SECRET_MOST);
	close(fd);
	if (e == OK && n < 16)
		e = ERR_INVALID;
	if (e == OK)
		*ret_len = (size_t)n;
	return e;
}

static struct curl_slist *webhook_headers(const char *id, int64_t seconds, const struct buf *sig)
{
	struct curl_slist *list = NULL;
	char line[256];

	snprintf(line, sizeof(line), "webhook-id: %s", id);
	list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "webhook-timestamp: %lld", (long long)seconds);
	list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "webhook-signature: %.*s", (int)sig->len,
		(const char *)sig->data);
	list = curl_slist_append(list, line);
	return curl_slist_append(list, "Content-Type: application/json");
}

static enum err post_json(const char *url, struct curl_slist *headers, const struct buf *body)
{
	CURL *h = curl_easy_init();
	CURLcode code;
	long status = 0;

	if (!h)
		return ERR_NOMEM;
	set_common(h, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, (const char *)body->data);
	curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)body->len);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore_answer);
	code = curl_easy_perform(h);
	if (code == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(h);
	return status >= 200 && status < 300 ? OK : ERR_UNREACHABLE;
}

enum err deliver_webhook(const struct config *c, const struct letter *l, int64_t now)
{
	void *secret = NULL;
	size_t secret_len = 0;
	struct buf sig = {0};
	struct curl_slist *headers;
	enum err e;

	TRY(locked_alloc(SECRET_MOST, &secret));
	e = read_secret(c->relay_secret_file, secret, &secret_len);
	if (e == OK)
		e = webhook_signature(
			secret, secret_len, l->id, now / 1000, slice_buf(&l->json), &sig);
	sodium_free(secret);
	if (e == OK) {
		headers = webhook_headers(l->id, now / 1000, &sig);
		e = post_json(c->relay_url, headers, &l->json);
		curl_slist_free_all(headers);
	}
	buf_free(&sig);
	return e;
}
