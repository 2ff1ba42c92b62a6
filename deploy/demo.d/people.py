"""What the people of the demo do: three partners submit, officers answer, compare, review, decide."""
import concurrent.futures
import datetime
import json
import os
import subprocess
import sys
import tempfile

from cluster import PARTNERS, Failed, wait_for

# What the demo's officers think of an advice row that is not plainly met.
NEGATIVE = {
    "ALREADY_IN_CANADA": ("place-out-of-stream", "ALREADY_IN_CANADA"),
    "OTHER_ROUTE": ("place-out-of-stream", "OTHER_ROUTE"),
    "OTHER_CLASS": ("place-out-of-stream", "OTHER_CLASS"),
    "SOLUTION_ELSEWHERE": ("not-recommend", "SOLUTION_ELSEWHERE"),
}


def make_samples(data, folder):
    """The sample referrals with the dates of today."""
    subprocess.run([sys.executable, "-B", os.path.join(data, "make_samples.py"), "--today",
                    datetime.date.today().isoformat(), "--out", folder], check=True)


def both(function, items):
    """Two at a time: one for each core."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


def submit_samples(c, data):
    """Each partner submits what it did not submit before, in the manifest's order."""
    with tempfile.TemporaryDirectory(prefix="havre-samples-") as folder:
        make_samples(data, folder)
        submit_from(c, folder)
    wait_for(lambda: all(registered(c, p) for p in PARTNERS), "not every referral is answered")


def submit_from(c, folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        files = [r["file"] for r in json.load(f)["files"]]
    with open(os.path.join(folder, "duplicates.json"), encoding="utf-8") as f:
        c.duplicates = json.load(f)
    c.sample_files = {}

    def submit(partner):
        known = {s["label"] for s in c.partner(partner, "status", "--wait", "0")}
        mine, new = [f for f in files if f.startswith(partner + "/")], []
        for name in mine:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as f:
                reference = json.load(f)["reference"]
            c.sample_files[name] = (partner, reference)
            if reference not in known:
                new.append(path)
        if new:
            c.partner(partner, "submit", *new, "--wait", "60")

    both(submit, PARTNERS)


def registered(c, partner):
    """Has every submission of this partner an answer?"""
    return all(s.get("case_number") or s.get("refused") or s.get("last_event") == "REJECT"
               for s in c.partner(partner, "status", "--wait", "10"))


def acknowledge_alerts(c):
    """The duty officer answers what burns; the first is confirmed as an emergency, one declined."""
    queue = c.staff("officer-1", "queue")
    burning = [a["case_number"] for a in queue["alerts"]]
    if burning:
        c.staff("officer-1", "ack", *burning)
    for case, action, reason in zip(burning, ("confirm-emergency", "decline-upp"),
                                    ((), ("--reason", "NO_URGENT_NEED"))):
        version = c.staff("officer-1", "case", case)["alert"]["case_version"]
        c.staff("officer-1", "decide", case, action, "--version", str(version), *reason)


def compare_holds(c):
    """The officer opens both identities of the first hold, as one would; then says the word."""
    holds = c.staff("officer-2", "queue")["holds"]
    case_of = {}
    for partner in PARTNERS:
        for s in c.partner(partner, "status", "--wait", "0"):
            if s.get("case_number"):
                case_of[(partner, s["label"])] = s["case_number"]
    same = {frozenset(case_of.get(c.sample_files[f]) for f in pair["files"])
            for pair in c.duplicates["same"]}
    if holds:
        c.staff("officer-2", "reveal", holds[0]["case_number"], "--reason", "DUPLICATE_CHECK")
    for hold in holds:
        for other in hold["likely"]:
            if frozenset((hold["case_number"], other)) in same:
                c.staff("officer-2", "decide", hold["case_number"], "same", "--with", other,
                        "--reason", "SAME_PERSON")
                break
            c.staff("officer-2", "decide", hold["case_number"], "not-same", "--with", other)


def verdict(c, officer, case):
    """What the officer decides after reading the advice."""
    answer = c.staff(officer, "case", case)
    facts = answer["facts"]
    if facts["location_country"] == "CA":
        key = "ALREADY_IN_CANADA"
    elif facts["route"] != "HRD_STREAM":
        key = "OTHER_ROUTE"
    elif facts["refugee_class"] != "CONVENTION_REFUGEE_ABROAD":
        key = "OTHER_CLASS"
    elif "OFFERED" in facts.get("claim", {}).values():
        key = "SOLUTION_ELSEWHERE"
    else:
        return ("recommend",), answer["case_version"]
    action, reason = NEGATIVE[key]
    return (action, "--reason", reason), answer["case_version"]


def review(c, officer, entry):
    # the advice is read where a row asks for attention; the rest is recommended as it stands
    if entry.get("flags"):
        action, version = verdict(c, officer, entry["case_number"])
    else:
        action, version = ("recommend",), entry["case_version"]
    c.staff(officer, "decide", entry["case_number"], *action, "--version", str(version))


def review_queue(c):
    entries = [e for e in c.staff("officer-1", "queue", "--limit", "200")["queue"]
               if e["state"] == "HUMAN_REVIEW"]
    halves = (("officer-1", entries[0::2]), ("officer-2", entries[1::2]))

    def work(half):
        officer, mine = half
        for entry in mine:
            review(c, officer, entry)

    both(work, halves)
    return len(entries)


def travel(c):
    """Two households go all the way to their arrival."""
    reserved = c.staff("officer-1", "queue", "--state", "PLACES_RESERVED")["queue"]
    if any(c.staff("officer-1", "queue", "--state", s)["queue"]
           for s in ("ARRIVED", "SETTLEMENT_HANDOVER")):
        return
    for entry in reserved[:2]:
        version = entry["case_version"]
        for action in ("transmit", "start-processing", "accept", "clear-for-departure", "arrive"):
            done = c.staff("officer-1", "decide", entry["case_number"], action, "--version",
                           str(version))
            version = done["results"][-1]["case_version"]


def officers_work(c):
    acknowledge_alerts(c)
    compare_holds(c)
    while review_queue(c):
        pass
    travel(c)


__all__ = ["submit_samples", "officers_work", "Failed"]
