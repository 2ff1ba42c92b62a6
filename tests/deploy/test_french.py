"""Goal: in French, a space before a colon, a question mark or an exclamation mark and inside « » does
not break: it is U+00A0 in every literal that a person reads."""
import glob
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACES = ("services/**/*.[ch]", "services/**/*.def", "broker/**/*.[ch]", "proto/*.[ch]",
          "proto/*.def", "deploy/demo.d/*.py")
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
BREAKS = re.compile(r'[^ ] [:;?!](?=[ "\\])|« | »')


def breaks(text):
    return [s for s in LITERAL.findall(text) if BREAKS.search(s)]


class French(unittest.TestCase):

    def test_what_is_found(self):
        self.assertEqual(breaks('f("a : b", "c\u00a0: d", "« e »")'), ['"a : b"', '"« e »"'])
        self.assertEqual(breaks('x ? "Reference: a" : "b\u00a0: c"'), [])

    def test_no_such_space_is_plain(self):
        seen = 0
        for place in PLACES:
            for path in glob.glob(os.path.join(ROOT, place), recursive=True):
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                seen += text.count("\u00a0:")
                self.assertEqual(breaks(text), [], path)
        self.assertGreater(seen, 80)


if __name__ == "__main__":
    unittest.main()
