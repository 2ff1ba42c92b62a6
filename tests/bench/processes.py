"""The processes that the bench starts, each ended by its id, whatever happens."""
import json
import os
import subprocess
import sys

PATIENCE = 60  # seconds; nothing that is measured comes near
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy", "demo.d"))


class Failed(Exception):
    """A program did not do what it should."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Processes:
    """log: the folder of what they write to standard error, a file for each name."""

    def __init__(self, log):
        self.log = log
        self.running = []
        os.makedirs(log, exist_ok=True)

    def start(self, name, *command):
        """In a session of its own: a Ctrl-C is for this program, which ends the others in order.
        They end with it also when it is killed."""
        with open(self.log_file(name), "wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *map(str, command)], stderr=log, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        process.name = name
        self.running.append(process)
        return process

    def log_file(self, name):
        return os.path.join(self.log, name + ".log")

    def told(self, name):
        with open(self.log_file(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready(self, process):
        """Waits until it says so."""
        if process.stdout.readline() != "ready\n":
            self.fail(process)

    def result(self, process):
        """Waits for its end; the JSON object that it printed."""
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail(process)
        self.running.remove(process)
        if process.returncode:
            self.fail(process)
        return json.loads(out.splitlines()[-1])

    def call(self, name, *command):
        return self.result(self.start(name, *command))

    def fail(self, process):
        raise Failed(f"{process.name} failed ({process.poll()}):\n{self.told(process.name)[-4000:]}")

    def cpu_seconds(self, process):
        """Of all its threads so far."""
        tasks, ns = f"/proc/{process.pid}/task", 0
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "schedstat"), encoding="ascii") as f:
                ns += int(f.read().split()[0])
        return ns / 1e9

    def stop(self, process):
        if process in self.running:
            self.running.remove(process)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def stop_all(self):
        for process in reversed(list(self.running)):
            self.stop(process)
