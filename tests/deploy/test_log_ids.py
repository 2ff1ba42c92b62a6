"""Goal: the operations guide, in both languages, has a row for every log id in the sources with its
level, and for no other."""
import glob
import os
import re
import unittest

from deploy_test import ROOT, read

CALL = re.compile(r'\blog_(debug|info|warn|error)\(\s*"([A-Z][A-Z0-9-]*)"')
# A function that is given the id and logs it: then every text of the file that looks like an id and
# stands in no call of its own is one, at this level.
FORWARDS = re.compile(r"\blog_(debug|info|warn|error)\(\s*id,")
LOOKS = re.compile(r'"([A-Z]+(?:-[A-Z0-9]+)+)"')
ANY = re.compile(r"\blog_(?:debug|info|warn|error)\([^;]{0,40}")
ROW = re.compile(r"^\| `([A-Z0-9-]+)` \| ([a-z, ]+) \| (.+) \| (.+) \|$", re.M)


def sources():
    for folder in ("proto", "broker", "services"):
        for path in glob.glob(os.path.join(ROOT, folder, "**", "*.c"), recursive=True):
            if not path.endswith("common/base/log.c"):
                yield path, read(path)


def in_sources():
    """{id: its levels}"""
    found = {}
    for _, text in sources():
        for level, name in CALL.findall(text):
            found.setdefault(name, set()).add(level)
        for level in FORWARDS.findall(text):
            for name in LOOKS.findall(CALL.sub("", text)):
                found.setdefault(name, set()).add(level)
    return found


class LogIds(unittest.TestCase):
    maxDiff = None

    def test_no_id_is_hidden_from_this_test(self):
        for path, text in sources():
            hidden = [c for c in ANY.findall(text) if not CALL.match(c) and not FORWARDS.match(c)]
            self.assertEqual(hidden, [], path)

    def test_tables(self):
        expected = {name: ", ".join(sorted(levels)) for name, levels in in_sources().items()}
        self.assertGreater(len(expected), 40)
        for guide in ("OPERATIONS.md", "OPERATIONS.fr.md"):
            rows = ROW.findall(read(ROOT, "deploy", guide))
            with self.subTest(guide=guide):
                self.assertEqual([r[0] for r in rows], sorted({r[0] for r in rows}))
                self.assertEqual({r[0]: r[1] for r in rows}, expected)


if __name__ == "__main__":
    unittest.main()
