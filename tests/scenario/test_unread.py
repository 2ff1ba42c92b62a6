"""Goal: urgent mail that nobody reads reaches people by the broker itself, at the webhook, by e-mail
and at the officers, once; and it is stood down when it is read. Intake is not needed for it."""
import email
import email.policy
import os
import signal
import unittest

import havre_test
from havre_test import wait_for


class Unread(havre_test.Scenario):

    config = {"broker": "unread_alert = 1\n"}

    def calls(self, kind):
        """What the webhook's receiver took about intake's mail, of this type."""
        folder = self.c.path("webhook")
        bodies = [havre_test.read_json(os.path.join(folder, n)) for n in os.listdir(folder)
                  if n.endswith(".json")]
        return [b for b in bodies if b["type"] == kind and
                (b["data"]["code"], b["data"].get("about")) == ("MAIL_UNREAD", "intake")]

    def mails(self):
        """Subject and text of the e-mails about intake's mail."""
        found, folder = [], self.c.path("mail", "box", "new")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                mail = email.message_from_binary_file(f, policy=email.policy.default)
            if "MAIL_UNREAD intake" in mail["Subject"]:
                found.append((mail["Subject"], mail.get_content()))
        return found

    def warnings(self, officer):
        view = self.c.staff(officer, "watch", "--once", "--wait", "2", expect=(0, 69))
        return [w for w in view["warnings"] if w.get("about") == "intake"]

    def burn(self, sample, raised):
        """An urgent referral that intake does not take, until everybody knows it."""
        self.c.partner(sample.split("/")[0], "submit", self.file(sample))
        wait_for(lambda: len(self.calls("warning.raised")) == raised, "no warning")
        wait_for(lambda: any("WARNING" in s for s, _ in self.mails()), "no e-mail")
        warning, = self.warnings("officer-1")
        self.assertEqual((warning["code"], warning["sender"]),
                         ("MAIL_UNREAD", sample.split("/")[0]))
        self.assertEqual(len(self.warnings("director-1")), 1)

    def test_it_is_told_once_and_stood_down(self):
        pid = self.c.kill("intake", signal.SIGSTOP)
        self.burn("partner-a/09-urgent-threat-killed.json", raised=1)
        _, text = self.mails()[0]
        for words in ("Nobody reads the urgent mail of intake",
                      "Personne ne lit le courrier urgent de intake", "SUBMIT_URGENT", "partner-a"):
            self.assertIn(words, text)
        sent = self.sample("partner-a/09-urgent-threat-killed.json")
        for secret in (sent["persons"][0]["identity"]["family_name"], sent["reference"]):
            self.assertNotIn(secret, str(self.calls("warning.raised")) + str(self.mails()))
        # a restart of the broker repeats nothing
        self.c.kill("broker")
        wait_for(lambda: self.c.log("broker").count("id=STARTED") == 2, "the broker is gone")
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: self.calls("warning.over"), "it is not stood down")
        self.case_of("partner-a/09-urgent-threat-killed.json")
        self.assertEqual(len(self.calls("warning.raised")), 1)
        wait_for(lambda: not self.warnings("officer-1"), "the officer is not told")
        wait_for(lambda: any("over" in s for s, _ in self.mails()), "no e-mail of it")

        # the same when it does not run at all
        self.c.down("intake")
        self.burn("partner-c/09-urgent-removal-date-set.json", raised=2)
        self.c.up("intake")
        self.case_of("partner-c/09-urgent-removal-date-set.json")
        wait_for(lambda: len(self.calls("warning.over")) == 2, "it is not stood down again")
        self.assertEqual(len(self.calls("warning.raised")), 2)
        self.assertEqual(self.c.verify()["invariants"], "ok")


if __name__ == "__main__":
    unittest.main()
