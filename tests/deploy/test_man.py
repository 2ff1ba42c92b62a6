"""Goal: every manual page is clean, and names each command and option that --help prints, and no
other; in English and in French."""
import glob
import os
import re
import subprocess
import unittest

from deploy_test import BIN, BUILD, COMMANDS, DAEMONS, read, run

LANGS = ("en", "fr")
# mandoc knows the names of sections in English only.
FRENCH = re.compile(r'first section is not "NAME"|description line outside NAME section|'
                    r"possible typo in section name: Sh (NOM|EXEMPLES) instead of")
# It looks for a page that is named in what is installed on this machine; ours are in the build.
ELSEWHERE = re.compile(r"referenced manual not found: Xr (\S+) \d")


def page(lang, name):
    found = glob.glob(os.path.join(BUILD, "deploy", "man", lang, name + ".[158]"))
    return read(found[0]) if found else ""


def options_in(lines):
    return sorted(set(re.findall(r"Fl Fl ([a-z][a-z0-9-]*)", "\n".join(lines))))


def section(text, number):
    """The n-th section: they have other names in French, and the same order."""
    return re.split(r"^\.Sh .*$", text, flags=re.M)[number].strip().splitlines()


def synopsis(text):
    """{command: its options}. A command is the .Cm that starts an entry; one may have several."""
    found = {}
    for entry in "\n".join(section(text, 2)).split(".Nm\n"):
        lines = entry.splitlines()
        name = re.match(r"\.Cm ([a-z -]+)$", entry, re.M) if entry.startswith(".Cm") else None
        if entry.strip() and entry.strip() != ".Nm":
            key = name[1] if name else ""
            found[key] = sorted({*found.get(key, []), *options_in(lines)})
    return found


def rows(text, heading):
    """The first words of the rows below a heading of --help."""
    part = re.search(rf"^{heading}\n((?:  .*\n)*)", text, re.M)
    return re.findall(r"^  (\S.*?)(?:  |$)", part[1], re.M) if part else []


def helped(program):
    """{command: its own options}, and the options of every command, as --help tells them."""
    top = run(os.path.join(BIN, program), "--help")
    names = [re.match(r"[a-z -]*", r)[0].strip() for r in rows(top, "Commands:")] or [""]
    common = {o.split()[0][2:] for o in rows(top, "Options of every command:")}
    own = {}
    for name in names:
        text = run(os.path.join(BIN, program), *name.split(), "--help")
        own[name] = sorted(o.split()[0][2:] for o in rows(text, "Options:"))
    return own, sorted(common)


class Man(unittest.TestCase):
    maxDiff = None

    def test_lint(self):
        pages = sorted(glob.glob(os.path.join(BUILD, "deploy", "man", "*", "*.[158]")))
        self.assertEqual(len(pages), 2 * (len(DAEMONS) + len(COMMANDS) + 1))
        for path in pages:
            done = subprocess.run(["mandoc", "-T", "lint", path], text=True,
                                  capture_output=True, timeout=60).stdout.splitlines()
            lang = os.path.basename(os.path.dirname(path))
            self.assertEqual([w for w in done if not self.excused(w, lang)], [])

    @staticmethod
    def excused(word, lang):
        named = ELSEWHERE.search(word)
        if named:
            return bool(page(lang, named[1]))
        return lang == "fr" and FRENCH.search(word)

    def test_help_and_pages_agree(self):
        for program in DAEMONS + COMMANDS:
            own, common = helped(program)
            self.assertGreater(len(common), 4)
            for lang in LANGS:
                with self.subTest(program=program, lang=lang):
                    text = page(lang, program)
                    self.assertEqual(synopsis(text), own)
                    # what is described besides: only what --help knows
                    known = set(common).union(*own.values())
                    self.assertEqual(sorted(set(options_in(text.splitlines())) ^ known), [])

    def test_every_command_is_described(self):
        """An item of its own in the text after the synopsis."""
        for program in COMMANDS:
            own, _ = helped(program)
            for lang in LANGS:
                with self.subTest(program=program, lang=lang):
                    described = re.findall(r"^\.It Cm ([a-z -]+?)(?: (?:Fl|Ar|Ns|Op|,).*)?$",
                                           "\n".join(section(page(lang, program), 3)), re.M)
                    self.assertEqual(sorted(set(own) - set(described)), [])


if __name__ == "__main__":
    unittest.main()
