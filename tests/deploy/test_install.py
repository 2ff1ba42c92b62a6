"""Goal: `cmake --install` puts every file at its usual place, with the right mode, and what is
installed runs."""
import os
import stat
import unittest

from deploy_test import COMMANDS, DAEMONS, Installed, run

HOMES = [d.removeprefix("havre-") for d in DAEMONS]
DOCS = ["LICENSE", "OPERATIONS.fr.md", "OPERATIONS.md", "PROTOCOL.md", "README.md", "THREATS.md"]
EXPECTED = sorted(
    [f"bin/{c}" for c in COMMANDS]
    + [f"sbin/{d}" for d in DAEMONS]
    + [f"lib/systemd/system/{d}{'@' * (d == 'havre-relay')}.service" for d in DAEMONS]
    + ["lib/sysusers.d/havre.conf", "lib/tmpfiles.d/havre.conf"]
    + [f"share/bash-completion/completions/{c}" for c in COMMANDS]
    + [f"share/doc/havre/{d}" for d in DOCS]
    + [f"share/doc/havre/examples/{lang}{h}.conf" for lang in ("", "fr/") for h in HOMES]
    + [f"share/doc/havre/examples/invented-{r}.json" for r in ("ordinary", "urgent")]
    + [f"share/man/{lang}{page}" for lang in ("", "fr/")
       for page in [*(f"man1/{c}.1" for c in COMMANDS), "man5/havre.conf.5",
                    *(f"man8/{d}.8" for d in DAEMONS)]])


class Install(Installed):
    def test_files(self):
        top = self.under("")
        found = sorted(os.path.relpath(os.path.join(at, name), top)
                       for at, _, names in os.walk(self.stage) for name in names)
        self.assertEqual(found, EXPECTED)

    def test_modes(self):
        """Programs may be run by all, and nothing may be written by anybody but its owner."""
        for name in EXPECTED:
            mode = stat.S_IMODE(os.stat(self.under(name)).st_mode)
            program = name.split("/")[0] in ("bin", "sbin")
            self.assertEqual(oct(mode), oct(0o755 if program else 0o644), name)

    def test_nothing_is_empty(self):
        self.assertEqual([n for n in EXPECTED if not os.path.getsize(self.under(n))], [])

    def test_versions(self):
        for name in COMMANDS:
            self.assertRegex(run(self.under("bin", name), "--version"), rf"^{name} \d+\.\d+\.\d+\n$")
        for name in DAEMONS:
            self.assertRegex(run(self.under("sbin", name), "--version"),
                             rf"^{name} \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
