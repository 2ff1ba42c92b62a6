"""The same person referred by two partners with other spellings, and pairs that are alike and are
not the same person. In each pair the first file's reading is the more complete one."""

A, B, C = "partner-a", "partner-b", "partner-c"

# how they differ, home, defence, gender, (partner, name of the file, identity) twice
SAME = [
    ("Arabic name: other vowels, the article joined; no script in the second", "EG", "JOURNALIST",
     "MAN",
     (A, "pair-arabic-first", {"family_name": "al-Rashidi", "given_names": "Mohammed",
                               "name_in_script": "محمد الراشدي", "born_on": "1984-11-23"}),
     (B, "pair-arabic-second", {"family_name": "Alrashidi", "given_names": "Muhammad",
                                "born_on": "1984-11-23"})),
    ("Cyrillic name: two ways of writing it in Latin letters", "RU", "OTHER_DEFENDER", "MAN",
     (A, "pair-cyrillic-first", {"family_name": "Morozov", "given_names": "Yevgeny",
                                 "name_in_script": "Евгений Морозов", "born_on": "1979-05-17"}),
     (C, "pair-cyrillic-second", {"family_name": "Morozov", "given_names": "Evgenii",
                                  "name_in_script": "Морозов Евгений", "born_on": "1979-05-17"})),
    ("Burmese name: with and without honorific, other spelling, day and month swapped", "MM",
     "UNIONIST", "MAN",
     (B, "pair-burmese-first", {"given_names": "U Thein Zaw Latt",
                                "name_in_script": "သိန်းဇော်လတ်", "born_on": "1981-03-07"}),
     (C, "pair-burmese-second", {"given_names": "Thein Zaw Lat", "born_on": "1981-07-03"})),
    ("Burmese name: Daw, and a final letter dropped", "MM", "WOMENS_RIGHTS", "WOMAN",
     (A, "pair-burmese-daw-first", {"given_names": "Daw Khin Sandar Myint",
                                    "name_in_script": "ခင်စန္ဒာမြင့်",
                                    "born_on": "1990-12-30"}),
     (C, "pair-burmese-daw-second", {"given_names": "Khin Sanda Myint",
                                     "name_in_script": "ခင်စန္ဒာမြင့်",
                                     "born_on": "1990-12-30"})),
    ("Spanish name: one of two family names dropped, no accent", "CO", "LAND_DEFENDER", "WOMAN",
     (B, "pair-spanish-first", {"family_name": "Herrera Montoya", "given_names": "Lucía Beatriz",
                                "born_on": "1987-02-14"}),
     (A, "pair-spanish-second", {"family_name": "Herrera", "given_names": "Lucia Beatriz",
                                 "born_on": "1987-02-14"})),
    ("Persian name: other vowels, day and month swapped", "IR", "LAWYER", "WOMAN",
     (C, "pair-persian-first", {"family_name": "Hosseini", "given_names": "Shirin",
                                "name_in_script": "شیرین حسینی", "born_on": "1988-09-04"}),
     (B, "pair-persian-second", {"family_name": "Husseini", "given_names": "Shireen",
                                 "name_in_script": "شیرین حسینی", "born_on": "1988-04-09"})),
]

DIFFERENT = [
    ("The same common name, born years apart", "SY", "JOURNALIST", "MAN",
     (A, "alike-common-name-first", {"family_name": "Khalil", "given_names": "Ahmad",
                                     "name_in_script": "أحمد خليل", "born_on": "1975-06-01"}),
     (C, "alike-common-name-second", {"family_name": "Khalil", "given_names": "Ahmad",
                                      "name_in_script": "أحمد خليل", "born_on": "1993-10-21"})),
    ("Twins: the same family name and birth date", "YE", "LAWYER", "MAN",
     (B, "alike-twins-first", {"family_name": "Darwish", "given_names": "Rami",
                               "name_in_script": "رامي درويش", "born_on": "1991-08-12"}),
     (C, "alike-twins-second", {"family_name": "Darwish", "given_names": "Fadi",
                                "name_in_script": "فادي درويش", "born_on": "1991-08-12"})),
    ("Mother and daughter with the same name", "GT", "INDIGENOUS_RIGHTS", "WOMAN",
     (A, "alike-mother", {"family_name": "Chávez Tum", "given_names": "Rosa",
                          "born_on": "1968-01-19"}),
     (B, "alike-daughter", {"family_name": "Chávez Tum", "given_names": "Rosa",
                            "born_on": "1994-01-19"})),
]


def _referral(b, home, defence, gender, partner, identity, location):
    r = b.referral(partner, home, defence, [], gender=gender, location=location)
    kept = r["persons"][0]["identity"]
    r["persons"][0]["identity"] = dict(identity, birth_country=home, address=kept["address"],
                                       contact=kept["contact"])
    return r


def make(b):
    """Yields rows as special.py does; and fills and returns the lists for duplicates.json."""
    rows, lists = [], {"same": [], "different": []}
    for name, pairs, special in [("same", SAME, "duplicate"), ("different", DIFFERENT, "alike")]:
        for how, home, defence, gender, *sides in pairs:
            location = {"EG": "TR", "RU": "GE", "MM": "TH", "CO": "EC", "IR": "TR", "SY": "LB",
                        "YE": "EG", "GT": "MX"}[home]
            lists[name].append({"files": [f"{s[0]}/{s[1]}.json" for s in sides], "how": how})
            for partner, file, identity in sides:
                first = file.endswith("first") or name == "different"
                rows.append((partner, file,
                             _referral(b, home, defence, gender, partner, identity, location),
                             first, [special]))
    return rows, lists
