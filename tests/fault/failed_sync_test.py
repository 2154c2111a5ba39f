#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk whose fdatasync fails: the sidecar says so and ends, and loses nothing that it promised.

failed_sync_test.py BUILD [unittest's options]
"""

import os
from unittest import mock

import msgpack
from fault_case import FaultCase, main, order
from harness import STOP_SECONDS, wait_until

PROMISED = 50


class FailedSyncTest(FaultCase):
    def start_sidecar(self):
        library = self.site.build / "tests/fault/libfailing-sync.so"
        self.assertTrue(library.exists())
        with mock.patch.dict(
            os.environ, {"LD_PRELOAD": str(library), "CONGA_TEST_FAIL_SYNC": str(self.broken)}
        ):
            self.site.sidecar.start()

    def test_the_sidecar_ends_says_why_and_goes_on_after_a_restart(self):
        self.check("")

    def test_the_same_if_a_thread_writes_and_syncs(self):
        self.check(", hand-over-size: 0B")

    def check(self, journal_keys):
        self.site = self.site_with(journal_keys=journal_keys)
        self.broken = self.site.folder / "the-disk-is-broken"
        self.start_sidecar()
        self.site.bus.start()
        peer = self.peer(self.site)
        made = [order(number=number) for number in range(PROMISED)]
        self.assertEqual(set(peer.put_all(made)), {"ok"})

        self.broken.touch()
        last = order(number=PROMISED)
        peer.results.clear()
        peer.send_raw(f"put/{peer.name}", msgpack.packb(last))
        wait_until(lambda: not self.site.sidecar.is_running(), STOP_SECONDS, "end of the sidecar")
        self.assertIn("Input/output error", self.site.sidecar.log_text())
        self.assertIn("00000001.log", self.site.sidecar.log_text())
        peer.pump(0.2)
        self.assertNotIn((last["id"], "ok"), [result[:2] for result in peer.results])

        self.broken.unlink()
        self.start_sidecar()
        self.assertEqual(peer.put(last), "ok")
        billing = self.peer(self.site, service="billing")
        expected = {each["id"]: each for each in made + [last]}
        self.assertEqual(self.take_and_settle(billing, len(expected)), expected)
        self.wait_nothing_pending(billing)


if __name__ == "__main__":
    main()
