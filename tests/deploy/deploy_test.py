"""What the tests of the installation share: everything installed into a temporary folder."""
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["HAVRE_BUILD"]
BIN = os.path.join(BUILD, "bin")
DAEMONS = ["havre-broker", "havre-intake", "havre-screening", "havre-urgent", "havre-notify",
           "havre-relay"]
COMMANDS = ["havre", "havre-staff", "havre-admin"]
# Programs speak English, unless a test asks for French.
ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8"}


def run(*command, **kw):
    """Gives what it printed, errors too; fails the test when the command fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**ENGLISH, **kw.pop("env", {})}, timeout=120, **kw)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


class Installed(unittest.TestCase):
    """self.stage stands for /; self.prefix is where the programs were configured to go."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="havre-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.stage = folder.name
        run("cmake", "--install", BUILD, env={"DESTDIR": cls.stage})
        cache = read(BUILD, "CMakeCache.txt")
        line = next(s for s in cache.splitlines() if s.startswith("CMAKE_INSTALL_PREFIX:"))
        cls.prefix = line.split("=", 1)[1]

    def under(self, *names):
        """A path below the prefix, in the stage."""
        return os.path.join(self.stage + self.prefix, *names)
