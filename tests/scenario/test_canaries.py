"""Goal: what stands in an Identity or a Narrative is found in no file in clear and in no process's
memory but the vault's keeper's, and the sizes of messages tell little, nothing of urgency. The
people in it are invented."""
import json
import os
import re
import unittest

import havre_test
from havre_test import cluster, wait_for

URGENT = "partner-a/09-urgent-threat-killed.json"
OTHER = ["broker", "screening", "urgent", "notify", "relay-smtp", "relay-webhook"]
BLOCK = 1 << 20


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
            for field in ("family_name", "given_names", "name_in_script", "address", "contact"):
                person["identity"][field] = self.plant(field)
            person["identity"]["other_names"] = [self.plant("other_names")]
        r["persons"][-1]["narrative"] = {"persecution": self.plant("told_alone")}
        fields = ["persecution", "need_for_resettlement", "priority_justification",
                  "special_needs", "prior_attempts"]
        if urgent:
            r["protection"] = {"threats": ["LIKELY_KILLED", "LIKELY_VIOLENCE", "LIKELY_RETURNED"]}
            fields += ["threat_killed", "threat_violence", "threat_returned"]
        else:
            r.pop("protection", None)
            r["priority"] = "NORMAL"
        r["narrative"] = {field: self.plant(field) for field in fields}
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
        self.c.staff("officer-1", "reveal", case, "--reason", "APPLICANT_CONTACT")
        self.c.staff("officer-1", "ack", case)
        wait_for(lambda: os.listdir(self.c.path("webhook")), "no webhook")
        self.c.wait_quiet()
        self.assert_in_no_file()
        self.assert_in_no_memory()

    def assert_in_no_file(self):
        texts = [t.encode() for t in self.planted]
        self.assertGreater(len(texts), 10)
        for path in havre_test.files_under(self.c.home):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    content = f.read()
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
