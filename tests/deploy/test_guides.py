"""Goal: the operations guides are the same in both languages, their links lead somewhere, and every
command that they name exists, with what it must be given and no option that it does not know."""
import os
import re
import unittest

from deploy_test import BIN, COMMANDS, DAEMONS, ROOT, read, run
from test_man import helped, rows

GUIDES = ("OPERATIONS.md", "OPERATIONS.fr.md")
# Options without which a command is refused.
REQUIRED = {
    "init": ["principal"], "keys new": ["principal"], "keys root": ["out"],
    "keys destroy": ["homes"], "escrow new": ["out", "shares", "threshold"],
    "escrow recover": ["escrow", "share"], "registry add": ["role"], "registry sign": ["root-key"],
    "held": ["homes"], "verify": ["homes"], "health": ["homes"], "metrics": ["homes"],
    "backup": ["homes", "to"], "restore": ["from", "homes"], "recover": ["homes"]}
# What works without a home folder, or in root's own; all else of havre-admin is told which.
ANYWHERE = ("keys new", "keys show", "escrow new")


def guide(name):
    return read(ROOT, "deploy", name)


def blocks(text):
    return [re.sub(r"\s*#.*", "", b) for b in re.findall(r"```sh\n(.*?)```", text, re.S)]


def calls(text):
    """Every command line of ours, in blocks and in the text."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"```sh\n.*?```", "", text, flags=re.S))
    spans = [re.sub(r"\s+", " ", s) for s in spans]
    lines = [line for b in blocks(text) for line in b.replace("\\\n", " ").splitlines()]
    for line in (re.sub(r"runuser -u \S+ -- ", "", text) for text in lines + spans):
        for found in re.finditer(r"(?:^|[\s;|])(havre(?:-[a-z]+)?) ([a-z-][^;|&]*)", line):
            if found[1] in COMMANDS + DAEMONS:
                yield found[1], found[2].split()


def operands(program, command, words):
    """Those that are there, and whether one must be; {option: whether it takes a value} says which
    words are values."""
    text = run(os.path.join(BIN, program), *command.split(), "--help")
    usage = re.match(r"Usage: .*?\[OPTION\.\.\.\](.*)", text)[1]
    found = [r.split() for heading in ("Options:", "Options of every command:")
             for r in rows(text, heading)]
    valued = {r[0] for r in found if len(r) > 1}
    there, before = [], ""
    for word in words[len(command.split()):]:
        if not word.startswith("-") and before not in valued:
            there.append(word)
        elif word in usage.replace("|", " ").split():  # CASE...|--all
            there.append(word)
        before = word
    return there, re.sub(r"\[[^]]*\]", "", usage).strip() != ""


class Guides(unittest.TestCase):
    maxDiff = None

    def test_same_commands_in_both_languages(self):
        one, other = (blocks(guide(g)) for g in GUIDES)
        self.assertGreater(len(one), 8)
        self.assertEqual([b.split() for b in one], [b.split() for b in other])

    def test_same_sections_in_both_languages(self):
        one, other = (re.findall(r"^(#+) (\d*)", guide(g), re.M) for g in GUIDES)
        self.assertGreater(len(one), 15)
        self.assertEqual(one, other)

    def test_links(self):
        for name in GUIDES:
            text = guide(name)
            heads = {re.sub(r"[^\w -]", "", h.lower().replace("\u00a0", "")).replace(" ", "-")
                     for h in re.findall(r"^#+ (.*)$", text, re.M)}
            links = set(re.findall(r"\]\(#([^)]*)\)", text))
            self.assertGreater(len(links), 4)
            self.assertEqual(sorted(links - heads), [], name)

    def test_commands_exist(self):
        known = {p: helped(p) for p in COMMANDS + DAEMONS}
        seen = 0
        for name in GUIDES:
            for program, words in calls(guide(name)):
                own, common = known[program]
                plain = [w for w in words if not w.startswith("-")]
                command = next((c for c in (" ".join(plain[:2]), *plain[:1], "") if c in own), None)
                with self.subTest(guide=name, call=" ".join([program, *words])):
                    self.assertIsNotNone(command)
                    options = {w[2:] for w in words if w.startswith("--")}
                    self.assertEqual(sorted(options - {*own[command], *common}), [])
                    self.assertEqual(sorted({*REQUIRED.get(command, [])} - options), [])
                    if program == "havre-admin" and command not in ANYWHERE:
                        self.assertTrue(options & {"home", "homes", "root"}, "whose home?")
                    there, needed = operands(program, command, words)
                    self.assertTrue(there or not needed, "an operand is missing")
                seen += 1
        self.assertGreater(seen, 60)


if __name__ == "__main__":
    unittest.main()
