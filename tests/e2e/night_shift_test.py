#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays docs/night-shift.md word for word: its commands, on the daemons it talks of, must print what
it says. What differs from run to run (times, ids, names of processes) is compared as a word for it.

    night_shift_test.py BUILD SOURCE            plays it
    night_shift_test.py BUILD SOURCE --update   writes what was printed into the document
"""

import os
import pathlib
import re
import subprocess
import sys

from bookings_under_fire import service_config
from fake_acquirer import FakeAcquirer
from harness import Site, free_ports, wait_until

SECRET = "s3cret-token"
SERVICES = ["booking", "payment", "seating", "ticketing", "notification"]

# What stands for what differs. Order matters.
SAME = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\d\d:\d\d:\d\d(\.\d+)?", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"(booking|payment|seating|ticketing|notification)-[\w.-]+-\d+-\w{6}", r"\1-INSTANCE"),
    (r"[\w.-]+@[\w.-]+", "SOMEBODY"),
    (r"\+?\d+(\.\d+)? (us|ms|s)\b", "A-WHILE"),
    (r"\+?\d+ m \d\d s\b", "A-WHILE"),
    (r"\d+/s\b", "RATE/s"),
    (r"port \d+|127\.0\.0\.1:\d+", "port N"),
    (r'"locator": "\w+"', "LOCATOR"),
    (r"\d+(\.\d+)? (KiB|MiB|bytes)", "SIZE"),
    (r"BK-\d+", "BK-N"),
    (r"(\"?sequence\"?:?\s+)\d+", r"\1N"),
    (r"after \d+ ms", "after A-WHILE"),
    (r"[ \t]+", " "),
]


def essence(text):
    for pattern, word in SAME:
        text = re.sub(pattern, word, text)
    return [line.strip() for line in text.strip().splitlines()]


class Night:
    """The stage: a bus, the five services, and a payment provider that can be up or down."""

    def __init__(self, build, source):
        self.port, = free_ports(1)
        rules = (source / "docs/night-shift/rules.yaml").read_text()
        self.site = Site(build, rules)
        self.site.__enter__()
        self.acquirer = None
        for name in ("new-rules.yaml", "bookings.jsonl", "more-bookings.jsonl"):
            (self.site.folder / name).write_text((source / "docs/night-shift" / name).read_text())
        (self.site.folder / "secret").write_text(SECRET + "\n")
        self.site.start_bus()
        self.peer = self.site.peer()
        for name in SERVICES:
            config = service_config(self.site, source, name)
            if name == "payment":
                self.point_at_provider(config)
            daemon = self.site.add(
                f"conga-{name}", self.site.build / f"services/conga-{name}", config
            )
            daemon.start()
        self.environment = {
            **os.environ,
            "PATH": f"{self.site.build / 'cli'}:{os.environ['PATH']}",
            "CONGA_PUBLISH": self.site.publish,
            "CONGA_SUBSCRIBE": self.site.subscribe,
        }

    def point_at_provider(self, config):
        text = config.read_text().split("payment:")[0]
        config.write_text(
            text + "payment: {acquirer: http, http: {url: 'http://127.0.0.1:"
            f"{self.port}/v1', secret-file: secret, timeout: 2s, workers: 4}}}}\n"
        )

    def close(self, failed):
        self.peer.close()
        if self.acquirer:
            self.acquirer.__exit__()
        self.site.__exit__(AssertionError if failed else None, None, None)

    # --- what the document's stage directions mean

    def dead_letters(self, count):
        def there():
            self.peer.pump()
            status = self.peer.ask("sidecar.status")
            return status["dead-letters"] == int(count) and status["pending"] == 0

        wait_until(there, 60, f"{count} dead letters")

    def missed(self, count):
        def there():
            self.peer.pump()
            states = self.peer.ask("sidecar.status")["expectations"]
            if sum(each["missed"] for each in states) != int(count):
                return False
            # The trace index is behind by a moment.
            return "expectation bookings-are-charged: over" in self.run("conga trace BK-2001")

        wait_until(there, 60, f"{count} missed expectations")

    def provider(self, state):
        assert state == "up", state
        self.acquirer = FakeAcquirer(SECRET, lambda path, key: [], port=self.port)
        self.acquirer.__enter__()

    def confirmed(self, count):
        def there():
            command = ["conga", "archive", "export", "--journal", "journal", "--pattern",
                       '{"detail-type": ["BookingConfirmed"]}']
            done = self.run_argv(command)
            return len(done.stdout.splitlines()) == int(count)

        wait_until(there, 60, f"{count} confirmed bookings")

    def direct(self, text):
        verb, argument = text.split()
        {"dead-letters": self.dead_letters, "missed": self.missed, "provider": self.provider,
         "confirmed": self.confirmed}[verb](argument)

    # --- running

    def run_argv(self, argv):
        return subprocess.run(argv, cwd=self.site.folder, env=self.environment,
                              capture_output=True, text=True, timeout=120, check=False)

    def run(self, command):
        """What a terminal would show."""
        done = subprocess.run(["bash", "-c", command], cwd=self.site.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        text = done.stdout.rstrip("\n")
        if done.returncode != 0:
            text += f"\n(exit code {done.returncode})"
        return text.strip("\n")


def play(night, document):
    """Plays it line by line: (what differs, the document with what was printed)."""
    faults, written = [], []
    lines = iter(document.splitlines())
    line = next(lines, None)
    inside = False
    while line is not None:
        written.append(line)
        if line.startswith("```"):
            inside = line == "```console"
        direction = re.fullmatch(r"<!-- stage: (.*) -->", line)
        if direction:
            night.direct(direction.group(1))
        if not inside or not line.startswith("$ "):
            line = next(lines, None)
            continue
        command, expected = line[2:], []
        line = next(lines)
        while not line.startswith(("$ ", "```")):
            expected.append(line)
            line = next(lines)
        printed = night.run(command)
        written.extend(printed.splitlines())
        if line.startswith("$ "):
            written.append("")
        if essence(printed) != essence("\n".join(expected)):
            faults.append((command, "\n".join(expected).strip("\n"), printed))
    return faults, "\n".join(written) + "\n"


def main(build, source, update):
    source = pathlib.Path(source).resolve()
    path = source / "docs/night-shift.md"
    failed = True
    night = Night(build, source)
    try:
        faults, written = play(night, path.read_text())
        failed = bool(faults) and not update
    finally:
        night.close(failed)
    if update:
        path.write_text(written)
        print(f"{path}: written")
        return 0
    for command, expected, printed in faults:
        print(f"$ {command}\n--- the document says:\n{expected}\n--- it prints:\n{printed}\n")
    print(f"{len(faults)} of the document's commands print something else")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], "--update" in sys.argv[3:]))
