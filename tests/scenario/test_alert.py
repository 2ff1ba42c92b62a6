"""Goal: an urgent request climbs the ladder, at the webhook and in the mailbox, until a person
answers, whatever is killed or down meanwhile; then it stops. It names nobody."""
import collections
import datetime
import email
import email.policy
import os
import time
import unittest

import havre_test
from havre_test import wait_for

RAISED, ANSWERED = "alert.raised", "alert.answered"


class Alert(havre_test.Scenario):

    config = {"urgent": "[ladder]\nrung_1 = 1\nrung_2 = 1\nrung_3 = 1\n"}

    def calls(self, case):
        """What the webhook's receiver took about the case, by delivery: {id: body}. It checked the
        signatures."""
        folder = self.c.path("webhook")
        bodies = {n: havre_test.read_json(os.path.join(folder, n)) for n in os.listdir(folder)
                  if n.endswith(".json")}
        return {n: b for n, b in bodies.items() if b["data"].get("case_number") == case}

    def rungs(self, case):
        """How many alerts of each rung were delivered."""
        return collections.Counter(b["data"]["rung"] for b in self.calls(case).values()
                                   if b["type"] == RAISED)

    def answered(self, case):
        return [b for b in self.calls(case).values() if b["type"] == ANSWERED]

    def mails(self, case):
        """The e-mails about the case, by delivery: {id: (subject, text)}."""
        found, folder = {}, self.c.path("mail", "box", "new")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                mail = email.message_from_binary_file(f, policy=email.policy.default)
            if case in mail["Subject"]:
                found[mail["Message-ID"]] = mail["Subject"], mail.get_content()
        return found

    def subjects(self, case):
        return " ".join(subject for subject, _ in self.mails(case).values())

    def wait_rung(self, case, rung, times=1):
        wait_for(lambda: self.rungs(case)[rung] >= times, f"no alert of rung {rung}", 60)

    def test_it_climbs_until_somebody_answers(self):
        name = "partner-a/10-urgent-detained-abroad-with-removal-date.json"
        case, = self.submit(name)
        self.notice("partner-a", case, "REQUEST_ESCALATION")
        self.wait_rung(case, 3, times=3)  # the last rung repeats
        rungs = self.rungs(case)
        self.assertEqual((rungs[1], rungs[2]), (1, 1))
        alert, = [a for a in self.queue()["alerts"] if a["case_number"] == case]
        self.assertEqual(alert["rung"], 3)
        wait_for(lambda: "URGENT, rung 3" in self.subjects(case), "no e-mail of rung 3")
        subject, text = next(iter(self.mails(case).values()))
        self.assertIn("URGENT, rung", subject)
        for words in (f"Case: {case}", f"Dossier\u00a0: {case}", f"havre-staff ack {case}"):
            self.assertIn(words, text)
        self.assert_nobody_named(name, case)

        self.c.staff("officer-1", "ack", case)
        wait_for(lambda: self.answered(case), "no stand-down at the webhook")
        wait_for(lambda: "answered" in self.subjects(case), "no e-mail of it")
        self.notice("partner-a", case, "ACKNOWLEDGE")
        self.assertNotIn(case, [a["case_number"] for a in self.queue()["alerts"]])
        # another one climbs all the way meanwhile: this one does not
        before = self.rungs(case)
        other, = self.submit("partner-b/08-urgent-threat-violence.json")
        self.wait_rung(other, 3, times=2)
        self.assertEqual(self.rungs(case), before)
        self.assertEqual(len(self.answered(case)), 1)
        self.c.staff("supervisor-1", "ack", other)

    def assert_nobody_named(self, name, case):
        sent = self.sample(name)
        told = str(self.calls(case)) + str(self.mails(case))
        self.assertIn(sent["protection"]["threats"][0], told)
        for secret in (sent["persons"][0]["identity"]["family_name"], sent["reference"],
                       sent["narrative"]["persecution"],
                       f"'{sent['home_country']}'", f"'{sent['location_country']}'"):
            self.assertNotIn(secret, told)

    def test_the_deadline_survives(self):
        case, = self.submit("partner-c/11-urgent-all-three-threats.json")
        self.wait_rung(case, 1)
        self.c.kill("urgent")
        self.wait_rung(case, 2)
        self.c.down("urgent")
        last = max(b["data"]["due_at"] for b in self.calls(case).values())
        past = datetime.datetime.fromisoformat(last).timestamp() + 2.5  # rungs and more
        wait_for(lambda: time.time() > past, "the clock stands still")
        before = self.rungs(case)
        self.assertIsNone(self.c.pid("urgent"))
        self.c.up("urgent")
        self.wait_rung(case, 3, times=before[3] + 1)
        self.assertEqual((self.rungs(case)[1], self.rungs(case)[2]), (1, 1))
        # both relays are killed while it climbs: nothing is lost on the way
        self.c.kill("relay-webhook")
        self.c.kill("relay-smtp")
        self.wait_rung(case, 3, times=before[3] + 3)
        self.c.staff("officer-1", "ack", case)
        wait_for(lambda: self.answered(case), "no stand-down")
        raised = self.c.log("urgent").count(f"id=ALERT-RAISED case={case} ")
        wait_for(lambda: sum(self.rungs(case).values()) == raised, "the webhook lacks alerts")
        wait_for(lambda: len(self.mails(case)) == raised + 1, "the mailbox lacks alerts")


if __name__ == "__main__":
    unittest.main()
