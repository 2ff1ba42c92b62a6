"""Goal: what a partner may do wrong is told in words that help, at once where this home can tell; a
danger is heard while the case goes on, whoever withdrew."""
import json
import os
import subprocess
import unittest

import havre_test
from havre_test import wait_for

A = "partner-a"
SAMPLE = A + "/13-journalist-household-of-2.json"
OTHER = "partner-b/13-womens-rights-alone.json"


class Partner(havre_test.Scenario):

    def havre(self, *words, lang=None):
        """Exit code and what was printed: JSON values, or words when a language is given."""
        form = ["--lang", lang] if lang else ["--json"]
        done = subprocess.run([os.path.join(havre_test.BIN, "havre"), *words, *form, "--home",
                               self.c.path(A)], capture_output=True, text=True, check=False)
        if lang:
            return done.returncode, done.stdout
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def rejected(self, label):
        """The notice of what was sent about this case, waited for."""
        def find():
            return next((n for n in self.c.partner(A, "inbox", label) if n["event"] == "REJECT"),
                        None)
        return wait_for(find, f"no rejection of {label}")

    def test_a_reference_is_submitted_once(self):
        case, = self.submit(SAMPLE)
        before = self.c.partner(A, "status")
        code, told = self.havre("submit", self.file(SAMPLE))
        self.assertEqual((code, told[0]["faults"][0]["path"], told[0]["faults"][0]["code"]),
                         (65, "reference", "REFERENCE_USED"))
        self.assertEqual(self.c.partner(A, "status"), before)
        # twice in one call
        first, second = (os.path.join(self.samples, n) for n in ("one.json", "two.json"))
        referral = havre_test.read_json(self.file(SAMPLE))
        referral["reference"] = "A-TWICE"
        for path in (first, second):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(referral, f)
        code, told = self.havre("submit", first, second)
        self.assertEqual((code, len(told), told[0]["about"]), (65, 1, second))
        self.assertEqual(self.c.partner(A, "status"), before)
        # the proof of the case is that of its referral, whatever else was sent about it
        self.c.partner(A, "withdraw", case)
        index = next(s["log_index"] for s in before if s["case_number"] == case)
        for name in (case, self.reference(SAMPLE)):
            self.assertEqual(self.c.partner(A, "prove", name)["index"], index)

    def test_a_rejection_is_told_in_words(self):
        other, = self.submit(OTHER)
        self.report_risk(A, other)
        self.assertEqual(self.rejected(other)["faults"][0]["code"], "NOT_YOUR_CASE")
        for lang, report, status in (
                ("en", "risk report: not accepted", "risk report: not accepted: see havre inbox"),
                ("fr", "signalement d’un danger\u00a0: non accepté",
                 "signalement d’un danger\u00a0: non accepté\u00a0: voir havre inbox")):
            code, words = self.havre("inbox", other, lang=lang)
            self.assertEqual((code, report in words), (0, True), words)
            code, words = self.havre("status", other, lang=lang)
            self.assertEqual((code, status in words), (0, True), words)
        self.c.partner(A, "withdraw", other)
        wait_for(lambda: "withdrawal: not accepted" in self.havre("inbox", other, lang="en")[1],
                 "the rejected withdrawal does not show")
        self.assertIn("Check the number", self.havre("inbox", other, lang="en")[1])

    def report_risk(self, partner, case):
        path = os.path.join(self.samples, "risk-of-" + partner + ".json")
        risk = havre_test.read_json(os.path.join(havre_test.ROOT, "tests", "data", "samples",
                                                 "risk-report.json"))
        del risk["protection"]["removal_on"]
        risk["case_number"] = case
        with open(path, "w", encoding="utf-8") as f:
            json.dump(risk, f)
        self.c.partner(partner, "risk", path)

    def test_a_danger_is_heard_after_a_withdrawal(self):
        first, = self.submit("partner-b/pair-burmese-first.json")
        self.in_review(first)
        second, = self.submit("partner-c/pair-burmese-second.json")
        wait_for(lambda: second in [h["case_number"] for h in self.queue()["holds"]],
                 "the second referral is not held")
        self.decide(second, "same", "--with", first, "--reason", "SAME_PERSON")
        self.notice("partner-c", second, "MERGE_DUPLICATE")
        self.c.partner("partner-b", "withdraw", first)
        self.notice("partner-b", first, "WITHDRAW_CASE")
        # the case goes on for the other's referral: the danger is passed on, and its reporter told
        self.report_risk("partner-b", first)
        answer = self.notice("partner-b", first, "REQUEST_ESCALATION")
        self.assertIn("stays withdrawn", answer["next"]["en"])
        wait_for(lambda: first in [a["case_number"] for a in self.queue()["alerts"]],
                 "the danger is not escalated")
        self.notice("partner-c", second, "REQUEST_ESCALATION")
        # after the end of the case people hear of it, and the reporter what to do
        self.c.partner("partner-c", "withdraw", second)
        self.notice("partner-c", second, "WITHDRAW_CASE")
        self.report_risk("partner-b", first)
        wait_for(lambda: "REJECT" in self.events("partner-b", first), "nothing is answered")
        fault, = self.notice("partner-b", first, "REJECT")["faults"]
        self.assertEqual(fault["code"], "RISK_CASE_HAS_LEFT")
        self.assertIn("submit the referral again now", fault["en"])
        self.assertIn("présentez de nouveau la demande dès maintenant", fault["fr"])
        wait_for(lambda: ("URGENT_REJECTED", "partner-b") in
                 [(w["code"], w["about"]) for w in self.queue()["warnings"]],
                 "no officer is told")
        found = self.c.verify()
        self.assertEqual(found["invariants"], "ok", found)

    def test_what_is_not_known_here(self):
        for command in ("status", "inbox"):
            for name in ("HV-2222-2222-2", "A-NOT-KNOWN"):
                code, told = self.havre(command, name, "--wait", "0")
                self.assertEqual((code, told[-1]["error"]), (65, "NOT_FOUND"), command)


if __name__ == "__main__":
    unittest.main()
