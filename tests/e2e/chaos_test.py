#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga chaos: the booking services come out clean, and a service without an inbox is named.

    chaos_test.py BUILD SOURCE
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import uuid

from harness import STOP_SECONDS, Site, free_ports
from json_schemas import Schemas
from peer import event

BUILD = "build"
SOURCE = "."

RULES = """
rules:
  - name: bill-orders
    pattern: {detail-type: [OrderPlaced]}
    targets:
      - {service: billing, retry: {backoff: {initial: 100ms, jitter: none}}}
      - {service: books, retry: {backoff: {initial: 100ms, jitter: none}}}
  - name: send-invoices
    pattern: {detail-type: [InvoiceMade]}
    targets: [{service: letters, retry: {backoff: {initial: 100ms, jitter: none}}}]
"""

FAULTS = ["--seed", "7", "--duplicate", "30%", "--reorder", "--delay", "20ms", "--drop-acks", "10%",
          "--ack-timeout", "2s"]
ORDERS = 30


class Service:
    """Answers each event with one of its own. Idempotent ones make its id from the event's, so that
    the bus knows a repeat; the other one counts what it does."""

    def __init__(self, site, name, emits, idempotent):
        self.peer = site.peer(service=name)
        self._name = name
        self._emits = emits
        self._idempotent = idempotent

    def work(self):
        self.peer.pump()
        while self.peer.deliveries:
            delivery = self.peer.deliveries.popleft()
            cause = delivery.event
            made = event(f"shop.{self._name}", self._emits, {"order": cause["correlation-id"]},
                         correlation_id=cause["correlation-id"], causation_id=cause["id"])
            if self._idempotent:
                made["id"] = str(uuid.uuid5(uuid.UUID(cause["id"]), self._emits))
            assert self.peer.put(made) == "ok"
            self.peer.settle(delivery.id, "ok")


class ChaosTest(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def site(self):
        return self.stack.enter_context(Site(BUILD, RULES, sidecar="process"))

    def run_orders(self, site):
        """Puts orders, and lets the services work until nothing is pending."""
        services = [Service(site, "billing", "InvoiceMade", idempotent=False),
                    Service(site, "books", "OrderBooked", idempotent=True),
                    Service(site, "letters", "LetterSent", idempotent=True)]
        web = site.peer()
        peers = [web] + [service.peer for service in services]
        orders = [event("shop.web", "OrderPlaced", {"total": n}, correlation_id=f"K-{n}")
                  for n in range(ORDERS)]
        self.assertEqual(set(web.put_all(orders)), {"ok"})

        def quiet():
            for service in services:
                service.work()
            status = web.ask("sidecar.status")
            return status["pending"] + status["in-flight"] == 0

        web.wait_for(quiet, 60, "end of all deliveries")
        for peer in peers:
            peer.close()
        self.stop(site)

    def stop(self, site):
        """The journal is complete once the sidecar has ended."""
        self.assertEqual((site.bus.stop(), site.sidecar.stop()), (0, 0))

    def clean_run(self):
        site = self.site()
        site.start_bus()
        self.run_orders(site)
        return site.folder / "journal"

    def chaos_run(self):
        """The journal, what the relay said that it did, and what it said at its end."""
        site = self.site()
        listen = f"ipc://{site.folder}/relay"
        site.bus_file.write_text(site.bus_file.read_text().replace(site.link, listen))
        deeds = site.folder / "deeds.jsonl"
        errors = site.folder / "relay.log"
        with open(deeds, "w") as out, open(errors, "w") as log:
            relay = subprocess.Popen(
                [site.build / "cli/conga", "chaos", "relay", "--listen", listen,
                 "--sidecar", site.link, "--json", *FAULTS],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log,
            )
        try:
            site.start_bus()
            self.run_orders(site)
            relay.terminate()
            self.assertEqual(relay.wait(STOP_SECONDS), 0, errors.read_text())
        finally:
            relay.kill()
            relay.wait()
        return site.folder / "journal", deeds, errors.read_text()

    def compare(self, *arguments):
        done = subprocess.run(
            [pathlib.Path(BUILD) / "cli/conga", "chaos", "compare", *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )
        return done.returncode, done.stdout, done.stderr

    @staticmethod
    def deeds_in(path):
        return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]

    def test_a_service_without_an_inbox_is_named_and_no_other(self):
        clean = self.clean_run()
        journal, deeds, told = self.chaos_run()
        self.assertIn("sent twice", told)
        arguments = ["--clean", clean, "--chaos", journal, "--deeds", deeds]
        code, out, errors = self.compare(*arguments)
        self.assertEqual(code, 1, errors)
        self.assertIn("billing is not idempotent:\n  OrderPlaced of K-", out)
        self.assertRegex(out, " was delivered twice, and InvoiceMade was emitted twice instead of once")
        self.assertNotIn("books", out)
        self.assertNotIn("letters", out)
        code, out, _ = self.compare(*arguments, "--json")
        self.assertEqual(code, 1)
        said = json.loads(out)
        schemas = Schemas(SOURCE)
        self.assertEqual(schemas.faults("chaos-compare", said), [])
        for deed in self.deeds_in(deeds):
            self.assertEqual(schemas.faults("chaos-relay", deed), [])
        self.assertEqual([each["service"] for each in said["consumers"]], ["billing"])
        self.assertFalse(said["consumers"][0]["idempotent"])
        findings = said["consumers"][0]["findings"]
        # Each letter that follows from a second invoice is no fault of letters.
        self.assertEqual(said["downstream"], len(findings))
        for finding in findings:
            self.assertEqual(finding["symptom"], "repeated")
            self.assertEqual(finding["cause"]["detail-type"], "OrderPlaced")
            copied = any(deed["copy-held-us"] is not None for deed in finding["deeds"])
            self.assertTrue(copied or finding["redelivered"] == "AckTimeout", finding)
        # Every order that the relay had billing see more than once was found out.
        repeated = {deed["correlation-id"] for deed in self.deeds_in(deeds)
                    if deed["service"] == "billing"
                    and (deed["ack-dropped"] or deed["copy-held-us"] is not None)}
        self.assertGreater(len(repeated), 5)
        self.assertLessEqual(repeated, {finding["correlation-id"] for finding in findings})

    def test_a_seed_does_the_same_to_the_same_flows(self):
        def first_attempts(deeds):
            # Without the id, which differs; and of orders alone, since what follows from a repeat
            # may take turns.
            return sorted(json.dumps({**line, "event": ""}) for line in self.deeds_in(deeds)
                          if line["detail-type"] == "OrderPlaced" and line["attempt"] == 1)

        one = first_attempts(self.chaos_run()[1])
        self.assertEqual(one, first_attempts(self.chaos_run()[1]))
        self.assertEqual(len(one), 2 * ORDERS)

    def test_clean_runs_are_the_same(self):
        code, out, errors = self.compare("--clean", self.clean_run(), "--chaos", self.clean_run())
        self.assertEqual(code, 0, out + errors)
        self.assertIn("the same as in the clean run", out)

    def test_a_run_that_is_not_over_is_not_compared(self):
        site = self.site()
        site.start_bus()
        with site.peer() as web:
            web.put(event("shop.web", "OrderPlaced", {}))
        self.stop(site)
        code, _, errors = self.compare("--clean", site.folder / "journal",
                                       "--chaos", site.folder / "journal")
        self.assertEqual(code, 2)
        self.assertIn("the run is not over", errors)

    def test_the_booking_services_are_idempotent(self):
        with tempfile.TemporaryDirectory(prefix="conga-chaos-") as folder:
            ports = ",".join(map(str, free_ports(2)))
            done = subprocess.run(
                [pathlib.Path(SOURCE) / "scripts/chaos", "--var", f"{folder}/v", "--ports", ports,
                 "--bookings", "15", "--seed", "7", "--duplicate", "30%", "--reorder", "--delay",
                 "30ms", "--drop-acks", "10%", "--json"],
                env={**os.environ, "CONGA_BUILD": str(pathlib.Path(BUILD).resolve())},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            said = json.loads(done.stdout)
            self.assertEqual(said["consumers"], [])
            self.assertEqual(said["not-compared"], [])
            self.assertEqual(said["flows"], 15)
            deeds = self.deeds_in(f"{folder}/v/deeds.jsonl")
            for service in ["booking", "payment", "seating", "ticketing", "notification"]:
                self.assertTrue(any(deed["copy-held-us"] is not None for deed in deeds
                                    if deed["service"] == service), service)


if __name__ == "__main__":
    SOURCE = sys.argv.pop(2)
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
