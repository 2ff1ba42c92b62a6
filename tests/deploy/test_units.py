"""Goal: systemd accepts every unit, user and folder, finds each unit well hardened, and the units,
users and folders name one another."""
import glob
import os
import re
import shutil
import tempfile
import unittest

from deploy_test import Installed, read, run

RELAYS = ("smtp", "webhook")
WORST = 20  # tenths: an exposure of 2.0


class Units(Installed):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="havre-units-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for path in glob.glob(self.under("lib/systemd/system/*.service")):
            for instance in RELAYS if "@" in path else ("",):
                self.copy(path, os.path.basename(path).replace("@", "@" + instance))
        self.units = sorted(glob.glob(os.path.join(self.folder, "*.service")))

    def copy(self, path, name):
        """The programs are where they were installed, not yet where they will be."""
        text = read(path).replace(f"={self.prefix}/", f"={self.under('')}")
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)

    def values(self, key):
        """The key of every unit, its instance filled in."""
        for path in self.units:
            instance = re.search(r"@(\w*)\.", path)
            for value in re.findall(rf"^{key}=(.*)$", read(path), re.M):
                yield value.replace("%i", instance[1] if instance else "")

    def test_verify(self):
        self.assertEqual(len(self.units), 7)
        self.assertEqual(run("systemd-analyze", "verify", "--man=no", *self.units), "")

    def test_security(self):
        for path in self.units:
            run("systemd-analyze", "security", "--offline=true", f"--threshold={WORST}",
                "--no-pager", path)

    def test_what_systemd_alone_can_refuse(self):
        """No core, no swap; and no other machine for those who need only the broker's."""
        for key, value in (("LimitCORE", "0"), ("MemorySwapMax", "0"), ("NoNewPrivileges", "yes")):
            self.assertEqual(list(self.values(key)), [value] * len(self.units), key)
        for path in self.units:
            text = read(path)
            outside = "broker" in path or "relay" in path
            self.assertEqual("\nIPAddressDeny=any\n" in text, not outside, path)
            self.assertEqual(re.findall(r"^IPAddressAllow=(.*)$", text, re.M),
                             [] if outside else ["localhost"], path)

    def test_manual_pages_of_the_units_exist(self):
        pages = {p for value in self.values("Documentation") for p in value.split()}
        for page in pages:
            name, section = re.fullmatch(r"man:(.+)\((\d)\)", page).groups()
            self.assertTrue(os.path.exists(
                self.under(f"share/man/man{section}/{name}.{section}")), page)

    def test_each_unit_has_a_user_and_a_home_of_its_own(self):
        """By what systemd's own programs make of our files in an empty root."""
        root = os.path.join(self.folder, "root")
        for name in ("sysusers.d", "tmpfiles.d"):
            os.makedirs(os.path.join(root, "usr/lib", name))
            shutil.copy(self.under("lib", name, "havre.conf"), os.path.join(root, "usr/lib", name))
        os.makedirs(os.path.join(root, "etc"))
        run("systemd-sysusers", f"--root={root}")
        passwd = [s.split(":") for s in read(root, "etc/passwd").splitlines()]
        users = {u[0]: u for u in passwd if u[0].startswith("havre-")}
        self.assertEqual(sorted(users), sorted(self.values("User")))
        self.assertEqual(sorted(users), sorted(self.values("Group")))
        self.assertEqual(len({u[2] for u in users.values()}), len(users))
        self.assertEqual(sorted(u[5] for u in users.values()),
                         sorted("/var/lib/" + d for d in self.values("StateDirectory")))
        self.assertEqual(sorted(u[5] for u in users.values()),
                         sorted(v.split()[-1] for v in self.values("ExecStart")))
        if os.geteuid():
            return  # only root can give folders away
        for _ in range(2):  # the second time nothing is left to do
            run("systemd-tmpfiles", "--create", f"--root={root}")
        for u in users.values():
            st = os.stat(root + u[5])
            self.assertEqual((oct(st.st_mode), st.st_uid), (oct(0o40700), int(u[2])), u[0])
            self.assertEqual(os.readlink(root + u[5] + "/havre.conf"),
                             f"/etc/havre/{os.path.basename(u[5])}.conf")


if __name__ == "__main__":
    unittest.main()
