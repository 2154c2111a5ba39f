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

from chaos_service import Service
from harness import STOP_SECONDS, Site
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


class ChaosTest(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def site(self):
        return self.stack.enter_context(Site(BUILD, RULES, sidecar="process"))

    def run_orders(self, site):
        """Puts orders, and lets the services work until nothing is pending."""
        services = [Service(site.peer(service="billing"), "billing", "InvoiceMade", idempotent=False),
                    Service(site.peer(service="books"), "books", "OrderBooked", idempotent=True),
                    Service(site.peer(service="letters"), "letters", "LetterSent", idempotent=True)]
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

    def run_all(self, folder, services, *more):
        """conga chaos run: (exit code, standard output, standard error)."""
        build = pathlib.Path(BUILD).resolve()
        (folder / "rules.yaml").write_text(RULES)
        orders = [event("shop.web", "OrderPlaced", {"total": n}, correlation_id=f"K-{n}")
                  for n in range(ORDERS)]
        (folder / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)) + "\n")
        words = [word for service in services for word in ("--service", service)]
        done = subprocess.run(
            [build / "cli/conga", "chaos", "run", "--rules", "rules.yaml", "--events", "orders.jsonl",
             "--folder", "runs", "--bus", build / "bus/conga-bus",
             "--sidecar", build / "bus/sidecar/conga-sidecar", *FAULTS, *words, *more],
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def new_folder(self):
        return pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="conga-chaos-")))

    def test_one_command_runs_the_services_and_names_the_careless_one(self):
        program = f"exec {sys.executable} '{pathlib.Path(__file__).parent / 'chaos_service.py'}'"
        folder = self.new_folder()
        code, out, errors = self.run_all(
            folder, [f"{program} billing InvoiceMade careless", f"{program} books OrderBooked idempotent",
                     f"{program} letters LetterSent idempotent"])
        self.assertEqual(code, 1, errors)
        self.assertIn("clean-2: 120 events, 90 deliveries settled", errors)
        self.assertIn("billing is not idempotent", out)
        self.assertNotIn("books", out)
        # The same folder would mix two trials.
        code, _, errors = self.run_all(folder, ["true"])
        self.assertEqual(code, 2)
        self.assertIn("--folder runs is there and not empty", errors)

    def test_a_service_that_ends_by_itself_is_told_with_its_log(self):
        folder = self.new_folder()
        code, _, errors = self.run_all(folder, ["echo no database; exit 3"])
        self.assertEqual(code, 2)
        self.assertIn("clean-1: service-1 ended by itself with code 3: see runs/clean-1/service-1.log",
                      errors)
        self.assertEqual((folder / "runs/clean-1/service-1.log").read_text(), "no database\n")

    def test_what_is_never_answered_ends_the_run(self):
        code, _, errors = self.run_all(self.new_folder(), ["sleep 1000"], "--patience", "2s")
        self.assertEqual(code, 2)
        self.assertIn("not quiet within 2.000 s: does every service of the rules run?", errors)

    def test_the_booking_services_are_idempotent(self):
        with tempfile.TemporaryDirectory(prefix="conga-chaos-") as folder:
            done = subprocess.run(
                [pathlib.Path(SOURCE) / "scripts/chaos", "--var", f"{folder}/v", "--bookings", "15",
                 "--seed", "7", "--duplicate", "30%", "--reorder", "--delay",
                 "30ms", "--drop-acks", "10%", "--json"],
                env={**os.environ, "CONGA_BUILD": str(pathlib.Path(BUILD).resolve())},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            said = json.loads(done.stdout)
            self.assertEqual(Schemas(SOURCE).faults("chaos-run", said), [])
            self.assertEqual(said["consumers"], [])
            self.assertEqual(said["not-compared"], [])
            self.assertEqual(said["flows"], 15)
            deeds = self.deeds_in(f"{folder}/v/runs/chaos/deeds.jsonl")
            for service in ["booking", "payment", "seating", "ticketing", "notification"]:
                self.assertTrue(any(deed["copy-held-us"] is not None for deed in deeds
                                    if deed["service"] == service), service)


if __name__ == "__main__":
    SOURCE = sys.argv.pop(2)
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
