"""Goal: every path of this repository that a document names is there, and every command that the
README names is a command."""
import glob
import os
import re
import unittest

from deploy_test import BIN, COMMANDS, ROOT, read, run

DOCUMENTS = ["README.md", "proto/*.md", "broker/*.md", "deploy/*.md", "tests/*.md",
             "tests/*/README.md"]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
FOLDERS = ("proto", "broker", "services", "deploy", "tests")
FILE = re.compile(r"(?<![\w/.-])[a-z_]+\.(?:c|h|def|proto|py)\b")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
# In code: what begins with a folder of ours, alone or as ./folder.
PATH = re.compile(r"(?<![\w/.-])(?:\./)?((?:proto|broker|services|deploy|tests)/[\w./*{},-]*)")


def documents():
    for pattern in DOCUMENTS:
        for path in glob.glob(os.path.join(ROOT, pattern)):
            yield os.path.relpath(path, ROOT), read(path)


def braces(path):
    """services/{intake,notify}/ is two."""
    found = re.search(r"\{([^}]*)\}", path)
    if not found:
        return [path]
    return [p for word in found[1].split(",") for p in braces(path.replace(found[0], word, 1))]


def in_code(text):
    for block in FENCE.findall(text):
        yield block
    for line in re.findall(r"`([^`\n]+)`", FENCE.sub("", text)):
        yield line


def named(name, text):
    """What it names: as links, beside itself; in code, from the top."""
    for target in LINK.findall(text):
        if "://" not in target:
            yield os.path.join(os.path.dirname(name), target)
    for code in in_code(text):
        for path in PATH.findall(code):
            yield from braces(path.rstrip(".,"))


class Documents(unittest.TestCase):
    def test_paths(self):
        count = 0
        for name, text in documents():
            for path in named(name, text):
                count += 1
                with self.subTest(document=name):
                    self.assertTrue(glob.glob(os.path.join(ROOT, path)), path)
        self.assertGreater(count, 60)

    def test_files_by_their_name(self):
        """log.h and the like, beside the document or elsewhere."""
        files = {os.path.basename(f) for folder in FOLDERS
                 for f in glob.glob(os.path.join(ROOT, folder, "**"), recursive=True)}
        for name, text in documents():
            for file in set(FILE.findall(text)):
                with self.subTest(document=name):
                    self.assertTrue(file in files, file)

    def test_commands_of_the_readme(self):
        rows = re.findall(r"^\|[^|]+\| `(havre[a-z-]*)` \| `([a-z ]+)` \|$",
                          read(ROOT, "README.md"), re.M)
        self.assertEqual([r[0] for r in rows], COMMANDS)
        for program, words in rows:
            listed = run(os.path.join(BIN, program), "--help")
            there = re.findall(r"^  ([a-z]+)\b", listed.split("Commands:")[1].split("Options")[0],
                               re.M)
            self.assertEqual(sorted(words.split()), sorted(set(there)), program)


if __name__ == "__main__":
    unittest.main()
