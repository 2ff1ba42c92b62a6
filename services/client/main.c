#include "services/client/client.h"

#define WAIT                                                                                       \
	CLI_OPTION("wait", "SECONDS", "how long to try the network (default 10; 0: not at all)",   \
		"combien de temps essayer le réseau (10 par défaut; 0 : pas du tout)")

static const struct cli_option init_options[] = {
	CLI_OPTION("principal", "NAME", "the organization's name in the registry",
		"le nom de l’organisation dans le registre"),
	CLI_OPTION("holder", "CODE", "a code of who holds the key; never a name",
		"un code du détenteur de la clé; jamais un nom"),
	CLI_OPTION("device", "CODE", "a code of this device", "un code de cet appareil"),
	CLI_OPTION("epoch", "N", "the box epoch that its other keys have (1)",
		"l’époque qu’ont ses autres clés (1)"),
	CLI_END,
};
static const struct cli_option wait_options[] = {WAIT, CLI_END};
static const struct cli_option withdraw_options[] = {
	CLI_FLAG("consent-revoked", "the applicant revoked the consent",
		"le demandeur a révoqué son consentement"),
	WAIT,
	CLI_END,
};
static const struct cli_option prove_options[] = {
	CLI_OPTION("out", "FILE", "write the proof to a file that others can check",
		"écrire la preuve dans un fichier que d’autres peuvent vérifier"),
	CLI_OPTION("file", "FILE", "check a proof that was written with --out",
		"vérifier une preuve écrite avec --out"),
	CLI_END,
};

static const struct cli_command commands[] = {
	CLI_COMMAND("init", "", 0, 0, init_options, home_init, "make the keys of this device",
		"créer les clés de cet appareil"),
	CLI_COMMAND("check", "FILE...", 1, 10000, NULL, client_check,
		"check referrals without sending them", "vérifier des demandes sans les envoyer"),
	CLI_COMMAND("submit", "FILE...", 1, 10000, wait_options, client_submit,
		"submit referrals; without a network they wait in the outbox",
		"présenter des demandes; sans réseau, elles attendent dans la boîte d’envoi"),
	CLI_COMMAND("status", "[REFERENCE|CASE]", 0, 1, wait_options, client_status,
		"where each referral stands", "où en est chaque demande"),
	CLI_COMMAND("inbox", "[REFERENCE|CASE]", 0, 1, wait_options, client_inbox,
		"the notices received", "les avis reçus"),
	CLI_COMMAND("risk", "FILE", 1, 1, wait_options, client_risk,
		"report a new danger for a case", "signaler un nouveau danger pour un dossier"),
	CLI_COMMAND("withdraw", "CASE", 1, 1, withdraw_options, client_withdraw,
		"withdraw a case, or revoke its consent",
		"retirer un dossier, ou révoquer le consentement"),
	CLI_COMMAND("outbox", "", 0, 0, wait_options, client_outbox,
		"send what waits, and show what still waits",
		"envoyer ce qui attend, et montrer ce qui attend encore"),
	CLI_COMMAND("prove", "[REFERENCE|ID]", 0, 1, prove_options, client_prove,
		"check the broker’s receipt for a submission, without a network",
		"vérifier le récépissé du courtier pour un envoi, sans réseau"),
	CLI_END,
};

static const struct cli_program program = {
	"havre",
	{"refer people at risk, and hear the answers",
		"présenter des personnes en danger et recevoir les réponses"},
	commands,
	PROGRAM_CLIENT,
	true,
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
