"""Names and places for the sample people. Everybody is invented: names are drawn from lists of
common names, and nobody real is meant."""

# A name is (in Latin letters, in its own script); None where the script is Latin.
ARABIC = {
    "script": True, "order": "given family",
    "men": [("Mohammed", "محمد"), ("Ahmad", "أحمد"), ("Yusuf", "يوسف"), ("Khalid", "خالد"),
            ("Omar", "عمر"), ("Tariq", "طارق"), ("Samir", "سمير"), ("Walid", "وليد")],
    "women": [("Fatima", "فاطمة"), ("Layla", "ليلى"), ("Amina", "أمينة"), ("Huda", "هدى"),
              ("Rania", "رانيا"), ("Salma", "سلمى"), ("Nour", "نور"), ("Zaynab", "زينب")],
    "families": [("al-Masri", "المصري"), ("Haddad", "حداد"), ("al-Khatib", "الخطيب"),
                 ("Nasser", "ناصر"), ("Mansour", "منصور"), ("Saleh", "صالح"), ("Qasim", "قاسم"),
                 ("Barakat", "بركات"), ("Shahin", "شاهين"), ("Zaki", "زكي")],
}
PERSIAN = {
    "script": True, "order": "given family",
    "men": [("Reza", "رضا"), ("Farhad", "فرهاد"), ("Navid", "نوید"), ("Kamran", "کامران"),
            ("Babak", "بابک"), ("Siavash", "سیاوش"),
            ("Arash", "آرش"), ("Omid", "امید"), ("Hamid", "حمید")],
    "women": [("Parisa", "پریسا"), ("Nasrin", "نسرین"), ("Mahsa", "مهسا"), ("Roya", "رویا"),
              ("Zahra", "زهرا"), ("Laleh", "لاله"),
              ("Azadeh", "آزاده"), ("Sima", "سیما"), ("Niloufar", "نیلوفر")],
    "families": [("Karimi", "کریمی"), ("Moradi", "مرادی"), ("Ahmadi", "احمدی"),
                 ("Rahimi", "رحیمی"), ("Sadeghi", "صادقی"), ("Noori", "نوری"),
                 ("Jafari", "جعفری"), ("Tavakoli", "توکلی")],
}
RUSSIAN = {
    "script": True, "order": "given family", "feminine": ("a", "а"),
    "men": [("Dmitry", "Дмитрий"), ("Sergei", "Сергей"), ("Aleksei", "Алексей"),
            ("Nikolai", "Николай"), ("Pavel", "Павел"), ("Ilya", "Илья")],
    "women": [("Olga", "Ольга"), ("Natalia", "Наталья"), ("Yekaterina", "Екатерина"),
              ("Anna", "Анна"), ("Tatiana", "Татьяна"), ("Vera", "Вера")],
    "families": [("Sokolov", "Соколов"), ("Lebedev", "Лебедев"), ("Vinogradov", "Виноградов"),
                 ("Belov", "Белов"), ("Gusev", "Гусев"), ("Kuzmin", "Кузьмин"),
                 ("Titov", "Титов"), ("Zaitsev", "Зайцев")],
}
# No family names: one name of two or three words, and an honorific that is no part of it.
_MEN = [("Aung", "အောင်"), ("Zaw", "ဇော်"), ("Min", "မင်း"), ("Kyaw", "ကျော်"), ("Myo", "မျိုး"),
        ("Phyo", "ဖြိုး"), ("Ye", "ရဲ"), ("Tun", "ထွန်း")]
_WOMEN = [("Khin", "ခင်"), ("Thida", "သီတာ"), ("Nilar", "နီလာ"), ("May", "မေ"), ("Hnin", "နှင်း"),
          ("Moe", "မိုး"), ("Ei", "အိ"), ("Aye", "အေး")]
_LAST = [("Soe", "စိုး"), ("Win", "ဝင်း"), ("Hlaing", "လှိုင်"), ("Htet", "ထက်"), ("Lin", "လင်း"),
         ("Naing", "နိုင်"), ("San", "စန်း"), ("Oo", "ဦး")]


def _words(first):
    return [(f"{a[0]} {b[0]} {c[0]}", a[1] + b[1] + c[1])
            for a in first for b in first for c in _LAST if a != b]


# No family names: one name of some words, and an honorific that is no part of it.
BURMESE = {"script": True, "order": "given", "men": _words(_MEN), "women": _words(_WOMEN),
           "families": [("", "")]}
SPANISH = {
    "script": False, "order": "given family family",
    "men": [("Andrés", None), ("Jorge Luis", None), ("Mateo", None), ("Ramón", None),
            ("Héctor", None), ("Julián", None), ("Tomás", None)],
    "women": [("Marisol", None), ("Ana Lucía", None), ("Rosario", None), ("Yolanda", None),
              ("Paola", None), ("Inés", None), ("Gloria", None)],
    "families": [("Ramírez", None), ("Ixcot", None), ("Castillo", None), ("Tzul", None),
                 ("Ordóñez", None), ("Peña", None), ("Caal", None), ("Villalobos", None),
                 ("Murillo", None), ("Zelaya", None)],
}
AMHARIC = {
    "script": True, "order": "given family",
    "men": [("Dawit", "ዳዊት"), ("Tesfaye", "ተስፋዬ"), ("Bekele", "በቀለ"), ("Yonas", "ዮናስ")],
    "women": [("Hana", "ሐና"), ("Tigist", "ትዕግስት"), ("Meron", "ሜሮን"), ("Selam", "ሰላም")],
    "families": [("Alemu", "ዓለሙ"), ("Girma", "ግርማ"), ("Tadesse", "ታደሰ"), ("Kebede", "ከበደ")],
}
FRENCH = {
    "script": False, "order": "given family",
    "men": [("Jean-Claude", None), ("Espoir", None), ("Pacifique", None), ("Innocent", None),
            ("Thierry", None), ("Didier", None)],
    "women": [("Béatrice", None), ("Chantal", None), ("Aimée", None), ("Espérance", None),
              ("Josiane", None), ("Solange", None)],
    "families": [("Ndayizeye", None), ("Mukendi", None), ("Bahati", None), ("Nkurunziza", None),
                 ("Ilunga", None), ("Fotso", None), ("Mbarga", None), ("Kasongo", None)],
}
ENGLISH = {
    "script": False, "order": "given family",
    "men": [("Moses", None), ("Brian", None), ("Isaac", None), ("Ronald", None),
            ("Peter", None), ("Simon", None)],
    "women": [("Grace", None), ("Sandra", None), ("Prossy", None), ("Ruth", None),
              ("Esther", None), ("Winnie", None)],
    "families": [("Okello", None), ("Namukasa", None), ("Mugisha", None), ("Achieng", None)],
}

# home country: names, and the countries to which its people flee
HOMES = {
    "SY": (ARABIC, ["LB", "JO", "TR"]), "EG": (ARABIC, ["TR", "TN"]),
    "SD": (ARABIC, ["EG", "KE", "UG"]), "YE": (ARABIC, ["EG", "JO", "MY"]),
    "IR": (PERSIAN, ["TR", "IQ"]), "AF": (PERSIAN, ["PK", "TJ", "TR"]),
    "RU": (RUSSIAN, ["GE", "AM", "KZ"]), "BY": (RUSSIAN, ["GE", "UA"]),
    "MM": (BURMESE, ["TH", "MY", "IN"]),
    "HN": (SPANISH, ["MX", "GT"]), "GT": (SPANISH, ["MX", "CR"]), "NI": (SPANISH, ["CR", "PA"]),
    "CO": (SPANISH, ["EC", "CR"]), "VE": (SPANISH, ["CO", "PE"]),
    "ET": (AMHARIC, ["KE", "UG"]),
    "CD": (FRENCH, ["UG", "TZ"]), "BI": (FRENCH, ["RW", "TZ"]), "CM": (FRENCH, ["NG", "GA"]),
    "UG": (ENGLISH, ["KE", "RW"]),
}

# Invented addresses; only the cities exist.
CITIES = {
    "LB": "Beirut", "JO": "Amman", "TR": "Ankara", "TN": "Tunis", "EG": "Cairo", "KE": "Nairobi",
    "UG": "Kampala", "MY": "Kuala Lumpur", "IQ": "Erbil", "PK": "Islamabad", "TJ": "Dushanbe",
    "GE": "Tbilisi", "AM": "Yerevan", "KZ": "Almaty", "UA": "Lviv", "TH": "Mae Sot",
    "IN": "Delhi", "MX": "Tapachula", "GT": "Guatemala", "CR": "San José", "PA": "Panamá",
    "EC": "Quito", "CO": "Cúcuta", "PE": "Lima", "TZ": "Dar es Salaam", "RW": "Kigali",
    "NG": "Lagos", "GA": "Libreville", "CA": "Toronto", "MM": "Yangon", "HN": "Tegucigalpa",
    "SY": "Damascus", "RU": "Moscow", "CD": "Goma", "ET": "Addis Ababa", "AF": "Kabul",
}


def family_of(pool, random, taken):
    """A family name for a household, as (Latin, script): one that few have so far."""
    def bearers(name):
        return sum(1 for _, family in taken if name[0] in family.split())

    names = sorted(random.sample(pool["families"], len(pool["families"])), key=bearers)
    if pool["order"].count("family") == 2:
        return (f"{names[0][0]} {names[1][0]}", None)
    return names[0]


def named(pool, family, gender, random, taken):
    """The naming fields of an identity: a name that is not taken yet, where the lists last."""
    latin, script = family
    if gender == "WOMAN" and "feminine" in pool:
        latin, script = latin + pool["feminine"][0], script + pool["feminine"][1]
    givens = pool["women"] if gender == "WOMAN" else pool["men"]
    free = [g for g in givens if (g[0], latin) not in taken] or givens
    given = random.choice(free)
    taken.add((given[0], latin))
    fields = {"family_name": latin} if latin else {}
    fields["given_names"] = given[0]
    if pool["script"]:
        fields["name_in_script"] = " ".join(n for n in (given[1], script) if n)
    return fields


def address_in(country, random):
    return f"Room {random.randint(1, 40)}, shelter {random.choice('ABCDEFGH')}, {CITIES[country]}"
