"""What the tests of backups share: people who work, operators who copy and put back, stores that are
lost while partners submit."""
import contextlib
import os
import shutil
import signal
import threading

import havre_test
from havre_test import wait_for

FIRST = ["REGISTER", "RECOMMEND", "RESERVE_PLACES"]


class Backup(havre_test.Scenario):
    """People, operators and accidents; the tests are in the subclasses."""

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
        self.c.down(name, sig=signal.SIGKILL)
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

    # --- what goes wrong ---

    @contextlib.contextmanager
    def load(self, n):
        """n submissions go on meanwhile, one after the other, the last two after the event that
        this gives was set. 0 also when nothing can be reached."""
        names = [f for f in self.files if f not in self.urgent][:n]
        self.assertEqual(len(names), n, "there are no more samples")
        type(self).files = [f for f in self.files if f not in names]
        wrong, started, go_on = [], threading.Event(), threading.Event()

        def run():
            try:
                for i, name in enumerate(names):
                    if i == n - 2:
                        go_on.wait()
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
            yield go_on
        finally:
            go_on.set()
            t.join(120)
        self.assertFalse(t.is_alive() or wrong, wrong)

    def stopped_copy(self, name, backup=None):
        """The store is lost, its copy put back, and the process does not start with it."""
        self.restore(name, backup)
        before = self.c.log(name).count("why=RESTORED")
        self.c.up(name)
        wait_for(lambda: self.c.log(name).count("why=RESTORED") > before,
                 f"{name} starts with a copy")

    def lost_under_load(self, name):
        with self.load(4) as go_on:
            self.lose(name)
            go_on.set()
            self.stopped_copy(name)
            self.recovered(name)
        self.c.wait_quiet()  # what waits in the partners' outboxes leaves

    def lost_and_restored(self, name):
        self.post(2)
        self.work()
        self.back_up()
        self.post(3)
        self.work()
        self.post(1)
        self.lost_under_load(name)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()
