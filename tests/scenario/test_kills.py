"""Goal: every process is killed once in the middle of the work, and nothing is lost, nothing is
done twice: each submission has one case, each notice owed arrives once, the invariants hold."""
import threading
import unittest

import havre_test
from havre_test import cluster, wait_for

MOST_OF_EACH = 16
FIRST = ["REGISTER", "RECOMMEND", "RESERVE_PLACES"]
URGENT = ["REQUEST_ESCALATION", "ACKNOWLEDGE"]


class Kills(havre_test.Scenario):

    config = {"screening": "[places]\ncap = 1000\n"}

    def choose(self):
        """Referrals that each partner submits, urgent ones among them; an officer may recommend
        them all, and they are all of different people."""
        files = havre_test.read_json(self.file("manifest.json"))["files"]
        names = {partner: [] for partner in cluster.PARTNERS}
        for row in files:
            of_partner = names[row["partner"]]
            if row["recommend"] and not {"duplicate", "alike"} & set(row["special"]) and len(
                    of_partner) < MOST_OF_EACH:
                of_partner.append(row["file"])
        self.urgent = {row["file"] for row in files if row["urgent"]}
        return names

    def submit_one_by_one(self, partner, names):
        for name in names:
            if name == names[-1]:  # the work must not end before the last kill
                self.killed.wait()
            # 0 also when nothing can be reached: it waits in the outbox
            self.c.partner(partner, "submit", self.file(name), "--wait", "1")
            with self.lock:
                self.submitted += 1

    def work(self, of_all):
        """An officer answers and recommends until all have places, whatever fails meanwhile."""
        while True:
            view = self.c.staff("officer-1", "queue", "--limit", "200", "--wait", "2",
                                expect=(0, 69))
            burning = [a["case_number"] for a in view.get("alerts") or []]
            if burning:
                self.c.staff("officer-1", "ack", *burning, "--wait", "2", expect=(0, 65))
            entries = view.get("queue") or []
            placed = [e for e in entries if e["state"] == "PLACES_RESERVED"]
            if len(placed) == of_all and not burning and "alerts" not in view["missing"]:
                return
            for entry in entries:
                if entry["state"] == "HUMAN_REVIEW":
                    # 65: decided by the call before, whose answer did not come in time
                    self.c.staff("officer-1", "decide", entry["case_number"], "recommend",
                                 "--version", str(entry["case_version"]), "--wait", "2",
                                 expect=(0, 65))

    def in_threads(self, names):
        """Starts the people's work; what goes wrong there is raised by join()."""
        wrong = []

        def run(function, *args):
            try:
                function(*args)
            except BaseException as e:
                wrong.append(e)

        jobs = [(self.submit_one_by_one, p, names[p]) for p in names]
        jobs.append((self.work, sum(map(len, names.values()))))
        threads = [threading.Thread(target=run, args=job, daemon=True) for job in jobs]
        for t in threads:
            t.start()

        def join():
            wait_for(lambda: wrong or not any(t.is_alive() for t in threads),
                     "the work does not end", 90)
            if wrong:
                raise wrong[0]
        return join

    def kill_all(self, n):
        """Each process once, after a further part of the submissions. Gives the killed pids."""
        step, pids = n // (len(cluster.SERVICES) + 1), {}
        for i, name in enumerate(cluster.SERVICES, 1):
            wait_for(lambda at=i * step: self.submitted >= at, "the partners do not go on")
            self.assertLess(self.submitted, n)
            pids[name] = self.c.kill(name)
        self.killed.set()
        return pids

    def assert_all_came_back(self, pids):
        for name, pid in pids.items():
            wait_for(lambda n=name, p=pid: self.c.pid(n) not in (None, p), f"{name} stays down")
            wait_for(lambda n=name: self.c.log(n).count("id=STARTED") >= 2, f"{name} is not back")

    def assert_every_notice_once(self, names):
        for partner, mine in names.items():
            owed = {self.case_of(n): sorted(FIRST + (URGENT if n in self.urgent else []))
                    for n in mine}

            def told():
                by_case = {case: [] for case in owed}
                for n in self.c.partner(partner, "inbox"):
                    by_case.setdefault(n["case_number"], []).append(n["event"])
                return {case: sorted(events) for case, events in by_case.items()}
            self.wait_equal(told, owed)

    def test_nothing_is_lost_and_nothing_is_done_twice(self):
        self.lock, self.killed, self.submitted = threading.Lock(), threading.Event(), 0
        names = self.choose()
        every = [n for mine in names.values() for n in mine]
        self.assertGreaterEqual(len(every), 40)
        self.assertGreater(len(self.urgent & set(every)), 3)
        join = self.in_threads(names)
        pids = self.kill_all(len(every))
        join()
        self.assert_all_came_back(pids)

        cases = [self.case_of(n) for n in every]
        self.assertEqual(len(set(cases)), len(every))
        view = self.queue()
        self.assertEqual({e["case_number"] for e in view["queue"]}, set(cases))
        self.assertEqual((view["total"], view["alerts"], view["holds"]), (len(every), [], []))
        self.assert_every_notice_once(names)
        persons = [p for n in every for p in self.sample(n)["persons"]]
        self.assertEqual(self.c.staff("officer-1", "places")["reserved"],
                         sum(p.get("accompanying", False) for p in persons))

        self.c.wait_quiet()
        report = self.c.verify()
        self.assertEqual(report["invariants"], "ok", report)
        counts = report["counts"]
        self.assertEqual((counts["referrals"], counts["accepted"], counts["rejected"],
                          counts["duplicates_held"], counts["persons"]),
                         (len(every), len(every), 0, 0, len(persons)))
        self.assertEqual(counts["urgent_raised"], len(self.urgent & set(every)))


if __name__ == "__main__":
    unittest.main()
