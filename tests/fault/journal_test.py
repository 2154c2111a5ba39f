#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the sidecar does with a journal that it cannot use, or that was damaged. On real files.

journal_test.py BUILD [unittest's options]
"""

import struct

from fault_case import FaultCase, main, order

SIDECAR = "bus/sidecar/conga-sidecar"
DATA_START = 4096  # docs/journal-format.md
HEADER_COPIES = (0, 2048)
EVENTS = 40


class JournalTest(FaultCase):
    def setUp(self):
        self.site = self.site_with()

    @property
    def segment(self):
        return self.site.folder / "journal/00000001.log"

    def run_sidecar(self, *more):
        return self.site.run(SIDECAR, "-c", self.site.sidecar_file, *more)

    def write_journal(self):
        """A journal that owes EVENTS events, each from a commit of its own; the events by id."""
        self.site.start_bus()
        with self.site.peer() as peer:
            made = [order(number=number, pad="x" * 100) for number in range(EVENTS)]
            for each in made:
                self.assertEqual(peer.put(each), "ok")
        self.site.bus.kill()
        self.site.sidecar.kill()
        return {each["id"]: each for each in made}

    def records(self):
        """(offset, length) of each record in the first segment."""
        data = self.segment.read_bytes()
        found, at = [], DATA_START
        while at + 16 <= len(data):
            _, length, tag = struct.unpack_from("<IIQ", data, at)
            if tag & 0x7F == 0:
                break
            found.append((at, 16 + (length + 7) // 8 * 8))
            at += found[-1][1]
        return found

    def overwrite(self, offset, data):
        with open(self.segment, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def flip(self, offset):
        self.overwrite(offset, bytes([self.segment.read_bytes()[offset] ^ 0x10]))

    def receive(self, count):
        """Starts bus and sidecar and settles what is owed; the events by id."""
        self.site.start_bus()
        billing = self.peer(self.site, service="billing")
        seen = self.take_and_settle(billing, count)
        self.wait_nothing_pending(billing)
        return seen

    # --- one that cannot be used

    def test_a_file_in_the_journals_place_is_told_with_the_remedy(self):
        (self.site.folder / "journal").write_text("not a folder")
        self.assert_told(
            self.run_sidecar(),
            1,
            "conga-sidecar: ",
            f"{self.site.folder}/journal: cannot make directory: Not a directory",
            "journal.directory",
            lines=1,
        )

    def test_a_folder_that_cannot_be_made_is_told_with_the_remedy(self):
        ran = self.run_sidecar("--set", "journal.directory=/proc/conga/journal")
        self.assert_told(
            ran, 1, "/proc/conga: cannot make directory", "journal.directory", lines=1
        )

    def test_a_second_sidecar_is_told_whose_the_journal_is(self):
        self.site.sidecar.start()
        ran = self.run_sidecar("--set", f"link=ipc://{self.site.folder}/other")
        self.assert_told(
            ran, 1, "journal/lock: locked by process", str(self.site.sidecar.pid), lines=1
        )
        self.assertTrue(self.site.sidecar.is_running())

    def test_a_lock_file_left_by_a_killed_sidecar_locks_nobody_out(self):
        self.site.sidecar.start()
        self.site.sidecar.kill()
        self.site.sidecar.start()

    def test_a_journal_of_another_version_is_refused_untouched(self):
        owed = self.write_journal()
        good = self.segment.read_bytes()
        for copy in HEADER_COPIES:
            self.overwrite(copy + 8, struct.pack("<I", 2))
        other = self.segment.read_bytes()
        self.assert_told(
            self.run_sidecar(),
            1,
            "00000001.log: a journal of version 2",
            "reads version 1",
            "use the program that wrote it, or move the directory away",
            lines=1,
        )
        self.assertEqual(self.segment.read_bytes(), other)
        self.segment.write_bytes(good)
        self.assertEqual(self.receive(EVENTS), owed)

    # --- damage

    def test_a_flipped_bit_in_the_middle_is_refused_by_name_until_it_is_accepted(self):
        owed = self.write_journal()
        offset, size = self.records()[EVENTS // 2]
        self.flip(offset + size // 2)
        for _ in range(2):
            self.assert_told(
                self.run_sidecar(),
                1,
                f"journal/00000001.log: damaged at offset {offset} ({size} bytes)",
                "durable records were lost there",
                "accept-damage",
                lines=1,
            )
        config = self.site.sidecar_file
        config.write_text(config.read_text().replace("{dir", "{accept-damage: true, dir"))
        seen = self.receive(EVENTS - 1)
        self.assertEqual(len(seen), EVENTS - 1)
        self.assertLess(seen.items(), owed.items())
        self.assertIn("damage was skipped, records are lost", self.site.sidecar.log_text())
        # Judged once: the next start needs no permission.
        self.site.sidecar.stop()
        config.write_text(config.read_text().replace("accept-damage: true, ", ""))
        self.site.sidecar.start()

    def test_one_damaged_copy_of_a_header_is_mended(self):
        owed = self.write_journal()
        good = self.segment.read_bytes()[:DATA_START]
        self.flip(HEADER_COPIES[0] + 20)
        self.assertEqual(self.receive(EVENTS), owed)
        self.assertIn("damage was mended, nothing is lost", self.site.sidecar.log_text())
        self.assertEqual(self.segment.read_bytes()[:DATA_START], good)

    # --- torn tails

    def end_of_records(self):
        offset, size = self.records()[-1]
        return offset + size

    def test_garbage_behind_the_last_record_is_cut_and_all_promised_survives(self):
        owed = self.write_journal()
        self.overwrite(self.end_of_records(), b"\xa5garbage" * 700)
        self.assertEqual(self.receive(EVENTS), owed)
        self.assertIn("an unfinished write was cut off", self.site.sidecar.log_text())

    def test_a_record_torn_half_way_is_cut_and_all_promised_survives(self):
        owed = self.write_journal()
        records = self.records()
        offset, size = records[-1]
        # As a crash in the next commit leaves it: its frame and a part of its payload.
        data = bytearray(self.segment.read_bytes()[offset : offset + size])
        struct.pack_into("<Q", data, 8, struct.unpack_from("<Q", data, 8)[0] + 256)
        self.overwrite(offset + size, bytes(data[: size // 2]))
        self.assertEqual(self.receive(EVENTS), owed)
        self.assertIn("an unfinished write was cut off", self.site.sidecar.log_text())

    def test_a_file_that_ends_behind_the_last_record_loses_nothing(self):
        owed = self.write_journal()
        with open(self.segment, "r+b") as file:
            file.truncate(self.end_of_records())
        self.assertEqual(self.receive(EVENTS), owed)

    def test_a_file_cut_inside_the_last_record_loses_that_one_only(self):
        owed = self.write_journal()
        offset, size = self.records()[-1]
        with open(self.segment, "r+b") as file:
            file.truncate(offset + size // 2)
        seen = self.receive(EVENTS - 1)
        self.assertEqual(len(seen), EVENTS - 1)
        self.assertLess(seen.items(), owed.items())

    def test_after_a_torn_tail_the_journal_goes_on(self):
        owed = self.write_journal()
        self.overwrite(self.end_of_records(), b"\xa5garbage" * 700)
        self.site.start_bus()
        added = order(number=EVENTS)
        with self.site.peer() as peer:
            self.assertEqual(peer.put(added), "ok")
        self.site.bus.kill()
        self.site.sidecar.kill()
        self.assertEqual(self.receive(EVENTS + 1), {**owed, added["id"]: added})


if __name__ == "__main__":
    main()
