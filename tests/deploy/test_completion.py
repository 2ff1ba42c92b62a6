"""Goal: bash completes commands, options and their arguments, from what is installed."""
import os
import subprocess
import unittest

from deploy_test import COMMANDS, ENGLISH, Installed

# Sources the script, sets what bash would set for the words given, and prints the answers.
ASK = """
set -u
source "$1"; shift
cd "$1"; shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
set +u
complete -p "$1" >/dev/null || exit 1
"_${1//-/_}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(Installed):
    def ask(self, *words):
        script = self.under("share/bash-completion/completions", words[0])
        done = subprocess.run(["bash", "-c", ASK, "bash", script, self.folder, *words],
                              capture_output=True, text=True, env=ENGLISH, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return sorted(set(done.stdout.split()))

    @property
    def folder(self):
        return self.under("share/doc/havre")

    def test_commands(self):
        self.assertIn("registry", self.ask("havre-admin", "re"))
        self.assertEqual({w[:2] for w in self.ask("havre-admin", "re")}, {"re"})
        self.assertIn("verify", self.ask("havre-admin", ""))
        self.assertEqual(self.ask("havre-admin", "registry", "si"), ["sign"])
        self.assertEqual(self.ask("havre-admin", "--json", "--home", "x", "registry", "si"),
                         ["sign"])
        self.assertEqual(self.ask("havre-staff", "dec"), ["decide"])
        self.assertEqual(self.ask("havre", "sub"), ["submit"])
        self.assertEqual(self.ask("havre", "nothing"), [])

    def test_options(self):
        self.assertEqual(self.ask("havre-admin", "registry", "sign", "--d"), ["--days", "--draft"])
        self.assertEqual(self.ask("havre-admin", "registry", "sign", "--days", "--d", "--co"),
                         ["--cosign"])
        self.assertEqual(self.ask("havre-admin", "registry", "show", "--d"), [])
        for name in COMMANDS:
            self.assertLessEqual({"--home", "--json", "--lang"}, set(self.ask(name, "-")))

    def test_arguments(self):
        self.assertEqual(self.ask("havre", "--lang", ""), ["en", "fr"])
        self.assertEqual(self.ask("havre", "status", "--lang", "f"), ["fr"])
        self.assertEqual(self.ask("havre", "--home", "ex"), ["examples"])
        self.assertEqual(self.ask("havre", "submit", "LIC"), ["LICENSE"])
        self.assertEqual(self.ask("havre-admin", "registry", "sign", "--root-key", "LIC"),
                         ["LICENSE"])
        self.assertEqual(self.ask("havre-admin", "registry", "sign", "--days", ""), [])
        self.assertTrue(os.path.exists(os.path.join(self.folder, "LICENSE")))


if __name__ == "__main__":
    unittest.main()
