/* What a program needs, by its row and its configuration. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "services/common/sandbox/sandbox_inside.h"

#define HOST_MOST 255

static const unsigned program_needs[] = {
#define SANDBOX(program, classes) [PROGRAM_##program] = EVERY | (classes),
#include "services/common/sandbox/sandbox.def"
};

static const struct {
	unsigned need;
	enum port_use use;
	size_t field;
} port_rows[] = {
#define PORT(class, use, field) {class, use, offsetof(struct config, field)},
#include "services/common/sandbox/sandbox.def"
};

/* The ports of URLs that name none. */
static const struct {
	const char *scheme;
	uint16_t port; /* 0: it must be named */
} schemes[] = {{"tcp", 0}, {"http", 80}, {"https", 443}, {"smtp", 25}, {"smtps", 465}};

struct endpoint {
	char host[HOST_MOST + 1];
	uint16_t port; /* 0: any */
};

static enum err find_scheme(const char *url, size_t len, uint16_t *ret_port)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].scheme) == len && strncmp(schemes[i].scheme, url, len) == 0) {
			*ret_port = schemes[i].port;
			return OK;
		}
	return ERR_INVALID;
}

static enum err read_port(const char *text, uint16_t *ret)
{
	char *end;
	long port;

	if (strcmp(text, "*") == 0) {
		*ret = 0;
		return OK;
	}
	port = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || port > UINT16_MAX)
		return ERR_INVALID;
	*ret = (uint16_t)port;
	return OK;
}

/* HOST:PORT, [HOST]:PORT, HOST; the port of the scheme is in *e already. */
static enum err split(char *where, struct endpoint *e)
{
	char *colon = strrchr(where, ':'), *end = strrchr(where, ']');

	if (colon && (!end || colon > end)) {
		*colon = 0;
		TRY(read_port(colon + 1, &e->port));
	} else if (e->port == 0) {
		return ERR_INVALID;
	}
	if (*where == '[' && end) {
		*end = 0;
		where++;
	}
	memmove(e->host, where, strlen(where) + 1);
	return *e->host ? OK : ERR_INVALID;
}

/* SCHEME://[USER@]HOST[:PORT][/...] */
static enum err read_endpoint(const char *url, struct endpoint *ret)
{
	const char *at = strstr(url, "://"), *user;
	char where[HOST_MOST + 1];
	struct endpoint e;
	size_t len;

	if (!at)
		return ERR_INVALID;
	TRY(find_scheme(url, (size_t)(at - url), &e.port));
	at += 3;
	len = strcspn(at, "/?#");
	user = memrchr(at, '@', len);
	if (user) {
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	if (len > HOST_MOST)
		return ERR_INVALID;
	memcpy(where, at, len);
	where[len] = 0;
	TRY(split(where, &e));
	*ret = e;
	return OK;
}

static bool is_number(const char *host)
{
	struct in6_addr any;

	return strcmp(host, "*") == 0 || inet_pton(AF_INET, host, &any) == 1 ||
	       inet_pton(AF_INET6, host, &any) == 1;
}

static void add_port(struct sandbox_plan *p, enum port_use use, uint16_t number)
{
	p->ports[p->n_ports].use = use;
	p->ports[p->n_ports++].number = number;
}

enum err sandbox_plan(enum program program, const struct config *c, struct sandbox_plan *ret)
{
	struct sandbox_plan p = {.needs = program_needs[program]};
	struct endpoint e;

	if (!p.needs) /* a new program without a row */
		return ERR_INVALID;
	_Static_assert(sizeof(port_rows) / sizeof(port_rows[0]) < PORTS_MOST, "and one for names");
	for (size_t i = 0; i < sizeof(port_rows) / sizeof(port_rows[0]); i++) {
		char *url;

		memcpy(&url, (const char *)c + port_rows[i].field, sizeof(url));
		if (!(port_rows[i].need & p.needs) || !*url)
			continue;
		TRY(read_endpoint(url, &e));
		add_port(&p, port_rows[i].use, e.port);
		if (!is_number(e.host))
			p.needs |= RESOLVE;
	}
	if (p.needs & RESOLVE)
		add_port(&p, TO, PORT_DNS);
	if (SANITIZED_BUILD)
		p.needs |= SANITIZED;
	*ret = p;
	return OK;
}
