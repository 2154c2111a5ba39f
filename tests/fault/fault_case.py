# SPDX-License-Identifier: Apache-2.0
"""FaultCase: what all fault tests share: a Site per test, and looking for words in complaints."""

import os
import sys
import unittest

from harness import Site
from peer import event

RULES = """
rules:
  - name: bill-orders
    pattern: {source: [shop.orders], detail-type: [OrderPlaced]}
    targets:
      - service: billing
        retry: {max-attempts: 2, backoff: {initial: 20ms, factor: 1, max: 20ms, jitter: none}}
"""

SKIPPED = 77  # What meson takes for "skipped".


def order(**detail):
    return event("shop.orders", "OrderPlaced", detail or {"total": 250})


def in_own_mount_namespace():
    """Starts this program again where it may mount, and where no mount outlives it."""
    if os.environ.get("CONGA_FAULT_NAMESPACE"):
        return
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshare = ["unshare", "--mount", "--propagation", "private", *mapped]
    if os.system(" ".join([*unshare, "mount -t tmpfs -o size=64k none /mnt 2>/dev/null"])) != 0:
        print("skipped: a full disk is tested on a small tmpfs, and this user may not mount one")
        sys.exit(SKIPPED)
    os.environ["CONGA_FAULT_NAMESPACE"] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


class FaultCase(unittest.TestCase):
    """`build` is set by main(), before anything runs."""

    build = "build"
    rules = RULES

    def site_with(self, **options):
        """A Site that is left after the test, showing the ends of its logs if that failed."""
        site = Site(self.build, self.rules, **options)
        self.addCleanup(self._leave, site)
        return site

    def _leave(self, manager):
        failed = not self._outcome.success
        manager.__exit__(AssertionError if failed else None, None, None)

    def peer(self, site, **options):
        peer = site.peer(**options)
        self.addCleanup(peer.close)
        return peer

    def assert_told(self, ran, code, *parts, lines=None):
        """`ran` as of Site.run(): ended with `code`, and standard error has all `parts`."""
        self.assertEqual(ran[0], code, ran)
        for part in parts:
            self.assertIn(part, ran[2])
        if lines is not None:
            self.assertEqual(len(ran[2].strip().splitlines()), lines, ran[2])

    def take_and_settle(self, peer, count, seconds=20):
        """Settles what comes until `count` different events did; {event id: event}."""
        seen = {}

        def all_there():
            while peer.deliveries:
                delivery = peer.deliveries.popleft()
                seen[delivery.event["id"]] = delivery.event
                peer.settle(delivery.id, "ok")
            return len(seen) >= count

        peer.wait_for(all_there, seconds, f"{count} deliveries")
        return seen

    def wait_nothing_pending(self, peer, seconds=10):
        def settled():
            return peer.ask("sidecar.status")["pending"] == 0

        peer.wait_for(settled, seconds, "end of all deliveries")


def main():
    """FILE BUILD [unittest's options]"""
    FaultCase.build = sys.argv[1]
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
