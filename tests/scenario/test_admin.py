"""Goal: with havre-admin, several people make keys, work on one draft of the registry and sign it
where each of them is; nothing that is not right gets in or counts."""
import json
import os
import stat
import subprocess
import tempfile
import unittest

ADMIN = os.path.join(os.environ["HAVRE_BIN"], "havre-admin")


class Admin(unittest.TestCase):
    """The organizations and people here are invented."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="havre-admin-")
        self.addCleanup(self.folder.cleanup)
        self.phrase = self.write("phrase", b"correct horse\n")
        os.chmod(self.phrase, 0o600)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def run_admin(self, *words, expect=0, lang="en"):
        done = subprocess.run(
            [ADMIN, "--home", self.folder.name, "--json", "--lang", lang, *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            start_new_session=True)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def root(self, name, *more):
        return self.run_admin("keys", "root", "--out", self.path(name), *more)["root_key"]

    def key(self, principal, *more):
        home = self.path(principal)
        self.run_admin("keys", "new", "--home", home, "--principal", principal, *more)
        return os.path.join(home, "key.request")

    def draft(self):
        self.root("root-1")
        self.root("root-2", "--threshold", "2")
        self.run_admin("registry", "new")
        self.run_admin("registry", "add", self.key("partner-a"), "--role", "referrer",
                       "--title-en", "Partner A", "--title-fr", "Partenaire A",
                       "--share", "2026:40", "--area", "CO", "--area", "MX")
        self.run_admin("registry", "add", self.key("intake"), "--role", "INTAKE")

    def sign(self, *words, expect=0):
        return self.run_admin("registry", "sign", *words, expect=expect)

    def test_a_registry_is_signed_at_two_places(self):
        self.draft()
        self.assertEqual(self.sign("--root-key", self.path("root-1"), "--days", "30"),
                         {"registry": self.path("registry"), "version": 1, "signatures": 1,
                          "threshold": 2})
        self.assertEqual(self.run_admin("registry", "check", expect=65)["error"],
                         "NOT_ENOUGH_SIGNATURES")
        self.sign("--cosign", "--root-key", self.path("root-2"))
        checked = self.run_admin("registry", "check")
        self.assertEqual((checked["version"], checked["principals"]), (1, 2))
        shown = self.run_admin("registry", "show", self.path("registry"))
        partner = shown["principals"][0]
        self.assertEqual(partner["roles"], ["REFERRER"])
        self.assertEqual(partner["title_fr"], "Partenaire A")
        self.assertEqual(partner["agreement"], {"areas": ["CO", "MX"],
                                                "shares": [{"year": 2026, "persons": 40}]})
        self.assertEqual(len(shown["signed_by"]), 2)

    def test_versions_rise_and_changes_stay(self):
        self.draft()
        keys = ["--root-key", self.path("root-1"), "--root-key", self.path("root-2")]
        self.assertEqual(self.sign(*keys)["version"], 1)
        self.run_admin("registry", "suspend", "partner-a")
        intake = self.run_admin("registry", "show")["principals"][1]
        self.run_admin("registry", "retire", intake["keys"][0]["id"])
        self.assertEqual(self.sign(*keys)["version"], 2)
        shown = self.run_admin("registry", "show", self.path("registry"))
        self.assertTrue(shown["principals"][0]["suspended"])
        self.assertTrue(shown["principals"][1]["keys"][0]["retired"])
        self.assertGreater(shown["principals"][1]["keys"][0]["not_after"], 0)
        self.run_admin("registry", "suspend", "partner-a", "--lift")
        self.assertNotIn("suspended", self.run_admin("registry", "show")["principals"][0])
        os.unlink(self.path("registry.draft"))  # lost: start from what was signed
        self.run_admin("registry", "new", "--from", self.path("registry"))
        self.assertEqual(self.sign(*keys)["version"], 3)

    def test_what_is_not_right_does_not_get_in(self):
        self.draft()
        before = self.read("registry.draft")
        again = self.path("intake/key.request")
        altered = bytearray(self.read("intake/key.request"))
        altered[2] ^= 1  # the principal's first letter
        altered = self.write("altered", altered)
        officer = self.key("officer-1")
        for expect, error, *words in [
                (65, "EXISTS", "registry", "add", again, "--role", "INTAKE"),
                (65, "BAD_SIGNATURE", "registry", "add", altered, "--role", "INTAKE"),
                (65, "CORRUPT", "registry", "add", self.phrase, "--role", "INTAKE"),
                (65, "NOT_FOUND", "registry", "add", self.path("no"), "--role", "INTAKE"),
                (64, "USAGE", "registry", "add", officer),
                (65, "INVALID", "registry", "add", officer, "--role", "emperor"),
                (65, "INVALID", "registry", "add", officer, "--role", "officer", "--area", "XX"),
                (65, "INVALID", "registry", "add", officer, "--role", "officer", "--share", "26:1"),
                (65, "INVALID", "registry", "add", officer, "--role", "officer",
                 "--share", "2026:-1"),
                (65, "INVALID", "registry", "add", officer, "--role", "officer",
                 "--trained-on", "2026-02-30"),
                (65, "NOT_FOUND", "registry", "suspend", "nobody"),
                (65, "NOT_FOUND", "registry", "retire", "0123456789abcdef"),
                (65, "INVALID", "registry", "retire", "xyz"),
                (65, "EXISTS", "registry", "new"),
                (77, "UNKNOWN_KEY", "registry", "sign", "--root-key", self.path("intake/key")),
                (65, "SIGNED_ALREADY", "registry", "sign", "--root-key", self.path("root-1"),
                 "--root-key", self.path("root-1")),
                (64, "USAGE", "registry", "sign"),
                (64, "USAGE", "registry", "sign", "--root-key", self.path("root-1"),
                 "--days", "0")]:
            with self.subTest(words=words):
                told = self.run_admin(*words, expect=expect)
                self.assertEqual(told["error"], error)
                self.assertTrue(told["message_en"] and told["message_fr"])
        self.assertEqual(self.read("registry.draft"), before)
        self.assertFalse(os.path.exists(self.path("registry")))

    def test_no_registry_is_larger_than_what_everybody_takes(self):
        self.draft()
        most = 1 << 20
        size = lambda: os.path.getsize(self.path("registry.draft"))

        def add(letter, title, expect=0):
            return self.run_admin("registry", "add", self.key(f"officer-{letter}"), "--role",
                                  "officer", "--title-fr", "x" * title, expect=expect)
        add("a", 100000)
        before = size()
        add("b", 100000)
        each = size() - before - 100000
        for letter in "cdefghij":
            add(letter, 100000)
        room = most - size() - each
        self.assertEqual(add("k", room + 1, expect=65)["error"], "REGISTRY_SIZE")
        add("l", room - 250)  # it has room for one root’s signature, and not for both
        before = self.read("registry.draft")
        self.assertEqual(len(before), most - 250)
        told = self.sign("--root-key", self.path("root-1"), expect=65)
        self.assertEqual(told["error"], "REGISTRY_SIZE")
        self.assertTrue(told["message_en"] and told["message_fr"])
        self.assertFalse(os.path.exists(self.path("registry")))
        self.assertEqual(self.read("registry.draft"), before)

    def test_a_second_device_joins_its_principal(self):
        self.draft()
        home = self.path("second")
        self.run_admin("keys", "new", "--home", home, "--principal", "partner-a",
                       "--holder", "CW-02", "--device", "laptop")
        self.run_admin("registry", "add", os.path.join(home, "key.request"))
        partner = self.run_admin("registry", "show")["principals"][0]
        self.assertEqual(partner["roles"], ["REFERRER"])
        self.assertEqual([k.get("holder") for k in partner["keys"]], [None, "CW-02"])

    def test_keys_are_secret_and_kept(self):
        self.key("officer-1", "--passphrase-file", self.phrase)
        file = self.path("officer-1/key")
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("officer-1")).st_mode), 0o700)
        before = self.read("officer-1/key")
        again = self.run_admin("keys", "new", "--home", self.path("officer-1"),
                               "--principal", "officer-1", expect=65)
        self.assertEqual(again["error"], "EXISTS")
        self.assertEqual(self.read("officer-1/key"), before)
        # no terminal to ask on
        self.run_admin("keys", "show", file, expect=77)
        shown = self.run_admin("keys", "show", file, "--passphrase-file", self.phrase)
        self.assertEqual(shown["principal"], "officer-1")
        os.chmod(file, 0o640)
        self.run_admin("keys", "show", file, "--passphrase-file", self.phrase, expect=77)
        self.run_admin("keys", "new", "--home", self.path("x"), "--principal", "partner-b",
                       "--holder", "Ana Invented", expect=65)

    def test_root_keys_are_replaced_with_the_old_ones_consent(self):
        self.draft()
        old = ["--root-key", self.path("root-1"), "--root-key", self.path("root-2")]
        self.sign(*old)
        os.rename(self.path("root.json"), self.path("old.json"))
        self.root("root-3")
        os.unlink(self.path("registry.draft"))
        self.run_admin("registry", "new", "--from", self.path("registry"))
        self.sign("--root-key", self.path("root-3"))
        self.run_admin("registry", "check")
        told = self.run_admin("registry", "check", "--root", self.path("old.json"), expect=65)
        self.assertEqual(told["error"], "NOT_ENOUGH_SIGNATURES")
        self.sign("--cosign", *old)
        self.run_admin("registry", "check", "--root", self.path("old.json"))

    def test_words_are_there_in_both_languages(self):
        for lang, word in (("en", "Usage:"), ("fr", "Utilisation\u00a0:")):
            done = subprocess.run([ADMIN, "--help", "--lang", lang], capture_output=True,
                                  text=True, check=True)
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
