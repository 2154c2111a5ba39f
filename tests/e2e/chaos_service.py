#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small service for chaos_test.py, idempotent or not.

    chaos_service.py NAME EMITS idempotent|careless   on the bus of CONGA_PUBLISH and CONGA_SUBSCRIBE
"""

import os
import signal
import sys
import uuid

from peer import Peer, event


class Service:
    """Answers each event with one of its own. Idempotent ones make its id from the event's, so that
    the bus knows a repeat; the other one counts what it does."""

    def __init__(self, peer, name, emits, idempotent):
        self.peer = peer
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


def main(name, emits, kind):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Peer(os.environ["CONGA_PUBLISH"], os.environ["CONGA_SUBSCRIBE"], service=name) as peer:
        peer.hello()
        service = Service(peer, name, emits, kind == "idempotent")
        while True:
            peer.pump(0.2)
            service.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
