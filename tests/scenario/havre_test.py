"""What the scenario tests share: a whole Havre in a temporary folder, and what people do with it.

The real programs run; tests wait for conditions, never for time. All people in it are invented.
"""
import json
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ["HAVRE_BIN"]
sys.path.insert(0, os.path.join(ROOT, "deploy", "demo.d"))
import cluster  # noqa: E402
import people  # noqa: E402
from cluster import wait_for  # noqa: E402

# What a sanitizer writes into the log of a process.
SANITIZERS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def files_under(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(at, name)


class Scenario(unittest.TestCase):
    """One Havre for all the tests of a class; they use different referrals."""

    config = {}
    maxDiff = None

    @classmethod
    def before(cls, home):
        """Words before the command of a process, by its name."""
        return {}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="havre-scenario-")
        cls.addClassCleanup(folder.cleanup)
        cls.samples = os.path.join(folder.name, "samples")
        people.make_samples(os.path.join(ROOT, "tests", "data"), cls.samples)
        cls.c = cluster.Cluster(ROOT, os.path.join(folder.name, "home"), bin=BIN,
                                config=cls.config, passphrases=False,
                                before=cls.before(os.path.join(folder.name, "home")))
        cls.c.set_up()
        cls.addClassCleanup(cls.stop)
        try:
            cls.c.start()
        except cluster.Failed:
            cls.show_logs()
            raise

    @classmethod
    def stop(cls):
        cls.c.stop()
        for name in cluster.SERVICES:
            log = cls.c.log(name)
            if any(mark in log for mark in SANITIZERS):
                raise AssertionError(f"{name}:\n{log[-8000:]}")

    @classmethod
    def show_logs(cls):
        for name in [*cluster.SERVICES, *cluster.SINKS]:
            lines = cls.c.log(name).splitlines()[-12:]
            print(f"--- {name}", *lines, sep="\n", file=sys.stderr)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self.show_logs()
        return result

    def wait_equal(self, function, expected, seconds=60):
        """Waits until it gives what is expected; else shows how the last one differs."""
        try:
            wait_for(lambda: function() == expected, "it does not become equal", seconds)
        except cluster.Failed:
            self.assertEqual(function(), expected)

    # --- samples ---

    def file(self, name):
        return os.path.join(self.samples, name)

    def sample(self, name):
        return read_json(self.file(name))

    def reference(self, name):
        return self.sample(name)["reference"]

    # --- partners ---

    def submit(self, *names):
        """Each by the partner of its folder. Gives the case numbers, in the same order."""
        for partner in sorted({n.split("/")[0] for n in names}):
            mine = [self.file(n) for n in names if n.startswith(partner + "/")]
            self.c.partner(partner, "submit", *mine)
        return [self.case_of(n) for n in names]

    def case_of(self, name):
        partner, reference = name.split("/")[0], self.reference(name)

        def number():
            rows = self.c.partner(partner, "status", reference)
            return rows and rows[0].get("case_number")
        return wait_for(number, f"{name} gets no case number")

    def inbox(self, partner, case):
        """The notices of a case; none when the partner knows of no such case (65)."""
        told = self.c.partner(partner, "inbox", case, expect=(0, 65))
        return told if isinstance(told, list) else []

    def events(self, partner, case):
        return [n["event"] for n in self.inbox(partner, case)]

    def notice(self, partner, case, event):
        """The first notice of this event, waited for."""
        def first():
            for n in self.inbox(partner, case):
                if n["event"] == event:
                    return n
            return None
        return wait_for(first, f"{partner} gets no {event}")

    # --- staff ---

    def queue(self, officer="officer-1", state=None):
        words = ["--state", state] if state else []
        return self.c.staff(officer, "queue", "--limit", "200", *words)

    def in_review(self, *cases):
        """Their entries in the officers' queue, waited for."""
        def entries():
            found = {e["case_number"]: e for e in self.queue(state="HUMAN_REVIEW")["queue"]}
            return [found[c] for c in cases] if set(cases) <= set(found) else None
        return wait_for(entries, "the cases do not come to their review")

    def decide(self, case, action, *words, version=None, officer="officer-1", expect=(0,)):
        """Gives what became of it."""
        named = [] if version is None else ["--version", str(version)]
        answer = self.c.staff(officer, "decide", case, action, *named, *words, expect=expect)
        return [r for r in answer["results"] if not r["earlier"]][-1]

    def recommend(self, case):
        version = self.in_review(case)[0]["case_version"]
        return self.decide(case, "recommend", version=version)
