"""Builds one referral: a household of invented people, its claim and its words."""
from . import people, stories
from .dates import before, time_on

OFFSETS = ["Z", "+07:00", "-05:00", "+03:00", "Z"]
MARKERS = {"WOMENS_RIGHTS": "WOMAN_DEFENDER", "LGBTQ2_RIGHTS": "LGBTQ2",
           "INDIGENOUS_RIGHTS": "INDIGENOUS"}


class Builder:
    """What every referral needs: the day, the random numbers, the running references."""

    def __init__(self, today, random):
        self.today = today
        self.random = random
        self.made = {}  # partner: how many references
        self.names = set()  # that somebody has already

    def referral(self, partner, home, defence, members=(), **more):
        """members: (relationship, age in years) beside the principal applicant. `more` changes
        the result: age, gender, location, language, days (since it was made), threats ..."""
        random = self.random
        pool, locations = people.HOMES[home]
        location = more.get("location") or random.choice(locations)
        language = more.get("language") or random.choice(["EN", "EN", "FR"])
        made = before(self.today, days=more.get("days") or random.randint(2, 20))
        self.made[partner] = self.made.get(partner, 0) + 1
        grounds, category, _ = stories.WORK[defence]
        r = {
            "reference": f"{partner[-1].upper()}-{made.year}-{self.made[partner]:03d}",
            "made_at": time_on(made, random.randint(8, 16), random.choice(OFFSETS)),
            "language": language, "route": "HRD_STREAM",
            "refugee_class": "CONVENTION_REFUGEE_ABROAD", "home_country": home,
            "location_country": location, "priority": "NORMAL", "primary_category": category,
        }
        if random.random() < 0.3:
            r["secondary_category"] = "LACK_OF_FORESEEABLE_ALTERNATIVES"
        r["case_size"] = len(members) + 1
        r["persons"] = self.household(pool, home, location, members, more)
        r["claim"] = self.claim(defence, grounds, r["persons"], more)
        r["consent"] = self.consent(made, r["persons"])
        r["declaration"] = {"caseworker": f"CW-{random.randint(11, 39)}",
                            "declared_on": made.isoformat(), "interviewed": True,
                            "interpreter_used": random.random() < 0.4}
        r["narrative"] = self.narrative(defence, language, more)
        if more.get("threats") or more.get("detained") or more.get("removal_in"):
            self.protect(r, language, more)
        return r

    def household(self, pool, home, location, members, more):
        random = self.random
        family = people.family_of(pool, random, self.names)
        address = people.address_in(location, random)
        gender = more.get("gender") or random.choice(["WOMAN", "MAN"])
        age = more.get("age") or random.randint(27, 56)
        # Children are at least 17 years younger.
        age = max([age] + [m[1] + 17 for m in members if m[0] in ("CHILD", "GRANDCHILD")])
        persons = [self.person(1, "PRINCIPAL_APPLICANT", gender, age, pool, family, home)]
        for number, (relationship, years) in enumerate(members, 2):
            if relationship in ("SPOUSE", "COMMON_LAW_PARTNER"):
                other = {"WOMAN": "MAN", "MAN": "WOMAN"}.get(gender, gender)
                other = gender if more.get("same_gender") else other
                years = years or age + random.randint(-6, 6)
            else:
                other = random.choice(["WOMAN", "MAN"])
            born_in = home if years > 1 else location
            persons.append(
                self.person(number, relationship, other, years, pool, family, born_in))
        for p in persons:
            p["identity"]["address"] = address
        persons[0]["identity"]["contact"] = f"contact-{random.randint(1000, 9999)}@example.org"
        return persons

    def person(self, number, relationship, gender, age, pool, family, birth_country):
        born = before(self.today, years=age, days=self.random.randint(40, 320))
        identity = people.named(pool, family, gender, self.random, self.names)
        identity["born_on"] = born.isoformat()
        identity["birth_country"] = birth_country
        p = {"number": number, "relationship": relationship, "accompanying": True,
             "gender": gender}
        if relationship in ("SPOUSE", "COMMON_LAW_PARTNER"):
            p["has_partner"] = True
        p["identity"] = identity
        return p

    def claim(self, defence, grounds, persons, more):
        markers = list(more.get("markers", []))
        if MARKERS.get(defence):
            markers.append(MARKERS[defence])
        if persons[0]["gender"] == "WOMAN":
            markers.append("WOMAN_DEFENDER")
        relationships = [p["relationship"] for p in persons]
        if "CHILD" in relationships and not {"SPOUSE", "COMMON_LAW_PARTNER"} & set(relationships):
            markers.append("LONE_PARENT")
        claim = {"grounds": grounds, "defender_of": [defence] + list(more.get("also", []))}
        if markers:
            claim["risk_markers"] = sorted(set(markers))
        claim.update({"return_home": "NONE_REASONABLE",
                      "stay_in_country_of_asylum": "NONE_REASONABLE",
                      "resettle_elsewhere": "NONE_REASONABLE"})
        if self.random.random() < 0.6:
            claim["refugee_status_recognized"] = True
        return claim

    def consent(self, made, persons):
        """Adults who accompany consent for themselves, the principal applicant for the rest."""
        return {"form": self.random.choice(["SIGNED", "SIGNED", "THUMBPRINT",
                                            "SPOKEN_AND_WITNESSED"]),
                "given_on": before(made, days=self.random.randint(0, 9)).isoformat(),
                "scopes": ["SHARE_WITH_DEPARTMENT"] + self.random.choice(
                    [[], ["SHARE_WITH_UNHCR"], ["CONTACT_BY_REFERRER"],
                     ["SHARE_WITH_SETTLEMENT", "CONTACT_BY_REFERRER"]]),
                "persons": [p["number"] for p in persons]}

    def narrative(self, defence, language, more):
        random = self.random
        both = more.get("both", random.random() < 0.15)
        events = random.sample(stories.EVENTS, 2)
        told = {"persecution": stories.tell(
            [stories.WORK[defence][2], *events, random.choice(stories.FLIGHTS)], language, both),
            "need_for_resettlement": stories.tell([random.choice(stories.NEEDS)], language, both)}
        if more.get("special_needs", random.random() < 0.12):
            told["special_needs"] = stories.tell([random.choice(stories.SPECIAL_NEEDS)], language)
        return told

    def protect(self, r, language, more):
        """A protection request, with the words of each threat. In the order of the .proto."""
        protection = {}
        if more.get("threats"):
            protection["threats"] = list(more["threats"])
        if more.get("detained"):
            protection["detained"] = True
        if more.get("removal_in"):
            protection["removal_on"] = before(self.today, days=-more["removal_in"]).isoformat()
        r["priority"] = more.get("priority", "URGENT")
        r["narrative"]["priority_justification"] = stories.tell([stories.JUSTIFICATION], language)
        for threat in more.get("threats", []):
            field, words = stories.THREATS[threat]
            r["narrative"][field] = stories.tell([words], language)
        items = list(r.items())
        at = [k for k, _ in items].index("claim") + 1
        r.clear()
        r.update(items[:at] + [("protection", protection)] + items[at:])
