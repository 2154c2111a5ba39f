# SPDX-License-Identifier: Apache-2.0
"""Documents that are played: the commands in their ```console blocks must print what is written there.

What differs from run to run (times, ids, names of processes) is compared as a word for it. Comments
`<!-- stage: VERB ARGUMENT -->` are the stage's to carry out.
"""

import os
import pathlib
import re
import subprocess

from bookings_under_fire import service_config
from harness import Site

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
    (r"\d+(\.\d+)?/(s|min|h)\b", "RATE"),
    (r"port \d+|127\.0\.0\.1:\d+", "port N"),
    (r'"locator": ?"\w+"', "LOCATOR"),
    (r"\b\d+m?s\b", "A-WHILE"),
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


class Stage:
    """A bus and the five services; each document has its own, derived from this."""

    def __init__(self, build, source, rules):
        self.source = source
        self.site = Site(build, rules)
        self.site.__enter__()
        self.site.start_bus()
        self.peer = self.site.peer()
        self.environment = {
            **os.environ,
            "PATH": f"{self.site.build / 'cli'}:{self.site.build / 'services'}:{os.environ['PATH']}",
            "CONGA_PUBLISH": self.site.publish,
            "CONGA_SUBSCRIBE": self.site.subscribe,
            "XDG_STATE_HOME": str(self.site.folder / "state"),
        }

    def start_services(self):
        for name in SERVICES:
            config = service_config(self.site, self.source, name)
            self.configure(name, config)
            daemon = self.site.add(
                f"conga-{name}", self.site.build / f"services/conga-{name}", config
            )
            daemon.start()

    def configure(self, name, config):
        """May change a service's configuration file."""

    def bring(self, *files):
        """Puts files of the document's folder onto the stage."""
        for file in files:
            (self.site.folder / file.name).write_text(file.read_text())

    def close(self, failed):
        self.peer.close()
        self.site.__exit__(AssertionError if failed else None, None, None)

    def direct(self, text):
        """Carries out a stage direction; its verb is a method."""
        verb, *arguments = text.split()
        getattr(self, "stage_" + verb.replace("-", "_"))(*arguments)

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


def play(stage, document):
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
            stage.direct(direction.group(1))
        if not inside or not line.startswith("$ "):
            line = next(lines, None)
            continue
        command, expected = line[2:], []
        line = next(lines)
        while not line.startswith(("$ ", "```")):
            expected.append(line)
            line = next(lines)
        printed = stage.run(command)
        written.extend(printed.splitlines())
        if line.startswith("$ "):
            written.append("")
        if essence(printed) != essence("\n".join(expected)):
            faults.append((command, "\n".join(expected).strip("\n"), printed))
    return faults, "\n".join(written) + "\n"


def main(make_stage, path, update):
    """Plays the document at `path`, or writes what was printed into it. Returns the exit code."""
    path = pathlib.Path(path)
    failed = True
    stage = make_stage()
    try:
        faults, written = play(stage, path.read_text())
        failed = bool(faults) and not update
    finally:
        stage.close(failed)
    if update:
        path.write_text(written)
        print(f"{path}: written")
        return 0
    for command, expected, printed in faults:
        print(f"$ {command}\n--- the document says:\n{expected}\n--- it prints:\n{printed}\n")
    print(f"{len(faults)} of the document's commands print something else")
    return 1 if faults else 0
