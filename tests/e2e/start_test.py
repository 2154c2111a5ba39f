#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A target that is added later, with `start`, gets what the journal held before it, in order.

    start_test.py BUILD
"""

import sys
import unittest

from harness import Site
from peer import event

BUILD = "build"
PAST = 300

RULES = """rules:
  - name: bill-orders
    pattern: {detail-type: [OrderPlaced]}
    targets: [{service: billing}]
"""

LATE = RULES + """  - name: count-orders
    pattern: {detail: {number: [{numeric: [">=", 100]}]}}
    targets: [{service: ledger, ordering: /detail/all, start: START}]
"""


class StartTest(unittest.TestCase):
    def setUp(self):
        self.enter("process")

    def enter(self, sidecar):
        self.site = Site(BUILD, RULES, sidecar=sidecar)
        self.site.__enter__()
        self.addCleanup(self.leave, self.site)

    def leave(self, site):
        failed = not self._outcome.success
        site.__exit__(AssertionError if failed else None, None, None)

    def put(self, numbers):
        with self.site.peer() as publisher:
            made = [event("shop", "OrderPlaced", {"number": each, "all": "all"}) for each in numbers]
            self.assertEqual(set(publisher.put_all(made)), {"ok"})

    def apply(self, start):
        (self.site.folder / "new.yaml").write_text(LATE.replace("START", start))
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        code, out, error = self.site.run("cli/conga", "rules", "apply", "new.yaml", *where)
        self.assertEqual(code, 0, out + error)

    def take(self, last):
        """The numbers that the new service gets up to `last`, settled one by one."""
        numbers = [None]
        with self.site.peer(service="ledger") as peer:
            while numbers[-1] != last:
                delivery = peer.delivery()
                numbers.append(delivery.event["detail"]["number"])
                peer.settle(delivery.id, "ok")
        return numbers[1:]

    def test_from_the_horizon_all_that_is_for_it_comes_in_order_before_what_is_new(self):
        self.site.start_bus()
        self.put(range(PAST))
        self.apply("horizon")
        self.put(range(PAST, PAST + 5))
        self.assertEqual(self.take(PAST + 4), list(range(100, PAST + 5)))

    def test_an_embedded_sidecar_does_the_same(self):
        self.enter("embedded")
        self.test_from_the_horizon_all_that_is_for_it_comes_in_order_before_what_is_new()

    def test_a_sidecar_killed_amid_it_goes_on(self):
        self.site.start_bus()
        self.put(range(PAST))
        self.apply("horizon")
        self.site.sidecar.kill()
        self.site.sidecar.start()
        self.put(range(PAST, PAST + 5))
        taken = self.take(PAST + 4)
        self.assertEqual(list(dict.fromkeys(taken)), list(range(100, PAST + 5)))


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
