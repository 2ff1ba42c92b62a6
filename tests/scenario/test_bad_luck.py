"""Goal: a disk that is full or fails, and a clock that jumps, lose nothing and do nothing twice: a
process that cannot commit ends with a clear line and acknowledges nothing, and when the fault is
gone all comes to rest."""
import contextlib
import os
import re
import resource
import shutil
import subprocess
import unittest

import havre_test
from havre_test import cluster, wait_for

LIBRARY = os.environ.get("HAVRE_FAULT_LIBRARY")
FAULTY = ("broker", "intake", "screening", "urgent", "notify")


class BadLuck(havre_test.Scenario):

    @classmethod
    def before(cls, home):
        return {name: f"env LD_PRELOAD='{LIBRARY}' HAVRE_FAULT='{home}/{name}/fault' "
                      "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0"
                for name in FAULTY}

    @contextlib.contextmanager
    def fault(self, name, line):
        path = self.c.path(name, "fault")
        self.c.write(path + ".new", line + "\n")
        os.rename(path + ".new", path)  # whole or not at all
        try:
            yield
        finally:
            os.unlink(path)

    def names(self, partner, n):
        """Referrals that were not submitted yet; none is like another."""
        rows = havre_test.read_json(self.file("manifest.json"))["files"]
        fresh = [r["file"] for r in rows if r["partner"] == partner and not r["special"] and
                 not r["urgent"] and r["file"] not in self.used]
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
        cases = [self.case_of(n) for n in names]
        self.assertEqual(len(set(cases)), len(names))
        self.c.wait_quiet()
        report = self.c.verify()
        self.assertEqual(report["invariants"], "ok", report)
        self.assertEqual(report["counts"]["referrals"], len(self.used))

    def ends(self, name):
        """Lines that say that the process ended for want of its store."""
        return re.findall(r"id=(?:STOPPED|NOT-STARTED) why=(?:IO|FULL)", self.c.log(name))

    def assert_not_received(self, names):
        for n in names:
            row, = self.c.partner(n.split("/")[0], "status", self.reference(n), "--wait", "1")
            self.assertNotIn("received_at", row)

    def break_store(self, name, line, expected):
        names = self.names("partner-a", 2) + self.names("partner-b", 1)
        ended = len(self.ends(name))
        with self.fault(name, line):
            self.send(*names)
            wait_for(lambda: len(self.ends(name)) > ended, f"{name} does not end")
            if name == "broker":
                self.assert_not_received(names)
            self.assertRegex(self.c.log(name), expected)
        self.assert_all_arrived(names)

    def test_sync_fails(self):
        for name in FAULTY[:3]:
            with self.subTest(name=name):
                self.break_store(name, "sync", r"id=(STOPPED|NOT-STARTED) why=IO")

    def test_disk_full(self):
        for name in FAULTY[:3]:
            with self.subTest(name=name):
                self.break_store(name, "full", r"id=(STOPPED|NOT-STARTED) why=FULL")

    def refuses(self, name, why, *, descriptors=None):
        """The program, started by hand on this home, ends at once and says why."""
        program, _ = cluster.SERVICES[name]

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        done = subprocess.run([os.path.join(havre_test.BIN, program), "--home", self.c.path(name)],
                              capture_output=True, text=True, timeout=60, preexec_fn=limit,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertIn(done.returncode, (65, 70), done.stderr)
        self.assertRegex(done.stderr, f"id=NOT-STARTED why={why}")

    @contextlib.contextmanager
    def down(self, name):
        self.c.down(name)
        try:
            yield self.c.path(name, "store", "data.mdb")
        finally:
            self.c.up(name)

    def test_store_in_use(self):
        for name in FAULTY:
            with self.subTest(name=name):
                self.refuses(name, "LOCKED")

    def test_damaged_and_foreign_stores(self):
        for name in FAULTY:
            with self.subTest(name=name), self.down(name) as data:
                kept = data + ".kept"
                shutil.copy(data, kept)
                with open(data, "r+b") as f:
                    f.write(b"no store of anybody's" * 1000)
                self.refuses(name, "CORRUPT")
                shutil.copy(self.c.path("broker" if name != "broker" else "notify", "store",
                                        "data.mdb"), data)
                self.refuses(name, "CORRUPT")
                os.rename(kept, data)
        names = self.names("partner-b", 1)
        self.send(*names)
        self.assert_all_arrived(names)

    def test_no_descriptors(self):
        for name in FAULTY:
            with self.subTest(name=name), self.down(name):
                self.refuses(name, "[A-Z_]+", descriptors=7)
        names = self.names("partner-b", 1)
        self.send(*names)
        self.assert_all_arrived(names)

    def test_descriptors_run_out(self):
        """In the middle of the work: whoever is connected goes on, the others wait in their
        outboxes."""
        pid = self.c.pid("broker")
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
        names = self.names("partner-b", 2)
        self.send(*names)
        self.assert_not_received(names)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.assert_all_arrived(names)
        self.assertEqual(self.c.pid("broker"), pid)

    def received(self):
        rows = self.c.admin("log", "--homes", self.c.home, "--limit", "1000")["messages"]
        return [row["received_at"] for row in rows]

    def test_clock_jumps(self):
        """The broker's, then intake's: most of a day ahead, then set back."""
        for name in ("broker", "intake", "screening"):
            with self.subTest(name=name):
                with self.fault(name, "clock 72000"):
                    names = self.names("partner-c", 2)
                    self.send(*names)
                    self.assert_all_arrived(names)
                names = self.names("partner-c", 2)
                self.send(*names)
                self.assert_all_arrived(names)
        times = self.received()
        self.assertEqual(times, sorted(times))


if __name__ == "__main__":
    unittest.main()
