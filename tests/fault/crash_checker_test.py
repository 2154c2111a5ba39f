#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The crash test's checker notices each thing that may go wrong, and nothing where all is well.

    crash_checker_test.py
"""

import copy
import unittest

from crash_checker import Record, Target, check

BILL = ("bill", "billing")
SHIP = ("ship", "shipping")


def clean():
    """Three events of one key, the second rejected by billing, the third tried twice."""
    return Record(
        targets={"Order": [Target(*BILL), Target(*SHIP, ordered=True)]},
        put={"a": ("Order", "k"), "b": ("Order", "k"), "c": ("Order", "k")},
        promised={"a", "b", "c"},
        seen=[(event, *target) for event in "abc" for target in (BILL, SHIP)],
        said=[
            (1, "a", *BILL, "ok"),
            (2, "a", *SHIP, "ok"),
            (3, "b", *BILL, "reject"),
            (4, "b", *SHIP, "ok"),
            (5, "c", *BILL, "retry"),
            (6, "c", *BILL, "ok"),
            (7, "c", *SHIP, "ok"),
            (8, "c", *SHIP, "ok"),
        ],
        letters=[("b", *BILL, "Unwanted")],
        kept=[(1, "a", [BILL, SHIP]), (2, "b", [BILL, SHIP]), (3, "c", [BILL, SHIP])],
        ended=[
            (1, *BILL, "settled"),
            (1, *SHIP, "settled"),
            (2, *BILL, "dead-letter"),
            (2, *SHIP, "settled"),
            (3, *BILL, "settled"),
            (3, *SHIP, "settled"),
        ],
    )


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.record = copy.deepcopy(clean())

    def expect(self, *found):
        """Exactly these, each by how it begins."""
        violations = check(self.record)
        self.assertEqual(len(violations), len(found), violations)
        for violation, beginning in zip(violations, found):
            self.assertTrue(violation.startswith(beginning), violation)

    def test_a_clean_run_passes(self):
        self.expect()

    def test_an_event_that_was_put_and_never_promised_may_be_lost(self):
        self.record.put["d"] = ("Order", "k")
        self.expect()

    def test_a_promised_event_that_the_journal_lost(self):
        self.record.kept.pop()
        self.record.ended = self.record.ended[:4]
        self.expect("promised and not in the journal: event c")

    def test_a_promised_event_that_nobody_did(self):
        self.record.said = [each for each in self.record.said if each[1:4] != ("a", *BILL)]
        self.expect(
            "promised and never done: event a for bill",
            "settled and no consumer said ok: event a for bill",
        )

    def test_a_dead_letter_that_is_gone(self):
        self.record.letters = []
        self.expect("promised and never done: event b for bill")

    def test_a_delivery_that_nobody_put(self):
        self.record.seen.append(("x", *BILL))
        self.expect("delivered and put by nobody: event x")

    def test_a_delivery_to_the_wrong_target(self):
        self.record.seen.append(("a", "audit", "audit"))
        self.expect("delivered and not owed: event a to audit")

    def test_a_delivery_without_end(self):
        self.record.ended.pop()
        self.expect("never ended: event c for ship")

    def test_an_ending_that_nobody_said(self):
        self.record.said = [
            each if each[1:4] != ("c", *BILL) else (*each[:4], "retry") for each in self.record.said
        ]
        self.expect(
            "promised and never done: event c for bill",
            "settled and no consumer said ok: event c for bill",
        )

    def test_an_event_that_overtook_another_of_its_key(self):
        self.record.said[1], self.record.said[3] = (4, "a", *SHIP, "ok"), (2, "b", *SHIP, "ok")
        self.expect("out of order: event b of key k for ship")

    def test_events_of_different_keys_and_targets_without_order_may_overtake(self):
        self.record.put["b"] = ("Order", "other")
        self.record.said[1], self.record.said[3] = (4, "a", *SHIP, "ok"), (2, "b", *SHIP, "ok")
        self.record.said[0] = (9, "a", *BILL, "ok")
        self.expect()

    def test_a_dead_letter_without_a_reason(self):
        self.record.letters = [("b", *BILL, "")]
        self.expect("a dead letter without a reason: event b")

    def test_a_dead_letter_that_nobody_put(self):
        self.record.letters.append(("x", *BILL, "Unwanted"))
        self.expect("a dead letter that nobody put: event x")


if __name__ == "__main__":
    unittest.main(verbosity=2)
