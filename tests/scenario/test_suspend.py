"""Goal: two officers suspend a partner at once and everywhere; what it had sent is held for a person
and goes on after the lift, and nothing is lost. A new registry reaches every program as a message."""
import os
import shutil
import signal
import subprocess
import unittest

import havre_test
from havre_test import wait_for

SERVICES = ("intake", "screening", "urgent", "notify", "relay-smtp", "relay-webhook")


class Suspend(havre_test.Scenario):

    def suspend(self, *words, by, expect=(0,)):
        return self.c.staff(by, "suspend", *words, expect=expect)

    def outcome(self, answer):
        return [r["outcome"] for r in answer["results"] if not r["earlier"]]

    def held(self):
        return [(h["home"], h["kind"], h["from"])
                for h in self.c.admin("held", "--homes", self.c.home)["held"]]

    def registered(self, partner):
        return any("id=REFERRAL-REGISTERED" in line and f"from={partner} " in line
            for line in self.c.log("intake").splitlines())

    def test_a_partner_is_suspended_and_comes_back(self):
        before = "partner-a/16-lawyer-household-of-3.json"
        later = "partner-a/33-land-defender-household-of-3.json"
        other = "partner-b/24-lgbtq2-rights-household-of-3.json"
        self.c.down("intake")
        self.c.partner("partner-a", "submit", self.file(before))
        row, = self.c.partner("partner-a", "status", self.reference(before))
        self.assertTrue(row["received_at"])

        # one officer is not two
        act = self.suspend("partner-a", "--reason", "key-stolen", by="officer-1")
        self.assertEqual(self.outcome(act), ["APPLIED"])
        again = self.suspend("--confirm", act["id"], by="officer-1", expect=(65, 77))
        self.assertEqual((self.outcome(again), again["results"][-1]["refused"]),
                         (["REFUSED"], "OTHER_OFFICER"))
        shown = self.suspend(by="officer-2")
        self.assertEqual(([], [act["id"]]),
                         (shown["in_force"], [p["id"] for p in shown["proposed"]]))
        self.suspend("--confirm", act["id"], by="officer-2")
        shown = self.suspend(by="director-1")
        self.assertEqual(([p["principal"] for p in shown["in_force"]], shown["proposed"]),
                         (["partner-a"], []))

        # nothing of it comes in any more; it is safe where it is
        for words, *command in (("may not let this key in", "submit", self.file(later)),
                                ("does not let this key in", "status"),
                                ("n’admet pas cette clé", "status", "--lang", "fr")):
            said = subprocess.run([os.path.join(self.c.bin, "havre"), "--lang", "en", *command,
                                   "--wait", "2", "--home", self.c.path("partner-a")],
                                  capture_output=True, text=True)
            self.assertEqual(said.returncode, 0)
            self.assertIn(words, said.stdout)
        self.c.up("intake")
        self.submit(other)
        wait_for(self.held, "nothing is held")
        self.assertEqual(self.held(), [("intake", "SUBMIT_REFERRAL", "partner-a")])
        self.assertFalse(self.registered("partner-a"))
        counts, = [c["detail"] for c in self.c.verify()["checks"] if c["id"] == "I2"]
        self.assertIn("(1 of them held for a suspension)", counts)
        self.c.kill("intake")  # a restart changes nothing
        wait_for(lambda: self.c.log("intake").count("id=STARTED") == 3, "intake is gone")
        self.assertEqual(self.held(), [("intake", "SUBMIT_REFERRAL", "partner-a")])
        self.assertEqual(self.c.verify()["invariants"], "ok")

        # an old act brings nothing about, a lift does
        self.suspend("--confirm", act["id"], by="supervisor-1", expect=(65, 70))
        lift = self.suspend("partner-a", "--lift", "--reason", "checked", by="supervisor-1")
        self.assertEqual(self.held(), [("intake", "SUBMIT_REFERRAL", "partner-a")])
        self.suspend("--confirm", lift["id"], by="director-1")
        self.case_of(before)
        self.case_of(later)
        self.assertEqual(self.held(), [])
        self.assertEqual(self.c.verify()["invariants"], "ok")

    def test_a_registry_reaches_everybody(self):
        root = self.c.path("root")
        old = self.c.path("registry.old")
        shutil.copy(self.c.path("broker", "registry"), old)
        self.c.admin("registry", "suspend", "partner-c", "--home", root)
        self.c.admin("registry", "sign", "--home", root, "--root-key",
                     os.path.join(root, "secret"))
        shutil.copy(os.path.join(root, "registry"), self.c.path("broker", "registry"))
        self.c.kill("broker", signal.SIGHUP)
        for name in SERVICES:
            wait_for(lambda: "id=REGISTRY-TAKEN version=2" in self.c.log(name),
                     f"{name} does not take the registry")
        # an older file is not used again, neither by the broker nor after a restart
        shutil.copy(old, self.c.path("broker", "registry"))
        self.c.kill("broker", signal.SIGHUP)
        wait_for(lambda: "id=REGISTRY-REFUSED why=ROLLED_BACK" in self.c.log("broker"),
                 "an older registry is taken")
        shutil.copy(os.path.join(root, "registry"), self.c.path("broker", "registry"))
        started = self.c.log("notify").count("id=STARTED")
        self.c.kill("notify")
        wait_for(lambda: self.c.log("notify").count("id=STARTED") > started, "notify is gone")
        line = [at for at in self.c.log("notify").splitlines() if "id=STARTED" in at][-1]
        self.assertTrue(line.endswith("registry=2"), line)


class SuspendKey(havre_test.Scenario):
    """A device is stolen; the organization goes on with its other one."""

    def second_device(self):
        home, second, root = self.c.path("partner-b"), self.c.path("device-2"), self.c.path("root")
        epoch = self.c.admin("keys", "show", "--home", home)["epoch"]
        self.c.admin("keys", "new", "--home", second, "--principal", "partner-b", "--holder",
                     "CW-02", "--device", "laptop", "--epoch", str(epoch))
        self.c.admin("registry", "add", os.path.join(second, "key.request"), "--home", root)
        self.c.admin("registry", "sign", "--home", root, "--root-key",
                     os.path.join(root, "secret"))
        for name in ("registry", "root.json"):
            shutil.copy(os.path.join(root, name), second)
        shutil.copy(os.path.join(home, "havre.conf"), second)
        shutil.copy(os.path.join(root, "registry"), self.c.path("broker", "registry"))
        self.c.kill("broker", signal.SIGHUP)
        for name in SERVICES:
            wait_for(lambda: "id=REGISTRY-TAKEN version=2" in self.c.log(name),
                     f"{name} does not take the registry")
        return second

    def send(self, home, name):
        """Whether the broker has it."""
        self.c.call("havre", "submit", "--wait", "2", self.file(name), "--home", home)
        row, = self.c.call("havre", "status", self.reference(name), "--wait", "2", "--home", home)
        return "received_at" in row

    def suspend(self, *words):
        act = self.c.staff("officer-1", "suspend", *words)
        self.c.staff("officer-2", "suspend", "--confirm", act["id"])

    def case_at(self, home, name):
        row, = self.c.call("havre", "status", self.reference(name), "--home", home)
        return row.get("case_number")

    def test_the_other_device_goes_on(self):
        stolen, kept = self.c.path("partner-b"), self.second_device()
        key = self.c.admin("keys", "show", "--home", stolen)["key_id"]
        before, later, *more = (f"partner-b/{n}.json" for n in (
            "12-lawyer-household-of-2", "13-womens-rights-alone",
            "14-anti-corruption-household-of-4", "24-lgbtq2-rights-household-of-3"))
        self.c.down("intake")
        self.assertTrue(self.send(stolen, before))
        self.suspend("partner-b", "--key", key, "--reason", "key-stolen")
        shown = self.c.staff("director-1", "suspend")["in_force"]
        self.assertEqual([(a["principal"], a["key_id"]) for a in shown], [("partner-b", key)])
        self.assertFalse(self.send(stolen, later))
        self.assertTrue(self.send(kept, more[0]))
        self.c.up("intake")
        wait_for(lambda: self.case_at(kept, more[0]), "the other device is cut off")
        # what the stolen one had sent waits for a person
        held = self.c.admin("held", "--homes", self.c.home)["held"]
        self.assertEqual([(h["home"], h["from"]) for h in held], [("intake", "partner-b")])
        self.assertEqual(self.c.verify()["invariants"], "ok")
        # nobody but the two devices' own can read what is said to each
        self.suspend("partner-b", "--key", key, "--lift", "--reason", "checked")
        wait_for(lambda: self.case_at(stolen, before), "what was held does not go on")
        wait_for(lambda: self.case_at(stolen, later), "the device does not come back")
        self.assertTrue(self.send(kept, more[1]))
        self.assertEqual(self.c.verify()["invariants"], "ok")


if __name__ == "__main__":
    unittest.main()
