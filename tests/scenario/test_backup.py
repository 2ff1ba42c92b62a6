"""Goal: any one store, the broker's included, that is lost and restored from the last backup loses
nothing and does nothing twice, under load; one that is put back by mistake is fenced, which is said,
and nothing is lost when it is then recovered."""
import contextlib
import os
import shutil
import threading
import unittest

import havre_test
from havre_test import cluster, wait_for

FIRST = ["REGISTER", "RECOMMEND", "RESERVE_PLACES"]


class Backup(havre_test.Scenario):

    config = {"screening": "[places]\ncap = 1000\n"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backup = os.path.join(os.path.dirname(cls.c.home), "backup")
        rows = havre_test.read_json(os.path.join(cls.samples, "manifest.json"))["files"]
        cls.files = [r["file"] for r in rows
                     if r["recommend"] and not {"duplicate", "alike"} & set(r["special"])]
        cls.urgent = {r["file"] for r in rows if r["urgent"]}
        cls.submitted, cls.cases = [], {}

    # --- what people do ---

    def post(self, n):
        """Submits the next n referrals; all have left the outbox."""
        burning = [f for f in self.files if f in self.urgent][:1]
        names = burning + [f for f in self.files if f not in self.urgent][:n - len(burning)]
        self.assertEqual(len(names), n, "there are no more samples")
        type(self).files = [f for f in self.files if f not in names]
        for partner in sorted({f.split("/")[0] for f in names}):
            mine = [self.file(f) for f in names if f.startswith(partner + "/")]
            self.c.partner(partner, "submit", *mine)
        self.submitted.extend(names)
        return names

    def work(self):
        """The officer answers all alerts and recommends all that is in review."""
        def done():
            view = self.c.staff("officer-1", "queue", "--limit", "200", "--wait", "3",
                                expect=(0, 69))
            burning = [a["case_number"] for a in view.get("alerts") or []]
            if burning:
                self.c.staff("officer-1", "ack", *burning, "--wait", "3", expect=(0, 65))
            entries = view.get("queue") or []
            for entry in entries:
                if entry["state"] == "HUMAN_REVIEW":
                    self.c.staff("officer-1", "decide", entry["case_number"], "recommend",
                                 "--version", str(entry["case_version"]), "--wait", "3",
                                 expect=(0, 65))
            placed = [e for e in entries if e["state"] == "PLACES_RESERVED"]
            return not burning and len(placed) == len(self.submitted)
        wait_for(done, "the officers' work does not end", 90)

    def number(self, name):
        """Its case number, asked for once: a partner's own store may be lost later."""
        if name not in self.cases:
            self.cases[name] = self.case_of(name)
        return self.cases[name]

    # --- what operators do ---

    def back_up(self, *names):
        words = [w for n in names for w in ("--only", n)]
        return self.c.admin("backup", "--homes", self.c.home, "--to", self.backup, *words)

    def lose(self, name):
        """The process is killed in its work, and stays down; its store is gone."""
        self.c.kill(name)
        self.c.down(name)
        shutil.rmtree(self.c.path(name, "store"))

    def restore(self, name, backup=None):
        told = self.c.admin("restore", "--from", backup or self.backup, "--homes", self.c.home,
                            "--only", name)
        self.assertEqual(told["restored"], [name])

    def recover(self, name, expect=(0,)):
        return self.c.admin("recover", "--homes", self.c.home, "--only", name, "--home",
                            self.c.path("admin"), expect=expect)

    def recovered(self, name):
        """A process that the supervisor starts again and again does start after `recover`."""
        before = self.c.log(name).count("id=STARTED")
        self.recover(name)
        wait_for(lambda: self.c.log(name).count("id=STARTED") > before, f"{name} does not start")

    # --- what must be so ---

    def assert_sound(self):
        self.c.wait_quiet()
        cases = [self.number(n) for n in self.submitted]
        self.assertEqual(len(set(cases)), len(cases))
        report = self.c.verify()
        self.assertEqual(report["invariants"], "ok", report)
        counts = report["counts"]
        self.assertEqual((counts["referrals"], counts["accepted"], counts["rejected"],
                          counts["duplicates_held"]), (len(cases), len(cases), 0, 0))
        self.assertEqual(counts["urgent_raised"], len(self.urgent & set(self.submitted)))
        persons = [p for n in self.submitted for p in self.sample(n)["persons"]]
        self.assertEqual(self.c.staff("officer-1", "places")["reserved"],
                         sum(p.get("accompanying", False) for p in persons))

    def assert_every_notice_once(self):
        for partner in sorted({n.split("/")[0] for n in self.submitted}):
            owed = {self.number(n): sorted(FIRST + (["REQUEST_ESCALATION", "ACKNOWLEDGE"]
                                                     if n in self.urgent else []))
                    for n in self.submitted if n.startswith(partner + "/")}

            def told():
                by_case = {}
                for n in self.c.partner(partner, "inbox"):
                    by_case.setdefault(n["case_number"], []).append(n["event"])
                return {case: sorted(events) for case, events in by_case.items()}
            self.wait_equal(told, owed)

    def by_hand(self, name):
        """Copies a store with other means than ours, and gives what puts it back."""
        self.c.down(name)
        store, copy = self.c.path(name, "store"), os.path.join(self.backup, name + ".by-hand")
        shutil.copytree(store, copy)
        self.c.up(name)

        def put_back():
            self.c.down(name)
            shutil.rmtree(store)
            shutil.move(copy, store)
            self.c.up(name)
        return put_back

    def lost_and_restored(self, name):
        self.post(2)
        self.work()
        self.back_up()
        self.post(3)
        self.work()
        self.post(1)
        self.lose(name)
        self.restore(name)
        self.c.up(name)
        wait_for(lambda: "why=RESTORED" in self.c.log(name), f"{name} starts with a copy")
        self.recovered(name)
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_the_broker(self):
        self.lost_and_restored("broker")

    def stopped_copy(self, name, backup=None):
        """The store is lost, its copy put back, and the process does not start with it."""
        self.lose(name)
        self.restore(name, backup)
        before = self.c.log(name).count("why=RESTORED")
        self.c.up(name)
        wait_for(lambda: self.c.log(name).count("why=RESTORED") > before,
                 f"{name} starts with a copy")

    def lost_twice(self, name):
        """And the same copy is put back both times."""
        self.c.wait_quiet()
        self.back_up()
        for _ in range(2):
            self.post(1)
            self.work()
            self.stopped_copy(name)
            self.recovered(name)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_the_broker_twice(self):
        self.lost_twice("broker")

    def test_screening_twice(self):
        self.lost_twice("screening")

    def findings(self, name):
        homes = self.c.admin("health", "--homes", self.c.home, expect=(0, 70))["homes"]
        return {f["id"] for h in homes if h["name"] == name for f in h["findings"]}

    def test_only_the_newest_backup_of_the_broker_is_of_use(self):
        old = os.path.join(self.backup, "old")
        self.post(1)
        self.work()
        self.back_up("broker")
        shutil.copytree(os.path.join(self.backup, "broker"), os.path.join(old, "broker"))
        self.post(1)
        self.work()
        known = self.c.log("broker").count("id=BACKUP-KNOWN")
        self.back_up("broker")
        wait_for(lambda: self.c.log("broker").count("id=BACKUP-KNOWN") > known,
                 "the broker does not know of its backup")
        self.post(1)
        self.work()  # and everybody has forgotten what is in it
        self.stopped_copy("broker", old)
        told = self.recover("broker", expect=(65,))
        self.assertEqual(told["error"], "OLD_BACKUP")
        # a machine that knows of no newer one; the programs do
        os.unlink(self.c.path("broker", "safe"))
        self.recovered("broker")
        for name in ("intake", "screening", "urgent", "notify"):
            wait_for(lambda: "id=LOG-TOO-OLD" in self.c.log(name), f"{name} follows an old log")
        wait_for(lambda: "PUT_BACK" in self.findings("intake"), "health does not say it")
        self.stopped_copy("broker")
        self.recovered("broker")
        wait_for(lambda: "PUT_BACK" not in self.findings("intake"), "it does not go on")
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_intake(self):
        self.lost_and_restored("intake")

    def test_screening(self):
        self.lost_and_restored("screening")

    def test_urgent(self):
        self.lost_and_restored("urgent")

    def test_notify(self):
        self.lost_and_restored("notify")

    @contextlib.contextmanager
    def load(self, n):
        """n submissions go on meanwhile, one after the other; 0 also when nothing can be reached."""
        names = [f for f in self.files if f not in self.urgent][:n]
        self.assertEqual(len(names), n, "there are no more samples")
        type(self).files = [f for f in self.files if f not in names]
        wrong, started = [], threading.Event()

        def run():
            try:
                for name in names:
                    self.c.partner(name.split("/")[0], "submit", self.file(name), "--wait", "1")
                    self.submitted.append(name)
                    started.set()
            except BaseException as e:
                wrong.append(e)
                started.set()
        t = threading.Thread(target=run, daemon=True)
        t.start()
        started.wait()
        try:
            yield t
        finally:
            t.join(120)
        self.assertFalse(t.is_alive() or wrong, wrong)

    def lost_under_load(self, name):
        with self.load(6) as going_on:
            self.lose(name)
            self.assertTrue(going_on.is_alive(), "the load ended too early to show anything")
            self.restore(name)
            self.c.up(name)
            self.recovered(name)

    def test_under_load(self):
        """Backed up, lost, restored and recovered while partners submit."""
        with self.load(6) as going_on:
            self.back_up()
            self.assertTrue(going_on.is_alive(), "the load ended too early to show anything")
        self.lost_under_load("broker")
        self.lost_under_load("intake")
        self.c.wait_quiet()  # what waits in the partners' outboxes leaves
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def alerts(self):
        """The delivery ids that came to the webhook."""
        return {name for name in os.listdir(self.c.path("webhook")) if name.endswith(".json")}

    def test_a_relay(self):
        """What it had passed on since the backup is passed on again, under the same delivery id."""
        self.post(1)
        self.work()
        self.c.wait_quiet()
        self.back_up("relay-webhook")
        before = self.alerts()
        self.post(1)
        self.work()
        self.c.wait_quiet()
        since = self.alerts() - before
        self.assertTrue(since)
        self.lose("relay-webhook")
        for name in since:
            os.unlink(self.c.path("webhook", name))
        self.restore("relay-webhook")
        self.c.up("relay-webhook")
        self.recovered("relay-webhook")
        self.wait_equal(lambda: self.alerts() - before, since)
        self.assert_sound()

    def test_a_partner(self):
        self.post(1)
        self.work()
        self.back_up()
        self.post(2)
        self.work()
        self.c.wait_quiet()
        for name in self.submitted:
            self.number(name)
        for partner in ("partner-a", "partner-b", "partner-c"):
            shutil.rmtree(self.c.path(partner, "store"))
            self.restore(partner)
            told = self.c.partner(partner, "status", expect=(77,))
            self.assertEqual(told["error"], "RESTORED")
            self.recover(partner)
        self.assert_every_notice_once()
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_an_officer(self):
        """What the officer decided since the backup is decided once."""
        self.post(1)
        self.work()
        self.back_up("officer-1")
        self.post(2)
        self.work()
        self.c.wait_quiet()
        shutil.rmtree(self.c.path("officer-1", "store"))
        self.restore("officer-1")
        told = self.c.staff("officer-1", "queue", expect=(77,))
        self.assertEqual(told["error"], "RESTORED")
        self.recover("officer-1")
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_a_log_that_was_put_back_by_hand_is_stopped(self):
        put_back = self.by_hand("broker")
        self.post(2)
        self.work()
        self.c.wait_quiet()
        put_back()
        # the first who has seen more proves it, and the broker signs nothing any more
        wait_for(lambda: "id=LOG-ROLLED-BACK" in self.c.log("broker"), "nobody sees it")
        wait_for(lambda: "why=ROLLED_BACK" in self.c.log("broker"), "it starts again")
        self.recovered("broker")
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_a_reader_that_was_put_back_by_hand_is_fenced(self):
        put_back = self.by_hand("screening")
        self.post(2)
        self.work()
        self.c.wait_quiet()
        cursor = self.c.log("broker").count("id=READER-FENCED")
        put_back()
        wait_for(lambda: "id=READER-FENCED" in self.c.log("screening"), "it is not said")
        wait_for(lambda: self.c.log("broker").count("id=READER-FENCED") > cursor, "nor here")
        self.post(1)  # waits for it, undelivered
        starts = self.c.log("screening").count("id=STARTED")
        self.recover("screening")  # and it goes on by itself
        self.work()
        self.assertEqual(self.c.log("screening").count("id=STARTED"), starts)
        self.assert_sound()
        self.assert_every_notice_once()

    def test_only_an_administrator_recovers(self):
        with contextlib.suppress(FileNotFoundError):  # of another test
            os.unlink(self.c.path("screening", "recover"))
        told = self.c.admin("recover", "--homes", self.c.home, "--only", "screening", "--home",
                            self.c.path("officer-1"), expect=(77,))
        self.assertEqual(told["error"], "NOT_PERMITTED")
        self.assertFalse(os.path.exists(self.c.path("screening", "recover")))

    def test_a_store_that_is_there_is_not_overwritten(self):
        self.back_up("notify")
        told = self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                            "notify", expect=(65,))
        self.assertEqual(told["error"], "EXISTS")

    def test_a_link_in_a_home_leads_the_administrator_nowhere(self):
        self.c.partner("partner-a", "status")
        self.back_up("partner-a")
        store, aim = self.c.path("partner-a", "store"), os.path.join(self.backup, "aim")
        os.rename(store, store + ".away")
        os.mkdir(aim)
        os.symlink(aim, store + ".back")
        self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                     "partner-a", expect=(69, 70, 65, 77))
        self.assertEqual(os.listdir(aim), [])
        os.unlink(store + ".back")
        os.rename(store + ".away", store)
        os.rmdir(aim)

    def test_no_secret_is_in_a_backup(self):
        self.back_up()
        files = [os.path.relpath(f, self.backup) for f in havre_test.files_under(self.backup)]
        self.assertGreater(len(files), len(cluster.SERVICES))
        self.assertEqual([f for f in files if not f.endswith("/data.mdb")], [])


if __name__ == "__main__":
    unittest.main()
