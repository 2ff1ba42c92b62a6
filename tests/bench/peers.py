"""What is raced: each knows how to start itself with an empty store, and what it promises.

`start` gives the process that acknowledges; `words` is how the bench's programs reach it. Another
peer is another class here, a row in PEERS, and a row of carriers.c."""
import os
import shutil
import socket
import subprocess

import cluster

OFFICER = "officer-1"

# What a sender and a reader may rely on, once a message is acknowledged.
PROMISES = {
    "synced": "on disk before the acknowledgement",
    "signature": "signature and permission checked before it",
    "once": "taken once, however often it is sent",
    "receipt": "signed receipt with a proof of inclusion",
    "transport": "connections encrypted and authenticated",
    "cursor": "the reader's place kept on disk by the server",
}


class Havre:
    name = "havre"
    promises = set(PROMISES)

    def __init__(self, processes, house, tools):
        self.processes, self.house, self.tools = processes, house, tools
        self.words = ["--carrier", self.name]

    def version(self):
        out = subprocess.run([os.path.join(self.house.bin, "havre-broker"), "--version"],
                             capture_output=True, text=True, check=True).stdout
        return out.split()[-1]

    def start(self):
        shutil.rmtree(self.house.path("broker", "store"), ignore_errors=True)
        server = self.processes.start("broker", os.path.join(self.house.bin, "havre-broker"),
                                      "--home", self.house.path("broker"))
        cluster.wait_for(lambda: "id=STARTED" in self.processes.told("broker") or
                         server.poll() is not None, "the broker does not start")
        if server.poll() is not None:
            self.processes.fail(server)
        return server

    def start_chain(self):
        """The whole of Havre."""
        shutil.rmtree(self.house.path("broker", "store"), ignore_errors=True)
        self.house.start()

    def stop_chain(self):
        self.house.stop()


class Redis:
    name = "redis"
    promises = {"synced"}

    def __init__(self, processes, house, tools):
        self.processes, self.house, self.tools = processes, house, tools
        self.folder = house.path("redis")
        self.words = []

    def version(self):
        words = subprocess.run(["redis-server", "--version"], capture_output=True, text=True,
                               check=True).stdout.split()
        return next(w[2:] for w in words if w.startswith("v="))

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        port, = cluster.free_ports(1)
        self.words = ["--carrier", self.name, "--port", port]
        server = self.processes.start(
            "redis", "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", self.folder,
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--auto-aof-rewrite-percentage", "0", "--logfile", os.path.join(self.folder, "log"))
        cluster.wait_for(lambda: self.answers(port) or server.poll() is not None,
                         "redis-server does not start")
        if server.poll() is not None:
            self.processes.fail(server)
        return server

    @staticmethod
    def answers(port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                s.sendall(b"PING\r\n")
                return s.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def start_chain(self):
        """Two programs stand in for the services."""
        self.start()
        for who, to in (("intake", "urgent"), ("urgent", OFFICER)):
            self.processes.ready(self.processes.start(
                "hop-" + who, self.tools("bench_hop"), *self.words, "--home", self.house.home,
                "--as", who, "--to", to))

    def stop_chain(self):
        self.processes.stop_all()


PEERS = (Havre, Redis)
