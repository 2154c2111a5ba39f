#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A publisher or consumer of the crash test, a process of its own that may be killed at any point.

It writes down what it does, a line of JSON each, before it does it: what a killed process has written
is with the kernel. SIGTERM: a publisher ends once all it put is answered, a consumer at once.

    crash_worker.py publish   PUBLISH SUBSCRIBE LOG SEED RATE
    crash_worker.py consume   PUBLISH SUBSCRIBE LOG SEED SERVICE
"""

import json
import random
import signal
import sys
import time

from peer import Peer, event

BATCH = 20
KEYS = 8
PATIENCE = 120.0


class Log:
    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8", buffering=1)

    def write(self, **what):
        self._file.write(json.dumps(what) + "\n")


class Stop:
    def __init__(self):
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_):
        self.asked = True


def publish(peer, log, chance, rate, stop):
    """`rate` events a second, in batches, each answered before the next."""
    due = time.monotonic()
    while not stop.asked:
        due = max(due, time.monotonic() - 1.0) + BATCH / rate
        made = [
            event("shop", chance.choice(["OrderPlaced", "OrderPaid"]),
                  {"number": chance.randrange(1000), "key": f"key-{chance.randrange(KEYS)}"})
            for _ in range(BATCH)
        ]
        for each in made:
            log.write(put=each["id"], type=each["detail-type"], key=each["detail"]["key"])
        for each, code in zip(made, peer.put_all(made, PATIENCE)):
            log.write(answered=each["id"], code=code)
        peer.results.clear()
        while time.monotonic() < due and not stop.asked:
            peer.pump(max(0.0, due - time.monotonic()))


def consume(peer, log, chance, stop):
    while not stop.asked:
        peer.pump(0.1)
        while peer.deliveries:
            answer(peer, log, chance, peer.deliveries.popleft())


def answer(peer, log, chance, delivery):
    """Billing rejects some events for good, and cannot do others just now."""
    outcome, why = "ok", ()
    if peer.service == "billing":
        if delivery.event["detail"]["number"] % 40 == 0:
            outcome, why = "reject", ("Unwanted", "a number that cannot be billed")
        elif chance.random() < 0.05:
            outcome, why = "retry", ("Busy", "later")
    log.write(id=delivery.event["id"], rule=delivery.rule, target=peer.service,
              said=outcome, time=time.monotonic_ns())
    peer.settle(delivery.id, outcome, *why)


def main():
    role, publish_at, subscribe_at, path, seed, last = sys.argv[1:]
    stop = Stop()
    service = last if role == "consume" else None
    with Peer(publish_at, subscribe_at, service=service) as peer:
        peer.hello(PATIENCE)
        if role == "consume":
            consume(peer, Log(path), random.Random(seed), stop)
        else:
            publish(peer, Log(path), random.Random(seed), float(last), stop)


if __name__ == "__main__":
    main()
