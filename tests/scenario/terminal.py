"""A program with a terminal of its own, as a person has it: what it asks for is waited for, and
answered."""
import os
import pty
import signal


class Terminal:
    """Starts the words; `close` ends what still runs."""

    def __init__(self, *words, env=None):
        self.said = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execve(words[0], words, {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
            finally:
                os._exit(127)
        self.code = None

    def wait_for(self, text):
        """Reads until it stands there; what was read before is gone."""
        while text.encode() not in self.said:
            more = self._read()
            if not more:
                raise AssertionError(f"{text!r} is never said: {self.said.decode()}")
        self.said = self.said.split(text.encode(), 1)[1]

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def _read(self):
        try:
            more = os.read(self.fd, 4096)
        except OSError:  # the other end is closed
            more = b""
        self.said += more
        return more

    def end(self):
        """Waits for its end. Gives the exit code and what it said since."""
        while self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        return self.code, self.said.decode()

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
