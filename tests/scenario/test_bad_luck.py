"""Goal: a disk that is full or fails, a store that is damaged or another's, and a want of descriptors
lose nothing and do nothing twice: a process or a command that cannot commit ends with a clear line
and acknowledges nothing, and when the fault is gone all comes to rest."""
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import unittest

import faults
import havre_test
from havre_test import cluster, wait_for

FAULTY = faults.Faults.faulty
# Of services/common/base/descriptors.h.
ENOUGH = 64


class BadLuck(faults.Faults):

    @classmethod
    def before(cls, home):
        # as few descriptors as are enough, and a lower limit that a process may raise
        return {name: f"prlimit --nofile=8:{ENOUGH} {words}"
                for name, words in super().before(home).items()}

    def ends(self, name):
        """Lines that say that the process ended for want of its store."""
        return re.findall(r"id=(?:STOPPED|NOT-STARTED) why=(?:IO|FULL)", self.c.log(name))

    def assert_not_received(self, names):
        for n in names:
            row, = self.c.partner(n.split("/")[0], "status", self.reference(n), "--wait", "1")
            self.assertNotIn("received_at", row)

    def urgent_name(self):
        return next(found for p in cluster.PARTNERS if (found := self.names(p, 1, urgent=True)))

    # Who is broken together: what comes has something for each of them to write.
    GROUPS = (("broker",), ("intake",), ("urgent", "notify"), ("screening", "relay-webhook"))

    def break_stores(self, group, line, why):
        urgent = len(group) > 1
        names = self.names("partner-a", 2) if not urgent else self.urgent_name()
        ended = {name: len(self.ends(name)) for name in group}
        with self.fault(line, *group):
            self.send(*names)
            for name in group:
                wait_for(lambda: len(self.ends(name)) > ended[name], f"{name} does not end")
                self.assertRegex(self.c.log(name), rf"id=(STOPPED|NOT-STARTED) why={why}")
            if "broker" in group:
                self.assert_not_received(names)
        cases = self.assert_all_arrived(names)
        if urgent:
            self.c.staff("officer-1", "ack", cases[0])

    def break_command(self, line, why):
        """The partner is told that nothing was queued, and submits again."""
        name, = self.names("partner-c", 1)
        submit = [os.path.join(havre_test.BIN, "havre"), "submit", self.file(name), "--wait", "1",
                  "--home", self.c.path("partner-c"), "--json"]
        environment = {**os.environ, **self.environment(self.c.path("partner-c", "fault"))}
        with self.fault(line, "partner-c"):
            done = subprocess.run(submit, capture_output=True, text=True, timeout=60,
                                  env=environment)
            self.assertEqual(done.returncode, 70, done.stderr)
            self.assertIn(why, done.stdout)
        self.send(name)
        self.assert_all_arrived([name])

    def break_all(self, line, why):
        for group in self.GROUPS:
            with self.subTest(group=group):
                self.break_stores(group, line, why)
        self.break_command(line, why)

    def test_sync_fails(self):
        self.break_all("sync", "IO")

    def test_disk_full(self):
        self.break_all("full", "FULL")

    def refuses(self, name, why, *, codes=(65, 70), descriptors=None):
        """The program, started by hand on this home, ends at once and says why."""
        program, _ = cluster.SERVICES[name]
        done = self.limited(program, "--home", self.c.path(name), descriptors=descriptors)
        self.assertIn(done.returncode, codes, (descriptors, done.stderr))
        self.assertRegex(done.stderr, re.compile(f"id=NOT-STARTED why={why}", re.M))

    def command_refuses(self, program, home, *words, descriptors):
        done = self.limited(program, *words, "--home", home, "--json", descriptors=descriptors)
        self.assertEqual(done.returncode, 70, (program, descriptors, done.stderr))
        self.assertEqual(json.loads(done.stdout)["error"], "DESCRIPTORS")

    @staticmethod
    def limited(program, *words, descriptors=None):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        return subprocess.run([os.path.join(havre_test.BIN, program), *words],
                              capture_output=True, text=True, timeout=60, preexec_fn=limit,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

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
        """However few there are: with less than what is documented nothing starts."""
        for name in FAULTY:
            with self.subTest(name=name), self.down(name):
                for few in [*range(4, 25), ENOUGH - 1]:
                    self.refuses(name, "DESCRIPTORS$", codes=(70,), descriptors=few)
        for few in [*range(4, 25), ENOUGH - 1]:
            self.command_refuses("havre", self.c.path("partner-a"), "status", descriptors=few)
            self.command_refuses("havre-staff", self.c.path("officer-1"), "queue", descriptors=few)
            self.command_refuses("havre-admin", self.c.home, "keys", "show", descriptors=few)
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


if __name__ == "__main__":
    unittest.main()
