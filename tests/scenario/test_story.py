"""Goal: a referral travels from the partner to the officer and the answers travel back; what an
officer may not do is refused and changes nothing; a receipt proves itself without a network."""
import json
import os
import unittest

import havre_test

LANGUAGES = ("en", "fr")
SECRET_WORDS = "The committee of the invented village did not confirm the account."


def texts_in(value):
    """Every string of a JSON value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in texts_in(part)]


class Story(havre_test.Scenario):

    def assert_in_both_languages(self, notice):
        for part in ("happened", "next", "who"):
            words = [notice[part][lang] for lang in LANGUAGES]
            self.assertTrue(all(words), part)
            self.assertNotEqual(*words, part)

    def test_a_referral_travels(self):
        name = "partner-a/13-journalist-household-of-2.json"
        case, = self.submit(name)
        self.assert_in_both_languages(self.notice("partner-a", case, "REGISTER"))
        entry, = self.in_review(case)
        self.assertEqual((entry["partner"], entry["persons"]), ("partner-a", 2))
        done = self.decide(case, "recommend", version=entry["case_version"])
        self.assertEqual((done["outcome"], done["state"]), ("APPLIED", "PLACES_RESERVED"))
        for event in ("RECOMMEND", "RESERVE_PLACES"):
            self.assert_in_both_languages(self.notice("partner-a", case, event))
        shown = self.c.staff("officer-1", "case", case)
        self.assertEqual([h["event"] for h in shown["history"]],
                         ["REGISTER", "SCREEN", "TAKE_UP", "RECOMMEND", "RESERVE_PLACES"])
        self.assertTrue(all(h["actor"] and h["cause"] for h in shown["history"]))
        self.assertEqual(shown["places_reserved"], entry["persons"])

    def test_an_identity_is_opened_and_logged(self):
        name = "partner-b/12-lawyer-household-of-2.json"
        case, = self.submit(name)
        opened = self.c.staff("officer-2", "reveal", case, "--reason", "APPLICANT_CONTACT")
        sent = self.sample(name)
        self.assertEqual(opened["reference"], sent["reference"])
        self.assertEqual([p["identity"] for p in opened["persons"]],
                         [p["identity"] for p in sent["persons"]])
        self.assertEqual(opened["narrative"], sent["narrative"])
        self.assertRegex(self.c.log("intake"), f"id=IDENTITY-OPENED case={case} by=officer-2 ")
        # and it stays in the vault: every text of a person and of the story
        told = [person["identity"] for person in sent["persons"]]
        told += [person["narrative"] for person in sent["persons"] if "narrative" in person]
        self.assert_nowhere(*texts_in(told), *texts_in(sent["narrative"]))

    def assert_nowhere(self, *texts):
        """In no store, log or e-mail in clear. Short ones (country codes) are found by chance."""
        texts = [t.encode() for t in texts if len(t.encode()) > 5]
        self.assertTrue(texts)
        read = 0
        for path in havre_test.files_under(self.c.home):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    content = f.read()
                for text in texts:
                    # the message names the file, not what stands in it
                    self.assertFalse(text in content, path)
                read += 1
        self.assertGreater(read, 50)

    def test_what_is_refused_changes_nothing(self):
        case, = self.submit("partner-c/14-unionist-household-of-3.json")
        version = self.in_review(case)[0]["case_version"]
        for words, version_named, result in (
                (["recommend"], version + 1, "STALE"),
                (["not-recommend"], version, "REASON_MISSING"),
                (["arrive"], version, "NO_TRANSITION")):
            with self.subTest(result=result):
                told = self.decide(case, *words, version=version_named, expect=(65,))
                self.assertEqual((told["outcome"], told["result"]), ("NOT_APPLIED", result))
                self.assertEqual((told["state"], told["case_version"]), ("HUMAN_REVIEW", version))
        told = self.c.staff("officer-1", "reveal", case, expect=(64,))
        self.assertEqual(told["error"], "USAGE")
        entry, = self.in_review(case)
        self.assertEqual(entry["case_version"], version)
        self.assertEqual(self.events("partner-c", case), ["REGISTER"])

    def test_written_reasons_are_for_the_partner(self):
        case, = self.submit("partner-a/14-land-defender-household-of-5.json")
        version = self.in_review(case)[0]["case_version"]
        note = self.file("note")
        self.c.write(note, SECRET_WORDS, 0o600)
        done = self.decide(case, "not-recommend", "--reason", "NOT_CREDIBLE", "--note-file", note,
                           version=version)
        self.assertEqual(done["state"], "NOT_RECOMMENDED")
        told = self.notice("partner-a", case, "NOT_RECOMMEND")
        self.assert_in_both_languages(told)
        self.assertEqual(told["reasons"], ["NOT_CREDIBLE"])
        self.assertEqual(told["written_reasons"], SECRET_WORDS)
        self.assertEqual(self.c.partner("partner-b", "inbox", case, expect=(65,))["error"],
                         "NOT_FOUND")
        self.assertNotIn(SECRET_WORDS, str(self.c.staff("officer-1", "case", case)))
        self.assert_nowhere(SECRET_WORDS)

    def test_a_receipt_proves_itself_without_a_network(self):
        name = "partner-b/14-anti-corruption-household-of-4.json"
        self.submit(name)
        proof = self.file("proof")
        self.c.down("broker")
        self.addCleanup(self.c.up, "broker")
        self.assertIsNone(self.c.pid("broker"))
        reference = self.reference(name)
        told = self.c.partner("partner-b", "prove", reference, "--out", proof)
        self.assertTrue(told["proved"])
        row, = self.c.partner("partner-b", "status", reference, "--wait", "0")
        self.assertEqual((told["received_at"], told["index"]),
                         (row["received_at"], int(row.get("log_index", 0))))
        # anybody with the registry can check it; another referral has another proof
        other = self.c.partner("partner-c", "prove", "--file", proof)
        self.assertEqual(other, told)
        self.c.partner("partner-b", "prove", "NO-SUCH-REFERENCE", expect=(65,))
        self.assert_every_change_shows(proof)

    def assert_every_change_shows(self, proof):
        right = havre_test.read_json(proof)
        for part, text in right.items():
            for i in range(0, len(text), max(1, len(text) // 12)):
                wrong = text[:i] + ("0" if text[i] != "0" else "1") + text[i + 1:]
                self.c.write(proof, json.dumps({**right, part: wrong}))
                with self.subTest(part=part, at=i):
                    told = self.c.partner("partner-c", "prove", "--file", proof, expect=(65, 77))
                    self.assertIn("error", told)


if __name__ == "__main__":
    unittest.main()
