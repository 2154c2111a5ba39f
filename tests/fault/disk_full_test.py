#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the sidecar does when its disk is full, and when there is room again. On a small tmpfs.

disk_full_test.py BUILD [unittest's options]
"""

import subprocess
import tempfile
from pathlib import Path

import msgpack
from fault_case import FaultCase, in_own_mount_namespace, main, order

DISK_MIB = 24
BALLAST_MIB = 10
PAD = "x" * 60_000


class DiskFullTest(FaultCase):
    def setUp(self):
        # Cleaned up after the site, whose daemons work there.
        disk = Path(tempfile.mkdtemp(prefix="conga-disk-"))
        self.addCleanup(disk.rmdir)
        options = f"size={DISK_MIB}m,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.site = self.site_with()
        self.site.sidecar_file.write_text(
            f"link: '{self.site.link}'\n"
            f"journal: {{directory: '{disk}/journal', segment-size: 4MiB}}\n"
        )
        self.ballast = disk / "ballast"
        self.ballast.write_bytes(b"b" * (BALLAST_MIB << 20))

    def fill(self, peer):
        """Puts events until one is refused with JournalFull; (promised ones by id, refused one)."""
        promised = {}
        for number in range(2 * DISK_MIB * 1024 // 60):
            made = order(number=number, pad=PAD)
            peer.results.clear()
            peer.send_raw(f"put/{peer.name}", msgpack.packb(made))
            key, code, _ = peer.result()
            self.assertEqual(key, made["id"])
            if code != "ok":
                self.assertEqual(code, "JournalFull")
                return promised, made
            promised[made["id"]] = made
        self.fail("the disk never was full")

    def test_a_full_disk_refuses_puts_delivers_on_and_loses_nothing(self):
        self.site.start_bus()
        peer = self.peer(self.site)
        promised, refused = self.fill(peer)
        self.assertGreater(len(promised), 10)

        # What was promised is delivered and settled all the same.
        billing = self.peer(self.site, service="billing")
        self.assertEqual(self.take_and_settle(billing, len(promised)), promised)
        self.wait_nothing_pending(billing)
        peer.results.clear()
        peer.send_raw(f"put/{peer.name}", msgpack.packb(refused))
        self.assertEqual(peer.result()[1], "JournalFull")
        self.assertTrue(self.site.sidecar.is_running())

        # With room again the same put is accepted, without a restart.
        self.ballast.unlink()
        self.assertEqual(peer.put(refused, seconds=20), "ok")
        self.assertEqual(self.take_and_settle(billing, 1), {refused["id"]: refused})
        self.wait_nothing_pending(billing)

    def test_what_was_promised_on_a_full_disk_survives_a_kill(self):
        self.site.start_bus()
        with self.site.peer() as peer:
                promised, _ = self.fill(peer)
        self.site.sidecar.kill()
        self.site.sidecar.start()
        billing = self.peer(self.site, service="billing")
        self.assertEqual(self.take_and_settle(billing, len(promised)), promised)
        self.wait_nothing_pending(billing)


if __name__ == "__main__":
    in_own_mount_namespace()
    main()
