/* What the fields of messages are called. Civil dates and countries are shown as they are. */
#include "services/staff/show.h"

#define SHOW(field, en, fr)                                                                        \
	{                                                                                          \
		field, false,                                                                      \
		{                                                                                  \
			en, fr                                                                     \
		}                                                                                  \
	}
#define ALWAYS(field, en, fr)                                                                      \
	{                                                                                          \
		field, true,                                                                       \
		{                                                                                  \
			en, fr                                                                     \
		}                                                                                  \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL                                                                               \
	}

/* clang-format off */
const struct shown shown_facts[] = {
	SHOW("partner", "Partner", "Partenaire"),
	SHOW("case_version", "Version of the facts", "Version des faits"),
	SHOW("made_at", "Made at", "Présenté le"),
	SHOW("received_at", "Received at", "Reçu le"),
	SHOW("lock_on", "Ages locked on", "Âges figés le"),
	SHOW("language", "Language", "Langue"),
	SHOW("route", "Route", "Voie"),
	SHOW("refugee_class", "Class", "Catégorie de réfugiés"),
	SHOW("home_country", "Home country", "Pays d’origine"),
	SHOW("location_country", "Present country", "Pays actuel"),
	SHOW("priority", "Priority", "Priorité"),
	SHOW("primary_category", "First category", "Première catégorie"),
	SHOW("secondary_category", "Second category", "Seconde catégorie"),
	SHOW("flags", "Flags", "Signalements"),
	END,
};

const struct shown shown_member[] = {
	ALWAYS("number", "Member", "Membre"),
	SHOW("relationship", "Relationship", "Lien"),
	ALWAYS("accompanying", "Accompanying", "Accompagne"),
	SHOW("gender", "Gender", "Genre"),
	ALWAYS("age_at_lock", "Age when locked", "Âge figé"),
	ALWAYS("age_when_made", "Age when the referral was made", "Âge lors de la présentation"),
	SHOW("has_partner", "Has a partner", "A un conjoint ou une conjointe"),
	SHOW("dependent_by_condition", "Dependent because of a condition", "À charge en raison d’un état"),
	SHOW("separation", "Separation", "Séparation"),
	END,
};

const struct shown shown_claim[] = {
	SHOW("grounds", "Grounds", "Motifs de persécution"),
	SHOW("defender_of", "Defends as, or defends", "Défend"),
	SHOW("risk_markers", "Heightened risk", "Risque accru"),
	SHOW("return_home", "Return home", "Retour au pays"),
	SHOW("stay_in_country_of_asylum", "Stay in the country of asylum", "Maintien dans le pays d’asile"),
	SHOW("resettle_elsewhere", "Resettle elsewhere", "Réinstallation ailleurs"),
	ALWAYS("refugee_status_recognized", "Refugee status recognized", "Statut de réfugié reconnu"),
	END,
};

const struct shown shown_protection[] = {
	SHOW("threats", "Threats", "Menaces"),
	SHOW("detained", "Detained", "En détention"),
	SHOW("removal_on", "Removal on", "Renvoi le"),
	END,
};

const struct shown shown_person[] = {
	ALWAYS("number", "Person", "Personne"),
	SHOW("hidden_from", "! NOT TO BE SHOWN TO PERSON", "! À NE PAS MONTRER À LA PERSONNE"),
	SHOW("relationship", "Relationship", "Lien"),
	ALWAYS("accompanying", "Accompanying", "Accompagne"),
	SHOW("gender", "Gender", "Genre"),
	SHOW("has_partner", "Has a partner", "A un conjoint ou une conjointe"),
	SHOW("dependent_by_condition", "Dependent because of a condition", "À charge en raison d’un état"),
	SHOW("separation", "Separation", "Séparation"),
	END,
};

const struct shown shown_identity[] = {
	SHOW("family_name", "Family name", "Nom de famille"),
	SHOW("given_names", "Given names", "Prénoms"),
	SHOW("name_in_script", "Name in its script", "Nom dans son écriture"),
	SHOW("other_names", "Other names", "Autres noms"),
	SHOW("born_on", "Born on", "Date de naissance"),
	SHOW("birth_country", "Country of birth", "Pays de naissance"),
	SHOW("address", "Address", "Adresse"),
	SHOW("contact", "Contact", "Coordonnées"),
	END,
};

const struct shown shown_narrative[] = {
	SHOW("persecution", "Persecution", "Persécution"),
	SHOW("need_for_resettlement", "Need for resettlement", "Besoin de réinstallation"),
	SHOW("priority_justification", "Why this priority", "Justification de la priorité"),
	SHOW("special_needs", "Special needs", "Besoins particuliers"),
	SHOW("prior_attempts", "Earlier attempts", "Tentatives antérieures"),
	SHOW("threat_killed", "Threat to be killed", "Menace de mort"),
	SHOW("threat_violence", "Threat of violence", "Menace de violence"),
	SHOW("threat_returned", "Threat of return", "Menace de renvoi"),
	END,
};

const struct shown shown_places[] = {
	ALWAYS("year", "Year", "Année"),
	ALWAYS("cap", "Cap, in persons", "Plafond, en personnes"),
	ALWAYS("reserved", "Reserved", "Réservées"),
	ALWAYS("consumed", "Consumed", "Utilisées"),
	ALWAYS("free", "Free", "Libres"),
	ALWAYS("waitlisted_persons", "Waiting, persons", "En attente, personnes"),
	ALWAYS("waitlisted_cases", "Waiting, cases", "En attente, dossiers"),
	SHOW("pending_persons", "Pending, persons who joined a household", "En suspens, personnes jointes à un ménage"),
	END,
};

const struct shown shown_alert[] = {
	ALWAYS("case_version", "Version", "Version"),
	ALWAYS("protection", "Protection", "Protection"),
	SHOW("rung", "Rung of the ladder", "Échelon"),
	SHOW("raised_at", "Raised at", "Déclenchée à"),
	SHOW("next_rung_at", "To be answered by", "Réponse attendue avant"),
	SHOW("acknowledged_by", "Answered by", "Répondue par"),
	SHOW("acknowledged_at", "Answered at", "Répondue à"),
	SHOW("threats", "Threats", "Menaces"),
	SHOW("detained", "Detained", "En détention"),
	SHOW("removal_on", "Removal on", "Renvoi le"),
	END,
};
/* clang-format on */
