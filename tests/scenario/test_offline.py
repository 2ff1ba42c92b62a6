"""Goal: without a network a partner’s referral is safe in the outbox and says so; it arrives
exactly once, also when the client is killed at any moment and when it is sent over and over."""
import collections
import os
import random
import signal
import subprocess
import time
import unittest

import havre_test

A = "partner-a"


class Offline(havre_test.Scenario):

    def havre(self, *words):
        return [os.path.join(havre_test.BIN, "havre"), *words, "--home", self.c.path(A)]

    def waiting(self, seconds="0"):
        return sorted(r["label"] for r in self.c.partner(A, "outbox", "--wait", seconds))

    def assert_once_each(self, *names):
        """One case and one registration for each; nothing waits, nothing was rejected."""
        cases = [self.case_of(n) for n in names]
        self.assertEqual(len(set(cases)), len(names))
        self.in_review(*cases)
        rows = collections.Counter(
            r["label"] for r in self.c.partner(A, "status") if r.get("case_number"))
        references = {self.reference(n) for n in names}
        self.assertEqual({r: rows[r] for r in references}, dict.fromkeys(references, 1))
        for case in cases:
            self.notice(A, case, "REGISTER")
            self.assertEqual(self.events(A, case), ["REGISTER"])
        self.assertEqual(self.c.log("intake").count("id=REFERRAL-REJECTED"), 0)
        self.assertEqual(self.waiting("10"), [])
        return cases

    def registered(self):
        return self.c.log("intake").count("id=REFERRAL-REGISTERED")

    def test_it_waits_and_says_so(self):
        names = [A + "/13-journalist-household-of-2.json", A + "/16-lawyer-household-of-3.json"]
        before = self.registered()
        self.c.down("broker")
        first = self.c.partner(A, "submit", self.file(names[0]), "--wait", "1")
        self.assertEqual([(r["received"], r["refused"]) for r in first], [(False, "")])
        for lang, words in (("en", "safe in the outbox"), ("fr", "en sûreté")):
            name = names[1] if lang == "en" else None
            command = self.havre("submit", self.file(name)) if name else self.havre("outbox")
            done = subprocess.run([*command, "--lang", lang, "--wait", "0"], text=True,
                                  capture_output=True, check=True)
            self.assertIn(words if name else "attend dans la boîte d’envoi", done.stdout)
        self.assertEqual(self.waiting(), sorted(self.reference(n) for n in names))
        self.c.up("broker")
        self.assertEqual(self.waiting("20"), [])
        for _ in range(5):  # nothing is sent a second time
            self.assertEqual(self.waiting("5"), [])
        self.assert_once_each(*names)
        self.assertEqual(self.registered() - before, 2)

    def killed(self, seconds, *words):
        """Runs `havre`, kills it after so long. Gives whether it was still running."""
        with subprocess.Popen(self.havre(*words), stdout=subprocess.DEVNULL) as p:
            try:
                p.wait(timeout=seconds)
                return False
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                return True

    def test_a_killed_client_sends_it_once(self):
        names = [f"{A}/{n}" for n in (
            "17-womens-rights-household-of-4.json", "18-anti-corruption-household-of-6.json",
            "19-unionist-household-of-2.json", "20-lgbtq2-rights-lone-parent.json",
            "21-minority-rights-household-of-5.json", "22-land-defender-household-of-5.json")]
        before = self.registered()
        start = time.monotonic()
        self.waiting("10")
        one_call = time.monotonic() - start  # the kills are spread over such a time
        killed = 0
        for name in names:
            # the first kill may hit before it is stored: then, and only then, it is submitted again
            killed += self.killed(random.uniform(0, 2 * one_call), "submit", self.file(name))
            for _ in range(2):
                killed += self.killed(random.uniform(0, one_call), "outbox")
            known = [s["label"] for s in self.c.partner(A, "status", "--wait", "0")]
            if self.reference(name) not in known:
                self.c.partner(A, "submit", self.file(name))
        self.assertGreater(killed, 0)
        self.assertEqual(self.waiting("20"), [])
        self.assert_once_each(*names)
        self.assertEqual(self.registered() - before, len(names))

    def test_a_killed_client_sends_later_what_was_stored(self):
        names = [A + "/23-indigenous-rights-household-of-2.json",
                 A + "/24-journalist-household-of-5.json"]
        before = self.registered()
        self.c.down("broker")
        for name in names:
            self.c.partner(A, "submit", self.file(name), "--wait", "0")
        self.assertTrue(self.killed(0.3, "outbox", "--wait", "60"))
        self.assertEqual(self.waiting(), sorted(self.reference(n) for n in names))
        self.c.up("broker")
        self.assertEqual(self.waiting("20"), [])
        self.assert_once_each(*names)
        self.assertEqual(self.registered() - before, 2)


if __name__ == "__main__":
    unittest.main()
