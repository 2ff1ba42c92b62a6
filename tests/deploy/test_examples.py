"""Goal: the example referrals are accepted, and one is urgent; the example configurations are
accepted as they are, and with every key written out; they have every key of the table with its
default, and the manual has every key."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from deploy_test import DAEMONS, ENGLISH, ROOT, Installed, read, run


class Examples(Installed):
    def check(self, program, text):
        with tempfile.TemporaryDirectory(prefix="havre-example-") as home:
            with open(os.path.join(home, "havre.conf"), "w", encoding="utf-8") as f:
                f.write(text)
            return subprocess.run(
                [self.under("sbin", program), "--home", home, "--check-config"],
                capture_output=True, text=True, env=ENGLISH, timeout=60)

    def test_accepted(self):
        for program in DAEMONS:
            for lang in ("", "fr"):
                text = read(self.under("share/doc/havre/examples", lang,
                                       program.removeprefix("havre-") + ".conf"))
                with self.subTest(program=program, lang=lang):
                    self.assertEqual(self.check(program, text).returncode, 0)
                    written = re.sub(r"^#(\w+ = )", r"\1", text, flags=re.M)
                    self.assertNotEqual(written, text)
                    done = self.check(program, written)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    done = self.check(program, written.replace("log_level", "log_levels"))
                    self.assertEqual(done.returncode, 65)

    def test_referrals_are_accepted(self):
        """Whoever tries Havre begins with them: on a device without a key, too."""
        with tempfile.TemporaryDirectory(prefix="havre-example-") as home:
            for name, urgent in (("ordinary", False), ("urgent", True)):
                path = self.under("share/doc/havre/examples", f"invented-{name}.json")
                run(self.under("bin", "havre"), "--home", home, "check", path)
                self.assertEqual("protection" in json.loads(read(path)), urgent)

    def test_every_key_is_in_an_example_and_in_the_manual(self):
        rows = re.findall(r'^CONFIG\([^"]*"(\w+)",\s*"(\w+)",[^"]*"([^"]*)"', read(
            ROOT, "services/common/base/config.def"), re.M)
        table = [(section, key) for section, key, _ in rows]
        self.assertGreater(len(table), 20)
        shown = set()
        for program in DAEMONS:
            section = ""
            for line in run(self.under("sbin", program), "--example-config").splitlines():
                if line.startswith("["):
                    section = line[1:-1]
                elif found := re.fullmatch(r"#(\w+) = (.*)", line):
                    shown.add((section, found[1], found[2]))
        for lang in ("", "fr"):
            manual, section = set(), ""
            for line in read(self.under("share/man", lang, "man5/havre.conf.5")).splitlines():
                if found := re.match(r"\.Ss \[(\w+)\]", line):
                    section = found[1]
                elif found := re.fullmatch(r"\.It Ic (\w+)", line):
                    manual.add((section, found[1]))
            self.assertEqual(sorted(manual), sorted(table))
        self.assertEqual(sorted(shown), sorted(rows))


if __name__ == "__main__":
    unittest.main()
