#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays docs/night-shift.md word for word: its commands, on the daemons it talks of, must print what
it says.

    night_shift_test.py BUILD SOURCE            plays it
    night_shift_test.py BUILD SOURCE --update   writes what was printed into the document
"""

import pathlib
import sys

from fake_acquirer import FakeAcquirer
from harness import free_ports, wait_until
from played_document import Stage, main

SECRET = "s3cret-token"


class Night(Stage):
    """Its payment provider can be up or down."""

    def __init__(self, build, source):
        self.port, = free_ports(1)
        night = source / "docs/night-shift"
        super().__init__(build, source, (night / "rules.yaml").read_text())
        self.acquirer = None
        self.bring(*(night / name for name in ("new-rules.yaml", "bookings.jsonl", "more-bookings.jsonl")))
        (self.site.folder / "secret").write_text(SECRET + "\n")
        self.start_services()

    def configure(self, name, config):
        if name != "payment":
            return
        text = config.read_text().split("payment:")[0]
        config.write_text(
            text + "payment: {acquirer: http, http: {url: 'http://127.0.0.1:"
            f"{self.port}/v1', secret-file: secret, timeout: 2s, workers: 4}}}}\n"
        )

    def close(self, failed):
        if self.acquirer:
            self.acquirer.__exit__()
        super().close(failed)

    def stage_dead_letters(self, count):
        def there():
            self.peer.pump()
            status = self.peer.ask("sidecar.status")
            return status["dead-letters"] == int(count) and status["pending"] == 0

        wait_until(there, 60, f"{count} dead letters")

    def stage_missed(self, count):
        def there():
            self.peer.pump()
            states = self.peer.ask("sidecar.status")["expectations"]
            if sum(each["missed"] for each in states) != int(count):
                return False
            # The trace index is behind by a moment.
            return "expectation bookings-are-charged: over" in self.run("conga trace BK-2001")

        wait_until(there, 60, f"{count} missed expectations")

    def stage_provider(self, state):
        assert state == "up", state
        self.acquirer = FakeAcquirer(SECRET, lambda path, key: [], port=self.port)
        self.acquirer.__enter__()

    def stage_confirmed(self, count):
        def there():
            command = ["conga", "archive", "export", "--journal", "journal", "--pattern",
                       '{"detail-type": ["BookingConfirmed"]}']
            done = self.run_argv(command)
            return len(done.stdout.splitlines()) == int(count)

        wait_until(there, 60, f"{count} confirmed bookings")


if __name__ == "__main__":
    BUILD, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    sys.exit(main(lambda: Night(BUILD, SOURCE), SOURCE / "docs/night-shift.md",
                  "--update" in sys.argv[3:]))
