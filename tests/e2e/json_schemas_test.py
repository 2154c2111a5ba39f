#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What every command prints with --json is as its schema in docs/json says.

A tour through all commands on a bus where there is something of everything. A command without a
schema fails, a schema without a command, a member that is not described, and one never seen.

    json_schemas_test.py BUILD SOURCE
"""

import copy
import json
import os
import pathlib
import re
import sys
import unittest

from harness import Site
from json_schemas import Schemas, paths_of
from peer import event

BUILD, SOURCE = "build", "."

SERVICES = ["booking", "payment", "seating", "ticketing", "notification"]

# chaos_test.py holds these against their schemas.
ELSEWHERE = {"chaos-relay", "chaos-compare", "chaos-run"}

# Schemas of what a command prints with such an option.
VARIANTS = {"map-diff": "map", "map-suggest-expectations": "map"}

# What cannot be had in a tour: damage, and a redrive that stops while it is being asked for (it is
# seen in dlq-tasks).
UNSEEN = {
    "dlq-redrive": {"/stop/number", "/stop/event-id", "/stop/code", "/stop/message"},
    "journal-verify": {"/findings/segment", "/findings/offset", "/findings/length",
                       "/findings/kind", "/findings/meaning"},
}

RULES = """
rules:
  - name: write-letters
    description: by post
    pattern: {source: [shop.orders]}
    targets:
      - service: letters
        ordering: /detail/order
        start: horizon
        max-in-flight: 5
        rate-limit: 1000
        batch-size: 4
        retry: {max-attempts: 1, backoff: {initial: 100ms, max: 100ms}}
  - name: keep-books
    replay: true
    pattern: {source: [shop.orders], detail-type: [OrderPlaced]}
    targets: [{service: books}, {topic: fares, deliver: at-most-once}]
  - name: sleep
    pattern: {source: [shop.nights]}
    targets: [{service: nobody}]
expectations:
  - name: paid-in-time
    description: or else
    after: OrderPlaced
    expect: OrderPaid
    within: 200ms
    by: order
archives:
  - name: paid
    description: for the auditors
    pattern: {detail-type: [OrderPaid]}
    retention-age: 365d
    retention-size: 1GiB
  - name: everything
"""

CHANGED = RULES.replace("name: sleep", "name: slumber").replace(
    "detail-type: [OrderPlaced]}", "detail-type: [OrderPlaced, OrderPaid]}")


def order(kind, number, **more):
    return {**event("shop.orders", kind, {"order": number}, correlation_id=f"O-{number}"), **more}


class Tour:
    """Runs every command; `outputs` are the JSON values that each printed."""

    def __init__(self, site):
        self.site = site
        self.outputs = {}
        self.letters = site.peer(service="letters")
        self.books = site.peer(service="books")

    def run(self, name, *arguments, codes=(0,)):
        code, out, error = self.site.run("cli/conga", *arguments, "--json", *self.where(name))
        assert code in codes, f"conga {' '.join(arguments)}: {code}\n{out}\n{error}"
        values = [json.loads(line) for line in out.splitlines()]
        self.outputs.setdefault(name, []).extend(values)
        return values

    def where(self, name):
        offline = {"rules-check", "rules-test", "rules-flow", "rules-lint", "rules-diff",
                   "rules-stats", "why"}
        if name in offline or name.startswith(("journal-", "archive-", "map")):
            return []
        return ["--publish", self.site.publish, "--subscribe", self.site.subscribe]

    def status(self):
        return self.letters.ask("sidecar.status")

    def wait(self, condition, what):
        self.letters.wait_for(condition, 15, what)

    def all(self):
        self.puts()
        self.work()
        self.sees()
        self.dead_letters()
        self.rules()
        self.offline()
        self.changes()

    def puts(self):
        self.run("put", "put", "--source", "shop.orders", "--detail-type", "OrderPlaced",
                 "--detail", '{"order": 1}', "--correlation-id", "O-1")
        self.run("put", "put", '{"source": "x"}', codes=[1])

    def work(self):
        """Two orders become dead letters, one at once and one after a retry; all else goes well."""
        placed = [order("OrderPlaced", number) for number in range(2, 5)]
        paid = order("OrderPaid", 2, **{"causation-id": placed[0]["id"], "resources": ["order/2"]})
        others = [event("shop.nights", "Night", {}), event("shop.else", "Else", {})]
        assert set(self.letters.put_all([*placed, paid, *others])) == {"ok"}
        self.rejected, self.retried, self.paid = placed[0]["id"], placed[1]["id"], paid["id"]
        for _ in range(4):
            self.books.settle(self.books.delivery().id, "ok")
        ended = 0
        while ended < 5:
            ended += self.work_on(self.letters.delivery())
        # What always follows can be suggested as an expectation.
        for number in range(100, 125):
            cause = event("shop.stock", "Low", {}, correlation_id=f"S-{number}")
            effect = event("shop.stock", "Filled", {}, correlation_id=f"S-{number}")
            assert self.letters.put_all([cause, {**effect, "causation-id": cause["id"]}])
        self.wait(lambda: self.status()["dead-letters"] == 2, "dead letters")
        self.wait(lambda: self.status()["expectations"][0]["missed"] >= 2, "missed expectations")
        self.wait(lambda: all(a["waiting"] == 0 for a in self.status()["archives"]), "archives")

    def work_on(self, delivery):
        """Whether it was the last attempt."""
        if delivery.event["id"] == self.rejected:
            self.letters.settle(delivery.id, "reject", "Unknown", "no such order")
        elif delivery.event["id"] == self.retried:
            self.letters.settle(delivery.id, "retry", "Busy", "try later")
            return delivery.attempt == 2
        else:
            self.letters.settle(delivery.id, "ok")
        return True

    def sees(self):
        self.run("status", "status")
        self.run("top", "top", "--once")
        for which in (self.rejected, self.retried, self.paid):
            self.run("trace", "trace", which)
        self.run("tap", "tap", "--since", "1h", "--journal", "journal")

    def dead_letters(self):
        self.run("dlq-list", "dlq", "list")
        self.run("dlq-causes", "dlq", "causes")
        self.run("dlq-show", "dlq", "show", "1")
        self.run("dlq-export", "dlq", "export")
        self.run("dlq-redrive", "dlq", "redrive", "--all", "--canary", "1", "--detach")
        delivery = self.letters.delivery()
        self.letters.settle(delivery.id, "reject", "Unknown", "no such order")
        self.wait(lambda: self.letters.ask("dlq.tasks")["tasks"][0]["state"] == "stopped", "the stop")
        self.run("dlq-tasks", "dlq", "tasks")
        self.run("dlq-cancel", "dlq", "cancel", "1")
        self.run("dlq-redrive", "dlq", "redrive", "--error-code", "Busy", "--detach")
        self.run("dlq-purge", "dlq", "purge", "--all", "--yes")
        self.run("target-pause", "target", "pause", "books")
        self.run("target-resume", "target", "resume", "books")
        self.run("audit", "audit")

    def rules(self):
        self.run("rules-list", "rules", "list")
        self.run("rules-reload", "rules", "reload")
        (self.site.folder / "new.yaml").write_text(CHANGED)
        (self.site.folder / "bad.yaml").write_text("rules: 7\n")
        many = [f"  - {{name: r{n}, pattern: {{source: [a]}}, targets: [{{service: s}}]}}"
                for n in range(301)]
        (self.site.folder / "many.yaml").write_text("rules:\n" + "\n".join(many))
        self.run("rules-check", "rules", "check", "bad.yaml", codes=[1])
        self.run("rules-check", "rules", "check", "many.yaml", "--aws")
        one = json.dumps(order("OrderPlaced", 1))
        pattern = '{"source": ["shop.web"]}'
        self.run("rules-test", "rules", "test", "--pattern", pattern, "--event", one, codes=[1])
        self.run("rules-test", "rules", "test", "--pattern", pattern, "--event", one, "--explain",
                 codes=[1])
        self.run("rules-diff", "rules", "diff", "new.yaml", "--against", "rules.yaml",
                 "--journal", "journal", codes=[1])
        self.run("rules-stats", "rules", "stats", "rules.yaml", "--journal", "journal")
        manifests = self.manifests()
        booking = str(pathlib.Path(SOURCE).resolve() / "config/rules.yaml")
        self.run("rules-flow", "rules", "flow", booking, "--manifests", *manifests)
        self.run("rules-lint", "rules", "lint", "rules.yaml", "--manifests", *manifests, codes=[1])
        self.run("map-diff", "map", "--journal", "journal", "--manifests", *manifests,
                 "--rules", booking, "--diff", codes=[1])

    def manifests(self):
        files = []
        for service in SERVICES:
            made = self.site.run(f"services/conga-{service}", "--manifest")[1]
            files.append(f"{service}.json")
            (self.site.folder / files[-1]).write_text(made)
        return files

    def offline(self):
        journal = ["--journal", "journal"]
        self.run("map", "map", *journal)
        self.run("map-suggest-expectations", "map", *journal, "--suggest-expectations")
        self.run("why", "why", self.rejected, "--rules", "rules.yaml", *journal)
        self.run("journal-verify", "journal", "verify", "journal")
        self.run("journal-stats", "journal", "stats", "journal")
        self.run("journal-dump", "journal", "dump", "journal")
        self.run("archive-list", "archive", "list", *journal)
        self.run("archive-stats", "archive", "stats", *journal)
        self.run("archive-export", "archive", "export", *journal)

    def changes(self):
        # With another limit the bus refuses what it took before.
        bus = self.site.bus_file.read_text()
        self.site.bus_file.write_text(bus + "event: {max-size: 1KiB}\n")
        self.letters.put(event("shop.else", "Large", {"text": "x" * 2000}))
        self.site.bus.stop()
        self.site.bus.start()
        for peer in (self.letters, self.books):
            peer.hello()
        self.run("replay", "replay", "--journal", "journal", "--name", "again", "--pattern",
                 '{"detail-type": ["Large", "OrderPlaced"]}', codes=[1])
        self.run("rules-apply", "rules", "apply", "new.yaml")
        self.run("rules-versions", "rules", "versions")
        self.run("rules-rollback", "rules", "rollback", "1")


def commands_of(site, *path):
    """Every command that has no commands below it, as the program itself tells."""
    _, text, _ = site.run("cli/conga", *path, "--help")
    parts = re.split(r"^Subcommands:\n", text, flags=re.MULTILINE)
    if len(parts) == 1:
        return ["-".join(path)]
    names = []
    for line in parts[1].splitlines():
        found = re.match(r"  ([a-z]+) ", line)
        if not found:
            break
        names.append(found[1])
    return [leaf for name in names for leaf in commands_of(site, *path, name)]


class JsonSchemasTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schemas = Schemas(SOURCE)
        with Site(BUILD, RULES) as site:
            os.environ["XDG_STATE_HOME"] = str(site.folder / "state")
            site.start_bus()
            cls.commands = set(commands_of(site))
            tour = Tour(site)
            try:
                tour.all()
            finally:
                tour.letters.close()
                tour.books.close()
        cls.outputs = tour.outputs

    def test_what_is_printed_is_as_the_schema_says(self):
        for name, values in self.outputs.items():
            with self.subTest(name):
                self.assertTrue(values, "nothing was printed")
                faults = [fault for value in values for fault in self.schemas.faults(name, value)]
                self.assertEqual(faults, [])

    def test_every_command_has_a_schema_and_was_run(self):
        self.assertEqual(self.schemas.commands() - set(VARIANTS), self.commands)
        self.assertEqual(set(self.outputs) | ELSEWHERE, self.schemas.commands())

    def test_a_schema_refuses_more_and_less_than_it_says(self):
        for name, values in self.outputs.items():
            value = values[0][0] if isinstance(values[0], list) else values[0]
            wrap = (lambda one: [one]) if isinstance(values[0], list) else (lambda one: one)
            with self.subTest(name):
                self.assertTrue(self.schemas.faults(name, wrap({**value, "surprise": 1})))
                schema = self.schemas.all[name]
                schema = schema.get("items", schema)
                if "$ref" in schema:
                    schema = self.schemas.all[Schemas.EVENT]
                for required in schema.get("required", []):
                    less = copy.deepcopy(value)
                    del less[required]
                    self.assertTrue(self.schemas.faults(name, wrap(less)), required)

    def test_every_member_is_described_and_was_seen(self):
        for name in sorted(self.schemas.all):
            seen = {path for value in self.outputs.get(name, []) for path in paths_of(value)}
            for path, member in self.schemas.members(name):
                with self.subTest(name + path):
                    self.assertTrue(member.get("description") or "$ref" in member)
                    if name in self.outputs and path not in UNSEEN.get(name, ()):
                        self.assertIn(path, seen)


if __name__ == "__main__":
    BUILD, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
