"""Goal: who holds the line between a partner and the broker reads nothing of what passes, and changes
nothing: a changed byte ends the connection, and what was sent is sent again by its sender."""
import contextlib
import socket
import threading
import unittest

import test_hostile
import wire
from wire import Silence, sealed_of


class Line:
    """Carries bytes between one partner and the broker, remembers them, and changes one if told."""

    def __init__(self, port):
        self.seen = bytearray()
        self.change_next = False
        self.changed = 0
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self.join, args=(near,), daemon=True).start()

    def join(self, near):
        with near, socket.create_connection(("127.0.0.1", self.to)) as far:
            up = threading.Thread(target=self.carry, args=(near, far, True), daemon=True)
            up.start()
            self.carry(far, near, False)
            up.join()

    def carry(self, source, sink, up):
        with contextlib.suppress(OSError):
            while data := bytearray(source.recv(1 << 16)):
                if up and self.change_next and len(data) > 1000:
                    data[len(data) // 2] ^= 1
                    self.change_next = False
                    self.changed += 1
                self.seen += data
                sink.sendall(data)
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


class Wiretap(test_hostile.Broker):

    def tapped(self, wait=30):
        line = Line(self.port)
        self.addCleanup(line.close)
        c = wire.Connection(self.context, line.endpoint, self.people["mallory"],
                            self.broker_key["transport_key"], wait)
        self.addCleanup(c.close)
        c.hello()
        return line, c

    def test_nothing_can_be_read(self):
        line, c = self.tapped()
        data = self.envelope("mallory", "intake")
        self.received(c, data)
        self.assertGreater(len(line.seen), len(data))  # it did pass here,
        self.assertIn(b"CURVE", line.seen)  # and what is in clear is found
        for piece in (data, sealed_of(data)[:64], b"mallory", b"intake", data[-64:]):
            self.assertIn(piece, data)
            self.assertFalse(piece in line.seen, "it is readable on the line")

    def test_nothing_can_be_changed(self):
        line, c = self.tapped(wait=3)
        data = self.envelope("mallory", "intake")
        line.change_next = True
        with self.assertRaises(Silence):
            c.post(data)
        self.assertEqual(line.changed, 1)
        self.assertEqual(self.lines("POST-REFUSED"), [])  # the change never reached the judge
        self.received(self.joined("mallory"), data)


if __name__ == "__main__":
    unittest.main()
