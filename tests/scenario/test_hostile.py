"""Goal: whatever comes to the running broker is refused by its name, counted, and logged without
personal data, in bounded memory; and those who do right are served meanwhile.

The broker is the real program. Everybody else is made here, from PROTOCOL.md, keys and registry too
(wire.py).
"""
import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import zmq

import wire
from havre_test import BIN, ROOT, SANITIZERS, cluster, wait_for
from wire import Person, Silence, envelope, new_id, now

LANES = ("routine", "urgent")
# What the broker may ever have in memory, in KiB; a sanitizer's own memory counts, too.
MEMORY_MOST = 512 * 1024


def catalogue():
    with open(os.path.join(ROOT, "proto", "catalogue.def"), encoding="utf-8") as f:
        return {name: int(n) for n, name in re.findall(r"^KIND\(\s*(\d+),\s*(\w+)", f.read(), re.M)}


def codes():
    with open(os.path.join(ROOT, "proto", "err.def"), encoding="utf-8") as f:
        return {int(n): name for name, n in re.findall(r"^ERR\((\w+), (\d+),", f.read(), re.M)}


KINDS, CODES = catalogue(), codes()
NUMBERS = {name: n for n, name in CODES.items()}
ROLES = {name: i for i, name in enumerate(
    "NO_ROLE REFERRER IDENTIFIER ADVOCATE MONITOR SETTLEMENT SUPPORT OFFICER SUPERVISOR DIRECTOR "
    "BROKER INTAKE SCREENING URGENT_SERVICE NOTIFY ALERT_RECEIVER CARRIER ADMIN".split())}


def logged_kinds():
    """Each kind, somebody here who may send it to whom, None when there is nobody; its lane."""
    who = {"REFERRER": "mallory", "INTAKE": "intake", "SCREENING": "screening", "NOTIFY": "notify",
           "URGENT_SERVICE": "urgent", "STAFF": "officer", "PARTNER": "mallory",
           "SERVICES": "intake"}
    with open(os.path.join(ROOT, "proto", "catalogue.def"), encoding="utf-8") as f:
        rows = re.findall(r"^KIND\(\s*\d+,\s*(\w+),[^,]*,[^,]*,[^,]*,([^,]*),([^,]*),\s*(\w+),"
                          r"\s*DURABLE", f.read(), re.M)
    for kind, senders, recipients, lane in rows:
        yield (kind, *(next((who[w] for w in re.findall(r"[A-Z_]{2,}", roles) if w in who), None)
                       for roles in (senders, recipients)), lane.lower())


class Broker(unittest.TestCase):
    """A broker for each class, and everybody who speaks with it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="havre-hostile-")
        cls.addClassCleanup(folder.cleanup)
        cls.home = os.path.join(folder.name, "broker")
        os.mkdir(cls.home, 0o700)
        subprocess.run([os.path.join(BIN, "havre-admin"), "keys", "new", "--principal", "broker",
                        "--home", cls.home, "--json"], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(cls.home, "key.request"), "rb") as f:
            cls.broker_key = wire.decode("KeyRequest", f.read())["key"]
        del cls.broker_key["not_before"]  # of the present second
        cls.people = {name: Person(name, ROLES[role], **more) for name, role, more in (
            ("mallory", "REFERRER", {}), ("trent", "REFERRER", {}), ("sidonie", "REFERRER", {}),
            ("late", "REFERRER", {"not_after": now() - 1000}), ("gone", "REFERRER", {}),
            ("flood", "REFERRER", {}), ("intake", "INTAKE", {}), ("notify", "NOTIFY", {}),
            ("screening", "SCREENING", {}), ("officer", "OFFICER", {}),
            ("urgent", "URGENT_SERVICE", {}),
            ("other-officer", "OFFICER", {}), ("carrier", "CARRIER", {}))}
        cls.root = Person("root", 0)
        cls.write_registry(1)
        with open(os.path.join(cls.home, "root.json"), "w", encoding="ascii") as f:
            f.write('{"threshold": 1, "keys": ["%s"]}' % cls.root.sign_key.hex())
        ports = cluster.free_ports(2)
        cls.endpoints = {lane: f"tcp://127.0.0.1:{p}" for lane, p in zip(LANES, ports)}
        cls.port = ports[0]
        with open(os.path.join(cls.home, "havre.conf"), "w", encoding="ascii") as f:
            f.write("[broker]\n" + "".join(f"{k} = {v}\n" for k, v in cls.endpoints.items()))
        cls.log_path = os.path.join(folder.name, "log")
        cls.start()
        cls.addClassCleanup(cls.stop)

    @classmethod
    def write_registry(cls, version, days=30):
        principals = [p.principal() for p in cls.people.values()]
        principals.append({"name": "broker", "title_en": "broker", "title_fr": "broker",
                           "roles": [ROLES["BROKER"]], "keys": [cls.broker_key]})
        data = wire.signed_registry(cls.root, principals, version, days)
        with open(os.path.join(cls.home, "registry.new"), "wb") as f:
            f.write(data)
        os.replace(os.path.join(cls.home, "registry.new"), os.path.join(cls.home, "registry"))

    @classmethod
    def start(cls):
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        if "LD_PRELOAD" in cls.environment():
            options += ":verify_asan_link_order=0:detect_leaks=0"
        with open(cls.log_path, "ab") as log:
            cls.broker = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", os.path.join(BIN, "havre-broker"), "--home",
                 cls.home], stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "ASAN_OPTIONS": options, **cls.environment()})
        cls.context = zmq.Context()
        wait_for(lambda: "id=STARTED" in cls.log() or cls.broker.poll() is not None,
                 "the broker does not start")
        if cls.broker.poll() is not None:
            raise AssertionError(cls.log())

    @classmethod
    def environment(cls):
        return {}

    @classmethod
    def stop(cls):
        cls.context.destroy(linger=0)
        if cls.broker.poll() is None:
            cls.broker.send_signal(signal.SIGTERM)
        code = cls.broker.wait(timeout=60)
        log = cls.log()
        if code != 0 or any(mark in log for mark in SANITIZERS):
            raise AssertionError(f"exit {code}\n{log[-6000:]}")

    @classmethod
    def log(cls):
        with open(cls.log_path, encoding="utf-8") as f:
            return f.read()

    def lines(self, id):
        return [line for line in self.log().splitlines() if f" id={id} " in line]

    def connect(self, name, lane="routine", wait=30, keeps=1000):
        c = wire.Connection(self.context, self.endpoints[lane], self.people[name],
                            self.broker_key["transport_key"], wait, keeps)
        self.addCleanup(c.close)
        return c

    def joined(self, name, lane="routine", credit=0, wait=30):
        c = self.connect(name, lane, wait)
        c.hello(credit)
        return c

    def envelope(self, sender, recipient, /, kind="WITHDRAW_REFERRAL", **more):
        return envelope(self.people[sender], self.people[recipient], KINDS[kind], **more)

    def refused(self, c, data, why, way="post"):
        what, values = c.post(data, way)
        self.assertEqual((what, CODES.get(values.get("code"))), ("refusal", why))
        self.assertTrue(wire.refusal_right(values, self.broker_key["sign_key"], data))

    def received(self, c, data):
        what, values = c.post(data)
        self.assertEqual(what, "receipt", CODES.get(values.get("code")))
        self.assertEqual(values["envelope_hash"], wire.spec.sha256(data))
        return values.get("index", 0), values["received_at"]

    def is_served(self, name="trent"):
        self.received(self.joined(name), self.envelope(name, "intake"))

    def check_memory(self):
        """The most that the broker ever had."""
        with open(f"/proc/{self.broker.pid}/status", encoding="ascii") as f:
            self.assertLess(int(re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M)[1]), MEMORY_MOST)

    def wrong(self):
        """name: bytes, the code, who posts it, in which lane."""
        p = self.people
        good = self.envelope("mallory", "intake")
        flipped = bytearray(good)
        flipped[900] ^= 1
        foreign = self.envelope("trent", "intake")
        old, early = now() - 61 * wire.DAY, now() + 2 * wire.DAY
        mine = lambda **more: self.envelope("mallory", "intake", **more)
        return {
            "forged": (mine(signer=p["trent"]), "BAD_SIGNATURE"),
            "altered": (bytes(flipped), "BAD_SIGNATURE"),
            "no message": (b"\xff" * 40, "MALFORMED"),
            "nothing": (b"\x0a", "MALFORMED"),
            "unknown field": (good + b"\x78\x01", "NOT_CANONICAL"),
            "another size": (mine(size=2001), "NOT_CANONICAL"),
            "unknown kind": (envelope(p["mallory"], p["intake"], 9999), "UNKNOWN_KIND"),
            "oversized": (mine(size=16368), "TOO_LARGE"),
            "unknown sender": (mine(sender="nobody"), "UNKNOWN_SENDER", "carrier"),
            "sender of another connection": (mine(sender="nobody"), "WRONG_CONNECTION"),
            "somebody else's": (foreign, "WRONG_CONNECTION"),
            "unknown recipient": (mine(recipient="nobody"), "UNKNOWN_RECIPIENT"),
            "misdirected": (self.envelope("mallory", "notify"), "NOT_PERMITTED"),
            "of a kind for others": (mine(kind="SEND_FACTS"), "NOT_PERMITTED"),
            "a question as a message": (self.envelope("officer", "screening", kind="ASK_QUEUE"),
                                        "NOT_PERMITTED", "officer"),
            "unknown key": (mine(key_id=b"8 bytes."), "UNKNOWN_KEY"),
            "another suite": (mine(suite=2), "SUITE_REFUSED"),
            "the other lane": (mine(), "WRONG_LANE", "mallory", "urgent"),
            "old": (mine(id=new_id(old)), "WRONG_ID_TIME"),
            "early": (mine(id=new_id(early)), "WRONG_ID_TIME"),
            "of an expired principal": (self.envelope("late", "intake"), "UNKNOWN_SENDER",
                                        "carrier"),
        }


class Hostile(Broker):

    # --- by name ---

    def test_each_is_refused_by_name(self):
        for name, (data, why, *where) in self.wrong().items():
            with self.subTest(name):
                c = self.joined(*(where or ["mallory"]))
                self.refused(c, data, why)
                c.close()
        c = self.joined("screening")
        tell = self.envelope("screening", "officer", kind="TELL_QUEUE", cause=new_id())
        self.refused(c, tell, "NOT_ASKED", "answer")

    def test_a_replay_gets_the_first_receipt_and_is_carried_once(self):
        c, reader = self.joined("mallory"), self.joined("intake", credit=1000)
        data = self.envelope("mallory", "intake")
        first = self.received(c, data)
        self.assertEqual(self.received(c, data), first)
        self.assertEqual(self.received(self.joined("mallory"), data), first)
        self.refused(self.joined("trent"), data, "WRONG_CONNECTION")
        id = wire.decode("Header", wire.decode("Envelope", data)["header"])["id"]
        self.refused(self.joined("mallory"), self.envelope("mallory", "intake", id=id),
                     "ID_REUSED")
        last = self.envelope("mallory", "intake")
        self.received(self.joined("mallory"), last)
        came = []
        while last not in came:
            what, values = reader.receive()
            if what == "delivery":
                came.append(values["envelope"])
        self.assertEqual(came.count(data), 1)

    def test_a_payload_taken_from_somebody_opens_for_nobody(self):
        reader = self.joined("intake", credit=1000)
        theirs = self.envelope("sidonie", "intake", body=b"\x0a\x01x")
        self.received(self.joined("sidonie"), theirs)
        stolen = self.envelope("mallory", "intake", sealed=wire.sealed_of(theirs))
        self.received(self.joined("mallory"), stolen)  # the broker cannot know
        intake = self.people["intake"]
        came = {}
        while stolen not in came:
            what, values = reader.receive()
            came[values.get("envelope")] = values.get("seq")
        self.assertEqual(wire.opened(theirs, intake), b"\x0a\x01x")
        self.assertIsNone(wire.opened(stolen, intake))
        reader.send("cursor", {"seq": came[stolen], "quarantined": [
            {"seq": came[stolen], "code": NUMBERS["NOT_FOR_ME"]}]})
        reader.hello()
        self.assertIn(f"seq={came[stolen]} why=NOT_FOR_ME", self.lines("QUARANTINED")[-1])

    def test_no_byte_of_an_envelope_can_be_changed(self):
        c = self.joined("mallory")
        data = self.envelope("mallory", "intake")
        for start in range(0, len(data), 50):
            for i in range(start, start + 50):
                changed = bytearray(data)
                changed[i] ^= 1 << i % 8
                c.send("post", {"envelope": bytes(changed)})
            for i in range(start, start + 50):
                what, values = c.receive()
                self.assertEqual(what, "refusal", f"byte {i}")
        self.received(c, data)

    def test_no_byte_of_any_kind_can_be_changed(self):
        """As above, in some places of a message of each kind that is logged. There is no leader here,
        nobody is the broker, and what is sent to it has tests of its own."""
        tried = 0
        for kind, sender, recipient, lane in logged_kinds():
            if not sender or not recipient:
                continue
            tried += 1
            c = self.joined(sender, lane)
            data = self.envelope(sender, recipient, kind=kind, size=4080, body=os.urandom(2000))
            places = [*range(0, 150, 7), *range(150, len(data) - 70, 211),
                      *range(len(data) - 70, len(data), 6)]
            for i in places:
                changed = bytearray(data)
                changed[i] ^= 1 << (i + tried) % 8
                c.send("post", {"envelope": bytes(changed)})
            for i in places:
                what, _ = c.receive()
                self.assertEqual(what, "refusal", f"{kind}: byte {i}")
            self.received(c, data)
            c.close()
        self.assertGreater(tried, 15)

    # --- who ---

    def test_an_expired_key_does_not_come_in(self):
        before = len(self.lines("CONNECTION-REFUSED"))
        c = self.connect("late", wait=2)
        with self.assertRaises(Silence):
            c.hello()
        stranger = Person("mallory", ROLES["REFERRER"])  # the name is right, the key is not
        x = wire.Connection(self.context, self.endpoints["urgent"], stranger,
                            self.broker_key["transport_key"], 2)
        self.addCleanup(x.close)
        with self.assertRaises(Silence):
            x.hello()
        self.assertGreater(len(self.lines("CONNECTION-REFUSED")), before)

    def test_a_suspension_acts_in_mid_session(self):
        c = self.joined("gone", wait=3)
        taken = self.envelope("gone", "intake")
        self.received(c, taken)
        self.people["gone"].registry["suspended"] = True
        self.write_registry(2)
        self.broker.send_signal(signal.SIGHUP)
        wait_for(lambda: self.lines("REGISTRY-LOADED"), "the registry is not loaded")
        what = "nothing"
        with contextlib.suppress(Silence):
            what, values = c.post(self.envelope("gone", "intake"))
        self.assertIn(what, ("nothing", "refusal"))
        if what == "refusal":
            self.assertEqual(CODES[values["code"]], "SUSPENDED")
        with self.assertRaises(Silence):
            self.joined("gone", wait=2)
        self.refused(self.joined("carrier"), self.envelope("gone", "intake"), "SUSPENDED")
        self.is_served()

    # --- how much ---

    def test_a_message_of_thousands_of_frames(self):
        c = self.joined("mallory")
        for _ in range(5):
            c.socket.send_multipart([b"x" * 900] * 20002)
        c.socket.send_multipart([b"x" * (1 << 20)] * 40)
        self.received(c, self.envelope("mallory", "intake"))  # what came before was thrown away
        self.assertIn("why=PARTS", "".join(self.lines("FRAME-REFUSED")))
        self.check_memory()

    def test_a_frame_beyond_the_limit_ends_the_connection(self):
        c = self.joined("mallory", wait=3)
        c.socket.send(b"x" * (2 << 20))
        with self.assertRaises(Silence):
            c.post(self.envelope("mallory", "intake"))
        self.is_served()

    def test_many_connections_of_one_key(self):
        half_open = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(300)]
        for s in half_open[::2]:
            s.sendall(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE")
        self.addCleanup(lambda: [s.close() for s in half_open])
        many = [self.connect("flood", wait=1) for _ in range(150)]
        big = b"\x1a\xff\xff\x4f" + b"x" * ((5 << 18) - 1)  # as a Post begins
        for _ in range(4):
            for c in many:
                c.send("hello", {"protocol": 1, "credit": 1000})
                with contextlib.suppress(zmq.Again):
                    c.socket.send(big, zmq.DONTWAIT)
            self.is_served()
        welcomed = 0
        for c in many:
            with contextlib.suppress(zmq.Again):
                while True:
                    welcomed += "welcome" in wire.decode("Frame", c.socket.recv(zmq.DONTWAIT))
        self.check_memory()
        self.assertGreater(welcomed, 0)
        for c in many:
            c.close()

    def test_who_reads_nothing_fills_nothing(self):
        sender = self.joined("sidonie")
        for _ in range(24):
            self.received(sender, self.envelope("sidonie", "intake", kind="SUBMIT_REFERRAL",
                                                size=1048560))
        last = self.joined("intake")
        seen = last.hello()
        end = seen["waiting"] + seen.get("read_up_to", 0)
        for _ in range(8):
            c = self.connect("intake", keeps=1)
            for _ in range(40):  # it says that it has read all, and asks for all again
                c.send("hello", {"protocol": 1, "credit": 1000})
                sender.ping()
                c.send("cursor", {"seq": end})
                sender.ping()
        self.is_served()
        self.check_memory()

    def test_one_asker_does_not_take_all_questions(self):
        self.joined("screening")  # it never answers
        c, other = self.joined("officer"), self.joined("other-officer", wait=2)
        ask = lambda who: self.envelope(who, "screening", kind="ASK_QUEUE")
        for _ in range(64):
            c.send("query", {"envelope": ask("officer")})
        self.assertEqual(c.post(ask("officer"), "query")[0], "busy")
        with self.assertRaises(Silence):  # nobody says busy to somebody else
            other.post(ask("other-officer"), "query")

    # --- a dead authenticator ---

    def thread(self, name):
        for task in os.listdir(f"/proc/{self.broker.pid}/task"):
            with open(f"/proc/{self.broker.pid}/task/{task}/comm", encoding="ascii") as f:
                if f.read().strip() == name:
                    return int(task)
        raise AssertionError(f"no thread {name}")

    def test_while_the_authenticator_hangs_nobody_comes_in(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        seize, interrupt, detach = 0x4206, 0x4207, 17
        c = self.joined("mallory")
        tid = self.thread("zap")
        if libc.ptrace(seize, tid, None, None) != 0:
            self.skipTest("this machine does not let one process stop another's thread")
        try:
            self.assertEqual(libc.ptrace(interrupt, tid, None, None), 0)
            os.waitpid(tid, 0x40000000)  # __WALL
            for name in ("trent", "late"):
                with self.assertRaises(Silence):
                    self.connect(name, wait=3).hello()
            self.received(c, self.envelope("mallory", "intake"))  # who was in stays in
        finally:
            libc.ptrace(detach, tid, None, None)
        self.is_served()


@unittest.skipUnless(os.environ.get("HAVRE_FAULT_LIBRARY"), "needs the library of faults")
class Expired(Broker):
    """The registry's time, and its grace, are over while the broker runs."""

    @classmethod
    def environment(cls):
        return {"LD_PRELOAD": os.environ["HAVRE_FAULT_LIBRARY"],
                "HAVRE_FAULT": os.path.join(cls.home, "fault")}

    def busy(self, c, data, way="post"):
        self.assertEqual(c.post(data, way)[0], "busy")

    def test_all_waits_and_nothing_is_refused(self):
        mallory, flood = self.joined("mallory"), self.joined("flood")
        taken = self.envelope("flood", "intake")
        first = self.received(flood, taken)
        fault = self.environment()["HAVRE_FAULT"]
        with open(fault + ".new", "w", encoding="ascii") as f:
            f.write(f"clock {45 * 24 * 3600}\n")
        os.replace(fault + ".new", fault)
        data = self.envelope("mallory", "intake")
        risk = self.envelope("trent", "intake", kind="REPORT_RISK")
        wrong = self.envelope("sidonie", "notify")
        ask = self.envelope("officer", "screening", kind="ASK_QUEUE")
        for _ in range(3):
            self.busy(mallory, data)
            self.busy(self.joined("trent", "urgent"), risk)  # who comes anew is let in, too
            self.busy(self.joined("officer"), ask, "query")
            self.busy(self.joined("sidonie"), wrong)  # for good would be too early
            self.busy(flood, taken)
        self.write_registry(2, days=90)
        self.broker.send_signal(signal.SIGHUP)
        wait_for(lambda: self.lines("REGISTRY-LOADED"), "the registry is not loaded")
        self.received(mallory, data)
        self.received(self.joined("trent", "urgent"), risk)
        self.assertEqual(self.received(flood, taken), first)
        self.refused(self.joined("sidonie"), wrong, "NOT_PERMITTED")
        self.assertNotIn("why=REGISTRY_EXPIRED", self.log())


class Lines(Broker):
    """What is written about all this: counted, and nobody is in it."""

    def test_counts_and_lines(self):
        wrong = self.wrong()
        for data, _, *where in wrong.values():
            c = self.joined(*(where or ["mallory"]))
            c.post(data)
            c.close()
        c = self.joined("mallory")
        for _ in range(100):
            self.refused(c, self.envelope("mallory", "notify"), "NOT_PERMITTED")
        self.broker.send_signal(signal.SIGTERM)
        self.assertEqual(self.broker.wait(timeout=60), 0)
        expected = {}
        for _, why, *_ in wrong.values():
            expected[why] = expected.get(why, 0) + 1
        expected["NOT_PERMITTED"] += 100
        told = {m[1]: int(m[2]) for m in map(
            re.compile(r"why=(\w+) count=(\d+)").search, self.lines("REFUSED"))}
        self.assertEqual(told, expected)
        counts = self.lines("COUNTS")[-1]
        self.assertIn(f" refused={sum(expected.values())} ", counts)
        self.assertIn(f" received={sum(expected.values())} ", counts)
        lines = self.lines("POST-REFUSED")
        form = re.compile(r"\S+ level=warn prog=broker id=POST-REFUSED kind=[A-Z_?]+ "
                          r"from=[a-z-]+ why=[A-Z_]+ count=\d+")
        for line in lines:
            self.assertRegex(line, "^" + form.pattern + "$")
        many = [line for line in lines if "from=mallory why=NOT_PERMITTED" in line]
        self.assertEqual([int(line.rsplit("=", 1)[1]) for line in many], [1, 2, 4, 8, 16, 32, 64])


if __name__ == "__main__":
    unittest.main()
