"""Goal: the store of any service, relay, partner or officer that is lost under load and restored from
the last backup loses nothing and does nothing twice."""
import contextlib
import os
import shutil
import unittest

import backups
import havre_test
from havre_test import cluster, wait_for


class Restored(backups.Backup):

    def test_intake(self):
        self.lost_and_restored("intake")

    def test_screening(self):
        self.lost_and_restored("screening")

    def test_urgent(self):
        self.lost_and_restored("urgent")

    def test_notify(self):
        self.lost_and_restored("notify")

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
        self.c.wait_quiet()  # and each of them has a store
        self.back_up()
        self.post(2)
        self.work()
        self.c.wait_quiet()
        for name in self.submitted:
            self.number(name)
        for partner in cluster.PARTNERS:
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

    def test_only_an_administrator_recovers(self):
        with contextlib.suppress(FileNotFoundError):  # of another test
            os.unlink(self.c.path("screening", "recover"))
        told = self.c.admin("recover", "--homes", self.c.home, "--only", "screening", "--home",
                            self.c.path("officer-1"), expect=(77,))
        self.assertEqual(told["error"], "NOT_PERMITTED")
        self.assertFalse(os.path.exists(self.c.path("screening", "recover")))

    def test_a_program_that_runs_must_be_stopped_first(self):
        self.back_up("notify")
        store = self.c.path("notify", "store")
        os.rename(store, store + ".away")
        told = self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                            "notify", expect=(70,))
        self.assertEqual(told["error"], "LOCKED")
        self.assertFalse(os.path.exists(store))
        os.rename(store + ".away", store)

    def test_a_store_that_is_there_is_not_overwritten(self):
        self.back_up("notify")
        told = self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                            "notify", expect=(65,))
        self.assertEqual(told["error"], "STORE_THERE")
        told = self.c.admin("restore", "--from", self.backup, "--homes", self.c.home, "--only",
                            "bogus", expect=(65,))
        self.assertEqual((told["error"], told["about"]), ("NOT_FOUND", self.c.path("bogus")))

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
