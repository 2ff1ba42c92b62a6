"""Goal: every running process and every command is inside its sandbox with all of its threads; a
process holds its secrets in locked memory, reads a new registry there, and leaves no core file when
it crashes."""
import contextlib
import ctypes
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

import havre_test
from havre_test import cluster, wait_for
from terminal import Terminal


def fields(path):
    with open(path, encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def core_pattern():
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as f:
        return f.read().strip()


def cores_in(folder):
    """What a core file could be: everything whose name begins as the pattern does."""
    pattern = core_pattern()
    begin = os.path.join(folder, re.split("%", pattern)[0])  # join: an absolute one stays itself
    return set(glob.glob(glob.escape(begin) + "*"))


def landlock_of_the_kernel():
    """The version of its interface; 0: it has none."""
    create_ruleset, version = 444, 1
    return max(ctypes.CDLL(None).syscall(create_ruleset, None, ctypes.c_size_t(0), version), 0)


class Commands(unittest.TestCase):
    """What a person types is inside before it asks for the passphrase."""

    def inside(self, *words):
        t = Terminal(*words)
        try:
            t.wait_for("assphrase: ")
            status = fields(f"/proc/{t.pid}/status")
            return status["NoNewPrivs"], status["Seccomp"]
        finally:
            t.close()

    def test_commands_are_inside_when_they_ask(self):
        with tempfile.TemporaryDirectory(prefix="havre-inside-") as folder:
            self.assertEqual(self.inside("/bin/sh", "-c", "echo 'passphrase: '; read x"),
                             ("0", "0"), "else this could not fail")
            for program, words in (("havre", ["init"]), ("havre-staff", ["init"]),
                                   ("havre-admin", ["keys", "new", "--passphrase"])):
                home = os.path.join(folder, program)
                inside = self.inside(os.path.join(havre_test.BIN, program), *words, "--principal",
                                     "somebody", "--home", home)
                self.assertEqual(inside, ("1", "2"), program)


class Sandbox(havre_test.Scenario):

    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        with contextlib.suppress(ValueError, OSError):
            hard = resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_CORE, (soft, hard))
        super().setUpClass()

    def proc(self, name, *parts):
        pid = wait_for(lambda: self.c.pid(name), f"{name} does not run")
        return os.path.join("/proc", str(pid), *parts)

    def sanitized(self):
        with open(self.proc("broker", "maps"), encoding="utf-8") as f:
            return "libasan" in f.read()

    def test_every_thread_is_inside(self):
        for name in cluster.SERVICES:
            threads = os.listdir(self.proc(name, "task"))
            self.assertGreater(len(threads), 1, name)
            for thread in threads:
                status = fields(self.proc(name, "task", thread, "status"))
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), name)
            self.assertRegex(self.c.log(name), r"id=SANDBOXED landlock=\d+ ports=[23] names=no")

    def test_landlock_is_used_where_it_is(self):
        version = landlock_of_the_kernel()
        if not version:
            self.skipTest("this kernel has no Landlock: files and ports are open")
        for name in cluster.SERVICES:
            self.assertRegex(self.c.log(name), rf"id=SANDBOXED landlock={min(version, 6)} ", name)

    def test_secrets_are_locked(self):
        for name in cluster.SERVICES:
            locked = fields(self.proc(name, "status"))["VmLck"].split()
            self.assertGreater(int(locked[0]), 0, name)

    def test_no_core_is_allowed(self):
        for name in cluster.SERVICES:
            with open(self.proc(name, "limits"), encoding="ascii") as f:
                line, = [row for row in f if row.startswith("Max core file size")]
            self.assertEqual(line.split()[4:6], ["0", "0"], name)

    def control_leaves_a_core(self):
        with tempfile.TemporaryDirectory(prefix="havre-core-") as folder:
            before = cores_in(folder)
            with subprocess.Popen(["sleep", "1000"], cwd=folder) as process:
                process.send_signal(signal.SIGABRT)
            after = cores_in(folder) - before
            for path in after:
                os.unlink(path)
            return bool(after)

    def test_a_crash_leaves_no_core(self):
        if core_pattern().startswith("|"):
            self.skipTest("cores go to a program here")
        if not self.control_leaves_a_core():
            self.skipTest("this machine leaves no cores")
        # a sanitizer has a handler of its own for SIGSEGV
        signals = [signal.SIGABRT] if self.sanitized() else [signal.SIGABRT, signal.SIGSEGV]
        for sig in signals:
            for name in cluster.SERVICES:
                folder = os.readlink(self.proc(name, "cwd"))
                before, starts = cores_in(folder), self.c.log(name).count("id=STARTED")
                pid = self.c.kill(name, sig)
                wait_for(lambda n=name, p=pid: self.c.pid(n) not in (None, p), "it stays down")
                wait_for(lambda n=name, k=starts: self.c.log(n).count("id=STARTED") > k,
                         f"{name} is not back")
                self.assertEqual(cores_in(folder), before, name)

    def test_a_new_registry_is_read_inside(self):
        for name in cluster.SERVICES:
            new = self.c.path(name, "registry.new")
            shutil.copy(self.c.path(name, "registry"), new)
            os.rename(new, self.c.path(name, "registry"))
            self.c.kill(name, signal.SIGHUP)
            wait_for(lambda n=name: re.search(r"id=(NODE-)?REGISTRY(-LOADED)? ", self.c.log(n)),
                     f"{name} does not read it")


if __name__ == "__main__":
    unittest.main()
