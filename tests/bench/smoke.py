#!/usr/bin/python3 -B
"""The bench runs, its figures are all there and add up, and it leaves no process behind: when it
ends by itself, when it is interrupted, and when it is killed. No figure is tested."""
import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = {"acks_per_s", "p50_us", "p99_us", "verified_per_s", "server_cpu_us"}
TIMES = {"ack_p50_us", "ack_p99_us", "p50_us", "p99_us", "most_us"}


def left_behind(mark):
    """The names of the processes that have the mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if mark.encode() in f.read():
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as c:
                        found.append(c.read().strip())
        except OSError:
            continue
    return found


class Smoke(unittest.TestCase):
    def setUp(self):
        self.mark = "HAVRE_BENCH_MARK=" + secrets.token_hex(8)
        name, value = self.mark.split("=")
        self.environment = {**os.environ, name: value}
        folder = tempfile.TemporaryDirectory(prefix="havre-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, *words):
        run = subprocess.Popen([os.path.join(HERE, "run"), "--dir", self.folder, *words],
                               text=True, env=self.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        self.addCleanup(lambda: run.poll() is None and (run.terminate(), run.communicate()))
        return run

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.05)  # between two looks
        self.assertTrue(condition(), left_behind(self.mark))

    def assert_nothing_left(self):
        self.wait(lambda: not left_behind(self.mark))

    def check_spread(self, s):
        self.assertGreater(s["low"], 0)
        self.assertLessEqual(s["low"], s["median"])
        self.assertLessEqual(s["median"], s["high"])

    def check_summary(self, summary, figures):
        self.assertEqual(list(summary["peers"]), ["havre", "redis"])
        for peer in summary["peers"].values():
            self.assertEqual(set(peer), figures)
            for figure in peer.values():
                self.check_spread(figure)
        self.check_spread(summary["havre_to"]["redis"])
        self.assertIn(summary["ratio_of"], figures)

    def check_result(self, r):
        for key in ("cores", "cpu", "kernel", "filesystem", "load", "fdatasync_us",
                    "ed25519_sign_us", "ed25519_verify_us", "read_envelope_us"):
            self.assertIn(key, r["machine"])
        self.assertEqual([c["partners"] for c in r["throughput"]], [1, 4])
        for cell in r["throughput"]:
            self.check_summary(cell, FIGURES)
        self.check_summary(r["urgent"], TIMES)
        self.assertEqual(r["peers"]["redis"]["promises"], ["synced"])
        self.assertIn("receipt", r["peers"]["havre"]["promises"])

    def check_sums(self, r):
        sums, peers = r["checks"], len(r["peers"])
        raced = sum(c["messages"] for c in r["throughput"]) * r["settings"]["rounds"]
        self.assertEqual(sums["acked"], sums["read"])
        self.assertEqual(sums["read"], sums["verified"])
        # before the race Havre runs alone, to see how many messages a round has
        warm_up = sums["acked"] - peers * raced
        self.assertGreater(warm_up, 0)
        self.assertEqual(sums["receipts_proved"], raced + warm_up)
        self.assertEqual(sums["alerts"],
                         peers * r["urgent"]["referrals"] * r["settings"]["rounds"])

    def test_a_whole_run(self):
        run = self.start("--smoke", "--json")
        out, err = run.communicate(timeout=280)
        self.assertEqual(run.returncode, 0, err)
        result = json.loads(out.splitlines()[-1])
        self.check_result(result)
        self.check_sums(result)
        self.assert_nothing_left()

    def end(self, run, sig, program):
        """Sends the signal when this program is running, some time after the build."""
        for line in run.stderr:
            if line.startswith("Making keys"):
                break
        self.wait(lambda: program in left_behind(self.mark))
        run.send_signal(sig)
        run.communicate(timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.assert_nothing_left()

    def test_an_interrupted_run(self):
        self.end(self.start("--smoke"), signal.SIGINT, "runsvdir")

    def test_a_killed_run(self):
        self.end(self.start("--partners", "1"), signal.SIGKILL, "bench_partners")


if __name__ == "__main__":
    unittest.main()
