#!/usr/bin/python3
"""Makes the sample referrals: invented people, invented stories.

    make_samples.py --out FOLDER [--today YYYY-MM-DD]

Dates are counted back from --today (today, if it is not given); everything else is the same each
time. The files in tests/data/referrals are those of --today 2026-01-15.
"""
import argparse
import datetime
import json
import pathlib
import random
import sys

sys.dont_write_bytecode = True
from samples import faults, pairs, special  # noqa: E402
from samples.builder import Builder  # noqa: E402
from samples.people import HOMES  # noqa: E402

PARTNERS = ["partner-a", "partner-b", "partner-c"]
ORDINARY = 63
# persons in a household, and how many of 100 ordinary households have so many
SIZES = [(1, 8), (2, 12), (3, 22), (4, 26), (5, 18), (6, 9), (7, 5)]
SEED = 250

README = """# {title}

Everything here is synthetic: these people, their families and their stories are invented, and no
real person is meant. Made by `tests/data/make_samples.py`; change that, not these files.
"""


def ordinary(b):
    """Households as they come: every defence, every home country."""
    defences = ["JOURNALIST", "LAWYER", "UNIONIST", "LAND_DEFENDER", "WOMENS_RIGHTS",
                "LGBTQ2_RIGHTS", "INDIGENOUS_RIGHTS", "ANTI_CORRUPTION", "MINORITY_RIGHTS"]
    homes = sorted(HOMES)
    sizes = [size for size, share in SIZES for _ in range(share)]
    for i in range(ORDINARY):
        partner, defence = PARTNERS[i % 3], defences[(i + i // 9) % len(defences)]
        home = {"INDIGENOUS_RIGHTS": ["GT", "HN", "CO", "NI"][i % 4]}.get(
            defence, homes[(i * 7) % len(homes)])
        size = b.random.choice(sizes)
        lone = size > 1 and b.random.random() < 0.15
        members = [] if size == 1 or lone else [("SPOUSE", 0)]
        while len(members) < size - 1:
            members.append(("CHILD", b.random.randint(0, 18)))
        members = members[:1] + sorted(members[1:], key=lambda m: -m[1])
        name = defence.lower().replace("_", "-")
        name += "-alone" if size == 1 else "-lone-parent" if lone else f"-household-of-{size}"
        yield partner, name, b.referral(partner, home, defence, members), True, []


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_referrals(out, rows):
    """Writes each under partner/NN-name.json, or partner/name.json for the pairs; returns the
    manifest's entries."""
    entries, count = [], {}
    for partner, name, referral, recommend, kinds in rows:
        if not name.startswith(("pair-", "alike-")):
            count[partner] = count.get(partner, 0) + 1
            name = f"{count[partner]:02d}-{name}"
        write_json(out / partner / f"{name}.json", referral)
        entries.append({"file": f"{partner}/{name}.json", "partner": partner,
                        "persons": len(referral["persons"]), "urgent": "protection" in referral,
                        "recommend": recommend, "special": kinds})
    return entries


def write_invalid(folder, b):
    for name, text, expected in faults.make(b):
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        write_json(folder / f"{name}.expected.json", expected)


def main():
    parser = argparse.ArgumentParser(description="Makes the sample referrals.")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--today", type=datetime.date.fromisoformat,
                        default=datetime.date.today())
    args = parser.parse_args()

    for name in [*PARTNERS, "invalid"]:
        (args.out / name).mkdir(parents=True, exist_ok=True)
        (args.out / name / "README.md").write_text(README.format(title=name), encoding="utf-8")
    b = Builder(args.today, random.Random(SEED))
    pair_rows, duplicates = pairs.make(b)
    rows = [row for kind in special.KINDS for row in kind(b)] + list(ordinary(b)) + pair_rows
    entries = write_referrals(args.out, rows)
    write_json(args.out / "manifest.json", {
        "today": args.today.isoformat(), "referrals": len(entries),
        "persons": sum(e["persons"] for e in entries), "files": entries})
    write_json(args.out / "duplicates.json", duplicates)
    write_invalid(args.out / "invalid", b)


if __name__ == "__main__":
    main()
