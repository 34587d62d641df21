# SPDX-License-Identifier: GPL-2.0-only
# A terminal that a test plays, with a command on it.
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time


class Terminal:
    def __init__(self, *command, size=(31, 97)):
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        environment = dict(os.environ, TERM="vt220")

        def lead():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=lead, env=environment)
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def expect(self, pattern, seconds=60):
        end = time.time() + seconds
        while not (found := re.search(pattern, self.text)):
            if time.time() > end or not self.read(end - time.time()):
                sys.exit(f"{pattern!r} did not come: {self.text!r}")
        self.text = self.text[found.end():]

    def read(self, seconds):
        if not select.select([self.master], [], [], max(0, seconds))[0]:
            return False
        self.text += os.read(self.master, 65536).decode(errors="replace")
        return True

    def end(self, status, seconds=60):
        end = time.time() + seconds
        while self.process.poll() is None:
            if time.time() > end:
                sys.exit(f"it does not end: {self.text!r}")
            self.read(0.1)
        if self.process.returncode != status:
            sys.exit(f"status {self.process.returncode}, wanted {status}: {self.text!r}")
        if termios.tcgetattr(self.slave) != self.before:
            sys.exit("the terminal is not as it was")
