"""Goal: what officers signed after the broker's last backup comes back with their own programs, whoever
comes first: the newest act that two signed is in force, nobody's act is refused, and people go on
from it."""
import os
import shutil
import unittest

import havre_test
from havre_test import wait_for


class SuspendAgain(havre_test.Scenario):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backup = os.path.join(os.path.dirname(cls.c.home), "backup")

    def suspend(self, *words, by):
        return self.c.staff(by, "suspend", *words)

    def by_two(self, *words, first, second):
        act = self.suspend("partner-a", *words, by=first)
        self.suspend("--confirm", act["id"], by=second)

    def in_force(self, lift, serial):
        """So often did the broker put it in force."""
        return sum("id=SUSPENSION-IN-FORCE" in line and f"lift={lift} serial={serial} " in line
                   for line in self.c.log("broker").splitlines())

    def back_up(self):
        self.c.admin("backup", "--homes", self.c.home, "--to", self.backup, "--only", "broker")

    def broker_lost(self):
        self.c.down("broker")
        shutil.rmtree(self.c.path("broker", "store"))
        self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                     "broker")
        self.c.admin("recover", "--homes", self.c.home, "--only", "broker", "--home",
                     self.c.path("admin"))
        self.c.up("broker")

    def suspended(self, by):
        return [a["principal"] for a in self.suspend(by=by)["in_force"]]

    def test_the_newest_act_holds_whoever_comes_first(self):
        self.back_up()
        self.by_two("--reason", "key-stolen", first="officer-1", second="officer-2")
        self.by_two("--lift", "--reason", "checked", first="officer-1", second="director-1")
        self.by_two("--reason", "misuse", first="officer-2", second="director-1")
        self.assertEqual(self.in_force(0, 3), 1)

        # the third act is there before the first and the second
        self.broker_lost()
        for name in ("director-1", "officer-2", "officer-1"):
            self.assertEqual(self.suspended(name), ["partner-a"])
        wait_for(lambda: self.in_force(0, 3) == 2, "it is not in force again")
        self.assertEqual((self.in_force(0, 1), self.in_force(1, 2)), (1, 1))
        self.assertIn("id=SUSPENSION-PASSED", self.c.log("broker"))
        self.assertNotIn("id=POST-REFUSED", self.c.log("broker"))

        # officer-2's program stays away: two others go on from what they were told
        self.back_up()
        self.by_two("--lift", "--reason", "checked", first="officer-1", second="officer-2")
        self.assertEqual(self.suspended("director-1"), [])
        self.broker_lost()
        self.by_two("--lift", "--reason", "checked", first="director-1", second="officer-1")
        self.assertEqual((self.in_force(1, 4), self.in_force(1, 5)), (1, 1))
        self.submit("partner-a/16-lawyer-household-of-3.json")
        self.c.wait_quiet()
        self.assertEqual(self.c.verify()["invariants"], "ok")


if __name__ == "__main__":
    unittest.main()
