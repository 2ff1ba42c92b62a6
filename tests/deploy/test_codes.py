"""Goal: every fault of a field, and every code that travels, is expected by name in some test: what
nobody ever saw may have stopped to be told."""
import glob
import os
import re
import unittest

from deploy_test import ROOT, read

# Each with its reason: none so far.
NO_TEST = {}


def tests():
    for kind in ("unit/*.[ch]", "scenario/*.py"):
        for path in glob.glob(os.path.join(ROOT, "tests", kind)):
            yield read(path)


class Codes(unittest.TestCase):
    def named(self, rows, prefix):
        """A name of C, or the word by which it is told."""
        text = "\n".join(tests())
        words = set(re.findall(rf'\b{prefix}([A-Z_]+)\b', text))
        for told in re.findall(r'"([^"\n]*)"', text):
            words.update(re.findall(r"\b[A-Z_]+\b", told))
        self.assertEqual({r for r in rows if r not in words}, set(NO_TEST) & set(rows))

    def test_faults(self):
        rows = re.findall(r"^FAULT\((\w+),", read(ROOT, "proto/faults.def"), re.M)
        self.assertGreater(len(rows), 40)
        self.named(rows, "FAULT_")

    def test_refusals(self):
        rows = re.findall(r"^ERR\((\w+),\s*(\d+),", read(ROOT, "proto/err.def"), re.M)
        rows = [name for name, number in rows if int(number) >= 100]
        self.assertGreater(len(rows), 25)
        self.named(rows, "ERR_")


if __name__ == "__main__":
    unittest.main()
