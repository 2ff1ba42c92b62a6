"""Goal: keys change for years under a running cluster, and nothing is lost: epochs and keys rotated,
a device added and retired, a passphrase forgotten, a root replaced, a machine lost and recovered."""
import json
import os
import shutil
import signal
import subprocess
import threading
import unittest

import havre_test
from havre_test import cluster, wait_for

SERVICES = ("intake", "screening", "urgent", "notify", "relay-smtp", "relay-webhook")


class Registrar(havre_test.Scenario):

    config = {"urgent": "[ladder]\nrung_1 = 1\nrung_2 = 1\nrung_3 = 2\n"}

    # --- the registry's administrator ---

    def root(self, *words, **kw):
        return self.c.admin("registry", *words, "--home", self.c.path("root"), **kw)

    def add(self, home, *words, **kw):
        return self.root("add", os.path.join(home, "key.request"), *words, **kw)

    def sign(self, *roots, cosign=()):
        """The next version, given to the broker, who tells everybody."""
        words = [w for r in roots or ("secret",) for w in ("--root-key", self.c.path("root", r))]
        version = self.root("sign", *words)["version"]
        for key in cosign:
            self.root("sign", "--cosign", "--root-key", self.c.path("root", key))
        shutil.copy(self.c.path("root", "registry"), self.c.path("broker", "registry"))
        self.c.kill("broker", signal.SIGHUP)
        wait_for(lambda: f"id=REGISTRY-LOADED version={version}" in self.c.log("broker"),
                 "the broker does not take the registry")
        return version

    def everybody_has(self, version):
        for name in SERVICES:
            wait_for(lambda n=name: f"version={version}" in self.c.log(n),
                     f"{name} does not hear of registry {version}")

    def rotate(self, name, *words):
        """A service's key file changes, and it reads it again."""
        made = self.c.admin("keys", "rotate", "--home", self.c.path(name), *words)
        self.c.kill(name, signal.SIGHUP)
        self.add(self.c.path(name))
        return made

    def assert_right(self):
        self.c.wait_quiet()
        told = self.c.verify()
        self.assertEqual(told["invariants"], "ok", told)


class Rotation(Registrar):

    def test_keys_are_rotated_under_load(self):
        names = [f"{p}/{n}" for p in ("partner-a", "partner-b", "partner-c")
                 for n in sorted(os.listdir(self.file(p))) if n[:2] in ("20", "21", "22", "23")]
        done, errors = [], []

        def load():
            try:
                for n in names:
                    partner = n.split("/")[0]
                    self.c.partner(partner, "submit", self.file(n))
                    done.append(n)
            except Exception as e:  # told below
                errors.append(e)

        thread = threading.Thread(target=load)
        thread.start()
        old = {n: self.c.admin("keys", "show", "--home", self.c.path(n)) for n in SERVICES}
        for name in SERVICES:
            self.assertEqual(self.rotate(name)["epoch"], old[name]["epoch"] + 1)
        self.everybody_has(self.sign())
        for name in ("intake", "screening", "urgent", "notify"):
            self.assertNotEqual(self.rotate(name, "--new-key")["key_id"], old[name]["key_id"])
        self.everybody_has(self.sign())
        for name in ("intake", "screening", "urgent", "notify"):
            wait_for(lambda n=name: "id=NODE-KEY key=" in self.c.log(n), f"{name}: no new key")
        made = self.c.admin("keys", "rotate", "--new-key", "--home", self.c.path("broker"))
        self.add(self.c.path("broker"))
        version = self.sign()
        thread.join(300)
        for name in cluster.PARTNERS:  # who hears of the new key in time needs nothing else
            self.c.partner(name, "status", "--wait", "10")
        self.root("retire", self.c.admin("registry", "show", self.c.path("root", "registry"))
                  ["principals"][0]["keys"][0]["id"])
        for name in ("intake", "screening", "urgent", "notify"):
            self.root("retire", old[name]["key_id"])  # else the mailbox waits for it, too
        started = self.c.log("broker").count("id=STARTED")
        version = self.sign()
        # nobody listens to the old key any more: it goes on with the new one by itself
        wait_for(lambda: self.c.log("broker").count("id=STARTED") > started, "no broker")
        self.everybody_has(version)
        self.assertEqual(errors, [])
        self.assertEqual(done, names)
        for name in names:
            self.case_of(name)
        self.everybody_has(version)
        self.c.kill("intake")  # and what restarts goes on with the same
        self.assert_right()
        shown = self.root("show", self.c.path("root", "registry"))
        broker, = [p for p in shown["principals"] if p["name"] == "broker"]
        self.assertEqual([k["id"] for k in broker["keys"]][-1], made["key_id"])
        # what is used since a moment ago is not destroyed
        shutil.copy(self.c.path("root", "registry"), self.c.path("intake", "registry"))
        told = self.c.admin("keys", "destroy", "--home", self.c.path("intake"), "--homes",
                            self.c.home, expect=(65,))
        self.assertEqual(told["error"], "NEEDED")


class Destroying(Registrar):
    """A secret is old enough to be destroyed; what waits under it keeps it."""

    def destroy(self, expect):
        """Forty days later, by the clock of this command alone."""
        home = self.c.path("intake")
        self.c.write(os.path.join(home, "fault"), f"clock {40 * 86400}\n")
        shutil.copy(self.c.path("root", "registry"), home)
        done = subprocess.run([os.path.join(havre_test.BIN, "havre-admin"), "keys", "destroy",
                               "--home", home, "--homes", self.c.home, "--json"], timeout=60,
                              capture_output=True, text=True, env={
                                  **os.environ, "LD_PRELOAD": os.environ["HAVRE_FAULT_LIBRARY"],
                                  "HAVRE_FAULT": os.path.join(home, "fault"),
                                  "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"})
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def assert_needed(self, key):
        told = self.destroy(65)
        self.assertEqual((told["error"], told["about"]), ("NEEDED", key))

    def suspend(self, *words):
        act = self.c.staff("officer-1", "suspend", "partner-a", *words)
        self.c.staff("officer-2", "suspend", "--confirm", act["id"])

    def test_what_waits_keeps_its_secret(self):
        name, home = "partner-a/16-lawyer-household-of-3.json", self.c.path("intake")
        old = self.c.admin("keys", "show", "--home", home)
        self.c.down("intake")
        self.c.partner("partner-a", "submit", self.file(name))
        self.c.admin("keys", "rotate", "--home", home)
        self.add(home)
        self.sign()
        with self.subTest("in the mailbox"):
            self.assert_needed(old["key_id"])
        self.suspend("--reason", "key-stolen")
        self.c.up("intake")
        wait_for(lambda: self.c.admin("held", "--homes", self.c.home)["held"], "nothing is held")
        with self.subTest("held in the own store"):
            self.assert_needed(old["key_id"])
        self.suspend("--lift", "--reason", "checked")
        self.case_of(name)
        self.c.wait_quiet()
        gone = self.destroy(0)["destroyed"]
        self.assertEqual(gone, [{"key_id": old["key_id"], "epoch": old["epoch"]}])
        self.c.kill("intake", signal.SIGHUP)
        self.submit("partner-b/12-lawyer-household-of-2.json")
        self.assert_right()


class Identity(Registrar):

    def test_a_device_joins_and_another_leaves(self):
        home, second = self.c.path("partner-b"), self.c.path("partner-b-2")
        case, = self.submit("partner-b/12-lawyer-household-of-2.json")
        self.c.admin("keys", "new", "--home", second, "--principal", "partner-b", "--holder",
                     "CW-02", "--device", "laptop", "--epoch", "9")
        told = self.add(second, expect=(65,))
        self.assertEqual(told["error"], "NO_COMMON_EPOCH")
        shutil.rmtree(second)
        epoch = self.c.admin("keys", "show", "--home", home)["epoch"]
        self.c.admin("keys", "new", "--home", second, "--principal", "partner-b", "--holder",
                     "CW-02", "--device", "laptop", "--epoch", str(epoch))
        self.add(second, "--key-until", "2999-12-31")
        self.everybody_has(self.sign())
        for name in ("registry", "root.json"):
            shutil.copy(self.c.path("root", name), second)
        shutil.copy(os.path.join(home, "havre.conf"), second)
        # while both are away, something waits for each
        other, = self.submit("partner-b/08-urgent-threat-violence.json")
        self.c.staff("officer-1", "ack", other)

        def events(where, about=other):
            # 65: nothing is known of it there
            told = self.c.call("havre", "inbox", about, "--home", where, expect=(0, 65))
            return [n["event"] for n in told] if isinstance(told, list) else []
        for where in (home, second):
            wait_for(lambda w=where: "ACKNOWLEDGE" in events(w), f"{where}: no notice")
        # what was sent before its time is passed over
        self.assertEqual(events(second, case), [])
        old = self.c.admin("keys", "show", "--home", home)["key_id"]
        self.root("retire", old)
        self.everybody_has(self.sign())
        told = self.c.partner("partner-b", "submit", self.file("partner-b/13-womens-rights-alone.json"),
                              "--wait", "2", expect=(0, 69))
        self.assertNotIn("receipt", str(told))
        os.rename(home, os.path.join(os.path.dirname(self.c.home), "left"))  # with its person
        os.rename(second, home)
        self.submit("partner-b/14-anti-corruption-household-of-4.json")
        self.assert_right()

    def test_a_passphrase_is_forgotten(self):
        officer = self.c.path("officer-2")
        old = self.c.admin("keys", "show", "--home", officer)["key_id"]
        case, = self.submit("partner-c/11-urgent-all-three-threats.json")
        self.notice("partner-c", case, "REQUEST_ESCALATION")
        # the old device is of no use any more; a new key, and the old one retired
        lost = os.path.join(os.path.dirname(self.c.home), "lost")
        os.rename(officer, lost)
        self.c.admin("keys", "new", "--home", officer, "--principal", "officer-2")
        self.root("retire", old)
        self.add(officer)
        version = self.sign()
        self.everybody_has(version)
        for name in ("registry", "root.json"):
            shutil.copy(self.c.path("root", name), officer)
        shutil.copy(os.path.join(lost, "havre.conf"), officer)

        def alerts():
            return [a["case_number"] for a in self.c.staff("officer-2", "queue")["alerts"]]
        wait_for(lambda: case in alerts(), "the alert is not raised again to the new key")
        self.c.staff("officer-2", "ack", case)
        self.notice("partner-c", case, "ACKNOWLEDGE")
        # the old key opens no connection
        told = self.c.call("havre-staff", "queue", "--home", lost, "--wait", "3", expect=None)
        self.assertEqual(told["missing"]["queue"], "UNREACHABLE")

    def test_a_root_is_replaced(self):
        root = self.c.path("root")
        new = os.path.join(root, "new.json")
        self.c.admin("keys", "root", "--home", root, "--out", os.path.join(root, "secret-2"),
                     "--root", new)
        draft = os.path.join(root, "registry.draft")
        os.rename(draft, draft + ".before")
        self.root("new", "--from", os.path.join(root, "registry"), "--root", new)
        version = self.sign("secret-2", cosign=("secret",))
        self.everybody_has(version)
        both = os.path.join(root, "registry.both")  # that the old and the new ones signed
        shutil.copy(os.path.join(root, "registry"), both)
        for name in ("broker", "root"):
            self.c.admin("registry", "roots", both, "--home", self.c.path(name))
        # from now on the new root signs alone
        version = self.sign("secret-2")
        self.everybody_has(version)
        # and the old one does not count any more, whatever root.json says
        self.root("new", "--from", os.path.join(root, "registry"), "--root",
                  self.c.path("intake", "root.json"), "--draft", draft + ".old")
        stale = self.c.path("intake", "registry")
        for _ in range(2):
            self.root("sign", "--draft", draft + ".old", "--root-key",
                      os.path.join(root, "secret"), "--out", stale)
        self.c.kill("intake", signal.SIGHUP)
        wait_for(lambda: "id=NODE-REGISTRY-REFUSED why=NOT_ENOUGH_SIGNATURES" in
                 self.c.log("intake"),
                 "the old root still counts")
        self.c.kill("intake")
        wait_for(lambda: "id=NODE-REGISTRY-FILE why=NOT_ENOUGH_SIGNATURES" in
                 self.c.log("intake"),
                 "the old root counts after a restart")
        self.submit("partner-a/14-land-defender-household-of-5.json")
        for name in {*cluster.SERVICES, *cluster.PARTNERS, *cluster.STAFF} - {"broker"}:
            shutil.copy(both, self.c.path(name, "registry"))
            self.c.admin("registry", "roots", "--home", self.c.path(name))
        # the others of this class go on with the new root
        os.replace(os.path.join(root, "secret-2"), os.path.join(root, "secret"))

    def test_a_machine_is_lost(self):
        name, other = "partner-a/25-womens-rights-alone.json", "partner-c/16-minority-rights-alone.json"
        case, = self.submit(name)
        shares = self.c.path("shares")
        self.c.admin("escrow", "new", "--shares", "3", "--threshold", "2", "--out", shares)
        self.root("recovery", os.path.join(shares, "recovery.pub"))
        self.everybody_has(self.sign())
        wait_for(lambda: "id=ESCROW-WRITTEN name=keys" in self.c.log("intake"), "no escrow")
        wait_for(lambda: "id=ESCROW-WRITTEN name=000001" in self.c.log("intake"), "no escrow")
        self.c.wait_quiet()
        # the machine is gone; its store's and its escrow's copies are elsewhere
        lost, safe = self.c.path("intake"), self.c.path("elsewhere")
        old = self.c.admin("keys", "show", "--home", lost)["key_id"]
        self.c.down("intake")
        os.makedirs(safe)
        for part in ("store", "escrow", "havre.conf", "root.json"):
            shutil.move(os.path.join(lost, part), safe)
        shutil.rmtree(lost)
        os.makedirs(lost, mode=0o700)
        escrow = ["escrow", "recover", "--home", lost, "--escrow", os.path.join(safe, "escrow")]
        one = ["--share", os.path.join(shares, "share-1")]
        told = self.c.admin(*escrow, *one, expect=(77, 65, 70))
        self.assertEqual(told["error"], "SHARES")
        told = self.c.admin(*escrow, *one, *one, expect=(77, 65, 70))
        self.assertEqual(told["error"], "SHARES")
        self.assertFalse(os.path.exists(os.path.join(lost, "key")))
        # what comes meanwhile is sealed to the lost key
        self.c.partner("partner-c", "submit", self.file(other))
        self.c.admin(*escrow, *one, "--share", os.path.join(shares, "share-3"))
        self.add(lost)
        self.root("retire", old)
        self.sign()
        for part in ("store", "havre.conf", "root.json"):
            shutil.move(os.path.join(safe, part), lost)
        shutil.copy(self.c.path("root", "registry"), lost)
        self.c.up("intake")
        opened = self.c.staff("officer-1", "reveal", case, "--reason", "APPLICANT_CONTACT",
                              "--wait", "60")
        self.assertEqual(opened["reference"], self.sample(name)["reference"])
        self.case_of(other)
        self.assert_right()


if __name__ == "__main__":
    unittest.main()
