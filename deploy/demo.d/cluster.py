"""A whole Havre on this machine: keys, registry, processes under a supervisor (runit).

The scenario tests use it too. Every process has a home folder of its own under `home`.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

SERVICES = {  # home: (program, role)
    "broker": ("havre-broker", "BROKER"),
    "intake": ("havre-intake", "INTAKE"),
    "screening": ("havre-screening", "SCREENING"),
    "urgent": ("havre-urgent", "URGENT_SERVICE"),
    "notify": ("havre-notify", "NOTIFY"),
    "relay-smtp": ("havre-relay", "ALERT_RECEIVER"),
    "relay-webhook": ("havre-relay", "ALERT_RECEIVER"),
}
SINKS = ("sink-smtp", "sink-webhook")  # what the relays deliver to
PARTNERS = {"partner-a": "REFERRER", "partner-b": "REFERRER", "partner-c": "REFERRER"}
STAFF = {"officer-1": "OFFICER", "officer-2": "OFFICER", "supervisor-1": "SUPERVISOR",
         "director-1": "DIRECTOR"}
ADMIN = {"admin": "ADMIN"}  # signs that a store was put back; runs nothing


class Failed(Exception):
    """A command or a process did not do what it should."""


def progress(words, lang):
    @contextlib.contextmanager
    def step(name):
        text = words[name][lang == "fr"]
        start = time.monotonic()
        print(f"{text} ...", flush=True)
        yield
        colon = "\N{NO-BREAK SPACE}:" if lang == "fr" else ":"
        print(f"{text}{colon} {time.monotonic() - start:.1f} s", flush=True)
    return step


def free_ports(n):
    """Ports that nothing listens on now. Below those that the kernel gives to outgoing connections:
    a process that starts again must find its port free."""
    ports = []
    for port in random.sample(range(15000, 32000), 1000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == n:
            return ports
    raise Failed("no free port")


def wait_for(condition, what, seconds=120):
    """Waits for a condition, looking again at once when it may have changed."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)  # between two looks at the condition


class Cluster:
    """bin: where the programs are (else $HAVRE_BIN, else they are built). config: {home: text that
    is added to its configuration}. passphrases: on the staff's keys; each use costs a second.
    before: {home: words before the command of its process}."""

    def __init__(self, root, home, bin=None, config=None, passphrases=True, before=None):
        self.root, self.home = root, home
        self.build_dir = os.path.join(root, "build")
        self.built = bin or os.environ.get("HAVRE_BIN")
        self.bin = self.built or os.path.join(self.build_dir, "bin")
        self.config = config or {}
        self.passphrases = passphrases
        self.before = before or {}
        self.supervisor = None
        self.sinks = {}
        self.logged = {}  # name: how long its log was when it was started

    # --- building and keys ---

    def build(self):
        if self.built:
            return
        quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        for command in (["cmake", "-S", self.root, "-B", self.build_dir, "-G", "Ninja",
                         "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DHAVRE_TESTS=OFF"],
                        ["cmake", "--build", self.build_dir]):
            done = subprocess.run(command, **quiet)
            if done.returncode:
                raise Failed(done.stdout)

    def path(self, *names):
        return os.path.join(self.home, *names)

    def call(self, program, *args, expect=(0,), input=None, timeout=120):
        """Runs a command with --json and gives what it printed."""
        command = [os.path.join(self.bin, program), *args, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, input=input,
                              timeout=timeout)
        if expect is not None and done.returncode not in expect:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        return lines[-1] if lines else None

    def admin(self, *args, **kw):
        return self.call("havre-admin", *args, **kw)

    def partner(self, name, *args, **kw):
        return self.call("havre", *args, "--home", self.path(name), **kw)

    def staff(self, name, *args, **kw):
        file = self.path(name, "passphrase")
        secret = ["--passphrase-file", file] if os.path.exists(file) else []
        return self.call("havre-staff", *args, "--home", self.path(name), *secret, **kw)

    def write(self, path, text, mode=0o644):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(fd, "w") as f:
            f.write(text)

    def set_up(self):
        """Keys and registry, when there are none yet; fresh ports in every configuration."""
        os.makedirs(self.home, exist_ok=True)
        os.chmod(self.home, 0o700)
        if not os.path.exists(self.path("registry")):
            self.make_keys()
        self.configure()

    def make_keys(self):
        roles = {**{n: r for n, (_, r) in SERVICES.items()}, **PARTNERS, **STAFF, **ADMIN}
        root = self.path("root")
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root, mode=0o700)
        self.admin("keys", "root", "--home", root, "--out", os.path.join(root, "secret"))
        self.admin("registry", "new", "--home", root)
        for name, role in roles.items():
            home = self.path(name)
            shutil.rmtree(home, ignore_errors=True)
            os.makedirs(home, mode=0o700)
            extra = []
            if name in STAFF and self.passphrases:
                self.write(os.path.join(home, "passphrase"), f"the demo passphrase of {name}\n",
                           0o600)
                extra = ["--passphrase-file", os.path.join(home, "passphrase")]
            self.admin("keys", "new", "--principal", name, "--home", home, *extra)
            self.admin("registry", "add", os.path.join(home, "key.request"), "--role", role,
                       "--home", root)
        self.admin("registry", "sign", "--home", root, "--root-key", os.path.join(root, "secret"))
        shutil.copy(os.path.join(root, "registry"), self.path("registry"))
        for name in roles:
            shutil.copy(self.path("registry"), self.path(name, "registry"))
            shutil.copy(self.path("root", "root.json"), self.path(name, "root.json"))

    def configure(self):
        routine, urgent, smtp, webhook = free_ports(4)
        self.sinks = {"smtp": smtp, "webhook": webhook}
        endpoints = (f"[broker]\nroutine = tcp://127.0.0.1:{routine}\n"
                     f"urgent = tcp://127.0.0.1:{urgent}\n")
        relays = {"relay-smtp": f"[relay]\ntype = smtp\nurl = smtp://127.0.0.1:{smtp}\n",
                  "relay-webhook": f"[relay]\ntype = webhook\nurl = http://127.0.0.1:{webhook}/\n"}
        for name in [*SERVICES, *PARTNERS, *STAFF]:
            text = endpoints + relays.get(name, "") + self.config.get(name, "")
            self.write(self.path(name, "havre.conf"), text)
        secret = self.path("relay-webhook", "webhook.secret")
        if not os.path.exists(secret):
            self.write(secret, os.urandom(32).hex(), 0o600)

    # --- processes, under runit ---

    def service_folder(self, name, command):
        folder = self.path("sv", name)
        os.makedirs(folder, exist_ok=True)
        log = self.path("log", name + ".log")
        self.write(os.path.join(folder, "run"),
                   f"#!/bin/sh\nexec 2>>'{log}' >&2\nexec {command}\n", 0o755)

    def start(self):
        """Until every process runs; another program may have taken a port meanwhile."""
        for _ in range(5):
            self.launch()
            wait_for(lambda: self.all_started() or self.port_taken(),
                     "the processes did not start: see " + self.path("log"))
            if not self.port_taken():
                return
            self.stop()
            self.configure()
        raise Failed("the ports are always taken")

    def launch(self):
        shutil.rmtree(self.path("sv"), ignore_errors=True)
        for folder in ("sv", "log", "mail", "webhook"):
            os.makedirs(self.path(folder), exist_ok=True)
        here = os.path.dirname(os.path.abspath(__file__))
        self.service_folder("sink-smtp", f"/usr/bin/python3 -m aiosmtpd -n "
                            f"-l 127.0.0.1:{self.sinks['smtp']} "
                            f"-c aiosmtpd.handlers.Mailbox '{self.path('mail', 'box')}'")
        self.service_folder("sink-webhook", f"/usr/bin/python3 -B '{here}/webhook_sink.py' "
                            f"{self.sinks['webhook']} '{self.path('webhook')}' "
                            f"'{self.path('relay-webhook', 'webhook.secret')}'")
        for name, (program, _) in SERVICES.items():
            self.service_folder(name, f"{self.before.get(name, '')} '{self.bin}/{program}' "
                                f"--home '{self.path(name)}'")
        self.logged.clear()
        self.logged = {name: len(self.log(name)) for name in [*SINKS, *SERVICES]}
        # hung up when this process is killed: then nothing is left running
        self.supervisor = subprocess.Popen(["setpriv", "--pdeathsig", "HUP", "runsvdir", "-P",
                                            self.path("sv")],
                                           stdin=subprocess.DEVNULL, start_new_session=True,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log(self, name):
        """What the process wrote since the last start of all."""
        try:
            with open(self.path("log", name + ".log"), encoding="utf-8", errors="replace") as f:
                return f.read()[self.logged.get(name, 0):]
        except FileNotFoundError:
            return ""

    def all_started(self):
        return all("id=STARTED" in self.log(name) for name in SERVICES)

    def port_taken(self):
        return any("ddress already in use" in self.log(name) for name in [*SINKS, "broker"])

    def pid(self, name):
        """Of the running process; None while it is down."""
        try:
            with open(self.path("sv", name, "supervise", "pid"), encoding="ascii") as f:
                return int(f.read().strip() or 0) or None
        except (FileNotFoundError, ValueError):
            return None

    def sv(self, *words, names):
        subprocess.run(["sv", *words, *(self.path("sv", n) for n in names)], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def down(self, *names, sig=signal.SIGTERM):
        """Until they have ended. The signal is ours: with its own, sv sends SIGCONT, and that
        hangs a sanitizer's leak check at the end of a process."""
        for name in names:
            self.sv("once" if self.pid(name) else "down", names=[name])
        told = set()

        def ended():
            # one that had died by itself may have been started again before "once" was read
            running = {pid for pid in map(self.pid, names) if pid}
            for pid in running - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sig)
            told.update(running)
            return not running

        with contextlib.suppress(Failed):
            wait_for(ended, "they do not end", 20)
        self.sv("-w", "20", "force-stop", names=names)

    def up(self, name):
        self.sv("-w", "20", "start", names=[name])

    def kill(self, name, sig=signal.SIGKILL):
        """Kills the process; the supervisor starts it again."""
        pid = wait_for(lambda: self.pid(name), f"{name} does not run")
        os.kill(pid, sig)
        return pid

    def stop(self):
        if not self.supervisor:
            return
        # first who would start them again
        self.supervisor.send_signal(signal.SIGTERM)
        self.supervisor.wait(timeout=30)
        self.supervisor = None
        names = sorted(os.listdir(self.path("sv")))
        self.down(*names)
        self.sv("-w", "20", "force-shutdown", names=names)

    # --- looking at it ---

    def verify(self):
        return self.admin("verify", "--homes", self.home, expect=(0, 70))

    def wait_quiet(self, seconds=120):
        """Nothing waits in any outbox or mailbox of the services and partners."""
        def quiet():
            for name in PARTNERS:
                self.partner(name, "status", "--wait", "5")
            return self.verify()["waiting"] == 0
        wait_for(quiet, "it does not come to rest", seconds)
