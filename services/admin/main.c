/* havre-admin: keys, the registry, verification. */
#include "services/admin/admin.h"

/* clang-format off */
static const struct cli_command commands[] = {
	CLI_COMMAND("keys new", "", 0, 0, keys_new_options, keys_new,
		"make a key and the request for the registry", "créer une clé et la demande pour le registre"),
	CLI_COMMAND("keys root", "", 0, 0, keys_root_options, keys_root,
		"make a root key", "créer une clé racine"),
	CLI_COMMAND("keys show", "[FILE]", 0, 1, NULL, keys_show,
		"show a key’s public part", "montrer la partie publique d’une clé"),
	CLI_COMMAND("keys rotate", "", 0, 0, keys_rotate_options, keys_rotate,
		"add a box epoch, or a key, beside the old ones", "ajouter une époque, ou une clé, à côté des anciennes"),
	CLI_COMMAND("keys destroy", "", 0, 0, keys_destroy_options, keys_destroy,
		"destroy the box secrets that nothing needs any more", "détruire les secrets dont plus rien n’a besoin"),
	CLI_COMMAND("escrow new", "", 0, 0, escrow_new_options, escrow_new,
		"make the recovery key, in custodians’ shares", "créer la clé de secours, en parts de dépositaires"),
	CLI_COMMAND("escrow recover", "", 0, 0, escrow_recover_options, escrow_recover,
		"rebuild the keys of a lost machine in the home folder", "reconstruire les clés d’une machine perdue dans le dossier"),
	CLI_COMMAND("registry new", "", 0, 0, registry_new_options, registry_new,
		"start the draft of a registry", "commencer l’ébauche d’un registre"),
	CLI_COMMAND("registry add", "REQUEST", 1, 1, registry_add_options, registry_add,
		"add a key and its principal to the draft", "ajouter une clé et son entité à l’ébauche"),
	CLI_COMMAND("registry suspend", "NAME", 1, 1, registry_suspend_options, registry_suspend,
		"suspend a principal in the draft", "suspendre une entité dans l’ébauche"),
	CLI_COMMAND("registry retire", "KEYID", 1, 1, registry_retire_options, registry_retire,
		"retire a key in the draft", "retirer une clé dans l’ébauche"),
	CLI_COMMAND("registry recovery", "FILE", 1, 1, registry_recovery_options, registry_recovery,
		"put the recovery key into the draft", "mettre la clé de secours dans l’ébauche"),
	CLI_COMMAND("registry roots", "[FILE]", 0, 1, registry_roots_options, registry_roots,
		"take over the root keys that a signed registry names", "reprendre les clés racines que nomme un registre signé"),
	CLI_COMMAND("registry sign", "", 0, 0, registry_sign_options, registry_sign,
		"sign the draft as the next version", "signer l’ébauche comme version suivante"),
	CLI_COMMAND("registry show", "[FILE]", 0, 1, NULL, registry_show,
		"show a draft or a signed registry", "montrer une ébauche ou un registre signé"),
	CLI_COMMAND("registry check", "[FILE]", 0, 1, registry_check_options, registry_check,
		"check a signed registry against the root keys", "vérifier un registre signé avec les clés racines"),
	CLI_COMMAND("held", "", 0, 0, held_options, admin_held,
		"list the messages that are held back for a suspension", "lister les messages retenus pour une suspension"),
	CLI_COMMAND("verify", "", 0, 0, verify_options, admin_verify,
		"check the invariants in the stores, beside the running processes",
		"vérifier les invariants dans les magasins, pendant que tout fonctionne"),
	CLI_COMMAND("health", "", 0, 0, health_options, admin_health,
		"say what is wrong with the processes, and what to do", "dire ce qui ne va pas dans les processus, et quoi faire"),
	CLI_COMMAND("metrics", "", 0, 0, health_options, admin_metrics,
		"print the metrics of all processes (Prometheus text format)",
		"afficher les mesures de tous les processus (format texte de Prometheus)"),
	CLI_COMMAND("backup", "", 0, 0, backup_options, admin_backup,
		"copy the stores, beside the running processes, and verify the copies",
		"copier les magasins, pendant que tout fonctionne, et vérifier les copies"),
	CLI_COMMAND("restore", "", 0, 0, restore_options, admin_restore,
		"put lost stores back from a backup", "remettre en place les magasins perdus depuis une sauvegarde"),
	CLI_COMMAND("recover", "", 0, 0, recover_options, admin_recover,
		"sign that a store that was put back may be used", "signer qu’un magasin remis en place peut servir"),
	CLI_COMMAND("log", "", 0, 0, log_options, admin_log,
		"show the broker’s log, its signed head, and proofs",
		"montrer le journal du courtier, sa tête signée et des preuves"),
	CLI_END,
};
/* clang-format on */

static const struct cli_program program = {"havre-admin",
	{"keys, registry and verification of Havre", "clés, registre et vérification de Havre"},
	commands, PROGRAM_ADMIN, true};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
