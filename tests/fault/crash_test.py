#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bus, sidecar, publishers and consumers as real processes on a real disk, killed and stopped at random
points under load; then crash_checker compares what was promised with what was done.

    crash_test.py BUILD [--seconds N] [--seed N] [--rate EVENTS]
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

from crash_checker import Record, Target, check
from harness import Site

WORKER = pathlib.Path(__file__).with_name("crash_worker.py")
SERVICES = {"billing": 2, "shipping": 2, "audit": 1}
PUBLISHERS = 2
CALM_SECONDS = 180
SHOWN = 20

POLICY = (
    "retry: {max-attempts: 20, max-age: 1h, backoff: {initial: 50ms, factor: 2, max: 500ms}}, "
    "ack-timeout: 1500ms"
)
RULES = f"""rules:
  - name: bill
    pattern: {{detail-type: [OrderPlaced]}}
    targets: [{{service: billing, {POLICY}}}]
  - name: ship
    pattern: {{detail-type: [OrderPlaced, OrderPaid]}}
    targets: [{{service: shipping, ordering: /detail/key, {POLICY}}}]
  - name: audit
    pattern: {{source: [shop]}}
    targets: [{{service: audit, {POLICY}}}]
"""
TARGETS = {
    "OrderPlaced": [Target("bill", "billing"), Target("ship", "shipping", True),
                    Target("audit", "audit")],
    "OrderPaid": [Target("ship", "shipping", True), Target("audit", "audit")],
}


class Worker:
    """A crash_worker, started again after each death, each time with a log of its own."""

    def __init__(self, site, role, name, argument, chance):
        self.name = name
        self._site = site
        self._role = role
        self._argument = str(argument)
        self._chance = chance
        self._lives = 0
        self._process = None

    def start(self):
        self._lives += 1
        log = self._site.folder / f"{self.name}.{self._lives}.jsonl"
        with open(self._site.folder / f"{self.name}.log", "ab") as errors:
            self._process = subprocess.Popen(
                ["/usr/bin/python3", WORKER, self._role, self._site.publish, self._site.subscribe,
                 log, str(self._chance.randrange(1 << 30)), self._argument],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
            )

    def is_running(self):
        return self._process.poll() is None

    def kill(self):
        self.signal(signal.SIGKILL)
        self._process.wait()

    def signal(self, number):
        if self.is_running():
            os.kill(self._process.pid, number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self._process.wait(CALM_SECONDS)

    def end(self):
        if self._process and self.is_running():
            self._process.kill()
            self._process.wait()


class CrashTest:
    def __init__(self, build, chance, rate, sidecar):
        self.chance = chance
        self.kills = collections.Counter()
        # Embedded, it has every turn done by its thread: under this load few would be.
        self.sidecar = sidecar or ("threaded" if chance.random() < 0.3 else "process")
        # In half of the runs every commit is done by the sidecar's thread.
        keys = ", hand-over-size: 0B" if chance.random() < 0.5 else ""
        self.site = Site(build, RULES, sidecar=self.sidecar, journal_keys=keys)
        self.publishers = [
            Worker(self.site, "publish", f"publisher-{each}", rate / PUBLISHERS, chance)
            for each in range(PUBLISHERS)
        ]
        self.consumers = [
            Worker(self.site, "consume", f"{service}-{each}", service, chance)
            for service, count in SERVICES.items()
            for each in range(count)
        ]

    def run(self, seconds):
        """The violations, and the record."""
        self.site.start_bus()
        for worker in self.publishers + self.consumers:
            worker.start()
        self._storm(time.monotonic() + seconds)
        self._calm()
        return self._verify()

    def end(self):
        for worker in self.publishers + self.consumers:
            worker.end()
        for daemon in self.site.daemons.values():
            daemon.end()

    def _storm(self, end):
        while time.monotonic() < end:
            # The load goes on meanwhile; when a strike falls is what the seed decides.
            time.sleep(self.chance.uniform(0.05, 1.0))
            self._strike()

    def _strike(self):
        daemons = [self.site.bus, self.site.durable, self.site.durable]
        victim = self.chance.choice(daemons + [self.chance.choice(self.consumers)])
        name = victim.name if victim in daemons else "consumer"
        if self.chance.random() < 0.25:
            self.kills[name + " stopped"] += 1
            victim.pause()
            time.sleep(self.chance.uniform(0.05, 2.5))
            victim.resume()
            return
        self.kills[name] += 1
        victim.kill()
        victim.start()

    def _calm(self):
        for publisher in self.publishers:
            code = publisher.stop()
            if code != 0:
                raise RuntimeError(f"{publisher.name} ended with {code}: not all was answered")
        wait = ["--idle", "--patience", f"{CALM_SECONDS}s", "--publish", self.site.publish,
                "--subscribe", self.site.subscribe]
        code, out, error = self.site.run("cli/conga", "status", *wait, seconds=CALM_SECONDS + 10)
        if code != 0:
            raise RuntimeError(f"not all deliveries ended: {out}{error}")
        for consumer in self.consumers:
            consumer.stop()

    def _verify(self):
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        letters = list(self._lines("dlq", "export", *where))
        self.site.bus.stop()
        if self.site.sidecar:
            self.site.sidecar.stop()
        violations = []
        journal = self.site.folder / "journal"
        code, out, error = self.site.run("cli/conga", "journal", "verify", journal, seconds=300)
        if code != 0:
            violations.append(f"the journal is damaged: {out}{error}")
        record = Record(targets=TARGETS)
        for path in sorted(self.site.folder.glob("*.jsonl")):
            read_log(path, record)
        for letter in letters:
            record.letters.append(
                (letter["event-id"], letter["rule"], letter["target"], letter["error-code"])
            )
        for entry in self._lines("journal", "dump", "--json", journal):
            read_entry(entry, record)
        return violations + check(record), record

    def _lines(self, *arguments):
        """What `conga` prints, a JSON object a line, as it comes."""
        command = [self.site.build / "cli/conga", *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            yield from map(json.loads, process.stdout)
        if process.returncode != 0:
            raise RuntimeError(f"conga {' '.join(map(str, arguments[:2]))}: exit code "
                               f"{process.returncode}")


def read_log(path, record):
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut short by SIGKILL, and so never said
        if "put" in entry:
            record.put[entry["put"]] = (entry["type"], entry["key"])
        elif "answered" in entry:
            if entry["code"] == "ok":
                record.promised.add(entry["answered"])
        else:
            whose = (entry["id"], entry["rule"], entry["target"])
            record.seen.append(whose)
            record.said.append((entry["time"], *whose, entry["said"]))


def read_entry(entry, record):
    kind = entry["type"]
    if kind == "event" and entry["event"]["source"] == "shop":
        targets = [(each["rule"], each["target"]) for each in entry["targets"]]
        record.kept.append((entry["sequence"], entry["event"]["id"], targets))
    elif kind in ("settled", "dead-letter"):
        record.ended.append((entry["sequence"], entry["rule"], entry["target"], kind))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sidecar", choices=["process", "threaded"], default=None,
                        help="what it is; by default the seed decides")
    parser.add_argument("--rate", type=float, default=800, help="events a second, all publishers")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    print(f"crash-test: seed {seed}, {options.seconds:.0f} s", flush=True)
    start = time.monotonic()
    test = CrashTest(options.build, random.Random(seed), options.rate, options.sidecar)
    violations = ["it did not come to its end"]
    try:
        violations, record = test.run(options.seconds)
        first = len({(each[0], each[1], each[2]) for each in record.seen})
        kills = ", ".join(f"{name} {count}" for name, count in sorted(test.kills.items()))
        print(f"crash-test: {len(record.put)} events put, {len(record.promised)} promised, "
              f"{len(record.seen)} deliveries ({len(record.seen) - first} of them repeats), "
              f"{len(record.letters)} dead letters; sidecar: {test.sidecar}; strikes: {kills}; "
              f"{time.monotonic() - start:.0f} s")
    finally:
        test.end()
        if violations:
            test.site.show_logs()
            print(f"crash-test: all that was written down is in {test.site.folder}")
        else:
            shutil.rmtree(test.site.folder)
    for violation in violations[:SHOWN]:
        print(f"crash-test: {violation}")
    if violations:
        print(f"crash-test: {len(violations)} violations with seed {seed}")
        return 1
    print("crash-test: every promise was kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
