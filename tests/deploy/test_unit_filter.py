"""Goal: every service does its work under the filter of system calls and address families that its
unit asks systemd for: an urgent referral comes to its alert and its notice."""
import os
import re
import socket
import stat
import subprocess
import tempfile
import unittest

from deploy_test import BIN, BUILD, COMMANDS, DAEMONS, ROOT, read, run

# Leaks are looked for elsewhere: that needs ptrace, which no unit gives.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
os.environ.setdefault("HAVRE_BIN", BIN)
os.sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
import havre_test  # noqa: E402


def calls_of(group):
    """The calls of one of systemd's groups, or the call itself."""
    if not group.startswith("@"):
        return {group}
    lines = [s.strip() for s in run("systemd-analyze", "syscall-filter", group).splitlines()[1:]]
    return set().union(*(calls_of(s) for s in lines if s and not s.startswith("#")))


def allowed(unit):
    """As systemd does it: @default is always in, then line by line, added or taken away."""
    calls = calls_of("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        named = set().union(*(calls_of(w) for w in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def families(unit):
    names = re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.M)[1].split()
    return ",".join(str(int(getattr(socket, n))) for n in names)


class UnitFilter(havre_test.Scenario):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="havre-unit-filter-")
        cls.addClassCleanup(folder.cleanup)
        for name in COMMANDS:
            os.symlink(os.path.join(BIN, name), os.path.join(folder.name, name))
        for name in DAEMONS:
            cls.wrap(folder.name, name)
        havre_test.BIN = folder.name
        super().setUpClass()

    @staticmethod
    def wrap(folder, name):
        unit = read(BUILD, "deploy/systemd", name + "@" * (name == "havre-relay") + ".service")
        calls = os.path.join(folder, name + ".calls")
        with open(calls, "w", encoding="utf-8") as f:
            f.write("".join(c + "\n" for c in sorted(allowed(unit))))
        script = os.path.join(folder, name)
        with open(script, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\nexec '{BUILD}/tests/unit_filter' '{calls}' {families(unit)} "
                    f"'{BIN}/{name}' \"$@\"\n")
        os.chmod(script, stat.S_IRWXU)

    def test_filters_refuse(self):
        """Else the next test would show nothing."""
        path = os.path.join(havre_test.BIN, "havre-intake.calls")
        self.assertIn("sendmsg\n", read(path))
        self.assertNotIn("mount\n", read(path))
        done = subprocess.run([f"{BUILD}/tests/unit_filter", path, "2", "/usr/bin/python3", "-c",
                               "import socket; socket.socket(); print('one', flush=True);"
                               "socket.socket(socket.AF_UNIX)"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "one\n")
        self.assertIn("Operation not permitted", done.stderr)

    def test_urgent_referral(self):
        case, = self.submit("partner-a/09-urgent-threat-killed.json")
        self.notice("partner-a", case, "REGISTER")
        for relay in ("relay-smtp", "relay-webhook"):
            havre_test.wait_for(lambda: "id=RELAY-DELIVERED" in self.c.log(relay),
                                f"{relay} delivers nothing")


if __name__ == "__main__":
    unittest.main()
