# Goal: proto/vectors.json holds for somebody who has only PROTOCOL.md: nothing of Havre's own code
# is used here, only hashlib, PyNaCl and the .proto files.
import base64
import hashlib
import json
import os
import re
import unittest

from nacl import bindings
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
SIZES = [2000, 4080, 8176, 16368, 32752, 65520, 131056, 262128, 524272, 1048560, 1310704]
NUMBERS = {"uint32": 32, "uint64": 64, "int64": 64, "bool": 1}


class Refused(Exception):
    pass


# --- protobuf, strictly, from the text of the .proto files ---

def read_schema():
    messages, enums = {}, {}
    for name in sorted(os.listdir(PROTO)):
        if not name.endswith(".proto"):
            continue
        with open(os.path.join(PROTO, name), encoding="utf-8") as f:
            text = re.sub(r"//[^\n]*", "", f.read())
        text = re.sub(r"oneof\s+\w+\s*{([^{}]*)}", r"\1", text)
        for kind, title, body in re.findall(r"(message|enum)\s+(\w+)\s*{([^{}]*)}", text):
            if kind == "enum":
                enums[title] = {int(n) for n in re.findall(r"=\s*(\d+)", body)}
            else:
                messages[title] = {
                    int(number): (field, of, bool(repeated))
                    for repeated, of, field, number in re.findall(
                        r"(repeated\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;", body)}
    return messages, enums


MESSAGES, ENUMS = read_schema()


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Refused("a number without end")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            if value >> 64 or (data[at - 1] == 0 and shift > 7):
                raise Refused("a number in too many bytes")
            return value, at


def number(of, value):
    if of in ENUMS and value not in ENUMS[of]:
        raise Refused("an unknown enum value")
    if of in NUMBERS and value >> NUMBERS[of]:
        raise Refused("a number too large")
    return value - (1 << 64) if of == "int64" and value >> 63 else value


def inside(of, data):
    if of == "bytes":
        return data
    if of == "string":
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as e:
            raise Refused("not UTF-8") from e
        if "\0" in text:
            raise Refused("NUL")
        return text
    return decode(of, data)


def packed_numbers(of, data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(number(of, value))
    return values


def decode(message, data):
    """One message, in its one encoding; fields that are not there are not in the result."""
    result, at, last = {}, 0, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag >> 3 not in MESSAGES[message]:
            raise Refused("an unknown field")
        field, of, repeated = MESSAGES[message][tag >> 3]
        is_number = of in NUMBERS or of in ENUMS
        if tag >> 3 < last or (tag >> 3 == last and (not repeated or is_number)):
            raise Refused("another order, or a field twice")
        last = tag >> 3
        if tag & 7 == 0 and is_number and not repeated:
            value, at = varint(data, at)
            value = number(of, value)
        elif tag & 7 == 2 and (repeated or not is_number):
            length, at = varint(data, at)
            if length > len(data) - at:
                raise Refused("a length behind the end")
            piece, at = data[at:at + length], at + length
            value = packed_numbers(of, piece) if is_number else inside(of, piece)
        else:
            raise Refused("the wrong wire type")
        if repeated and not is_number:
            result.setdefault(field, []).append(value)
            continue
        if value in (0, b"", "", []):
            raise Refused("a default that is written")
        result[field] = value
    if message == "Frame" and len(result) > 1:
        raise Refused("two of one choice")
    return result


# --- the document's definitions ---

def be64(n):
    return n.to_bytes(8, "big")


def pae(purpose, *pieces):
    head = b"havre/1 " + purpose.encode()
    return be64(len(pieces)) + b"".join(be64(len(p)) + p for p in (head,) + pieces)


def verify(key, message, signature):
    try:
        VerifyKey(key).verify(message, signature)
        return True
    except (BadSignatureError, ValueError):
        return False


def sha256(data):
    return hashlib.sha256(data).digest()


def open_seal(sealed, context, key_id, secret):
    s = decode("Sealed", sealed)
    shared = bindings.crypto_box_beforenm(s["ephemeral"], secret)
    nonce = hashlib.blake2b(s["ephemeral"] + key_id, digest_size=24).digest()
    unwrap = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt
    for wrap in s["wraps"]:
        if wrap["key_id"] == key_id:
            key = unwrap(wrap["box"], context, nonce, shared)
            padded = unwrap(s["box"], context, bytes(24), key)
            plain, mark, rest = padded.rpartition(b"\x80")
            if mark and not rest.strip(b"\0"):
                return plain
    raise CryptoError("no wrap for this key")


def root_of(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:]))


def root_from_path(leaf, index, size, path):
    """RFC 6962 by recursion from the top: the last node of the path is the nearest to the root."""
    if size == 1:
        if path:
            raise Refused("a path too long")
        return leaf
    if not path or index >= size:
        raise Refused("a path too short")
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return sha256(b"\1" + root_from_path(leaf, index, k, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_from_path(leaf, index - k, size - k, path[:-1]))


def roots_from_proof(old, new, proof, whole, old_root):
    """The old and the new root that a consistency proof leads to."""
    if old == new:
        if whole:
            return old_root, old_root
        return proof[-1], proof[-1]
    k = 1
    while k * 2 < new:
        k *= 2
    if old <= k:
        a, b = roots_from_proof(old, k, proof[:-1], whole, old_root)
        return a, sha256(b"\1" + b + proof[-1])
    a, b = roots_from_proof(old - k, new - k, proof[:-1], False, old_root)
    return sha256(b"\1" + proof[-1] + a), sha256(b"\1" + proof[-1] + b)


def read_checkpoint(text, broker, key):
    form = (r"havre/([a-z0-9-]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\nepoch ([1-9][0-9]*)\n"
            r"\n\u2014 ([a-z0-9-]+) ([A-Za-z0-9+/]{91}=)\n")
    found = re.fullmatch(form, text)
    if not found or found[1] != broker or found[5] != broker:
        raise Refused("not a checkpoint of this broker")
    blob = base64.b64decode(found[6])
    head = text[:text.index("\n\n") + 1].encode()
    if blob[:4] != sha256(broker.encode() + b"\n\1" + key)[:4] or not verify(key, head, blob[4:]):
        raise Refused("the signature is not right")
    return int(found[2]), base64.b64decode(found[3])


def verify_envelope(outer, key):
    pieces = outer["header"], outer["sealed"]
    if "batch" not in outer:
        return verify(key, pae("envelope", *pieces), outer["signature"])
    batch = outer["batch"]
    leaf = sha256(b"\0" + pae("batch-leaf", *pieces))
    root = root_from_path(leaf, batch.get("index", 0), batch["size"], batch.get("path", []))
    return verify(key, pae("batch-root", root, be64(batch["size"])), outer["signature"])


def unhex(value):
    return [unhex(v) for v in value] if isinstance(value, list) else bytes.fromhex(value)


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(PROTO, "vectors.json"), encoding="utf-8") as f:
            cls.vectors = json.load(f)
        cls.people = {p["name"]: {k: v if k == "name" else unhex(v) for k, v in p.items()}
                      for p in cls.vectors["people"]}
        with open(os.path.join(PROTO, "catalogue.def"), encoding="utf-8") as f:
            rows = re.findall(r"^KIND\(\s*(\d+),\s*(\w+),\s*\d+,\s*(\w+)", f.read(), re.M)
        cls.kinds = {name: (int(n), body) for n, name, body in rows}

    def open_for(self, name, sealed, context):
        p = self.people[name]
        return open_seal(sealed, context, p["key_id"], p["box_secret"])

    def test_keys(self):
        for p in self.people.values():
            self.assertEqual(bindings.crypto_sign_seed_keypair(p["sign_seed"])[0], p["sign_key"])
            self.assertEqual(bindings.crypto_scalarmult_base(p["box_secret"]), p["box_key"])
            self.assertEqual(hashlib.blake2b(p["sign_key"], digest_size=32).digest()[:8],
                             p["key_id"])

    def test_signatures_cover_the_encoding(self):
        for row in self.vectors["signatures"]:
            message = pae(row["purpose"], *unhex(row["pieces"]))
            key = self.people[row["signer"]]["sign_key"]
            self.assertEqual(message, unhex(row["pae"]))
            self.assertTrue(verify(key, message, unhex(row["signature"])))
            self.assertFalse(verify(key, message + b"\0", unhex(row["signature"])))

    def test_seals_open_for_their_readers(self):
        for row in self.vectors["seals"]:
            sealed, context = unhex(row["sealed"]), unhex(row["context"])
            self.assertEqual(len(decode("Sealed", sealed)["box"]), row["padded"] + 16)
            for name in row["readers"]:
                self.assertEqual(self.open_for(name, sealed, context), unhex(row["plain"]))
            with self.assertRaises(CryptoError):
                self.open_for("officer-x", sealed, context)
            with self.assertRaises(CryptoError):
                self.open_for(row["readers"][0], sealed, context + b"x")

    def test_a_note_opens_for_its_case(self):
        row = self.vectors["note"]
        sealed = unhex(row["sealed"])
        for name in row["readers"]:
            plain = self.open_for(name, sealed, pae("note", row["case_number"].encode()))
            self.assertEqual(decode("Note", plain), {"text": row["text"]})
            with self.assertRaises(CryptoError):
                self.open_for(name, sealed, pae("note", b"OTHER-CASE"))

    def test_envelopes_verify_and_open(self):
        for row in self.vectors["envelopes"] + self.vectors["batch"]:
            data = unhex(row["bytes"])
            outer = decode("Envelope", data)
            header = decode("Header", outer["header"])
            number_, body = self.kinds[row["kind"]]
            self.assertIn(len(data), SIZES)
            self.assertEqual(sha256(data), unhex(row["hash"]))
            self.assertEqual((header["suite"], header["kind"]), (1, number_))
            self.assertEqual((header["sender"], header["recipient"]),
                             (row["sender"], row["recipient"]))
            self.assertEqual(header["key_id"], self.people[row["sender"]]["key_id"])
            self.assertTrue(verify_envelope(outer, self.people[row["sender"]]["sign_key"]))
            self.assertFalse(verify_envelope(outer, self.people["officer-x"]["sign_key"]))
            plain = self.open_for(row["recipient"], outer["sealed"], pae("seal", outer["header"]))
            self.assertEqual(plain, unhex(row["body"]))
            decode(body, plain)

    def test_a_stolen_payload_verifies_and_does_not_open(self):
        row = self.vectors["stolen"]
        outer = decode("Envelope", unhex(row["bytes"]))
        self.assertTrue(verify_envelope(outer, self.people[row["sender"]]["sign_key"]))
        with self.assertRaises(CryptoError):
            self.open_for(row["recipient"], outer["sealed"], pae("seal", outer["header"]))

    def test_the_tree(self):
        tree = self.vectors["log"]["tree"]
        leaves, roots = unhex(tree["leaves"]), unhex(tree["roots"])
        self.assertEqual(len(roots), len(leaves) + 1)
        self.assertEqual(leaves, [sha256(bytes([0, i])) for i in range(len(leaves))])
        for n, root in enumerate(roots):
            self.assertEqual(root_of(leaves[:n]), root)
        for row in tree["inclusion"]:
            self.assertEqual(root_from_path(leaves[row["index"]], row["index"], row["size"],
                                            unhex(row["path"])), roots[row["size"]])
        for row in tree["consistency"]:
            old = roots[row["old_size"]]
            self.assertEqual(
                roots_from_proof(row["old_size"], row["new_size"], unhex(row["proof"]), True, old),
                (old, roots[row["new_size"]]))

    def test_a_receipt_proves_an_envelope(self):
        log = self.vectors["log"]
        key = self.people[log["broker"]]["sign_key"]
        r = decode("Receipt", unhex(log["receipt"]))
        data = unhex(log["envelope"])
        self.assertEqual(r["id"], decode("Header", decode("Envelope", data)["header"])["id"])
        self.assertEqual(r["envelope_hash"], sha256(data))
        self.assertEqual(r["checkpoint"].decode(), log["checkpoint"])
        size, root = read_checkpoint(log["checkpoint"], log["broker"], key)
        leaf = sha256(b"\0" + be64(r["received_at"]) + r["envelope_hash"])
        self.assertEqual(root_from_path(leaf, r["index"], size, r["proof"]), root)
        with self.assertRaises(Refused):
            read_checkpoint(log["checkpoint"].replace("\n11\n", "\n12\n"), log["broker"], key)

    def test_a_refusal_is_the_brokers(self):
        row = self.vectors["refusal"]
        r = decode("Refusal", unhex(row["bytes"]))
        key = self.people[row["broker"]]["sign_key"]
        self.assertTrue(verify(key, pae("refusal", r["id"], r["envelope_hash"], be64(r["code"]),
                                        be64(r["at"])), r["signature"]))
        self.assertFalse(verify(key, pae("refusal", r["id"], r["envelope_hash"],
                                         be64(r["code"] + 1), be64(r["at"])), r["signature"]))

    def test_the_registry_and_a_key_request(self):
        signed = decode("SignedRegistry", unhex(self.vectors["registry"]))
        for s in signed["signatures"]:
            self.assertIn(s["root_key"], decode("Registry", signed["registry"])["root_keys"])
            self.assertTrue(verify(s["root_key"], pae("registry", signed["registry"]),
                                   s["signature"]))
        data = unhex(self.vectors["key_request"])
        request = decode("KeyRequest", data)
        packed = next(data[i:i + n] for i, n in self.pieces_of(data) if data[i - 2] == 0x12)
        self.assertEqual(decode("Key", packed), request["key"])
        self.assertTrue(verify(request["key"]["sign_key"],
                               pae("key-request", request["principal"].encode(), packed),
                               request["signature"]))

    @staticmethod
    def pieces_of(data):
        """Where the fields of a short message of bytes begin, and how long they are."""
        at = 0
        while at < len(data):
            length, at = varint(data, at + 1)
            yield at, length
            at += length

    def test_what_must_be_refused_is_refused(self):
        for row in self.vectors["refused_encodings"]:
            with self.assertRaises(Refused, msg=row["about"]):
                decode(row["message"], unhex(row["bytes"]))


if __name__ == "__main__":
    unittest.main()
