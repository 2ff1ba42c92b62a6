"""What the tests of faults share: services that run with the library of tests/fault, and referrals
that arrive whatever happens meanwhile."""
import contextlib
import os

import havre_test
from havre_test import wait_for  # noqa: F401

LIBRARY = os.environ.get("HAVRE_FAULT_LIBRARY")


class Faults(havre_test.Scenario):

    faulty = ("broker", "intake", "screening", "urgent", "notify", "relay-webhook")

    @staticmethod
    def environment(path):
        return {"LD_PRELOAD": LIBRARY, "HAVRE_FAULT": path,
                "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}

    @classmethod
    def before(cls, home):
        return {name: "env " + " ".join(f"'{k}={v}'" for k, v in cls.environment(
                    os.path.join(home, name, "fault")).items()) for name in cls.faulty}

    @contextlib.contextmanager
    def fault(self, line, *names):
        paths = [self.c.path(name, "fault") for name in names]
        for path in paths:
            self.c.write(path + ".new", line + "\n")
            os.rename(path + ".new", path)  # whole or not at all
        try:
            yield
        finally:
            for path in paths:
                os.unlink(path)

    def names(self, partner, n, urgent=False):
        """Referrals that were not submitted yet; none is like another."""
        rows = havre_test.read_json(self.file("manifest.json"))["files"]
        fresh = [r["file"] for r in rows if r["partner"] == partner and r["urgent"] == urgent and
                 (urgent or not r["special"]) and r["file"] not in self.used]
        self.used.update(fresh[:n])
        return fresh[:n]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.used = set()

    def send(self, *names):
        """0: received, or safely queued."""
        for name in names:
            self.c.partner(name.split("/")[0], "submit", self.file(name), "--wait", "1")

    def assert_all_arrived(self, names):
        cases = [self.case_of(n) for n in names]
        self.assertEqual(len(set(cases)), len(names))
        self.c.wait_quiet()
        report = self.c.verify()
        self.assertEqual(report["invariants"], "ok", report)
        self.assertEqual(report["counts"]["referrals"], len(self.used))
        return cases
