"""Goal: when a year is full, households wait, none is refused and none is split; free places go to
the waiting list in its order; closing a year carries the reservations over; the cap holds."""
import datetime
import unittest

import havre_test

CAP = 10
FIVE, FOUR = ("partner-a/14-land-defender-household-of-5.json",
              "partner-b/14-anti-corruption-household-of-4.json")
THREE, ANOTHER_THREE = ("partner-c/14-unionist-household-of-3.json",
                        "partner-a/16-lawyer-household-of-3.json")
FOUR_MORE = "partner-b/15-unionist-household-of-4.json"


class FullYear(havre_test.Scenario):

    config = {"screening": f"[places]\ncap = {CAP}\n"}

    def places(self, year):
        """Every view of the year's places must keep within the cap."""
        p = self.c.staff("supervisor-1", "places", str(year))
        reserved, consumed = p.get("reserved", 0), p.get("consumed", 0)
        self.assertEqual(p["cap"], CAP)
        self.assertLessEqual(reserved + consumed, CAP)
        self.assertEqual(p.get("free", 0), CAP - reserved - consumed)
        return reserved, consumed, p.get("waitlisted_persons", 0)

    def state(self, case):
        return self.c.staff("officer-1", "case", case)["state"]

    def states(self, *cases):
        return [self.state(c) for c in cases]

    def close_year(self, year, **kw):
        answer = self.c.staff("supervisor-1", "places", "--close-year", str(year), **kw)
        return answer["results"][-1]["result"]

    def test_a_full_year(self):
        year = datetime.date.today().year
        # the order of the list: markers of risk, then the time of receipt
        five, four, first, second, third = cases = self.submit(
            FIVE, FOUR, THREE, ANOTHER_THREE, FOUR_MORE)
        entries = self.in_review(*cases)
        first, second, third = (e["case_number"] for e in sorted(
            entries[2:], key=lambda e: (-e.get("markers", 0), e["received_at"])))
        size = {e["case_number"]: e["persons"] for e in entries}

        self.assertEqual(self.recommend(five)["state"], "PLACES_RESERVED")
        self.assertEqual(self.recommend(four)["state"], "PLACES_RESERVED")
        for case in (third, second, first):  # not in the order of the list
            done = self.recommend(case)
            self.assertEqual((done["outcome"], done["state"]), ("APPLIED", "WAITLISTED"))
            self.places(year)
        self.assertEqual(self.places(year), (9, 0, 10))
        partner = self.c.staff("officer-1", "case", first)["facts"]["partner"]
        waits = self.notice(partner, first, "WAITLIST")
        self.assertIn("not a refusal", waits["happened"]["en"])
        self.assertIn("pas un refus", waits["happened"]["fr"])

        # places come free: the first of the list takes them, whole
        self.c.partner("partner-b", "withdraw", four)
        self.notice("partner-b", four, "WITHDRAW_CASE")
        self.notice(partner, first, "RESERVE_PLACES")
        self.assertEqual(self.states(first, second, third),
                         ["PLACES_RESERVED", "WAITLISTED", "WAITLISTED"])
        self.assertEqual(self.places(year), (5 + size[first], 0, size[second] + size[third]))

        # one household arrives: its places are consumed, not free
        version = self.c.staff("officer-1", "case", five)["case_version"]
        for action in ("transmit", "start-processing", "accept", "clear-for-departure", "arrive"):
            version = self.decide(five, action, version=version)["case_version"]
        self.assertEqual(self.places(year)[:2], (size[first], 5))

        self.roll_over(year, (first, second, third), size)

    def roll_over(self, year, order, size):
        """What is reserved comes first in the next year, then the list, in its order."""
        told = self.c.staff("officer-1", "places", "--close-year", str(year), expect=(77,))
        self.assertEqual(told["error"], "NOT_PERMITTED")
        self.assertEqual(self.close_year(year), "OK")
        self.assertEqual(self.places(year), (0, 5, 0))
        room, states, waiting = CAP, [], 0
        for case in order:
            fits = size[case] <= room
            room -= size[case] * fits
            waiting += size[case] * (not fits)
            states.append("PLACES_RESERVED" if fits else "WAITLISTED")
        self.assertEqual(self.states(*order), states)
        self.assertEqual(self.places(year + 1), (CAP - room, 0, waiting))
        # a year is closed once, and not before it began
        self.assertEqual(self.close_year(year, expect=(65,)), "STALE")
        self.assertEqual(self.close_year(year + 1, expect=(65,)), "NO_TRANSITION")
        for case in order:
            self.assertNotIn("REFUSE", [h["event"] for h in self.c.staff(
                "officer-1", "case", case)["history"]])


if __name__ == "__main__":
    unittest.main()
