"""Invented narratives, in English and French. Each is a pair (English, French)."""

# defence: grounds, primary category, what the applicant did
WORK = {
    "JOURNALIST": (["POLITICAL_OPINION"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant reported for an independent radio station on killings by the security "
        "forces.",
        "La personne présentait à une radio indépendante des reportages sur des meurtres commis "
        "par les forces de sécurité.")),
    "LAWYER": (["POLITICAL_OPINION"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant defended people who were tried for taking part in protests.",
        "La personne défendait des gens jugés pour avoir pris part à des manifestations.")),
    "UNIONIST": (["POLITICAL_OPINION", "SOCIAL_GROUP"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant organized the union of the workers of a textile factory and led a strike "
        "for safe exits.",
        "La personne a organisé le syndicat d’une usine de textile et dirigé une grève pour des "
        "sorties de secours.")),
    "LAND_DEFENDER": (["POLITICAL_OPINION", "SOCIAL_GROUP"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant spoke for a village whose fields were fenced in by a mining company.",
        "La personne parlait au nom d’un village dont les champs ont été clôturés par une société "
        "minière.")),
    "WOMENS_RIGHTS": (["POLITICAL_OPINION", "SOCIAL_GROUP"], "WOMEN_AND_GIRLS_AT_RISK", (
        "The applicant ran a shelter for women and taught girls in a private house.",
        "La personne dirigeait un refuge pour femmes et enseignait à des filles dans une maison "
        "privée.")),
    "LGBTQ2_RIGHTS": (["SOCIAL_GROUP"], "SURVIVORS_OF_VIOLENCE_OR_TORTURE", (
        "The applicant ran a counselling line for LGBTQ2 people, whose address was published in a "
        "newspaper.",
        "La personne tenait une ligne d’écoute pour personnes LGBTQ2, dont l’adresse a été publiée "
        "dans un journal.")),
    "INDIGENOUS_RIGHTS": (["RACE", "POLITICAL_OPINION"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant represented an Indigenous council against a dam on its river.",
        "La personne représentait un conseil autochtone opposé à un barrage sur sa rivière.")),
    "ANTI_CORRUPTION": (["POLITICAL_OPINION"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant published the accounts of a ministry’s road contracts.",
        "La personne a publié les comptes des contrats routiers d’un ministère.")),
    "MINORITY_RIGHTS": (["RACE", "RELIGION"], "SURVIVORS_OF_VIOLENCE_OR_TORTURE", (
        "The applicant recorded attacks on the homes and shrines of a minority.",
        "La personne recensait les attaques contre les maisons et les lieux de culte d’une "
        "minorité.")),
    "OTHER_DEFENDER": (["POLITICAL_OPINION"], "LEGAL_AND_PHYSICAL_PROTECTION", (
        "The applicant visited places of detention and wrote down what the detained said.",
        "La personne visitait des lieux de détention et notait ce que disaient les détenus.")),
}

EVENTS = [
    ("Men in plain clothes came to the house three times and asked the neighbours for the "
     "children’s school.",
     "Des hommes en civil sont venus trois fois à la maison et ont demandé aux voisins l’école "
     "des enfants."),
    ("A colleague disappeared on the way to work and has not been found.",
     "Une collègue a disparu en allant au travail et n’a pas été retrouvée."),
    ("The office was searched and sealed, and the archive was carried away.",
     "Le bureau a été fouillé et mis sous scellés, et les archives ont été emportées."),
    ("The applicant was held for eleven days without a lawyer and was beaten.",
     "La personne a été détenue onze jours sans avocat et battue."),
    ("Messages with photographs of the family’s door arrived from an unknown number.",
     "Des messages contenant des photographies de la porte de la famille sont arrivés d’un numéro "
     "inconnu."),
    ("A court tried the applicant in absence, without telling anybody of the hearing.",
     "Un tribunal a jugé la personne par défaut, sans annoncer l’audience à quiconque."),
    ("The car was shot at on the road; nobody was hurt.",
     "On a tiré sur la voiture sur la route; personne n’a été blessé."),
    ("The bank accounts were closed and the passport was cancelled at the airport.",
     "Les comptes bancaires ont été fermés et le passeport annulé à l’aéroport."),
]

FLIGHTS = [
    ("The household crossed the border on foot at night and was registered there.",
     "Le ménage a franchi la frontière à pied, de nuit, et y a été enregistré."),
    ("They left by bus with one bag each.",
     "Ils sont partis en autocar, avec un sac chacun."),
    ("Friends drove them to the border after the second warning.",
     "Des amis les ont conduits à la frontière après le deuxième avertissement."),
]

NEEDS = [
    ("The country of asylum gives no permit to stay, and agents of the home state move freely in "
     "it.",
     "Le pays d’asile n’accorde aucun permis de séjour, et des agents de l’État d’origine y "
     "circulent librement."),
    ("The permit ends in some months and was refused once already; work is not allowed.",
     "Le permis expire dans quelques mois et a déjà été refusé une fois; le travail est interdit."),
    ("The applicant was recognized and followed in the street twice since the arrival.",
     "La personne a été reconnue et suivie deux fois dans la rue depuis son arrivée."),
    ("Return is impossible and no other country has answered.",
     "Le retour est impossible et aucun autre pays n’a répondu."),
]

SPECIAL_NEEDS = [
    ("One member uses a wheelchair: a home without stairs is needed.",
     "Un membre se déplace en fauteuil roulant : il faut un logement sans escalier."),
    ("Treatment for diabetes must not be interrupted.",
     "Le traitement du diabète ne doit pas être interrompu."),
    ("Support for survivors of torture is asked for.",
     "Un soutien aux personnes ayant survécu à la torture est demandé."),
]

JUSTIFICATION = (
    "The danger is near: the reasons stand with each threat.",
    "Le danger est proche : les motifs figurent avec chaque menace.")

THREATS = {
    "LIKELY_KILLED": ("threat_killed", (
        "Two men who asked for the applicant by name were turned away yesterday; a price was put "
        "on the applicant’s head last month.",
        "Deux hommes qui demandaient la personne par son nom ont été éconduits hier; sa tête a "
        "été mise à prix le mois dernier.")),
    "LIKELY_VIOLENCE": ("threat_violence", (
        "The applicant was taken off the street last week, beaten and let go with the words that "
        "it would be longer next time.",
        "La personne a été enlevée dans la rue la semaine dernière, battue, puis relâchée avec "
        "ces mots : la prochaine fois sera plus longue.")),
    "LIKELY_RETURNED": ("threat_returned", (
        "The police of the country of asylum have begun to put people of this nationality on "
        "buses to the border.",
        "La police du pays d’asile a commencé à faire monter des gens de cette nationalité dans "
        "des autocars vers la frontière.")),
}

TOLD_ALONE = (
    "Told alone: the member was hurt at home as well and asks that the others not learn of it.",
    "Confié seul à seul : ce membre a aussi été blessé à la maison et demande que les autres ne "
    "l’apprennent pas.")


def tell(pairs, language, both=False):
    """Pairs of sentences as one text, in one language or in both."""
    english = " ".join(p[0] for p in pairs)
    french = " ".join(p[1] for p in pairs)
    if both:
        return f"{english}\n\n{french}" if language == "EN" else f"{french}\n\n{english}"
    return english if language == "EN" else french
