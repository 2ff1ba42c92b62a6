"""Goal: a clock that is most of a day ahead and is then set back, or that is as far behind, loses
nothing and does nothing twice; times of receipt never go back. What is ahead of the newest keys or
behind them lets nobody in: everything waits in its outbox until the clock is right."""
import unittest

import faults

FAR = 20 * 3600


class Clock(faults.Faults):
    faulty = ("broker", "intake", "screening")

    def received(self):
        rows = self.c.admin("log", "--homes", self.c.home, "--limit", "1000")["messages"]
        return [row["received_at"] for row in rows]

    def assert_right_again(self, names):
        names = names + self.names("partner-a", 1)
        self.send(*names[-1:])
        self.assert_all_arrived(names)
        times = self.received()
        self.assertEqual(times, sorted(times))

    def test_ahead_and_set_back(self):
        for name in self.faulty:
            with self.subTest(name=name):
                with self.fault(f"clock {FAR}", name):
                    names = self.names("partner-c", 2)
                    self.send(*names)
                    self.assert_all_arrived(names)
                self.assert_right_again([])

    def test_broker_behind(self):
        """The keys, made today, are not good yet by its clock."""
        with self.fault(f"clock {-FAR}", "broker"):
            names = self.names("partner-c", 1) + self.names("partner-b", 1)
            self.send(*names)
            faults.wait_for(lambda: "id=CONNECTION-REFUSED" in self.c.log("broker"),
                            "it lets everybody in")
            for n in names:
                row, = self.c.partner(n.split("/")[0], "status", self.reference(n), "--wait", "1")
                self.assertNotIn("received_at", row)
        self.assert_right_again(names)

    def test_services_behind(self):
        for name in self.faulty[1:]:
            with self.subTest(name=name):
                with self.fault(f"clock {-FAR}", name):
                    names = self.names("partner-b", 2)
                    self.send(*names)
                    self.c.kill(name)  # it starts with that clock, too
                self.assert_right_again(names)


if __name__ == "__main__":
    unittest.main()
