"""What the people of the demo do: partners submit; officers answer, compare, review, decide."""
import concurrent.futures
import datetime
import json
import os
import subprocess
import sys
import tempfile

from cluster import PARTNERS, wait_for

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
    burning = [a["case_number"] for a in c.staff("officer-1", "queue")["alerts"]]
    if not burning:
        return
    c.staff("officer-1", "ack", *burning)
    for case, action in zip(burning, (("confirm-emergency",),
                                      ("decline-upp", "--reason", "NO_URGENT_NEED",
                                       "--note-file", "-"))):
        answer = c.staff("officer-1", "case", case)
        c.staff("officer-1", "decide", case, *action, "--version",
                str(answer["alert"]["case_version"]),
                input="An invented note: protection where the person is was found." if
                "--note-file" in action else None)


def compare_holds(c):
    """The officer opens the identity behind the first hold, as one would; then says the word."""
    holds = c.staff("officer-2", "queue")["holds"]
    if not holds:
        return
    case_of = {}
    for partner in PARTNERS:
        for s in c.partner(partner, "status", "--wait", "0"):
            if s.get("case_number"):
                case_of[(partner, s["label"])] = s["case_number"]
    same = {frozenset(case_of.get(c.sample_files[f]) for f in pair["files"])
            for pair in c.duplicates["same"]}
    c.staff("officer-2", "reveal", holds[0]["case_number"], "--reason", "DUPLICATE_CHECK")
    for hold in holds:
        for other in hold["likely"]:
            if frozenset((hold["case_number"], other)) in same:
                c.staff("officer-2", "decide", hold["case_number"], "same", "--with", other,
                        "--reason", "SAME_PERSON")
                break
            c.staff("officer-2", "decide", hold["case_number"], "not-same", "--with", other)


def verdict(facts):
    """What the officer decides after reading the advice: action and reason."""
    if facts["location_country"] == "CA":
        key = "ALREADY_IN_CANADA"
    elif facts["route"] != "HRD_STREAM":
        key = "OTHER_ROUTE"
    elif facts["refugee_class"] != "CONVENTION_REFUGEE_ABROAD":
        key = "OTHER_CLASS"
    elif "OFFERED" in facts.get("claim", {}).values():
        key = "SOLUTION_ELSEWHERE"
    else:
        return ("recommend",)
    action, reason = NEGATIVE[key]
    return (action, "--reason", reason)


def review_queue(c):
    """Two officers, half of the queue each; the whole household is recommended or not."""
    entries = [e for e in c.staff("officer-1", "queue", "--limit", "200")["queue"]
               if e["state"] == "HUMAN_REVIEW"]

    def work(half):
        officer, mine = half
        decided = {}
        for case, answer in zip(mine, cases(c, officer, mine)):
            target = f"{case['case_number']}@{answer['case_version']}"
            decided.setdefault(verdict(answer["facts"]), []).append(target)
        for action, targets in decided.items():
            c.staff(officer, "decide", *targets, *action, expect=(0, 65))

    both(work, (("officer-1", entries[0::2]), ("officer-2", entries[1::2])))
    return len(entries)


def cases(c, officer, entries):
    """The facts and the advice of each."""
    if not entries:
        return []
    answer = c.staff(officer, "case", *[e["case_number"] for e in entries])
    return answer.get("cases", [answer])


def travel(c):
    """Two households go all the way to their arrival."""
    if c.staff("officer-1", "queue", "--state", "ARRIVED")["queue"]:
        return
    targets = {e["case_number"]: e["case_version"] for e in
               c.staff("officer-1", "queue", "--state", "PLACES_RESERVED")["queue"][:2]}
    for action in ("transmit", "start-processing", "accept", "clear-for-departure", "arrive"):
        done = c.staff("officer-1", "decide", *[f"{n}@{v}" for n, v in targets.items()], action)
        targets = {r["case_number"]: r["case_version"] for r in done["results"]
                   if not r["earlier"]}


def officers_work(c):
    acknowledge_alerts(c)
    compare_holds(c)
    wait_for(lambda: not review_queue(c), "the queue does not empty")
    travel(c)
