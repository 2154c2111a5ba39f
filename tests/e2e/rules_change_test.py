#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga rules apply, versions, rollback and stats on a bus that is at work.

    rules_change_test.py BUILD
"""

import json
import sys
import unittest

from harness import Site
from peer import event

BUILD = "build"

FIRST = """rules:
  - name: bill-orders
    pattern: {detail-type: [OrderPlaced]}
    targets: [{service: billing}]
  - name: sleep
    pattern: {detail-type: [Nothing]}
    targets: [{service: billing}]
"""

SECOND = """rules:
  - name: bill-orders
    pattern: {detail-type: [OrderPlaced, OrderChanged]}
    targets: [{service: billing}]
  - name: ship-orders
    pattern: {detail-type: [OrderPaid]}
    targets: [{service: shipping}]
"""


class RulesChangeTest(unittest.TestCase):
    def setUp(self):
        self.site = Site(BUILD, FIRST)
        self.site.__enter__()
        self.addCleanup(self.leave)
        self.site.start_bus()
        (self.site.folder / "new.yaml").write_text(SECOND)

    def leave(self):
        failed = not self._outcome.success
        self.site.__exit__(AssertionError if failed else None, None, None)

    def rules(self, *arguments, expect=0):
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        code, out, error = self.site.run("cli/conga", "rules", *arguments, *where)
        self.assertEqual(code, expect, out + error)
        return out + error

    def versions(self):
        return json.loads(self.rules("versions", "--json"))

    def test_apply_replaces_the_rules_at_once_and_rollback_takes_them_back(self):
        self.assertIn("nothing was changed", self.rules("apply", "new.yaml", "--dry-run"))
        self.assertEqual(self.site.rules_file.read_text(), FIRST)
        told = self.rules("apply", "new.yaml").splitlines()
        self.assertEqual(
            told[:3], ["+ rule ship-orders", "- rule sleep", "~ rule bill-orders"]
        )
        self.assertEqual(self.site.rules_file.read_text(), SECOND)
        listed = self.versions()
        self.assertEqual(listed["current"], 2)
        self.assertIn("@", listed["versions"][1]["by"])
        with self.site.peer(service="shipping") as peer:
            self.assertEqual(peer.put(event("shop", "OrderPaid", {})), "ok")
            peer.settle(peer.delivery().id, "ok")
        # What the bus now has survives its restart.
        self.site.bus.kill()
        self.site.bus.start()
        self.assertIn("ship-orders", self.rules("list"))
        self.assertEqual(self.rules("versions", "1"), FIRST)
        self.rules("rollback", "1")
        self.assertEqual(self.site.rules_file.read_text(), FIRST)
        listed = self.versions()
        self.assertEqual((listed["current"], listed["versions"][-1]["note"]), (3, "rollback to 1"))
        self.assertIn("no version 9", self.rules("rollback", "9", expect=1))

    def test_wrong_rules_are_refused_with_their_place_and_change_nothing(self):
        (self.site.folder / "new.yaml").write_text(SECOND.replace("targets", "target"))
        told = self.rules("apply", "new.yaml", expect=2)
        self.assertIn("new.yaml:4:5: ", told)
        self.assertEqual(self.site.rules_file.read_text(), FIRST)
        self.assertFalse((self.site.folder / "rules.yaml.versions").exists())

    def test_a_file_that_cannot_be_written_is_told_and_the_rules_stay(self):
        (self.site.folder / "rules.yaml.versions").write_text("in the way")
        told = self.rules("apply", "new.yaml", expect=1)
        self.assertIn("rules.yaml.versions", told)
        self.assertEqual(self.site.rules_file.read_text(), FIRST)
        self.assertIn("sleep", self.rules("list"))

    def test_stats_tell_what_matched_and_what_did_not_for_a_day(self):
        with self.site.peer(service="billing") as peer:
            puts = [event("shop", "OrderPlaced", {}) for _ in range(3)]
            puts.append(event("shop", "OrderLost", {}))
            self.assertEqual(peer.put_all(puts), ["ok"] * 4)
        arguments = ["rules", "stats", "rules.yaml", "--journal", "journal"]
        code, out, _ = self.site.run("cli/conga", *arguments, "--json")
        self.assertEqual(code, 0)
        stats = json.loads(out)
        self.assertEqual(
            [(rule["rule"], rule["events"]) for rule in stats["rules"]],
            [("bill-orders", 3), ("sleep", 0)],
        )
        self.assertIn("nothing in 1d (rules.yaml:5)", stats["rules"][1]["remark"])
        (unmatched,) = stats["unmatched"]
        self.assertEqual((unmatched["detail-type"], unmatched["events"]), ("OrderLost", 1))
        self.assertIn("does not reach back 1d", self.site.run("cli/conga", *arguments)[2])


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
