"""Referrals with one fault each, and the fault that must be found. A row changes a right referral:
(name of the file, path, value, [(path of the fault, code)]); the value GONE takes the field away."""
import copy
import json

from .dates import before, time_on

GONE = object()
LONG = "x" * 8001


def _rows(today):
    soon = before(today, days=-30).isoformat()
    return [
        # the form
        ("unknown-field", "refrence", "A-1", [("refrence", "UNKNOWN_FIELD")]),
        ("unknown-field-in-person", "persons.1.nickname", "x",
         [("persons[1].nickname", "UNKNOWN_FIELD")]),
        ("number-as-text", "case_size", "4", [("case_size", "WRONG_TYPE")]),
        ("list-as-object", "persons", {}, [("persons", "WRONG_TYPE")]),
        ("null", "home_country", None, [("home_country", "WRONG_TYPE")]),
        ("code-not-in-list", "claim.grounds.0", "OPINION", [("claim.grounds[0]", "NOT_IN_LIST")]),
        ("code-for-not-stated", "persons.0.gender", "GENDER_NOT_STATED",
         [("persons[0].gender", "NOT_IN_LIST")]),
        ("date-that-does-not-exist", "persons.2.identity.born_on", "2015-02-29",
         [("persons[2].identity.born_on", "NOT_A_DATE")]),
        ("date-day-first", "consent.given_on", "14/01/2026",
         [("consent.given_on", "NOT_A_DATE")]),
        ("time-without-offset", "made_at", "2026-01-10T09:00:00", [("made_at", "NOT_A_TIME")]),
        ("country-in-words", "location_country", "Thailand",
         [("location_country", "NOT_A_COUNTRY")]),
        ("country-in-small-letters", "persons.3.identity.birth_country", "th",
         [("persons[3].identity.birth_country", "NOT_A_COUNTRY")]),
        ("control-character", "persons.0.identity.given_names", "a\u0007b",
         [("persons[0].identity.given_names", "NOT_TEXT")]),
        ("negative-number", "case_size", -4, [("case_size", "OUT_OF_RANGE")]),
        # what must be given, and how long it may be
        ("no-reference", "reference", GONE, [("reference", "REQUIRED")]),
        ("no-made-at", "made_at", GONE, [("made_at", "REQUIRED")]),
        ("no-home-country", "home_country", GONE, [("home_country", "REQUIRED")]),
        ("no-claim", "claim", GONE, [("claim", "REQUIRED")]),
        ("no-consent", "consent", GONE, [("consent", "REQUIRED")]),
        ("no-declaration", "declaration", GONE, [("declaration", "REQUIRED")]),
        ("no-grounds", "claim.grounds", GONE, [("claim.grounds", "REQUIRED")]),
        ("no-defence", "claim.defender_of", GONE, [("claim.defender_of", "REQUIRED")]),
        ("no-name", "persons.3.identity.given_names", " ",
         [("persons[3].identity.family_name", "REQUIRED")]),
        ("no-birth-date", "persons.1.identity.born_on", GONE,
         [("persons[1].identity.born_on", "REQUIRED")]),
        ("no-birth-country", "persons.1.identity.birth_country", GONE,
         [("persons[1].identity.birth_country", "REQUIRED")]),
        ("no-address", "persons.0.identity.address", GONE,
         [("persons[0].identity.address", "REQUIRED")]),
        ("no-persecution", "narrative.persecution", "", [("narrative.persecution", "REQUIRED")]),
        ("empty-protection-request", "protection", {}, [("protection.threats", "REQUIRED")]),
        ("name-too-long", "persons.0.identity.given_names", "x" * 101,
         [("persons[0].identity.given_names", "TOO_LONG")]),
        ("narrative-too-long", "narrative.persecution", LONG,
         [("narrative.persecution", "TOO_LONG")]),
        ("too-many-other-names", "persons.0.identity.other_names",
         [f"Name {i}" for i in range(11)], [("persons[0].identity.other_names", "TOO_MANY")]),
        # codes and dates
        ("reference-with-small-letters", "reference", "a-17", [("reference", "BAD_REFERENCE")]),
        ("linked-case-mistyped", "linked_cases", ["HV-2222-2223-2"],
         [("linked_cases[0]", "BAD_CASE_NUMBER")]),
        ("caseworker-by-name", "declaration.caseworker", "Jane",
         [("declaration.caseworker", "BAD_CODE")]),
        ("made-in-the-future", "made_at", time_on(before(today, days=-30), 9),
         [("made_at", "IN_THE_FUTURE")]),
        ("born-in-the-future", "persons.3.identity.born_on", soon,
         [("persons[3].identity.born_on", "IN_THE_FUTURE")]),
        ("born-too-long-ago", "persons.1.identity.born_on", "1895-01-01",
         [("persons[1].identity.born_on", "TOO_LONG_AGO")]),
        ("removal-in-the-past", "protection",
         {"detained": True, "removal_on": before(today, days=60).isoformat()},
         [("protection.removal_on", "IN_THE_PAST")]),
        ("same-flag-twice", "flags", ["HEALTH", "HEALTH"], [("flags[1]", "SAME_TWICE")]),
        # the persons
        ("case-size-differs", "case_size", 3, [("case_size", "COUNT_DIFFERS")]),
        ("number-differs", "persons.3.number", 5, [("persons[3].number", "NUMBER_DIFFERS")]),
        ("two-principals", "persons.2.relationship", "PRINCIPAL_APPLICANT",
         [("persons[2].relationship", "FIRST_IS_PRINCIPAL")]),
        ("principal-stays", "persons.0.accompanying", False,
         [("persons[0].accompanying", "PRINCIPAL_ACCOMPANIES")]),
        ("two-partners", "persons.2.relationship", "SPOUSE",
         [("persons[2].relationship", "ONE_PARTNER_ONLY")]),
        ("spouse-kept-apart", "persons.1.separation", "BY_PERSECUTION",
         [("persons[1].separation", "SEPARATION_OF_PARTNERS")]),
        ("child-older-than-its-parents", "persons.3.identity.born_on", "1960-01-01",
         [("persons[3].identity.born_on", "OLDER_THAN_PARENT")]),
        ("hidden-from-nobody", "persons.1.hidden_from", [9],
         [("persons[1].hidden_from[0]", "NO_SUCH_PERSON")]),
        ("hidden-from-oneself", "persons.1.hidden_from", [2],
         [("persons[1].hidden_from[0]", "HIDDEN_FROM_ONESELF")]),
        # the categories, the priority, the threats
        ("same-category-twice", "secondary_category", "LEGAL_AND_PHYSICAL_PROTECTION",
         [("secondary_category", "SAME_CATEGORY_TWICE")]),
        ("secondary-category-first", "primary_category", "LACK_OF_FORESEEABLE_ALTERNATIVES",
         [("primary_category", "MAINLY_SECONDARY")]),
        ("urgent-without-justification", "priority", "URGENT",
         [("narrative.priority_justification", "PRIORITY_NEEDS_WORDS")]),
        ("threat-without-words", "protection", {"threats": ["LIKELY_RETURNED"]},
         [("narrative.threat_returned", "THREAT_NEEDS_WORDS")]),
        ("words-without-threat", "narrative.threat_killed", "Words.",
         [("narrative.threat_killed", "WORDS_NEED_THREAT")]),
        # consent and declaration
        ("consent-without-the-department", "consent.scopes", ["SHARE_WITH_UNHCR"],
         [("consent.scopes", "CONSENT_SCOPE_MISSING")]),
        ("consent-ended", "consent.ends_on", before(today, days=3).isoformat(),
         [("consent.ends_on", "CONSENT_ENDED")]),
        ("consent-of-the-spouse-missing", "consent.persons", [1],
         [("persons[1]", "CONSENT_PERSON_MISSING")]),
        ("not-interviewed", "declaration.interviewed", False,
         [("declaration.interviewed", "NOT_INTERVIEWED")]),
    ]


def _change(at, path, value):
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is GONE:
        del at[last]
    elif last.isdigit():
        at[int(last)] = value
    else:
        at[last] = value


def _text(referral):
    return json.dumps(referral, ensure_ascii=False, indent=2) + "\n"


def make(b):
    """Yields (name, text of the file, expected)."""
    right = b.referral("partner-a", "MM", "JOURNALIST", [("SPOUSE", 0), ("CHILD", 14),
                                                        ("CHILD", 6)], location="TH", age=40,
                       days=5, both=False, special_needs=False)
    right.pop("secondary_category", None)
    right["reference"] = "A-INVALID"

    def expected(pairs):
        return [{"path": path, "code": code} for path, code in pairs]

    for name, path, value, found in _rows(b.today):
        referral = copy.deepcopy(right)
        _change(referral, path, value)
        yield name, _text(referral), expected(found)
    text = _text(right)
    yield "not-json", text[:-3], expected([("", "NOT_JSON")])
    yield ("name-twice", text.replace('  "route"', '  "language": "EN",\n  "route"', 1),
           expected([("", "NOT_JSON")]))
    emergency = copy.deepcopy(right)
    emergency["priority"] = "EMERGENCY"
    emergency["narrative"]["priority_justification"] = "Words."
    yield "emergency-without-threat", _text(emergency), expected(
        [("protection.threats", "EMERGENCY_NEEDS_THREAT")])
    alone = copy.deepcopy(right)
    alone["persons"] = [alone["persons"][0], alone["persons"][3]]
    alone["persons"][1].update(number=2, relationship="GRANDCHILD")
    alone["case_size"] = 2
    alone["consent"]["persons"] = [1, 2]
    yield "grandchild-without-child", _text(alone), expected(
        [("persons[1].relationship", "GRANDCHILD_WITHOUT_CHILD")])
