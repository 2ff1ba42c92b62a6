#include <stdio.h>

#include "proto/words.h"
#include "services/staff/actions.h"
#include "services/staff/staff.h"

static void print_reasons(FILE *out, enum lang lang)
{
	char name[64];

	for (unsigned i = 0; i < reason__descriptor.n_values; i++)
		if (reason__descriptor.values[i].value) {
			coded_word(reason__descriptor.values[i].name, name);
			fprintf(out, "      %-30s %s\n", name,
				word(&reason__descriptor, reason__descriptor.values[i].value,
					lang));
		}
}

#define WAIT(n)                                                                                    \
	CLI_OPTION("wait", "SECONDS", "how long to try the network (default " n ")",               \
		"combien de temps essayer le réseau (" n " par défaut)")
#define REASON(en, fr, more)                                                                       \
	{                                                                                          \
		"reason", "CODE", {en, fr}, more                                                   \
	}

static const struct cli_option init_options[] = {
	CLI_OPTION("principal", "NAME", "your name in the registry", "votre nom dans le registre"),
	CLI_OPTION("holder", "CODE", "a code of who holds the key; never a name",
		"un code du détenteur de la clé; jamais un nom"),
	CLI_OPTION("device", "CODE", "a code of this device", "un code de cet appareil"),
	CLI_OPTION("epoch", "N", "the box epoch that its other keys have (1)",
		"l’époque qu’ont ses autres clés (1)"),
	CLI_END,
};
static const struct cli_option queue_options[] = {
	CLI_OPTION("state", "STATE", "only the cases in this state",
		"seulement les dossiers dans cet état"),
	CLI_OPTION("limit", "N", "how many cases at most (default 50, most 200)",
		"combien de dossiers au plus (50 par défaut, 200 au maximum)"),
	WAIT("10"),
	CLI_END,
};
static const struct cli_option case_options[] = {WAIT("10"), CLI_END};
static const struct cli_option decide_options[] = {
	CLI_OPTION("version", "N", "the version of the case that you looked at",
		"la version du dossier que vous avez vue"),
	REASON("a coded reason; may be given several times",
		"un motif codé; peut être donné plusieurs fois", print_reasons),
	CLI_OPTION("note-file", "FILE",
		"written reasons, for the partner and intake only (-: standard input)",
		"motifs écrits, pour le partenaire et la réception seulement (- : entrée "
		"standard)"),
	CLI_OPTION("year", "YEAR", "the expected year of arrival (default: the open year)",
		"l’année d’arrivée prévue (par défaut : l’année ouverte)"),
	CLI_OPTION("persons", "N", "the new size of the household", "la nouvelle taille du ménage"),
	CLI_OPTION("with", "CASE", "the other case, for same and not-same",
		"l’autre dossier, pour same et not-same"),
	WAIT("15"),
	CLI_END,
};
static const struct cli_option ack_options[] = {
	CLI_FLAG("all", "every alert that is burning", "toutes les alertes en cours"),
	WAIT("15"),
	CLI_END,
};
static const struct cli_option reveal_options[] = {
	REASON("why; it is logged for ever", "pourquoi; consigné pour toujours", print_reasons),
	WAIT("15"),
	CLI_END,
};
static const struct cli_option places_options[] = {
	CLI_OPTION("close-year", "YEAR",
		"close the year and carry its reservations over (supervisors and directors)",
		"clore l’année et reporter ses réservations (superviseurs et directeurs)"),
	WAIT("10"),
	CLI_END,
};
static const struct cli_option watch_options[] = {
	CLI_FLAG("once", "show it once and stop", "afficher une seule fois"),
	WAIT("10"),
	CLI_END,
};

static const struct cli_option suspend_options[] = {
	REASON("why: key-lost, key-stolen, holder-left, misuse, agreement-ended, checked",
		"pourquoi : key-lost, key-stolen, holder-left, misuse, agreement-ended, checked",
		NULL),
	CLI_OPTION("key", "KEYID", "only this key, not the whole of the principal",
		"seulement cette clé, non toute l’entité"),
	CLI_FLAG("lift", "end a suspension", "mettre fin à une suspension"),
	CLI_OPTION("confirm", "ID", "sign what another officer has proposed",
		"signer ce qu’un autre agent a proposé"),
	WAIT("15"),
	CLI_END,
};

static const struct cli_command commands[] = {
	CLI_COMMAND("init", "", 0, 0, init_options, home_init, "make the keys of this device",
		"créer les clés de cet appareil"),
	CLI_COMMAND("queue", "", 0, 0, queue_options, staff_queue,
		"what waits: burning alerts, held cases, the queue",
		"ce qui attend : alertes en cours, dossiers retenus, file"),
	CLI_COMMAND("case", "CASE...", 1, 200, case_options, staff_case,
		"facts, advice, history, and what may be decided now",
		"faits, avis, historique, et ce qui peut être décidé maintenant"),
	CLI_COMMAND("decide", "CASE[@VERSION]... ACTION", 2, 201, decide_options, staff_decide,
		"decide on a version of a case; a wrong ACTION lists them all",
		"décider sur une version d’un dossier; une ACTION erronée les affiche toutes"),
	CLI_COMMAND("ack", "CASE...|--all", 0, 500, ack_options, staff_ack,
		"answer alerts: you have seen them and you act",
		"répondre aux alertes : vous les avez vues et vous agissez"),
	CLI_COMMAND("reveal", "CASE", 1, 1, reveal_options, staff_reveal,
		"open an identity, for a reason that is logged; shown once, kept nowhere",
		"ouvrir une identité, pour un motif consigné; montrée une fois, jamais conservée"),
	CLI_COMMAND("places", "[YEAR]", 0, 1, places_options, staff_places,
		"the places of a year, in persons", "les places d’une année, en personnes"),
	CLI_COMMAND("watch", "", 0, 0, watch_options, staff_watch,
		"a live view of what waits; q ends it",
		"vue en direct de ce qui attend; q la ferme"),
	CLI_COMMAND("suspend", "[NAME]", 0, 1, suspend_options, staff_suspend,
		"propose or confirm that somebody is suspended, or that it ends; alone: the list",
		"proposer ou confirmer une suspension, ou sa fin; seul : la liste"),
	CLI_END,
};

static const struct cli_program program = {
	"havre-staff",
	{"review cases, answer alerts and decide",
		"étudier les dossiers, répondre aux alertes et décider"},
	commands,
	PROGRAM_STAFF,
	true,
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
