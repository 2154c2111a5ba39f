# SPDX-License-Identifier: Apache-2.0
"""A client of a conga bus in plain Python, written from docs/protocol.md alone.

It needs python3-zmq and python3-msgpack and nothing of ours. It puts events, takes deliveries,
settles them, asks questions and taps. One thread; all waiting is on a condition with a deadline.

    with Peer("tcp://127.0.0.1:7461", "tcp://127.0.0.1:7462", service="billing") as peer:
        peer.hello()
        assert peer.put(event("shop.orders", "OrderPlaced", {"total": 250})) == "ok"
        delivery = peer.delivery()
        peer.settle(delivery.id, "ok")
        print(peer.ask("bus.status"))
"""

import collections
import os
import secrets
import socket
import time
import uuid
from datetime import datetime, timezone

import msgpack
import zmq

RETRYABLE = {"Unavailable", "JournalFull"}
Delivery = collections.namedtuple("Delivery", "id attempt rule event")


class Refused(Exception):
    """An answer of kind "error"."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def event(source, detail_type, detail, **more):
    """An event with a fresh id; `more` are further fields, `_` in their names standing for `-`."""
    made = {
        "id": str(uuid.uuid4()),
        "source": source,
        "detail-type": detail_type,
        "time": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
        "detail": detail,
    }
    made.update({name.replace("_", "-"): value for name, value in more.items()})
    return made


class Peer:
    """One client. Name, service and taps are fixed for its life, since hello lists them all."""

    def __init__(self, publish, subscribe, name=None, service=None, credit=16, taps=()):
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.service = service
        self.credit = credit
        self.nonce = secrets.randbits(64)
        self.boot = None
        self.deliveries = collections.deque()
        self.tapped = collections.deque()  # (topic, event)
        self.results = collections.deque()  # (event id, code, message), in order of arrival
        self._request = secrets.randbits(60)
        self._answers = {}
        self._unanswered = {}  # event id -> (bytes, when to put again, pause)
        self._heartbeat_due = None
        self._topics = [f"answer/{self.name}", f"put-result/{self.name}"]
        if service:
            self._topics.append(f"deliver/{service}/{self.name}")
        self._taps = list(taps)
        context = zmq.Context.instance()
        self._out = self._socket(context, zmq.PUB, publish)
        self._in = self._socket(context, zmq.SUB, subscribe)
        for topic in self._topics + self._taps:
            self._in.setsockopt(zmq.SUBSCRIBE, topic.encode())

    @staticmethod
    def _socket(context, kind, endpoint):
        made = context.socket(kind)
        made.setsockopt(zmq.LINGER, 300)
        made.setsockopt(zmq.SNDHWM, 0)
        made.setsockopt(zmq.HEARTBEAT_IVL, 300)
        made.setsockopt(zmq.HEARTBEAT_TIMEOUT, 1000)
        made.connect(endpoint)
        return made

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._out.close()
        self._in.close()

    # --- sending

    def send_raw(self, topic, body):
        """Two frames as they are: for tests of what the bus does with nonsense."""
        self._out.send_multipart([topic.encode() if isinstance(topic, str) else topic, body])

    def send(self, topic, *objects):
        self.send_raw(topic, b"".join(msgpack.packb(each, use_bin_type=True) for each in objects))

    # --- receiving

    def pump(self, seconds=0.0):
        """Sends what is due, then takes what comes within `seconds`, at least once."""
        end = time.monotonic() + seconds
        while True:
            self._send_due()
            left = max(0.0, end - time.monotonic())
            if self._in.poll(int(min(left, 0.02) * 1000)):
                while self._in.poll(0):
                    self._take(self._in.recv_multipart())
                return
            if left == 0:
                return

    def wait_for(self, condition, seconds=10.0, what="a condition"):
        """Pumps until `condition()` is true, and returns what it returned."""
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() >= end:
                raise TimeoutError(f"{self.name}: no {what} within {seconds} s")
            self.pump(0.02)

    def _send_due(self):
        now = time.monotonic()
        if self.service and self._heartbeat_due is not None and now >= self._heartbeat_due:
            self._heartbeat_due = now + 1.0
            self.send(f"ready/{self.service}/{self.name}", [self.credit])
        for key, (body, due, pause) in list(self._unanswered.items()):
            if now >= due:
                self._unanswered[key] = (body, now + pause, min(pause * 2, 10.0))
                self.send_raw(f"put/{self.name}", body)

    def _take(self, frames):
        topic, body = frames[0].decode(), frames[1]
        unpacker = msgpack.Unpacker(raw=False, max_buffer_size=0)
        unpacker.feed(body)
        if topic == f"answer/{self.name}":
            for request, kind, *rest in unpacker:
                self._answers[request] = (kind, rest)
        elif topic == f"put-result/{self.name}":
            for key, code, *message in unpacker:
                self._on_result(key, code, *message)
        elif self.service and topic == f"deliver/{self.service}/{self.name}":
            self.deliveries.extend(Delivery(*each[:4]) for each in unpacker)
        elif any(topic.startswith(tap) for tap in self._taps):
            self.tapped.extend((topic, each) for each in unpacker)

    def _on_result(self, key, code, message=""):
        self.results.append((key, code, message))
        if code not in RETRYABLE:
            self._unanswered.pop(key, None)

    # --- what a client does

    def hello(self, seconds=10.0):
        """Greets until answered; from then on heartbeats go out, if this peer has a service."""
        request = self._next_request()
        arguments = {"topics": self._topics + self._taps, "nonce": self.nonce}
        due = [0.0]

        def answered():
            if time.monotonic() >= due[0]:
                due[0] = time.monotonic() + 0.1
                self.send(f"ask/{self.name}", [request, "hello", arguments])
            return request in self._answers

        self.wait_for(answered, seconds, "answer to hello")
        greeting = self._open(self._answers.pop(request))
        self.boot = greeting["boot"]
        self._heartbeat_due = 0.0
        return greeting

    def put(self, made, seconds=10.0):
        """Puts one event (a map, or its bytes) until it is accepted or refused for good; its code."""
        return self.put_all([made], seconds)[0]

    def put_all(self, events, seconds=30.0):
        """Puts events in one message; their codes, in order."""
        bodies = [each if isinstance(each, bytes) else msgpack.packb(each) for each in events]
        keys = [msgpack.unpackb(body, raw=False)["id"] for body in bodies]
        now = time.monotonic()
        for key, body in zip(keys, bodies):
            self._unanswered[key] = (body, now + 1.0, 2.0)
        self.send_raw(f"put/{self.name}", b"".join(bodies))
        self.wait_for(
            lambda: not any(key in self._unanswered for key in keys), seconds, "put-result"
        )
        codes = {key: code for key, code, _ in self.results}
        return [codes[key] for key in keys]

    def result(self, seconds=10.0):
        """The next put-result that was not looked at: (event id, code, message)."""
        self.wait_for(lambda: self.results, seconds, "put-result")
        return self.results.popleft()

    def delivery(self, seconds=10.0):
        self.wait_for(lambda: self.deliveries, seconds, "delivery")
        return self.deliveries.popleft()

    def settle(self, delivery_id, outcome, *why):
        """settle(id, "ok") | (id, "retry", code, message[, delay]) | (id, "reject", code, message)"""
        self.send(f"settle/{self.service}/{self.name}", [delivery_id, outcome, *why])

    def ask(self, verb, arguments=None, seconds=10.0):
        """Asks until answered. Raises Refused if the answer is an error."""
        request = self._next_request()
        due = [0.0]

        def answered():
            if time.monotonic() >= due[0]:
                due[0] = time.monotonic() + 1.0
                self.send(f"ask/{self.name}", [request, verb, arguments or {}])
            return request in self._answers

        self.wait_for(answered, seconds, f"answer to {verb}")
        return self._open(self._answers.pop(request))

    def _next_request(self):
        self._request += 1
        return self._request

    @staticmethod
    def _open(answer):
        kind, rest = answer
        if kind == "ok":
            return rest[0]
        raise Refused(*rest[:2])
