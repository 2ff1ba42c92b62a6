/* JSON files of referrals and risk reports, read and checked before anything is stored. */
#include "services/client/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "proto/json.h"
#include "services/common/referral/referral_check.h"

#define FILE_MOST (4u << 20)

static enum err read_file(const char *path, struct buf *out)
{
	char block[65536];
	struct stat st;
	enum err e = OK;
	size_t n;
	FILE *f;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return ERR_IS_FOLDER;
	f = fopen(path, "rb");
	if (!f)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	while (e == OK && (n = fread(block, 1, sizeof(block), f)) > 0)
		e = out->len + n > FILE_MOST ? ERR_TOO_LARGE : buf_append(out, block, n);
	if (e == OK && ferror(f))
		e = ERR_IO;
	fclose(f);
	return e;
}

static enum err check(const ProtobufCMessage *m, struct faults *faults)
{
	if (m->descriptor == &referral__descriptor)
		return referral_check((const Referral *)m, node_now(), faults);
	return risk_report_check((const RiskReport *)m, node_now(), faults);
}

enum err client_read(struct cli *c, const char *path, const ProtobufCMessageDescriptor *type,
	ProtobufCMessage **ret)
{
	struct faults faults = {0}, rules = {0};
	struct buf text = {0};
	ProtobufCMessage *m = NULL; /* set by the parser on success only */
	enum err e = read_file(path, &text);

	if (e == OK)
		e = json_text_to_draft(slice_buf(&text), type, &faults, &m);
	buf_free(&text);
	if (e == OK)
		e = check(m, &rules);
	fault_add_others(&faults, &rules); /* all that is wrong at once, each place once */
	if (e == OK && faults.n)
		e = ERR_INVALID;
	if (e == OK) {
		*ret = m;
		return OK;
	}
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return faults.n ? cli_fail_faults(c, ERR_INVALID, path, &faults) : cli_fail(c, e, path);
}

enum err client_check(struct cli *c)
{
	enum err result = OK;

	for (int i = 0; i < c->n_operands; i++) {
		ProtobufCMessage *m = NULL;
		enum err e = client_read(c, c->operands[i], &referral__descriptor, &m);

		if (e == OK) {
			cli_say(c, "%s: nothing is wrong with it\n", "%s : rien à signaler\n",
				c->operands[i]);
			cli_json(c, json_pack("{s:s, s:b}", "file", c->operands[i], "valid", 1));
			protobuf_c_message_free_unpacked(m, NULL);
		} else {
			result = e;
		}
	}
	return result;
}
