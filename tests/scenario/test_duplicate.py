"""Goal: the same person referred by two partners is held; only an officer who compared them says
"same" (then they go on as one, nothing urgent is lost, and each partner hears of every step, whatever
becomes of the other) or "not the same" (then it goes on)."""
import json
import unittest

import havre_test
from havre_test import wait_for


class Duplicate(havre_test.Scenario):

    def held(self, case):
        """The officers' entry of the hold, waited for."""
        def hold():
            return next((h for h in self.queue()["holds"] if h["case_number"] == case), None)
        return wait_for(hold, "the case is not held")

    def names_in(self, case):
        opened = self.c.staff("officer-1", "reveal", case, "--reason", "DUPLICATE_CHECK")
        return opened["persons"][0]["identity"]["given_names"]

    def make_urgent(self, name, like):
        """The referral with another one's urgent request."""
        referral, urgent = self.sample(name), self.sample(like)
        for part in ("protection", "priority"):
            referral[part] = urgent[part]
        for part, words in urgent["narrative"].items():
            referral["narrative"].setdefault(part, words)
        with open(self.file(name), "w", encoding="utf-8") as f:
            json.dump(referral, f)

    def alerts(self):
        return {a["case_number"]: a for a in self.queue()["alerts"]}

    def test_the_same_person(self):
        second_name = "partner-b/pair-arabic-second.json"
        self.make_urgent(second_name, "partner-b/09-urgent-threat-returned.json")
        first, = self.submit("partner-a/pair-arabic-first.json")
        self.in_review(first)
        second, = self.submit(second_name)
        self.assertEqual(self.held(second)["likely"], [first])
        self.notice("partner-b", second, "REGISTER")
        # urgency does not wait for the comparison
        wait_for(lambda: set(self.alerts()) == {second}, "no alert of the held case")
        self.assertEqual((self.names_in(first), self.names_in(second)), ("Mohammed", "Muhammad"))

        told = self.decide(second, "same", "--with", first, expect=(65,))
        self.assertEqual(told["result"], "REASON_MISSING")
        told = self.decide(second, "same", "--with", first, "--reason", "SAME_PERSON")
        self.assertEqual((told["outcome"], told["state"]), ("APPLIED", "DUPLICATE_MERGED"))
        self.notice("partner-b", second, "MERGE_DUPLICATE")
        self.assertEqual(self.queue()["holds"], [])
        # the urgent request burns under the first case's number, and only there
        wait_for(lambda: set(self.alerts()) == {first}, "the urgent request is not carried over")
        self.assertEqual(self.alerts()[first]["threats"],
                         self.sample(second_name)["protection"]["threats"])

        def moved():
            return self.in_review(first)[0].get("protection") == "ESCALATION_REQUESTED"
        wait_for(moved, "screening does not know of the urgent request")
        self.assertEqual([e["case_number"] for e in self.queue()["queue"]
                          if e["case_number"] == second], [])
        # the word was given once
        told = self.decide(second, "not-same", "--with", first, expect=(65,))
        self.assertEqual(told["result"], "NO_TRANSITION")
        self.assertNotIn("MERGE_DUPLICATE", self.events("partner-a", first))

    def test_two_partners_of_one_person(self):
        first, = self.submit("partner-a/pair-cyrillic-first.json")
        self.in_review(first)
        second, = self.submit("partner-c/pair-cyrillic-second.json")
        self.held(second)
        self.decide(second, "same", "--with", first, "--reason", "SAME_PERSON")
        self.notice("partner-c", second, "MERGE_DUPLICATE")
        # each hears of every step, under its own number and reference
        self.recommend(first)
        for partner, case in (("partner-a", first), ("partner-c", second)):
            self.notice(partner, case, "RESERVE_PLACES")
            row, = self.c.partner(partner, "status", case)
            self.assertEqual(row["state"], "PLACES_RESERVED")
        # one withdraws: the other's referral stands
        self.c.partner("partner-a", "withdraw", first)
        self.notice("partner-a", first, "WITHDRAW_CASE")
        shown = self.c.staff("officer-1", "case", first)
        self.assertEqual(shown["state"], "PLACES_RESERVED")
        self.decide(first, "transmit", version=shown["case_version"])
        self.notice("partner-c", second, "TRANSMIT")
        self.assertNotIn("TRANSMIT", self.events("partner-a", first))
        self.c.partner("partner-c", "withdraw", second)
        self.notice("partner-c", second, "WITHDRAW_CASE")
        self.assertEqual(self.c.staff("officer-1", "case", first)["state"], "WITHDRAWN")
        for partner, other, number in (("partner-a", "partner-c", second),
                                       ("partner-c", "partner-a", first)):
            told = json.dumps(self.c.partner(partner, "inbox"))
            self.assertNotIn(other, told)
            self.assertNotIn(number, told)
        found = self.c.verify()
        self.assertEqual(found["invariants"], "ok", found)

    def suspend(self, *words):
        """Two officers, one after the other."""
        act = self.c.staff("officer-1", "suspend", *words)
        self.c.staff("officer-2", "suspend", "--confirm", act["id"])

    def held_messages(self):
        return [(h["home"], h["kind"], h["from"])
                for h in self.c.admin("held", "--homes", self.c.home)["held"]]

    def test_a_suspended_partner_keeps_nobody_waiting(self):
        first, = self.submit("partner-c/pair-persian-first.json")
        self.in_review(first)
        second, = self.submit("partner-b/pair-persian-second.json")
        self.held(second)
        self.decide(second, "same", "--with", first, "--reason", "SAME_PERSON")
        self.notice("partner-b", second, "MERGE_DUPLICATE")
        # nothing can be sealed to a partner whose only key is suspended
        key = self.c.admin("keys", "show", "--home", self.c.path("partner-c"))["key_id"]
        self.suspend("partner-c", "--key", key, "--reason", "key-stolen")
        wait_for(lambda: "id=SUSPENSION-TAKEN principal=partner-c" in self.c.log("notify"),
                 "notify does not hear of the suspension")
        self.recommend(first)
        self.notice("partner-b", second, "RESERVE_PLACES")
        own = ("notify", "REPORT_OUTCOME", "notify")
        self.wait_equal(self.held_messages, [own, own])
        found = self.c.verify()
        self.assertEqual(found["invariants"], "ok", found)
        # with the lift it hears of what it was owed, in its order
        self.suspend("partner-c", "--key", key, "--lift", "--reason", "checked")
        self.notice("partner-c", first, "RESERVE_PLACES")
        self.assertEqual(set(self.events("partner-c", first)),
                         {"REGISTER", "RECOMMEND", "RESERVE_PLACES"})
        row, = self.c.partner("partner-c", "status", first)
        self.assertEqual(row["state"], "PLACES_RESERVED")
        self.assertEqual(self.held_messages(), [])
        found = self.c.verify()
        self.assertEqual(found["invariants"], "ok", found)

    def test_not_the_same_person(self):
        first, = self.submit("partner-b/alike-twins-first.json")
        second, = self.submit("partner-c/alike-twins-second.json")
        self.assertEqual(self.held(second)["likely"], [first])
        # not before an officer's word
        self.assertEqual(self.c.staff("officer-1", "case", second)["result"], "UNKNOWN_CASE")
        told = self.decide(second, "not-same", "--with", first)
        self.assertEqual((told["outcome"], told["state"]), ("APPLIED", "REGISTERED"))
        self.in_review(second)
        self.notice("partner-c", second, "REGISTER")
        self.assertEqual(self.events("partner-c", second),
                         ["REGISTER"])  # nobody learns by trying names out who is known here


if __name__ == "__main__":
    unittest.main()
