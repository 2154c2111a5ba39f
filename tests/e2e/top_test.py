#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga top in a terminal (a pty): rates, sorting, filtering, resizing, and a clean end.

    top_test.py BUILD
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from harness import Site
from peer import event

BUILD = "build"

RULES = """
rules:
  - name: bill-orders
    pattern: {detail-type: [OrderPlaced]}
    targets: [{service: billing}]
  - name: send-letters
    pattern: {detail-type: [OrderPlaced]}
    targets: [{service: letters}]
"""

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A program that believes that a person looks at it."""

    def __init__(self, argv, environment, rows=24, columns=140):
        self.leader, follower = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(follower)
        self.follower = follower
        self.process = subprocess.Popen(
            argv, stdin=follower, stdout=follower, stderr=follower, env=environment, close_fds=True
        )
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.leader, keys.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.leader], [], [], seconds)
        if ready:
            self.seen += os.read(self.leader, 65536).decode(errors="replace")

    def screen(self):
        """What the latest whole drawing left, without colours and cursor moves: what the
        terminal has taken of the next one, which may come in pieces, is not yet seen."""
        drawing = self.seen.rpartition("\x1b[J")[0].split("\x1b[H")[-1]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawing)

    def wait_for(self, there, what, seconds=20):
        deadline = time.monotonic() + seconds
        while not there(self.screen()):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what}:\n{self.screen()}")
            self.read(0.2)

    def end(self):
        """Reads until the program has ended; its exit code."""
        while self.process.poll() is None:
            self.read(0.05)
        self.read(0.05)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.leader)
        os.close(self.follower)


class TopTest(unittest.TestCase):
    def setUp(self):
        self.site = Site(BUILD, RULES)
        self.site.__enter__()
        self.addCleanup(self.leave)
        self.site.start_bus()
        self.peer = self.site.peer(service="billing")
        self.addCleanup(self.peer.close)
        self.where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]

    def leave(self):
        failed = not self._outcome.success
        self.site.__exit__(AssertionError if failed else None, None, None)

    def work(self):
        """One event, delivered to billing and settled; it stays pending for letters."""
        self.assertEqual(self.peer.put(event("shop", "OrderPlaced", {})), "ok")
        self.peer.settle(self.peer.delivery().id, "ok")

    def top(self, *arguments):
        argv = [str(self.site.build / "cli/conga"), "top", "--interval", "200ms"]
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
        terminal = Terminal([*argv, *arguments, *self.where], environment)
        self.addCleanup(terminal.close)
        return terminal

    def wait_rate(self, terminal):
        def rates(screen):
            self.work()
            row = re.search(r"bill-orders +billing +\S+ +(\S+) +(\S+) +(\S+)", screen)
            return row and all(float(each.replace("-", "0")) > 0 for each in row.groups())

        terminal.wait_for(rates, "rates of bill-orders")

    def test_rates_are_seen_sorted_and_filtered_and_q_restores_the_terminal(self):
        terminal = self.top()
        self.wait_rate(terminal)
        terminal.type("b")
        terminal.wait_for(
            lambda screen: "sorted by backlog" in screen
            and screen.index("send-letters") < screen.index("bill-orders"),
            "order by backlog",
        )
        self.assertIn("no-instance", terminal.screen())
        terminal.type("/bill\r")
        terminal.wait_for(lambda screen: "send-letters" not in screen, "filter")
        terminal.resize(24, 40)
        terminal.wait_for(
            lambda screen: max(len(line) for line in screen.split("\n")) <= 41, "narrow screen"
        )
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.seen.startswith(ENTER))
        self.assertIn(LEAVE, terminal.seen)
        self.assertEqual(termios.tcgetattr(terminal.follower), terminal.before)

    def test_sigterm_restores_the_terminal(self):
        terminal = self.top()
        self.wait_rate(terminal)
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.end(), 0)
        self.assertIn(LEAVE, terminal.seen)
        self.assertEqual(termios.tcgetattr(terminal.follower), terminal.before)

    def test_in_a_pipe_it_measures_once(self):
        self.work()
        code, out, error = self.site.run("cli/conga", "top", "--interval", "200ms", "--json", *self.where)
        self.assertEqual(code, 0, error)
        measured = json.loads(out)
        self.assertEqual({row["rule"] for row in measured["rows"]}, {"bill-orders", "send-letters"})
        code, out, _ = self.site.run("cli/conga", "top", "--interval", "200ms", *self.where)
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", out)
        self.assertIn("send-letters", out)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
