#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scrapes real daemons, and lets Prometheus' promtool judge what they say where it is installed.

    metrics_test.py BUILD process|embedded [unittest's options]
"""

import shutil
import subprocess
import sys
import unittest
import urllib.request

from harness import Site, free_ports
from peer import event

BUILD, SIDECAR = "build", "process"

RULES = """
rules:
  - name: bill-orders
    pattern: {source: [shop.orders]}
    targets: [{service: billing}]
"""


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def value(text, name, **labels):
    """The value of the one sample with that name and (at least) these labels."""
    found = [
        line.rsplit(" ", 1)[1]
        for line in text.splitlines()
        if line.split("{")[0].split(" ")[0] == name
        and all(f'{key}="{text}"' in line for key, text in labels.items())
    ]
    assert len(found) == 1, f"{name}{labels}: {len(found)} samples in\n{text}"
    return float(found[0])


class MetricsTest(unittest.TestCase):
    def test_what_happened_is_counted_and_told_in_prometheus_format(self):
        bus_port, sidecar_port = free_ports(2)
        with Site(
            BUILD,
            RULES,
            sidecar=SIDECAR,
            bus_keys=f"metrics: {{listen: '127.0.0.1:{bus_port}'}}\n",
            sidecar_keys=f"metrics: {{listen: '127.0.0.1:{sidecar_port}'}}\n",
        ) as site:
            site.start_bus()
            with site.peer(service="billing") as peer:
                self.assertEqual(peer.put(event("shop.orders", "OrderPlaced", {})), "ok")
                delivery = peer.delivery()
                peer.settle(delivery.id, "retry", "Busy", "later", 0)
                delivery = peer.delivery()
                self.assertEqual(delivery.attempt, 2)
                peer.settle(delivery.id, "ok")
                self.assertEqual(peer.put(event("shop.orders", "OrderPlaced", {})), "ok")
                peer.settle(peer.delivery().id, "reject", "Poison", "cannot read it")
                self.assertEqual(peer.put(event("shop.other", "Unwanted", {})), "ok")
                peer.wait_for(
                    lambda: peer.ask("sidecar.status")["pending"] == 0, 10, "end of all deliveries"
                )
                # Three of ours, and the news of the dead letter.
                peer.wait_for(
                    lambda: peer.ask("bus.status")["events"]["accepted"] == 4, 10, "the news"
                )
            bus = scrape(bus_port)
            sidecar = bus if SIDECAR == "embedded" else scrape(sidecar_port)
        target = {"bus": "main", "rule": "bill-orders", "target": "billing"}
        for name, expected in {
            "conga_invocations_total": 2,
            "conga_invocation_attempts_total": 3,
            "conga_retry_invocation_attempts_total": 1,
            "conga_successful_invocation_attempts_total": 1,
            "conga_invocations_sent_to_dlq_total": 1,
            "conga_failed_invocations_total": 0,
            "conga_invocations_failed_to_be_sent_to_dlq_total": 0,
            "conga_ingestion_to_invocation_start_latency_seconds_count": 2,
            "conga_ingestion_to_invocation_complete_latency_seconds_count": 2,
            "conga_ingestion_to_invocation_success_latency_seconds_count": 1,
            "conga_pending_deliveries": 0,
        }.items():
            self.assertEqual(value(sidecar, name, **target), expected, name)
        self.assertEqual(value(sidecar, "conga_dead_letters"), 1)
        self.assertGreater(value(sidecar, "conga_journal_sync_latency_seconds_count"), 0)
        self.assertGreater(value(sidecar, "conga_journal_bytes"), 0)
        self.assertEqual(value(bus, "conga_triggered_rules_total", rule="bill-orders"), 2)
        self.assertEqual(value(bus, "conga_matched_events_total"), 2)
        self.assertEqual(value(bus, "conga_unmatched_events_total"), 1)
        self.assertEqual(value(bus, "conga_put_events_total", result="accepted"), 4)
        self.assertEqual(value(bus, "conga_put_events_size_bytes_count"), 4)
        self.assertEqual(value(bus, "conga_link_up"), 1)
        self.check_with_promtool(bus)
        self.check_with_promtool(sidecar)

    def check_with_promtool(self, text):
        promtool = shutil.which("promtool")
        if promtool is None:
            print("promtool is not installed: the format was not checked")
            return
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
        )
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), text)


if __name__ == "__main__":
    BUILD, SIDECAR = sys.argv[1], sys.argv[2]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
