"""Goal: `deploy/demo --once` runs the samples to their end, its last line counts what happened, and
it can be run again in the same home; nothing is submitted or counted a second time."""
import json
import os
import subprocess
import tempfile
import unittest

import havre_test

KEYS = {"referrals", "accepted", "rejected", "persons", "places", "waitlisted_persons",
        "urgent_raised", "urgent_acknowledged", "notices_delivered", "duplicates_held",
        "invariants"}


class Demo(unittest.TestCase):

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="havre-demo-")
        self.addCleanup(folder.cleanup)
        self.home = os.path.join(folder.name, "home")

    def demo(self, *words):
        """Runs it, with the programs of $HAVRE_BIN. Gives what it printed and its last line."""
        command = [os.path.join(havre_test.ROOT, "deploy", "demo"), "--once", "--home", self.home]
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.verified())
        return done.stdout, json.loads(done.stdout.splitlines()[-1])

    def verified(self):
        """What is wrong, in words."""
        admin = os.path.join(havre_test.BIN, "havre-admin")
        return subprocess.run([admin, "verify", "--homes", self.home], capture_output=True,
                              text=True, check=False).stdout

    def assert_adds_up(self, out):
        self.assertLessEqual(KEYS, set(out))
        self.assertEqual(out["invariants"], "ok")
        self.assertEqual(out["referrals"],
                         out["accepted"] + out["rejected"] + out["duplicates_held"])
        self.assertGreater(out["duplicates_held"], 0)
        self.assertEqual(out["urgent_raised"], out["urgent_acknowledged"])
        places = out["places"]
        self.assertLessEqual(places["reserved"] + places["consumed"], places["cap"])
        self.assertEqual(places["free"], places["cap"] - places["reserved"] - places["consumed"])
        self.assertGreater(places["consumed"], 0)
        self.assertGreater(out["waitlisted_persons"], 0)

    def test_twice_in_one_home(self):
        text, first = self.demo()
        self.assert_adds_up(first)
        self.assertIn(f"{first['referrals']} referrals: ", text)
        text, second = self.demo("--lang", "fr")
        self.assert_adds_up(second)
        self.assertIn(f"{second['referrals']} demandes\u00a0: ", text)
        for key in ("referrals", "accepted", "rejected", "persons", "duplicates_held",
                    "urgent_raised"):
            self.assertEqual(first[key], second[key], key)


if __name__ == "__main__":
    unittest.main()
