# SPDX-License-Identifier: Apache-2.0
"""An acquirer behind HTTP, as services/payment/README.md has it, with faults on demand.

Its books are its own, so that a test can tell what was really charged from what was answered.
"""

import collections
import http.server
import json
import socket
import struct
import threading

DECLINED = {"4000000000000002": "card_declined"}


class FakeAcquirer:
    """Serves until closed. `plan(path, key)`: the faults of that request, one a try, then none."""

    def __init__(self, secret, plan, port=0):
        self.secret = secret
        self.plan = plan
        self.authorisations = {}  # key -> answer
        self.captures = {}
        self.reversals = {}
        self.tries = collections.Counter()  # (path, key)
        self.refused = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    # --- the books

    def answer(self, path, key, request):
        """What is done and said: once for a key."""
        books, decide = {
            "/v1/authorisations": (self.authorisations, self._authorise),
            "/v1/captures": (self.captures, self._capture),
            "/v1/reversals": (self.reversals, self._reverse),
        }[path]
        if key not in books:
            books[key] = decide(key, request)
        return books[key]

    def _authorise(self, key, request):
        assert request["amount"] > 0 and request["currency"] == "EUR", request
        if request["card"] in DECLINED:
            return {"status": "declined", "reason": DECLINED[request["card"]]}
        return {"status": "approved", "payment-id": f"pay-{key.replace('/', '-')}"}

    def _capture(self, _, request):
        known = [each.get("payment-id") for each in self.authorisations.values()]
        assert request["payment-id"] in known, request
        return {"status": "captured", "payment-id": request["payment-id"]}

    def _reverse(self, _, request):
        done = self.authorisations.setdefault(
            request["authorisation-key"], {"status": "declined", "reason": "cancelled"}
        )
        if "payment-id" not in done:
            return {"status": "nothing"}
        captured = done["payment-id"] in [each["payment-id"] for each in self.captures.values()]
        return {
            "status": "refunded" if captured else "voided",
            "payment-id": done["payment-id"],
        }

    # --- HTTP

    def _handler(acquirer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers["Authorization"] != f"Bearer {acquirer.secret}":
                    acquirer.refused += 1
                    return self.say(401, {"error": "who are you?"})
                key = self.headers["Idempotency-Key"]
                with acquirer.lock:
                    tries = acquirer.tries[self.path, key]
                    acquirer.tries[self.path, key] += 1
                    faults = acquirer.plan(self.path, key)
                    fault = faults[tries] if tries < len(faults) else "none"
                    if fault in ("500", "429", "409"):
                        return self.say(int(fault), {"error": "not now"})
                    answer = acquirer.answer(self.path, key, request)
                return getattr(self, f"fault_{fault}")(answer)

            def say(self, status, answer, times=1):
                body = json.dumps(answer).encode()
                head = (
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                ).encode()
                self.wfile.write((head + body) * times)

            def fault_none(self, answer):
                self.say(402 if answer["status"] == "declined" else 200, answer)

            def fault_duplicate(self, answer):
                """The answer twice: the second must not be taken for that of the next request."""
                self.say(200, answer, times=2)

            def fault_slow(self, _):
                """Done, and never told."""
                acquirer.closing.wait()
                self.close_connection = True

            def fault_reset(self, _):
                """Done, and the connection is reset before it is told."""
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
                self.close_connection = True

            def fault_garbage(self, _):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"stat\x00")

            def fault_half(self, _):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n{\"status")
                self.close_connection = True

            def finish(self):
                try:
                    super().finish()
                except (OSError, ValueError):  # it was reset on purpose
                    pass

        return Handler
