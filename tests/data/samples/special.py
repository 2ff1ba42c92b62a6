"""The cases that a rule, a person or a counter treats in a way of its own. Each function makes the
referrals of one kind: (partner, name of the file, referral, recommendable, what is special)."""
from .dates import before, time_on
from .stories import TOLD_ALONE, tell

A, B, C = "partner-a", "partner-b", "partner-c"


def ages(b):
    """Children near the age of 22, locked on the day of receipt (R25.1(7))."""
    r = b.referral(A, "SY", "JOURNALIST", [("SPOUSE", 0), ("CHILD", 21), ("CHILD", 12)], days=3)
    r["persons"][2]["identity"]["born_on"] = before(b.today, years=21, months=11).isoformat()
    yield A, "child-of-21-years-11-months", r, True, ["age-near-22"]
    r = b.referral(B, "MM", "LAWYER", [("SPOUSE", 0), ("CHILD", 21)], days=12)
    r["persons"][2]["identity"]["born_on"] = before(b.today, years=22, days=4).isoformat()
    yield B, "child-turned-22-after-made-at", r, False, ["age-lock-differs"]
    r = b.referral(C, "CD", "UNIONIST", [("SPOUSE", 0), ("CHILD", 25), ("CHILD", 9)])
    r["persons"][2]["dependent_by_condition"] = True
    r["narrative"]["special_needs"] = tell(
        [("The eldest child has needed care every day since childhood.",
          "L’aîné a besoin de soins quotidiens depuis l’enfance.")], r["language"])
    yield C, "child-over-22-dependent-by-condition", r, True, ["dependent-by-condition"]
    r = b.referral(B, "VE", "ANTI_CORRUPTION", [("SPOUSE", 0), ("CHILD", 20), ("GRANDCHILD", 0)],
                   age=47)
    yield B, "grandchild", r, True, ["grandchild"]
    r = b.referral(C, "AF", "WOMENS_RIGHTS", [], age=17, gender="WOMAN",
                   markers=["UNACCOMPANIED_MINOR"])
    r["primary_category"] = "CHILDREN_AND_ADOLESCENTS_AT_RISK"
    yield C, "unaccompanied-minor", r, True, ["minor"]


def apart(b):
    """Partners who are kept apart (R1(2)) and members who do not accompany (R140.1)."""
    def stays(person, **more):
        del person["accompanying"]
        person["identity"].pop("address", None)
        person.update(more)

    r = b.referral(A, "IR", "LAWYER", [("COMMON_LAW_PARTNER", 0), ("CHILD", 6)], location="TR")
    stays(r["persons"][1], separation="BY_PENAL_CONTROL")
    r["consent"]["persons"] = [1, 3]
    yield A, "partners-kept-apart-by-prison", r, True, ["separation"]
    r = b.referral(B, "UG", "LGBTQ2_RIGHTS", [("COMMON_LAW_PARTNER", 0)], same_gender=True)
    stays(r["persons"][1], separation="BY_PERSECUTION")
    r["consent"]["persons"] = [1]
    yield B, "partners-kept-apart-by-persecution", r, True, ["separation"]
    r = b.referral(C, "HN", "LAND_DEFENDER", [("SPOUSE", 0), ("CHILD", 8), ("CHILD", 14)])
    stays(r["persons"][3])
    yield C, "child-not-accompanying", r, True, ["non-accompanying"]
    r = b.referral(A, "GT", "INDIGENOUS_RIGHTS", [("SPOUSE", 0), ("CHILD", 10), ("CHILD", 4)],
                   gender="MAN")
    r["persons"][1]["hidden_from"] = [1]
    r["persons"][1]["narrative"] = {"special_needs": tell([TOLD_ALONE], r["language"])}
    yield A, "member-told-alone", r, True, ["hidden-from-a-member"]


def places(b):
    """Where the defender is."""
    r = b.referral(A, "MM", "JOURNALIST", [("SPOUSE", 0), ("CHILD", 3)], location="MM")
    yield A, "in-home-country", r, False, ["park"]
    r = b.referral(C, "RU", "OTHER_DEFENDER", [], location="RU")
    yield C, "in-home-country-alone", r, False, ["park"]
    r = b.referral(B, "ET", "JOURNALIST", [("SPOUSE", 0)], location="CA")
    yield B, "in-canada", r, False, ["out-of-stream"]
    r = b.referral(C, "BI", "LAWYER", [("SPOUSE", 0), ("CHILD", 2)])
    r["claim"]["resettle_elsewhere"] = "OFFERED"
    yield C, "solution-offered-elsewhere", r, False, ["a-person-decides"]


def routes(b):
    """Other classes and routes: flagged for a person; only the stream draws on its places."""
    r = b.referral(A, "SD", "OTHER_DEFENDER", [("SPOUSE", 0), ("CHILD", 5)])
    r["refugee_class"] = "COUNTRY_OF_ASYLUM"
    del r["claim"]["grounds"]
    yield A, "country-of-asylum-class", r, False, ["needs-a-sponsor"]
    r = b.referral(C, "YE", "WOMENS_RIGHTS", [("CHILD", 7), ("CHILD", 11)], gender="WOMAN")
    r["refugee_class"] = "COUNTRY_OF_ASYLUM"
    yield C, "country-of-asylum-class-lone-parent", r, False, ["needs-a-sponsor"]
    r = b.referral(B, "CM", "LAWYER", [("SPOUSE", 0), ("CHILD", 8)])
    r["route"] = "PRIVATE_SPONSORSHIP"
    yield B, "private-sponsorship", r, False, ["other-route"]
    r = b.referral(A, "AF", "WOMENS_RIGHTS", [("SPOUSE", 0), ("CHILD", 13)], gender="WOMAN")
    r["route"] = "UNHCR_REFERRAL"
    yield A, "unhcr-referral", r, False, ["other-route"]


def flags(b):
    """Flags only ever ask for attention: charges against defenders are often illegitimate."""
    for partner, name, home, defence, members, flag in [
            (A, "conviction-for-a-protest", "BY", "UNIONIST", [("SPOUSE", 0)], ["CONVICTION"]),
            (B, "conviction-in-absence", "EG", "LAWYER", [("SPOUSE", 0), ("CHILD", 4)],
             ["CONVICTION"]),
            (C, "pending-charge", "NI", "JOURNALIST", [("CHILD", 15)], ["PENDING_CHARGE"]),
            (A, "membership-and-conviction", "IR", "UNIONIST", [("SPOUSE", 0), ("CHILD", 1)],
             ["CONVICTION", "MEMBERSHIP"]),
            (B, "military-service", "RU", "OTHER_DEFENDER", [("SPOUSE", 0)],
             ["MILITARY_SERVICE"]),
            (C, "health-and-earlier-removal", "CO", "LAND_DEFENDER", [("SPOUSE", 0)],
             ["HEALTH", "EARLIER_REMOVAL"])]:
        r = b.referral(partner, home, defence, members)
        items = list(r.items())
        at = [k for k, _ in items].index("claim") + 1
        yield partner, name, dict(items[:at] + [("flags", flag)] + items[at:]), True, ["flag"]


def urgent(b):
    """Each has a protection request: sent in the urgent lane."""
    couple = [("SPOUSE", 0)]
    for partner, name, home, defence, members, more in [
            (A, "threat-killed", "HN", "LAND_DEFENDER", couple + [("CHILD", 6)],
             {"threats": ["LIKELY_KILLED"], "priority": "EMERGENCY"}),
            (A, "detained-abroad-with-removal-date", "RU", "JOURNALIST", [],
             {"threats": ["LIKELY_RETURNED"], "detained": True, "removal_in": 9,
              "location": "KZ", "priority": "EMERGENCY"}),
            (A, "threat-violence-lone-parent", "AF", "WOMENS_RIGHTS", [("CHILD", 5)],
             {"threats": ["LIKELY_VIOLENCE"], "gender": "WOMAN"}),
            (B, "threat-violence", "UG", "LGBTQ2_RIGHTS", [], {"threats": ["LIKELY_VIOLENCE"]}),
            (B, "threat-returned", "MM", "UNIONIST", couple + [("CHILD", 2), ("CHILD", 9)],
             {"threats": ["LIKELY_RETURNED"]}),
            (B, "threats-killed-and-returned", "SY", "JOURNALIST", couple,
             {"threats": ["LIKELY_KILLED", "LIKELY_RETURNED"], "priority": "EMERGENCY"}),
            (C, "removal-date-set", "ET", "JOURNALIST", couple + [("CHILD", 3)],
             {"threats": ["LIKELY_RETURNED"], "removal_in": 21}),
            (C, "detained-abroad", "EG", "LAWYER", [], {"detained": True}),
            (C, "all-three-threats", "IR", "LGBTQ2_RIGHTS", [],
             {"threats": ["LIKELY_KILLED", "LIKELY_VIOLENCE", "LIKELY_RETURNED"],
              "priority": "EMERGENCY", "markers": ["SURVIVOR_OF_TORTURE"]})]:
        yield (partner, "urgent-" + name, b.referral(partner, home, defence, members, **more),
               True, ["urgent"])


def families(b):
    """Large households: never split."""
    children = [("CHILD", n) for n in (2, 4, 6, 8, 11, 13, 16)]
    yield A, "family-of-nine", b.referral(
        A, "SY", "LAWYER", [("SPOUSE", 0)] + children), True, ["large-household"]
    yield B, "family-of-eight", b.referral(
        B, "CD", "ANTI_CORRUPTION", [("SPOUSE", 0)] + children[:6]), True, ["large-household"]
    yield C, "family-of-nine-with-grandchild", b.referral(
        C, "AF", "MINORITY_RIGHTS", [("SPOUSE", 0), ("CHILD", 19), ("GRANDCHILD", 0)] +
        children[:5]), True, ["large-household", "grandchild"]


def far(b):
    """A line that was dead for a long time: made weeks before it arrives."""
    r = b.referral(C, "SD", "WOMENS_RIGHTS", [("SPOUSE", 0), ("CHILD", 10)], days=70)
    r["made_at"] = time_on(before(b.today, days=70), 23, "+03:00")
    yield C, "made-ten-weeks-ago", r, True, ["waited-for-a-line"]


KINDS = [ages, apart, places, routes, flags, urgent, families, far]
