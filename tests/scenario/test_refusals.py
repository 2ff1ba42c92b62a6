"""Goal: who is not known is not let in, what is not right is told whole and nothing of it is kept,
and every command says with its exit code what became of the call."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import unittest

import havre_test
from havre_test import wait_for

GOOD = "partner-a/13-journalist-household-of-2.json"


class Refusals(havre_test.Scenario):

    def havre(self, *words, program="havre", home="partner-a"):
        """Exit code, and every JSON value that was printed."""
        command = [os.path.join(havre_test.BIN, program), *words, "--json", "--home",
                   self.c.path(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, start_new_session=True)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def make_stranger(self):
        """Somebody with a registry of their own, in which they are a partner of the real broker."""
        root, home = self.c.path("stranger-root"), self.c.path("stranger")
        for folder in (root, home):
            os.mkdir(folder, 0o700)
        self.c.admin("keys", "root", "--home", root, "--out", os.path.join(root, "secret"))
        self.c.admin("registry", "new", "--home", root)
        self.c.admin("keys", "new", "--principal", "partner-a", "--home", home)
        for owner, role in (("stranger", "REFERRER"), ("broker", "BROKER"), ("intake", "INTAKE")):
            self.c.admin("registry", "add", self.c.path(owner, "key.request"), "--role", role,
                         "--home", root)
        self.c.admin("registry", "sign", "--home", root, "--root-key", os.path.join(root, "secret"))
        for name in ("registry", "root.json"):
            shutil.copy(os.path.join(root, name), home)
        shutil.copy(self.c.path("partner-a", "havre.conf"), home)

    def test_a_stranger_is_not_let_in(self):
        self.make_stranger()  # with the name of a partner, and a key of their own
        before = self.c.log("broker").count("id=CONNECTION-REFUSED")
        code, told = self.havre("submit", self.file(GOOD), "--wait", "3", home="stranger")
        self.assertEqual((code, [r["received"] for r in told[0]]), (0, [False]))
        wait_for(lambda: self.c.log("broker").count("id=CONNECTION-REFUSED") > before,
                 "the broker did not refuse the connection")
        self.assertEqual(self.havre("inbox", home="partner-a"), (0, [[]]))
        self.assertNotIn("REFERRAL-REGISTERED", self.c.log("intake"))

    def test_every_fault_is_told_and_nothing_is_kept(self):
        paths = sorted(p for p in glob.glob(self.file("invalid/*.json"))
                       if not p.endswith(".expected.json"))
        self.assertGreater(len(paths), 50)
        code, told = self.havre("submit", self.file(GOOD), *paths, home="partner-b")
        self.assertEqual((code, len(told)), (65, len(paths)))
        for path, one in zip(paths, told):
            with self.subTest(file=os.path.basename(path)):
                expected = havre_test.read_json(path.replace(".json", ".expected.json"))
                found = {(f["path"], f["code"]) for f in one["faults"]}
                self.assertLessEqual({(f["path"], f["code"]) for f in expected}, found)
                for fault in one["faults"]:
                    self.assertTrue(fault["message_en"] and fault["message_fr"])
        self.assertEqual(self.havre("outbox", home="partner-b"), (0, [[]]))
        self.assertEqual(self.havre("status", home="partner-b"), (0, [[]]))

    def stored(self, home):
        """What is in the home folder, but for the locks of readers."""
        found = {}
        for path in havre_test.files_under(self.c.path(home)):
            if "lock" not in os.path.basename(path):
                with open(path, "rb") as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
        return found

    def test_a_refused_command_leaves_the_store_as_it_was(self):
        bad = self.file("invalid/no-persecution.json")
        self.assertEqual(self.havre("status", home="partner-c")[0], 0)  # makes the store
        before = self.stored("partner-c")
        self.assertTrue(any("store" in path for path in before))
        for words in (["submit", bad], ["submit", self.file(GOOD), bad, bad], ["risk", bad],
                      ["risk", self.file("no-such-file.json")], ["check", bad],
                      ["withdraw", "HV-0000-0000-9"]):
            with self.subTest(words[0], n=len(words)):
                self.assertEqual(self.havre(*words, home="partner-c")[0], 65)
                self.assertEqual(self.stored("partner-c"), before)
        self.assertEqual(self.havre("outbox", home="partner-c"), (0, [[]]))
        code, (told,) = self.havre("check", self.c.path("partner-c"), home="partner-c")
        self.assertEqual((code, told["error"]), (65, "IS_FOLDER"))

    def test_usage(self):
        for program, *words in (
                ("havre", "sumbit"), ("havre", "submit"), ("havre", "status", "--wait", "soon"),
                ("havre", "prove"), ("havre-staff", "decide", "HV-0000-0000-0"),
                ("havre-staff", "ack"), ("havre-admin", "registry", "frobnicate")):
            with self.subTest(program=program, words=words):
                code, told = self.havre(*words, program=program)
                self.assertEqual((code, told[-1]["error"]), (64, "USAGE"))

    def test_bad_data(self):
        code, told = self.havre("submit", self.file("no-such-file.json"))
        self.assertEqual((code, told[-1]["error"]), (65, "NOT_FOUND"))
        code, told = self.havre("withdraw", "HV-0000-0000-9")
        self.assertEqual((code, told[-1]["faults"][0]["path"]), (65, "case_number"))

    def test_not_permitted(self):
        # the catalogue lets partners submit and staff ask; not the other way round
        code, told = self.havre("submit", self.file(GOOD), home="officer-1")
        self.assertEqual((code, told[-1]["error"]), (77, "NOT_PERMITTED"))
        code, told = self.havre("queue", program="havre-staff", home="partner-c")
        self.assertEqual((code, told[-1]["queue"]), (77, None))
        code, told = self.havre("places", "--close-year", "2026", program="havre-staff",
                                home="officer-1")
        self.assertEqual((code, told[-1]["error"]), (77, "NOT_PERMITTED"))
        key = self.c.path("partner-c", "key")
        os.chmod(key, 0o644)
        self.addCleanup(os.chmod, key, 0o600)
        code, told = self.havre("status", home="partner-c")
        self.assertEqual((code, told[-1]["error"]), (77, "PERMISSIONS"))

    def test_unreachable(self):
        self.c.down("broker")
        self.addCleanup(self.c.up, "broker")
        code, told = self.havre("places", "--wait", "1", program="havre-staff", home="officer-2")
        self.assertEqual((code, told[-1]["error"]), (69, "UNREACHABLE"))


if __name__ == "__main__":
    unittest.main()
