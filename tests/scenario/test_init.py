"""Goal: the key that a person makes on a device of their own has a passphrase, or is not made; no
name gets into the request for the registry; a second device can share the first one's epoch."""
import contextlib
import json
import os
import subprocess
import tempfile
import unittest

from terminal import Terminal

BIN = os.environ["HAVRE_BIN"]
WHO = {"havre": "partner-a", "havre-staff": "officer-1"}
SECRET = "six words that nobody wrote before"


class Init(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="havre-init-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def home(self, program):
        return os.path.join(self.folder, program)

    def words(self, program, *more):
        return [os.path.join(BIN, program), "init", "--home", self.home(program),
                "--principal", WHO[program], *more]

    def init(self, program, *more):
        """Without any terminal."""
        done = subprocess.run(self.words(program, *more), capture_output=True, text=True,
                              timeout=60, start_new_session=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        return done.returncode, done.stdout

    @contextlib.contextmanager
    def terminal(self, words):
        t = Terminal(*words)
        try:
            yield t
        finally:
            t.close()

    def passphrase_file(self, text=SECRET):
        path = os.path.join(self.folder, "passphrase")
        with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text + "\n")
        return ["--passphrase-file", path]

    def show(self, program, *more):
        done = subprocess.run([os.path.join(BIN, "havre-admin"), "keys", "show", "--json",
                               os.path.join(self.home(program), "key"), *more], timeout=60,
                              capture_output=True, text=True, start_new_session=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def test_it_is_the_passphrase_file_that_others_may_read(self):
        _, file = given = self.passphrase_file()
        self.assertEqual(self.init("havre", *given)[0], 0)
        os.chmod(file, 0o644)
        key = os.path.join(self.home("havre"), "key")
        for words in (["havre", "status", "--home", self.home("havre")],
                      ["havre-staff", "init", "--home", self.home("havre-staff"),
                       "--principal", "officer-1"],
                      ["havre-admin", "keys", "show", key]):
            done = subprocess.run([os.path.join(BIN, words[0]), *words[1:], *given, "--lang", "en"],
                                  capture_output=True, text=True, timeout=60)
            said, = done.stderr.splitlines()
            self.assertEqual(done.returncode, 77)
            self.assertIn(f"{file}: the file can be read by others", said)
            self.assertNotIn(key, said)

    def assert_no_key(self, program):
        left = os.listdir(self.home(program)) if os.path.isdir(self.home(program)) else []
        self.assertEqual(left, [])

    def test_without_a_passphrase_there_is_no_key(self):
        for program in WHO:
            for more in ([], ["--json"], self.passphrase_file("") + ["--json"]):
                with self.subTest(program=program, more=more[-1:]):
                    self.assertEqual(self.init(program, *more)[0], 77)
                    self.assert_no_key(program)

    def test_the_key_opens_with_the_passphrase_only(self):
        for program, principal in WHO.items():
            with self.subTest(program=program):
                code, said = self.init(program, "--json", *self.passphrase_file())
                self.assertEqual(code, 0, said)
                self.assertEqual(json.loads(said)["principal"], principal)
                self.assertEqual(self.show(program)[0], 77)
                code, shown = self.show(program, *self.passphrase_file())
                self.assertEqual((code, shown["key_id"]), (0, json.loads(said)["key"]))
                code, _ = self.show(program, *self.passphrase_file("another"))
                self.assertEqual(code, 77)

    def test_it_is_asked_for_twice_on_the_terminal(self):
        for program in WHO:
            for more in ([], ["--json"]):
                with self.subTest(program=program, more=more):
                    self.on_terminal(program, more)
                    os.unlink(os.path.join(self.home(program), "key"))
                    os.unlink(os.path.join(self.home(program), "key.request"))

    def on_terminal(self, program, more):
        for again, expected in (("something else", 77), (SECRET, 0)):
            with self.terminal(self.words(program, *more)) as t:
                t.wait_for("New passphrase: ")
                t.type(SECRET)
                t.wait_for("The same again: ")
                t.type(again)
                code, said = t.end()
            self.assertEqual(code, expected, said)
            self.assertNotIn(SECRET, said)
            if expected:
                self.assert_no_key(program)
        self.assertEqual(self.show(program)[0], 77)
        self.assertEqual(self.show(program, *self.passphrase_file())[0], 0)

    def test_a_name_is_no_code(self):
        for program in WHO:
            for option in ("--holder", "--device"):
                with self.subTest(program=program, option=option):
                    code, said = self.init(program, option, "Ana Invented", "--json",
                                           *self.passphrase_file())
                    self.assertEqual((code, json.loads(said)["error"]), (65, "INVALID"))
                    self.assertNotIn("Invented", said)
                    self.assert_no_key(program)

    def test_a_second_device_takes_the_epoch_of_the_first(self):
        for program in WHO:
            with self.subTest(program=program):
                code, said = self.init(program, "--epoch", "7", "--holder", "CW-02", "--json",
                                       *self.passphrase_file())
                self.assertEqual(code, 0, said)
                _, shown = self.show(program, *self.passphrase_file())
                self.assertEqual(shown["epoch"], 7)
                self.assertEqual(self.init(program, "--epoch", "0", "--json")[0], 64)


if __name__ == "__main__":
    unittest.main()
