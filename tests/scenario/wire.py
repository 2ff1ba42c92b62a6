"""A program of one's own that speaks with the broker, from PROTOCOL.md: people with keys, a registry
that they sign, envelopes that are right or wrong in any way, a raw connection.

Nothing of Havre's own code is used. What reads (decode, pae, open_seal) is test_protocol_vectors.
"""
import hashlib
import os
import time

import zmq
from nacl import bindings
from nacl.signing import SigningKey, VerifyKey
from zmq.utils import z85

import test_protocol_vectors as spec
from test_protocol_vectors import be64, decode, pae

DAY = 86400 * 1000


def now():
    return int(time.time() * 1000)


def new_id(at=None):
    return be64(now() if at is None else at)[2:] + os.urandom(10)


# --- encoding ---

def number(n):
    out = b""
    n &= (1 << 64) - 1
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(tag, data):
    return number(tag << 3 | 2) + number(len(data)) + data


def one(tag, of, value):
    if of in spec.NUMBERS or of in spec.ENUMS:
        return number(tag << 3) + number(int(value)) if value else b""
    if of == "string":
        value = value.encode()
    elif of != "bytes":
        return field(tag, encode(of, value))
    return field(tag, value) if value else b""


def encode(message, values):
    """The one encoding; values by field name, what is not there is left out."""
    known = {name for name, _, _ in spec.MESSAGES[message].values()}
    assert set(values) <= known, (message, set(values) - known)
    out = b""
    for tag, (name, of, repeated) in sorted(spec.MESSAGES[message].items()):
        value = values.get(name)
        if value is None:
            continue
        if not repeated:
            # an empty message of a choice is there, too
            out += one(tag, of, value)
        elif of in spec.NUMBERS or of in spec.ENUMS:
            out += field(tag, b"".join(number(v) for v in value)) if value else b""
        else:
            out += b"".join(field(tag, encode(of, v) if isinstance(v, dict) else
                                  v.encode() if isinstance(v, str) else v) for v in value)
    return out


# --- people ---

class Person:
    def __init__(self, name, role, **registry):
        self.name, self.role, self.registry = name, role, registry
        self.sign = SigningKey.generate()
        self.sign_key = bytes(self.sign.verify_key)
        self.key_id = hashlib.blake2b(self.sign_key, digest_size=32).digest()[:8]
        self.box_secret = os.urandom(32)
        self.box_key = bindings.crypto_scalarmult_base(self.box_secret)
        self.transport = zmq.curve_keypair()  # public, secret

    def key(self):
        return {"id": self.key_id, "holder": "C-1", "device": "test", "sign_key": self.sign_key,
                "transport_key": z85.decode(self.transport[0]),
                "box_keys": [{"epoch": 1, "box_key": self.box_key}]}

    def principal(self):
        return {"name": self.name, "title_en": self.name, "title_fr": self.name,
                "roles": [self.role], "keys": [self.key()], **self.registry}

    def signature(self, purpose, *pieces):
        return self.sign.sign(pae(purpose, *pieces)).signature


def signed_registry(root, principals, version=1, days=30):
    registry = encode("Registry", {
        "version": version, "issued_at": now() - DAY, "expires_at": now() + days * DAY,
        "threshold": 1, "root_keys": [root.sign_key], "suites": [1], "principals": principals})
    return encode("SignedRegistry", {"registry": registry, "signatures": [
        {"root_key": root.sign_key, "signature": root.signature("registry", registry)}]})


# --- envelopes ---

def length(n):
    return 1 + len(number(n)) + n


def total(header, padded, readers=1):
    return length(header) + length(34 + 62 * readers + length(padded + 16)) + 66


def seal(plain, padded, context, reader):
    secret, key = os.urandom(32), os.urandom(32)
    ephemeral = bindings.crypto_scalarmult_base(secret)
    shared = bindings.crypto_box_beforenm(reader.box_key, secret)
    nonce = hashlib.blake2b(ephemeral + reader.key_id, digest_size=24).digest()
    lock = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt
    filled = (plain + b"\x80").ljust(padded, b"\0")
    return encode("Sealed", {
        "ephemeral": ephemeral,
        "wraps": [{"key_id": reader.key_id, "box": lock(key, context, nonce, shared)}],
        "box": lock(filled, context, bytes(24), key)})


def envelope(sender, recipient, kind, /, size=2000, body=b"", signer=None, sealed=None, id=None,
             **header):
    """From one to another; everything of the header can be told otherwise."""
    fields = {"suite": 1, "id": id or new_id(), "kind": kind, "sender": sender.name,
              "key_id": sender.key_id, "recipient": recipient.name, "created_at": now(),
              "epoch": 1, **header}
    head = encode("Header", fields)
    if sealed is None:
        padded = next(p for p in range(size, 0, -1) if total(len(head), p) == size)
        sealed = seal(body, padded, pae("seal", head), recipient)
    return encode("Envelope", {"header": head, "sealed": sealed, "signature":
                               (signer or sender).signature("envelope", head, sealed)})


def sealed_of(data):
    return decode("Envelope", data)["sealed"]


def opened(data, reader):
    """The body; None when the seal does not open."""
    outer = decode("Envelope", data)
    try:
        return spec.open_seal(outer["sealed"], pae("seal", outer["header"]), reader.key_id,
                              reader.box_secret)
    except spec.CryptoError:
        return None


# --- the connection ---

class Silence(Exception):
    """Nothing came, or nobody is there to send to: an authenticator that refuses ends the socket's
    only connection, before or after the first frame has left."""


class Connection:
    """A DEALER of one person to one lane. Pings of the broker are answered by whoever receives.
    keeps: frames that wait here; the others wait at the broker."""

    def __init__(self, context, endpoint, person, server_key, wait=30, keeps=1000):
        self.socket = context.socket(zmq.DEALER)
        self.socket.rcvhwm = keeps
        self.socket.linger = 0
        self.socket.rcvtimeo = wait * 1000
        self.socket.sndtimeo = wait * 1000
        self.socket.curve_serverkey = z85.encode(server_key)
        self.socket.curve_publickey, self.socket.curve_secretkey = person.transport
        self.socket.connect(endpoint)

    def close(self):
        self.socket.close()

    def send(self, what, values):
        try:
            self.socket.send(self.frame(what, values))
        except zmq.Again as e:
            raise Silence from e

    @staticmethod
    def frame(what, values):
        tag = next(t for t, (name, _, _) in spec.MESSAGES["Frame"].items() if name == what)
        of = spec.MESSAGES["Frame"][tag][1]
        return field(tag, encode(of, values))

    def receive(self):
        """The next frame but a Ping: its name and its fields."""
        while True:
            try:
                data = self.socket.recv()
            except zmq.Again as e:
                raise Silence from e
            (what, values), = decode("Frame", data).items()
            if what != "ping":
                return what, values
            self.send("pong", {"nonce": values.get("nonce", 0)})

    def hello(self, credit=0, read_up_to=0):
        self.send("hello", {"protocol": 1, "credit": credit, "read_up_to": read_up_to})
        what, values = self.receive()
        assert what == "welcome", what
        return values

    def ping(self):
        """Until the broker has heard what was sent before."""
        self.send("ping", {})
        what, values = self.receive()
        assert what == "pong", what
        return values

    def post(self, data, way="post"):
        """What the broker answers."""
        self.send(way, {"envelope": data})
        return self.receive()


def refusal_right(values, broker_key, data):
    """Is it the broker's own, signed, about these bytes?"""
    pieces = (values.get("id", b""), values["envelope_hash"], be64(values["code"]),
              be64(values["at"]))
    return values["envelope_hash"] == spec.sha256(data) and spec.verify(
        bytes(VerifyKey(broker_key)), pae("refusal", *pieces), values["signature"])
