"""Goal: what stands in an Identity, a Narrative or a written reason is found in no file in clear, in
no mail and in no process's memory but the vault's keeper's, and is what the vault gives; the sizes
of messages tell little, nothing of urgency. The people in it are invented."""
import email
import email.policy
import json
import os
import re
import unittest

import havre_test
from havre_test import cluster, wait_for

URGENT = "partner-a/09-urgent-threat-killed.json"
OTHER = ["broker", "screening", "urgent", "notify", "relay-smtp", "relay-webhook"]
BLOCK = 1 << 20
# Dates and codes; every other string of these messages is a text.
NO_TEXTS = {"Identity": {"born_on", "birth_country"}, "Narrative": set(), "Note": set()}


def text_fields(message):
    """The texts of a message, as the definition of the wire has them."""
    for name in ("referral.proto", "case.proto"):
        with open(os.path.join(havre_test.ROOT, "proto", name), encoding="utf-8") as f:
            found = re.search(rf"^message {message} \{{\n(.*?)^\}}", f.read(), re.M | re.S)
        if found:
            return set(re.findall(r"\bstring (\w+) =", found[1])) - NO_TEXTS[message]
    raise AssertionError(f"there is no message {message}")


def contents(path):
    """The bytes of a file; of a mail, what its header and its parts say, too."""
    with open(path, "rb") as f:
        raw = f.read()
    yield raw
    if "/mail/" in path:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        yield " ".join(str(value) for value in mail.values()).encode()
        for part in mail.walk():
            yield part.get_payload(decode=True) or b""


def memory_of(pid):
    """Every readable byte of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            low, high, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            low, high = int(low, 16), int(high, 16)
            if mode[0] != "r" or "[v" in line or high - low > 1 << 32:
                continue  # vdso; a sanitizer's shadow and the store's unused map are no contents
            for at in range(low, high, BLOCK):
                try:
                    mem.seek(at)
                    yield mem.read(min(BLOCK + 64, high - at))
                except OSError:
                    break


class Canaries(havre_test.Scenario):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.planted = []

    def plant(self, field):
        """A text that stands nowhere else."""
        text = f"Zq{field}Canary{os.urandom(4).hex()}"
        self.planted.append(text)
        return text

    def canary_referral(self, reference, urgent):
        """Every text field of an Identity and of a Narrative has a canary."""
        r = self.sample(URGENT)
        r["reference"] = reference
        for person in r["persons"]:
            for field in text_fields("Identity") - {"other_names"}:
                person["identity"][field] = self.plant(field)
            person["identity"]["other_names"] = [self.plant("other_names")]
        fields = text_fields("Narrative")
        threats = {f for f in fields if f.startswith("threat_")}
        r["persons"][-1]["narrative"] = {f: self.plant("alone_" + f) for f in fields - threats}
        if urgent:
            r["protection"] = {"threats": ["LIKELY_KILLED", "LIKELY_VIOLENCE", "LIKELY_RETURNED"]}
        else:
            r.pop("protection", None)
            r["priority"] = "NORMAL"
            fields = fields - threats
        r["narrative"] = {field: self.plant(field) for field in fields}
        self.sent = r
        path = self.file(reference + ".json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(r, f)
        return path

    def send(self, reference, urgent):
        path = self.canary_referral(reference, urgent)
        self.c.partner("partner-a", "submit", path)
        os.unlink(path)

        def number():
            rows = self.c.partner("partner-a", "status", reference)
            return rows and rows[0].get("case_number")
        return wait_for(number, "no case number")

    def sizes(self, kinds):
        rows = self.c.admin("log", "--homes", self.c.home, "--limit", "1000")["messages"]
        return {row["size"] for row in rows if row["kind"] in kinds}

    def test_canaries_stay_in_the_vault(self):
        case = self.send("CANARY-1", urgent=True)
        risk = self.file("risk.json")
        self.c.write(risk, json.dumps({
            "case_number": case, "protection": {"threats": ["LIKELY_KILLED"]},
            "narrative": {"threat_killed": self.plant("risk")}}))
        self.c.partner("partner-a", "risk", risk)
        os.unlink(risk)
        self.assert_revealed(case)
        self.c.staff("officer-1", "ack", case)
        self.write_reasons(case)
        wait_for(lambda: os.listdir(self.c.path("webhook")), "no webhook")
        wait_for(lambda: self.is_mailed(case), "no mail")
        self.c.wait_quiet()
        self.assert_in_no_file()
        self.assert_in_no_memory()

    def assert_revealed(self, case):
        """The vault gives what was planted, each text in its place."""
        told = self.c.staff("officer-1", "reveal", case, "--reason", "APPLICANT_CONTACT")
        self.assertEqual(told["narrative"], self.sent["narrative"])
        for got, sent in zip(told["persons"], self.sent["persons"], strict=True):
            self.assertEqual(got["identity"], sent["identity"])
            self.assertEqual(got.get("narrative"), sent.get("narrative"))

    def write_reasons(self, case):
        """For the partner, who reads them, and the vault."""
        note, text = self.file("note"), self.plant("note")
        self.assertEqual(text_fields("Note"), {"text"})
        self.c.write(note, text, 0o600)
        self.decide(case, "not-recommend", "--reason", "NOT_CREDIBLE", "--note-file", note,
                    version=self.in_review(case)[0]["case_version"])
        os.unlink(note)
        told = self.notice("partner-a", case, "NOT_RECOMMEND")
        self.assertEqual(told["written_reasons"], text)

    def is_mailed(self, case):
        """In base64: a search that does not decode would find nothing in any mail."""
        folder = self.c.path("mail", "box", "new")
        return any(case.encode() in content for name in os.listdir(folder)
                   for content in contents(os.path.join(folder, name)))

    def assert_in_no_file(self):
        texts = [t.encode() for t in self.planted]
        self.assertGreater(len(texts), 10)
        for path in havre_test.files_under(self.c.home):
            if not os.path.isfile(path):
                continue
            for content in contents(path):
                for text in texts:
                    # the message names the file and the field, not what stands in it
                    self.assertFalse(text in content, (path, text[2:-14]))

    def assert_in_no_memory(self):
        texts = [t.encode() for t in self.planted]
        for name in OTHER:
            blocks = 0
            for block in memory_of(self.c.pid(name)):
                blocks += 1
                for text in texts:
                    self.assertFalse(text in block, (name, text[2:-14]))
            self.assertGreater(blocks, 20, name)

    def test_a_search_of_memory_finds_what_is_there(self):
        """Else the test above could not fail."""
        needle = b"partner-" + b"b\0"
        self.assertTrue(any(needle in block for block in memory_of(self.c.pid("broker"))))

    def test_sizes_tell_little(self):
        self.send("SIZE-1", urgent=True)
        self.send("SIZE-2", urgent=False)
        self.c.wait_quiet()
        urgent = self.sizes({"SUBMIT_URGENT"})
        routine = self.sizes({"SUBMIT_REFERRAL"})
        self.assertEqual(urgent, routine)
        everything = self.sizes({row["kind"] for row in self.c.admin(
            "log", "--homes", self.c.home, "--limit", "1000")["messages"]})
        self.assertLessEqual(len(everything), 5)


if __name__ == "__main__":
    unittest.main()
