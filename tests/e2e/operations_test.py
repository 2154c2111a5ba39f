#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays docs/operations.md: what it shows of the commands is what they print.

    operations_test.py BUILD SOURCE            plays it
    operations_test.py BUILD SOURCE --update   writes what was printed into the document
"""

import pathlib
import sys

from harness import wait_until
from played_document import SERVICES, Stage, main

ARCHIVES = """
archives:
  - name: payments
    description: for the auditors
    pattern: {source: [aircraft.payment]}
    retention-age: 3650d
"""


class Operations(Stage):
    """The booking example as it ships, and an archive."""

    def __init__(self, build, source):
        super().__init__(build, source, (source / "config/rules.yaml").read_text() + ARCHIVES)
        self.bring(source / "docs/operations/bookings.jsonl")
        self.start_services()
        for name in SERVICES:
            manifest = self.run_argv([f"conga-{name}", "--manifest"]).stdout
            (self.site.folder / f"{name}.json").write_text(manifest)

    def stage_quiet(self):
        """Everything has ended, is archived, and can be traced."""
        def quiet():
            self.peer.pump()
            status = self.peer.ask("sidecar.status")
            waiting = sum(each["waiting"] for each in status["archives"])
            return status["pending"] + status["in-flight"] + waiting == 0

        wait_until(quiet, 60, "the end of all deliveries")
        wait_until(lambda: "pending" not in self.run("conga trace BK-3001"), 10, "the trace")


if __name__ == "__main__":
    BUILD, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    sys.exit(main(lambda: Operations(BUILD, SOURCE), SOURCE / "docs/operations.md",
                  "--update" in sys.argv[3:]))
