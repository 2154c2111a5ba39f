#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real conga-bus and conga-sidecar against a client written from docs/protocol.md (peer.py).

    protocol_test.py BUILD process|embedded|threaded [unittest's options]
"""

import sys
import unittest

import msgpack

from harness import Site
from peer import Refused, event

BUILD, SIDECAR = "build", "process"

RULES = """
rules:
  - name: bill-orders
    pattern: {source: [shop.orders], detail-type: [OrderPlaced]}
    targets:
      - service: billing
        retry: {max-attempts: 3, backoff: {initial: 50ms, factor: 2, max: 200ms, jitter: none}}
  - name: news
    pattern: {source: [shop.news]}
    targets: [{topic: news}]
"""

BROKEN_RULES = """
rules:
  - name: bill-orders
    patern: {source: [shop.orders]}
    targets: [{service: billing}]
"""


def order(**detail):
    return event("shop.orders", "OrderPlaced", detail or {"total": 250})


class ProtocolTest(unittest.TestCase):
    """Each test has a site of its own, so that none sees what another left."""

    def setUp(self):
        self.site = self.enter(Site(BUILD, RULES, sidecar=SIDECAR))
        self.site.start_bus()

    def enter(self, manager):
        """As enterContext(), but leaves with an exception if the test failed: logs are shown."""
        entered = manager.__enter__()
        self.addCleanup(self._leave, manager)
        return entered

    def _leave(self, manager):
        failed = not self._outcome.success
        manager.__exit__(AssertionError if failed else None, None, None)

    def peer(self, **options):
        return self.enter(self.site.peer(**options))

    def letters(self, peer):
        return peer.ask("dlq.list")["letters"]

    def wait_settled(self, peer):
        def settled():
            return peer.ask("sidecar.status")["pending"] == 0

        peer.wait_for(settled, 10, "end of all deliveries")

    # --- the ordinary life of an event

    def test_a_put_event_is_delivered_once_and_settled(self):
        peer = self.peer(service="billing")
        made = order(total=7, big=2**63, nested={"list": [1, 2.5, None, True, "ü"]})
        self.assertEqual(peer.put(made), "ok")
        delivery = peer.delivery()
        self.assertEqual(delivery.event, made)
        self.assertEqual((delivery.attempt, delivery.rule), (1, "bill-orders"))
        peer.settle(delivery.id, "ok")
        self.wait_settled(peer)
        self.assertFalse(peer.deliveries)

    def test_a_repeated_put_is_answered_and_not_delivered_again(self):
        peer = self.peer(service="billing")
        made = order()
        self.assertEqual([peer.put(made), peer.put(made)], ["ok", "ok"])
        peer.settle(peer.delivery().id, "ok")
        self.wait_settled(peer)
        self.assertFalse(peer.deliveries)

    def test_retry_brings_the_next_attempt(self):
        peer = self.peer(service="billing")
        peer.put(order())
        first = peer.delivery()
        peer.settle(first.id, "retry", "Busy", "later", 10)
        second = peer.delivery()
        self.assertEqual((second.attempt, second.event), (2, first.event))
        self.assertNotEqual(second.id, first.id)
        peer.settle(second.id, "ok")
        self.wait_settled(peer)

    def test_retries_end_as_a_dead_letter_with_the_exhausted_condition(self):
        peer = self.peer(service="billing")
        peer.put(order())
        for attempt in (1, 2, 3, 4):
            delivery = peer.delivery()
            self.assertEqual(delivery.attempt, attempt)
            peer.settle(delivery.id, "retry", "Busy", "later", 1)
        (letter,) = peer.wait_for(lambda: self.letters(peer), 10, "dead letter")
        self.assertEqual(letter["exhausted-retry-condition"], "MaximumRetryAttempts")
        self.assertEqual((letter["error-code"], letter["retry-attempts"]), ("Busy", 3))

    def test_reject_is_a_dead_letter_at_once_and_redrive_delivers_it_again(self):
        peer = self.peer(service="billing")
        made = order()
        peer.put(made)
        news = self.peer(taps=["event/conga.dlq/EventDeadLettered"])
        peer.settle(peer.delivery().id, "reject", "BadAmount", "total is negative")
        ((_, told),) = news.wait_for(lambda: news.tapped, 10, "news of the dead letter")
        self.assertEqual((told["causation-id"], told["detail"]["error-code"]), (made["id"], "BadAmount"))
        (letter,) = peer.wait_for(lambda: self.letters(peer), 10, "dead letter")
        expected = {
            "rule": "bill-orders",
            "target": "billing",
            "service": "billing",
            "event-id": made["id"],
            "error-code": "BadAmount",
            "error-message": "total is negative",
            "exhausted-retry-condition": "",
            "retry-attempts": 0,
        }
        self.assertEqual({key: letter[key] for key in expected}, expected)
        shown = peer.ask("dlq.show", {"numbers": [letter["number"]]})
        self.assertEqual(shown["event"], made)
        redriven = peer.ask("dlq.redrive", {"numbers": [letter["number"]]})
        self.assertEqual((redriven["total"], redriven["stop"]), (1, None))
        again = peer.delivery()
        self.assertEqual((again.event, again.attempt), (made, 1))
        peer.settle(again.id, "ok")
        self.wait_settled(peer)
        self.assertEqual(self.letters(peer), [])

    def test_a_lost_consumer_costs_an_attempt_and_another_one_gets_the_event(self):
        first = self.site.peer(service="billing")
        first.put(order())
        self.assertEqual(first.delivery().attempt, 1)
        first.close()
        second = self.peer(service="billing")
        delivery = second.delivery()
        self.assertEqual(delivery.attempt, 2)
        second.settle(delivery.id, "ok")
        self.wait_settled(second)

    def test_a_poison_event_that_kills_each_consumer_is_dead_until_the_fixed_one_gets_it(self):
        publisher = self.peer()
        poison = order(total="poison")
        publisher.put(poison)
        for attempt in (1, 2, 3, 4):
            doomed = self.site.peer(service="billing")
            self.assertEqual(doomed.delivery().attempt, attempt)
            doomed.close()
        (letter,) = publisher.wait_for(lambda: self.letters(publisher), 10, "dead letter")
        self.assertEqual(letter["event-id"], poison["id"])
        self.assertEqual(letter["error-code"], "ConsumerLost")
        self.assertEqual(letter["exhausted-retry-condition"], "MaximumRetryAttempts")
        fixed = self.peer(service="billing")
        publisher.ask("dlq.redrive", {"numbers": [letter["number"]]})
        again = fixed.delivery()
        self.assertEqual((again.event, again.attempt), (poison, 1))
        fixed.settle(again.id, "ok")
        self.wait_settled(publisher)
        self.assertEqual(self.letters(publisher), [])

    def test_no_more_is_in_flight_than_the_credit(self):
        peer = self.peer(service="billing", credit=3)
        self.assertEqual(set(peer.put_all([order(number=n) for n in range(10)])), {"ok"})
        seen = 0
        while seen < 10:
            peer.wait_for(lambda: len(peer.deliveries) == min(3, 10 - seen), 10, "deliveries")
            peer.pump(0.05)
            self.assertLessEqual(len(peer.deliveries), 3)
            while peer.deliveries:
                peer.settle(peer.deliveries.popleft().id, "ok")
                seen += 1
        self.wait_settled(peer)

    def test_topics_and_taps_carry_events_at_most_once(self):
        peer = self.peer(taps=["topic/news", "event/shop.orders/"])
        news, placed = event("shop.news", "Published", {"n": 1}), order()
        self.assertEqual(peer.put_all([news, placed]), ["ok", "ok"])
        peer.wait_for(lambda: len(peer.tapped) == 2, 10, "tapped events")
        self.assertEqual(
            sorted(peer.tapped, key=lambda pair: pair[0]),
            [("event/shop.orders/OrderPlaced", placed), ("topic/news", news)],
        )

    def test_a_name_belongs_to_one_process(self):
        peer = self.peer(name="the-one")
        other = self.enter(self.site.peer(hello=False, name="the-one"))
        with self.assertRaises(Refused) as refused:
            other.hello()
        self.assertEqual(refused.exception.code, "NameTaken")
        self.assertEqual(peer.put(order()), "ok")

    # --- questions

    def test_questions_are_answered_by_bus_and_sidecar(self):
        peer = self.peer()
        self.assertEqual(peer.put(order()), "ok")
        status = peer.ask("bus.status")
        self.assertEqual(status["link"]["state"], "up")
        self.assertEqual(status["events"]["accepted"], 1)
        self.assertEqual(status["boot"], peer.boot)
        rules = peer.ask("rules.list")["rules"]
        self.assertEqual([rule["matches"] for rule in rules], [1, 0])
        (target,) = peer.ask("sidecar.status")["targets"]
        self.assertEqual((target["state"], target["pending"]), ("no-instance", 1))
        for verb, arguments, code in [
            ("no.such", {}, "UnknownVerb"),
            ("dlq.list", {"limit": 0}, "InvalidArguments"),
            ("dlq.show", {"numbers": [99]}, "NotFound"),
        ]:
            with self.assertRaises(Refused) as refused:
                peer.ask(verb, arguments)
            self.assertEqual(refused.exception.code, code)

    # --- bad input

    def test_what_cannot_be_accepted_is_refused_with_a_code(self):
        peer = self.peer()
        no_source = order()
        del no_source["source"]
        deep = order()
        for _ in range(100):
            deep["detail"] = {"in": deep["detail"]}
        feigned = {**order(), "source": "conga.dlq"}
        self.assertEqual(
            peer.put_all([order(), no_source, order(pad="x" * (2 << 20)), deep, feigned, order()]),
            ["ok", "InvalidEvent", "EventTooLarge", "EventTooDeep", "ReservedSource", "ok"],
        )
        named = {key: message for key, _, message in peer.results}
        self.assertIn("source", named[no_source["id"]])
        peer.results.clear()
        for garbage in [b"\xc1", b"\xc4\x01x", b"garbage", msgpack.packb(order())[:-1]]:
            peer.send_raw(f"put/{peer.name}", garbage)
            self.assertEqual(peer.result()[:2], ("", "InvalidEvent"), garbage)
            peer.results.clear()
        self.assertEqual(peer.put(order()), "ok")

    def test_nonsense_is_dropped_counted_and_logged_seldom(self):
        peer = self.peer()
        for number in range(100):
            peer.send_raw("nonsense", b"x")
            peer.send_raw(b"\xff\xfe\x00", b"")
            peer.send_raw("event/shop/Forged", msgpack.packb(order()))
            peer.send_raw(f"ask/{peer.name}", b"\x93\x01")
            peer.send_raw(f"put/{peer.name}", b"")
            peer.send_raw("ready/billing/nobody", msgpack.packb(["many"]))
            peer.send_raw("settle/billing/nobody", b"\xc1\xc1")
            peer._out.send(b"one frame")
            peer._out.send_multipart([b"three", b"of", b"them"])
        self.assertEqual(peer.put(order()), "ok")
        self.assertGreaterEqual(peer.ask("bus.status")["frames"]["malformed"], 600)
        self.assertLess(len(self.site.bus.log_text().splitlines()), 60)

    def test_a_message_beyond_all_limits_costs_its_sender_the_connection_only(self):
        peer, rude = self.peer(), self.peer()
        rude.send_raw(f"put/{rude.name}", b"\xc0" * (64 << 20))
        self.assertEqual(peer.put(order()), "ok")

    # --- kills and restarts

    def test_nothing_accepted_is_lost_when_bus_and_sidecar_are_killed(self):
        publisher = self.peer()
        made = [order(number=number) for number in range(200)]
        self.assertEqual(set(publisher.put_all(made)), {"ok"})
        for daemon in {self.site.bus, self.site.durable}:
            daemon.kill()
        for daemon in {self.site.bus, self.site.durable}:
            daemon.start()
        billing = self.peer(service="billing")
        seen = {}
        while len(seen) < len(made):
            delivery = billing.delivery()
            seen[delivery.event["id"]] = delivery.event
            billing.settle(delivery.id, "ok")
        self.assertEqual(seen, {each["id"]: each for each in made})
        self.wait_settled(billing)

    def test_clients_go_on_when_the_bus_was_killed(self):
        peer = self.peer(service="billing")
        self.assertEqual(peer.put(order()), "ok")
        peer.settle(peer.delivery().id, "ok")
        self.site.bus.kill()
        self.site.bus.start()
        self.assertEqual(peer.put(order(), 20), "ok")
        peer.settle(peer.delivery().id, "ok")
        self.wait_settled(peer)

    def test_without_its_sidecar_the_bus_says_so_and_topics_go_on(self):
        if self.site.sidecar is None:
            self.skipTest("embedded")
        peer = self.peer(taps=["topic/news"])
        self.assertEqual(peer.put(order()), "ok")
        self.site.sidecar.kill()
        peer.wait_for(lambda: peer.ask("bus.status")["link"]["state"] == "down", 10, "link down")
        peer.results.clear()
        kept = order()
        peer.send(f"put/{peer.name}", kept)
        self.assertEqual(peer.result()[:2], (kept["id"], "Unavailable"))
        with self.assertRaises(Refused) as refused:
            peer.ask("dlq.list")
        self.assertEqual(refused.exception.code, "Unavailable")
        self.assertEqual(peer.put(event("shop.news", "Published", {})), "ok")
        peer.wait_for(lambda: peer.tapped, 10, "news")
        self.site.sidecar.start()
        self.assertEqual(peer.put(kept), "ok")

    def test_a_silent_sidecar_is_found_out_and_comes_back(self):
        if self.site.sidecar is None:
            self.skipTest("embedded")
        peer = self.peer()
        self.assertEqual(peer.put(order()), "ok")
        self.site.sidecar.pause()
        peer.wait_for(lambda: peer.ask("bus.status")["link"]["state"] == "down", 10, "link down")
        self.site.sidecar.resume()
        self.assertEqual(peer.put(order(), 20), "ok")

    def test_any_order_of_start_works(self):
        for daemon in {self.site.bus, self.site.durable}:
            daemon.stop()
        peer = self.enter(self.site.peer(hello=False, service="billing"))
        self.site.bus.start()
        if self.site.sidecar:
            self.site.sidecar.start()
        peer.hello()
        self.assertEqual(peer.put(order(), 20), "ok")
        peer.settle(peer.delivery().id, "ok")

    def test_sigterm_ends_both_cleanly(self):
        peer = self.peer()
        self.assertEqual(peer.put(order()), "ok")
        for daemon in {self.site.bus, self.site.durable}:
            self.assertEqual(daemon.stop(), 0, daemon.name)

    # --- rules and configuration

    def test_broken_rules_are_kept_out_and_good_ones_taken_in(self):
        peer = self.peer(service="billing")
        self.site.rules_file.write_text(BROKEN_RULES)
        self.site.bus.reload()
        fault = peer.wait_for(lambda: peer.ask("bus.status")["rules"]["fault"], 10, "fault")
        self.assertIn("rules.yaml:4:5", fault)
        self.assertIn("rules.yaml:4:5", self.site.bus.log_text())
        with self.assertRaises(Refused) as refused:
            peer.ask("rules.reload")
        self.assertEqual(refused.exception.code, "InvalidRules")
        self.assertEqual(peer.put(order()), "ok")
        peer.settle(peer.delivery().id, "ok")
        self.site.rules_file.write_text(RULES.replace("OrderPlaced", "OrderChanged"))
        self.assertEqual(peer.ask("rules.reload")["generation"], 2)
        self.assertIsNone(peer.ask("bus.status")["rules"]["fault"])
        self.assertEqual(peer.put(order()), "ok")
        self.assertEqual(peer.put(event("shop.orders", "OrderChanged", {})), "ok")
        self.assertEqual(peer.delivery().event["detail-type"], "OrderChanged")

    def test_a_delivery_whose_target_left_the_rules_is_a_dead_letter(self):
        peer = self.peer()
        self.assertEqual(peer.put(order()), "ok")
        self.site.rules_file.write_text("rules: []\n")
        self.site.bus.reload()
        (letter,) = peer.wait_for(lambda: self.letters(peer), 10, "dead letter")
        self.assertEqual(letter["error-code"], "TargetRemoved")

    def test_a_port_in_use_is_told_in_one_sentence(self):
        more = [] if SIDECAR == "process" else ["--set", "sidecar=process"]
        code, _, told = self.site.run("bus/conga-bus", "-c", self.site.bus_file, *more)
        self.assertEqual(code, 1)
        self.assertEqual(len(told.strip().splitlines()), 1, told)
        self.assertIn(self.site.publish, told)

    def test_a_second_sidecar_on_the_journal_is_refused(self):
        code, _, told = self.site.run(
            "bus/sidecar/conga-sidecar",
            "-c",
            self.site.sidecar_file,
            "--set",
            f"link=ipc://{self.site.folder}/other",
        )
        self.assertEqual(code, 1)
        self.assertIn(str(self.site.durable.pid), told)

    def test_a_wrong_configuration_is_told_fault_by_fault(self):
        wrong = self.site.folder / "wrong.yaml"
        wrong.write_text("publish: nowhere\nrules: rules.yaml\nlink: {windwo: 1MiB}\n")
        code, _, told = self.site.run("bus/conga-bus", "-c", wrong, "--check")
        self.assertEqual(code, 2)
        self.assertIn("wrong.yaml:1:10", told)
        self.assertIn("wrong.yaml:3:8", told)
        code, _, _ = self.site.run("bus/conga-bus", "-c", self.site.bus_file, "--check")
        self.assertEqual(code, 0)
        self.site.rules_file.write_text(BROKEN_RULES)
        code, _, told = self.site.run("bus/conga-bus", "-c", self.site.bus_file, "--check")
        self.assertEqual(code, 2)
        self.assertIn("rules.yaml:4:5", told)


if __name__ == "__main__":
    BUILD, SIDECAR = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
