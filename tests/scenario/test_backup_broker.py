"""Goal: a broker's store that is lost under load and restored from the last backup loses nothing, and
nothing is done twice; what is older than it should be, by mistake, is fenced, which is said, and
nothing is lost when it is then recovered."""
import os
import shutil
import unittest

import backups
from havre_test import wait_for


class Broker(backups.Backup):

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

    def test_the_broker(self):
        self.lost_and_restored("broker")

    def lost_twice(self, name):
        """And the same copy is put back both times."""
        self.c.wait_quiet()
        self.back_up()
        for _ in range(2):
            self.post(1)
            self.work()
            self.lose(name)
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
        self.lose("broker")
        self.stopped_copy("broker", old)
        told = self.recover("broker", expect=(65,))
        self.assertEqual(told["error"], "OLD_BACKUP")
        # a machine that knows of no newer one; the programs do
        os.unlink(self.c.path("broker", "safe"))
        self.recovered("broker")
        for name in ("intake", "screening", "urgent", "notify"):
            wait_for(lambda: "id=LOG-TOO-OLD" in self.c.log(name), f"{name} follows an old log")
        wait_for(lambda: "PUT_BACK" in self.findings("intake"), "health does not say it")
        self.lose("broker")
        self.stopped_copy("broker")
        self.recovered("broker")
        wait_for(lambda: "PUT_BACK" not in self.findings("intake"), "it does not go on")
        self.post(1)
        self.work()
        self.assert_sound()
        self.assert_every_notice_once()

    def test_backed_up_under_load(self):
        with self.load(6) as go_on:
            go_on.set()
            self.back_up()
        self.lost_under_load("broker")
        self.lost_under_load("intake")
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


if __name__ == "__main__":
    unittest.main()
