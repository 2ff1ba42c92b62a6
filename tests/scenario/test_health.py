"""Goal: the operator sees, in numbers and in words, that all is well, what is not, and what to do;
and no number has anything of a person in it."""
import os
import re
import subprocess
import time
import unittest

import havre_test
from havre_test import cluster, wait_for


class Look(havre_test.Scenario):
    def health(self):
        return self.c.admin("health", "--homes", self.c.home, expect=(0, 70))

    def of(self, name):
        return next(h for h in self.health()["homes"] if h["name"] == name)

    def findings(self, name):
        return {f["id"] for f in self.of(name)["findings"]}

    def metrics(self):
        done = subprocess.run([os.path.join(havre_test.BIN, "havre-admin"), "metrics", "--homes",
                               self.c.home], capture_output=True, text=True, check=True)
        return done.stdout

    def value(self, name, process):
        values = [m["value"] for m in self.c.admin("metrics", "--homes", self.c.home)[name]
                  if m["process"] == process]
        return sum(values) if values else None


class Health(Look):
    config = {name: "[havre]\nmetrics = 1\n" for name in cluster.SERVICES}

    def test_all_is_well_then_the_broker_ends(self):
        wait_for(lambda: all(h["health"] != "bad" for h in self.health()["homes"]) and
                 len(self.health()["homes"]) == len(cluster.SERVICES), "it never gets well")
        self.assertIn(self.health()["health"], ("ok", "attention"))
        self.c.down("broker")
        self.addCleanup(self.c.up, "broker")
        wait_for(lambda: "NOT_CONNECTED" in self.findings("intake"), "intake is not missed")
        finding = self.of("intake")["findings"][0]
        self.assertTrue(all(finding[k] for k in ("message_en", "message_fr", "do_en", "do_fr")))
        # it wrote its numbers a while ago: the file says when
        path = self.c.path("broker", "metrics.prom")
        with open(path, encoding="ascii") as f:
            old = re.sub(r'(written_timestamp_seconds{process="broker"} )\d+', r"\g<1>1", f.read())
        self.c.write(path, old)
        self.assertEqual(self.findings("broker"), {"NOT_RUNNING"})
        os.unlink(path)
        self.assertEqual(self.findings("broker"), {"NOT_RUNNING"})
        self.assertEqual(self.health()["health"], "bad")

    def test_a_relay_that_cannot_deliver_is_told(self):
        oldest = "havre_undelivered_oldest_timestamp_seconds"
        wait_for(lambda: self.value("havre_taken_total", "relay-webhook") is not None, "no numbers")
        self.assertIsNone(self.value(oldest, "relay-webhook"))
        self.c.down("sink-webhook")
        self.addCleanup(self.c.up, "sink-webhook")
        before = int(time.time())
        case, = self.submit("partner-b/08-urgent-threat-violence.json")
        since = wait_for(lambda: self.value(oldest, "relay-webhook"), "the alert is not missed")
        self.assertTrue(before <= since <= time.time(), since)
        self.assertNotIn("RELAY_STUCK", self.findings("relay-smtp"))
        # as if it had waited for a minute
        self.c.down("relay-webhook")
        self.addCleanup(self.c.up, "relay-webhook")
        path = self.c.path("relay-webhook", "metrics.prom")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.c.write(path, text.replace(f'"alert"}} {since}\n', f'"alert"}} {since - 60}\n'))
        finding, = (f for f in self.of("relay-webhook")["findings"] if f["id"] == "RELAY_STUCK")
        self.assertEqual((finding["level"], finding["label"]), ("bad", "alert"))
        self.assertEqual(self.health()["health"], "bad")
        self.c.up("sink-webhook")
        self.c.up("relay-webhook")
        wait_for(lambda: self.value(oldest, "relay-webhook") is None, "it is not over")
        self.c.staff("officer-1", "ack", case)

    def test_a_process_tells_of_itself_only(self):
        wait_for(lambda: self.value("havre_log_messages", "broker") is not None, "no numbers")
        self.c.down("notify")
        self.addCleanup(self.c.up, "notify")
        self.c.write(self.c.path("notify", "metrics.prom"),
                     'havre_log_messages{process="broker"} 987654321\n'
                     'havre_written_timestamp_seconds{process="intake"} 9999999999\n'
                     'havre_connected{process="notify",lane="\x1b[2Jroutine"} 0\n'
                     'havre_outbox_messages{process="notify"} 7\n')
        said = self.metrics()
        self.assertIn('havre_outbox_messages{process="notify"} 7\n', said)
        for no in ("987654321", "9999999999", "\x1b"):
            self.assertNotIn(no, said)
        self.assertNotEqual(self.value("havre_log_messages", "broker"), 987654321)
        self.assertEqual(self.findings("notify"), set())

    def test_numbers_count_what_happens(self):
        self.c.partner("partner-a", "status", "--wait", "5")
        wait_for(lambda: self.value("havre_log_messages", "broker") is not None, "no numbers")
        before = self.value("havre_log_messages", "broker")
        self.submit(self.first("partner-a"))
        wait_for(lambda: self.value("havre_log_messages", "broker") > before and
                 self.value("havre_taken_total", "intake") > 0, "the numbers stand still")

    def first(self, partner):
        return partner + "/" + sorted(os.listdir(self.file(partner)))[0]

    def test_the_text_is_prometheus_and_says_nothing_of_a_person(self):
        wait_for(lambda: "havre_connected" in self.metrics(), "no numbers")
        seen = set()
        for line in self.metrics().splitlines():
            if line.startswith("# "):
                kind, name = re.fullmatch(r"# (HELP|TYPE) (havre_[a-z_]+) .+", line).groups()
                self.assertNotIn((kind, name), seen)
                seen.add((kind, name))
            else:
                self.assertRegex(line, r'^havre_[a-z_]+\{process="[a-z0-9-]+"'
                                       r'(,[a-z]+="[A-Za-z0-9_.\- ~]+")?\} -?\d+$')


class AtOnce(Look):
    """What changes is told when it does: the next writing that is due comes in an hour."""
    config = {name: "[havre]\nmetrics = 3600\n" for name in cluster.SERVICES if name != "broker"}
    config["broker"] = "[havre]\nmetrics = 1\n"

    def welcomed(self, name):
        return [lane for lane in ("routine", "urgent")
                if f"id=LINK-WELCOME lane={lane}" in self.c.log(name)]

    def test_health_knows_what_has_just_changed(self):
        for name in set(cluster.SERVICES) - {"broker"}:
            wait_for(lambda: len(self.welcomed(name)) == 2, f"{name} is not welcomed")
            self.wait_equal(lambda: self.of(name)["findings"], [])
        self.c.down("broker")
        self.addCleanup(self.c.up, "broker")
        self.wait_equal(lambda: self.findings("urgent"), {"NOT_CONNECTED"})
        self.c.up("broker")
        self.wait_equal(lambda: self.findings("urgent"), set())
        case, = self.submit("partner-b/08-urgent-threat-violence.json")
        self.wait_equal(lambda: self.findings("urgent"), {"UNANSWERED"})
        self.c.staff("officer-1", "ack", case)
        self.wait_equal(lambda: self.findings("urgent"), set())


if __name__ == "__main__":
    unittest.main()
