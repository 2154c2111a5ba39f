#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga-payment with an acquirer over real HTTP that fails in every way.

    http_acquirer_test.py BUILD

However often an answer is lost, late, garbled or given twice, each booking is charged at most once,
ends with one fact, and what was charged is what the ledger has.
"""

import sys
import unittest

from fake_acquirer import FakeAcquirer
from harness import Site, wait_until
from peer import event

BUILD = "build"
SECRET = "s3cret-token"
GOOD, DECLINED = "4242424242424242", "4000000000000002"
FAULTS = ["none", "500", "429", "409", "slow", "reset", "duplicate", "garbage", "half"]

RULES = """
rules:
  - name: charge
    pattern: {source: [aircraft.booking], detail-type: [BookingCreated, BookingCancelled]}
    targets:
      - service: payment
        retry: {max-attempts: 30, backoff: {initial: 20ms, factor: 2, max: 200ms, jitter: full}}
  - name: told
    pattern: {source: [aircraft.payment]}
    targets: [{service: desk}]
"""


def booking_event(kind, booking, **more):
    trip = {
        "booking-id": booking,
        "flight": "LH123",
        "cabin": "economy",
        "passengers": [{"name": "Ana"}],
        "email": "ana@example.org",
        "fare": {"amount": 18900, "currency": "EUR"},
    }
    return event("aircraft.booking", kind, {"trip": trip, **more}, correlation_id=booking)


class HttpAcquirerTest(unittest.TestCase):
    def setUp(self):
        self.site = Site(BUILD, RULES, sidecar="embedded")
        self.site.__enter__()
        self.addCleanup(self.leave)

    def leave(self):
        failed = not self._outcome.success
        self.site.__exit__(AssertionError if failed else None, None, None)

    def start_payment(self, acquirer, secret=SECRET):
        self.secret_file = self.site.folder / "secret"
        self.secret_file.write_text(secret + "\n")
        self.config = self.site.folder / "payment.yaml"
        self.config.write_text(
            f"bus: {{publish: '{self.site.publish}', subscribe: '{self.site.subscribe}'}}\n"
            "database: payment.db\n"
            f"payment: {{acquirer: http, http: {{url: '{acquirer.url}', secret-file: secret,"
            " timeout: 300ms, workers: 4}}\n"
        )
        self.site.start_bus()
        self.payment = self.site.add(
            "conga-payment", self.site.build / "services/conga-payment", self.config
        )
        self.payment.start()

    def facts(self, desk, count):
        """The next `count` that payment tells: (type, booking)."""
        told = []
        while len(told) < count:
            delivery = desk.delivery(60)
            desk.settle(delivery.id, "ok")
            made = delivery.event
            told.append((made["detail-type"], made["detail"]["trip"]["booking-id"]))
        return sorted(told)

    def ledger(self):
        code, out, error = self.site.run(
            "services/conga-payment", "--config", self.config, "--ledger"
        )
        self.assertEqual(code, 0, error)
        return out

    def test_each_booking_is_charged_once_through_every_pair_of_faults(self):
        bookings = {}
        for first in FAULTS:
            for second in FAULTS:
                bookings[f"B{len(bookings)}"] = [first, second]

        def plan(_, key):
            return bookings[key.split("/")[0]]

        with FakeAcquirer(SECRET, plan) as acquirer:
            self.start_payment(acquirer)
            with self.site.peer(service="desk") as desk:
                cards = {each: DECLINED if each == "B7" else GOOD for each in bookings}
                desk.put_all(
                    [booking_event("BookingCreated", each, card=cards[each]) for each in bookings]
                )
                told = self.facts(desk, len(bookings))
                wanted = {
                    each: "PaymentFailed" if each == "B7" else "PaymentConfirmed"
                    for each in bookings
                }
                self.assertEqual(told, sorted((kind, each) for each, kind in wanted.items()))
                captured = [f"{each}/capture" for each in bookings if each != "B7"]
                self.assertEqual(sorted(acquirer.captures), sorted(captured))

                # And back again, for every third of them.
                over = [each for each in list(bookings)[::3] if each != "B7"]
                desk.put_all(
                    [booking_event("BookingCancelled", each, reason="regret") for each in over]
                )
                told = self.facts(desk, len(over))
                self.assertEqual(told, sorted(("PaymentRefunded", each) for each in over))
                refunded = [
                    key for key, each in acquirer.reversals.items() if each["status"] == "refunded"
                ]
                self.assertEqual(sorted(refunded), sorted(f"{each}/refund" for each in over))
                self.assertEqual(desk.ask("dlq.list", {"limit": 10})["letters"], [])
            kept = len(captured) - len(over)
            self.assertRegex(self.ledger(), rf"acquirer +EUR .* {kept * 189}\.00\n")

    def test_a_wrong_secret_loses_nothing(self):
        with FakeAcquirer(SECRET, lambda *_: []) as acquirer:
            self.start_payment(acquirer, secret="wrong")
            with self.site.peer(service="desk") as desk:
                desk.put_all([booking_event("BookingCreated", "B1", card=GOOD)])
                wait_until(lambda: acquirer.refused >= 2, 20, "the acquirer refuses us")
                self.assertEqual(self.payment.stop(), 0)
                self.secret_file.write_text(SECRET)
                self.payment.start()
                self.assertEqual(self.facts(desk, 1), [("PaymentConfirmed", "B1")])
            self.assertNotIn(SECRET, self.payment.log_text())
            self.assertEqual(len(acquirer.captures), 1)

    def test_an_acquirer_that_is_not_there_is_waited_for(self):
        with FakeAcquirer(SECRET, lambda *_: []) as gone:
            pass
        self.start_payment(gone)
        with self.site.peer(service="desk") as desk:
            desk.put_all([booking_event("BookingCreated", "B1", card=GOOD)])
            row = wait_until(
                lambda: [
                    each
                    for each in desk.ask("sidecar.status")["targets"]
                    if each["service"] == "payment" and each["pending"] + each["in-flight"] > 0
                ],
                20,
                "the booking waits",
            )
            self.assertEqual(len(row), 1)
        self.assertEqual(self.payment.stop(), 0)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
