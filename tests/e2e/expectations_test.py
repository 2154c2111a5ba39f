#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Expectations with real daemons: met, missed, over kill -9 and a reload, suggested, traced.

    expectations_test.py BUILD process|embedded
"""

import json
import sys
import unittest

from harness import Site
from peer import event

BUILD, KIND = "build", "process"

RULES = """
rules:
  - name: ring-the-bell
    pattern: {source: [conga.expectations]}
    targets: [{service: bell}]
expectations:
  - name: paid-is-ticketed
    after: {source: [shop.payment], detail-type: [Paid]}
    expect: {detail-type: [Ticketed, Refunded]}
    within: WITHIN
    by: booking-id
"""


def rules(within):
    return RULES.replace("WITHIN", within)


def paid(booking):
    return event("shop.payment", "Paid", {"booking-id": booking})


def ticketed(booking, **more):
    return {**event("shop.tickets", "Ticketed", {"booking-id": booking}), **more}


class ExpectationsTest(unittest.TestCase):
    def setUp(self):
        self.site = None

    def tearDown(self):
        failed = not self._outcome.success
        self.site.__exit__(AssertionError if failed else None, None, None)

    def start(self, within):
        self.site = Site(BUILD, rules(within), sidecar=KIND)
        self.site.start_bus()

    def states(self, peer):
        (state,) = peer.ask("sidecar.status")["expectations"]
        return state["open"], state["met"], state["missed"]

    def conga(self, *arguments):
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        code, out, error = self.site.run("cli/conga", *arguments, *where)
        self.assertEqual(code, 0, error)
        return out

    def test_what_stays_away_is_told_once_and_what_comes_is_not(self):
        self.start("300ms")
        with self.site.peer(service="bell") as peer:
            lost, kept = paid("B-1"), paid("B-2")
            self.assertEqual(peer.put_all([lost, kept, ticketed("B-2")]), ["ok"] * 3)
            bell = peer.delivery()
            peer.settle(bell.id, "ok")
            self.assertEqual(bell.event["detail-type"], "ExpectationMissed")
            self.assertEqual(bell.event["causation-id"], lost["id"])
            self.assertEqual(bell.event["detail"]["expectation"], "paid-is-ticketed")
            peer.wait_for(lambda: self.states(peer) == (0, 1, 1), 10, "one met, one missed")
            self.assertFalse(peer.deliveries)
            listed = self.conga("rules", "list")
            self.assertIn("within 300ms by /detail/booking-id", listed)
            peer.wait_for(
                lambda: "expectation paid-is-ticketed: over" in self.conga("trace", lost["id"]),
                10,
                "the expectation in the trace",
            )

    def test_open_expectations_survive_kill_9_and_are_then_met_or_missed(self):
        self.start("2s")
        lost, kept = paid("B-1"), paid("B-2")
        with self.site.peer() as peer:
            self.assertEqual(peer.put_all([lost, kept]), ["ok"] * 2)
        self.site.durable.kill()
        self.site.durable.start()
        with self.site.peer(service="bell") as peer:
            self.assertEqual(peer.put(ticketed("B-2")), "ok")
            bell = peer.delivery()
            peer.settle(bell.id, "ok")
            self.assertEqual(bell.event["causation-id"], lost["id"])
            peer.wait_for(lambda: self.states(peer)[0] == 0, 10, "nothing open")
        # What was told is not told again by the next run.
        self.site.durable.kill()
        self.site.durable.start()
        with self.site.peer(service="bell") as peer:
            self.assertEqual(peer.put(ticketed("B-3")), "ok")
            self.assertEqual(self.states(peer), (0, 0, 0))
            self.assertFalse(peer.deliveries)

    def test_an_expectation_that_leaves_the_rules_ends(self):
        self.start("1h")
        with self.site.peer() as peer:
            self.assertEqual(peer.put(paid("B-1")), "ok")
            self.assertEqual(self.states(peer), (1, 0, 0))
            self.site.rules_file.write_text(rules("1h").split("expectations:")[0])
            peer.ask("rules.reload")
            peer.wait_for(
                lambda: not peer.ask("sidecar.status")["expectations"], 10, "no expectations"
            )

    def test_what_always_follows_is_suggested_and_the_suggestion_can_be_used(self):
        self.start("1h")
        with self.site.peer() as peer:
            for number in range(25):
                flow = {"correlation-id": f"B-{number}"}
                cause = {**paid(f"B-{number}"), **flow}
                effect = {**ticketed(f"B-{number}"), **flow, "causation-id": cause["id"]}
                self.assertEqual(peer.put_all([cause, effect]), ["ok", "ok"])
        arguments = ["map", "--journal", "journal", "--suggest-expectations"]
        (suggestion,) = json.loads(self.site.run("cli/conga", *arguments, "--json")[1])
        self.assertEqual(
            (suggestion["after-detail-type"], suggestion["expect-detail-type"]), ("Paid", "Ticketed")
        )
        self.assertEqual((suggestion["count"], suggestion["followed"]), (25, 25))
        suggested = self.site.run("cli/conga", *arguments)[1]
        self.site.rules_file.write_text("rules: []\n" + suggested)
        self.assertIn("1 expectation, no fault", self.site.run("cli/conga", "rules", "check", "rules.yaml")[2])


if __name__ == "__main__":
    BUILD, KIND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
