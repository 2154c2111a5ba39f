#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga rules lint on the booking example and on what could be wrong with it.

    lint_test.py BUILD SOURCE
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = "build", "."

SERVICES = ["booking", "payment", "seating", "ticketing", "notification"]


class LintTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="conga-lint-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.rules = (pathlib.Path(SOURCE) / "config/rules.yaml").read_text()
        for service in SERVICES:
            made = subprocess.run([f"{BUILD}/services/conga-{service}", "--manifest"],
                                  capture_output=True, text=True, timeout=30, check=True)
            (self.folder / f"{service}.json").write_text(made.stdout)

    def lint(self, rules, *more):
        (self.folder / "rules.yaml").write_text(rules)
        manifests = [f"{service}.json" for service in SERVICES]
        done = subprocess.run(
            [str(pathlib.Path(BUILD).resolve() / "cli/conga"), "rules", "lint", "rules.yaml",
             "--manifests", *manifests, *more],
            cwd=self.folder, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    def errors(self, rules):
        code, out, _ = self.lint(rules, "--json")
        found = [json.loads(line) for line in out.splitlines()]
        errors = [each for each in found if each["level"] == "error"]
        self.assertEqual(code, 1 if errors else 0)
        for each in found:
            self.assertTrue(each["what"] and each["remedy"] and each["line"] > 0, each)
        return errors

    def without(self, rule):
        start = self.rules.index(f"  - name: {rule}\n")
        end = self.rules.index("\n\n", start)
        return self.rules[:start] + self.rules[end + 2 :]

    def test_the_example_has_no_error_and_notes_are_errors_if_asked_for(self):
        self.assertEqual(self.errors(self.rules), [])
        code, out, error = self.lint(self.rules)
        self.assertEqual((code, error), (0, "0 errors, 7 notes\n"))
        self.assertIn("note nobody-listens", out)
        self.assertEqual(self.lint(self.rules, "--strict")[0], 1)

    def test_a_missing_refund_is_told_with_the_chain_that_needs_it(self):
        (fed, undone) = self.errors(self.without("refund-when-no-seat"))
        self.assertEqual((fed["code"], undone["code"]), ("not-fed", "not-undone"))
        self.assertEqual(undone["file"], "payment.json")
        self.assertIn(
            "PaymentConfirmed of payment → seating (rule seat-paid-bookings) → SeatUnavailable",
            undone["what"],
        )
        self.assertEqual(undone["remedy"], "let a rule send SeatUnavailable to payment")

    def test_a_loop_is_told_with_its_witness(self):
        manifest = self.folder / "payment.json"
        manifest.write_text(manifest.read_text().replace('"once": true', '"once": false'))
        (loop,) = self.errors(self.rules)
        self.assertEqual((loop["code"], loop["file"]), ("loop", "booking.json"))
        self.assertIn("BookingCancelled of booking → payment (rule undo-ended-bookings)", loop["what"])

    def test_wrong_names_are_told_where_they_are(self):
        (never, *_) = self.errors(self.rules.replace("aircraft.seating", "aircraft.seatin"))
        self.assertEqual((never["code"], never["file"]), ("never-matches", "rules.yaml"))
        twice = self.rules + (
            "\n  - name: seat-again\n    pattern:\n      source: [aircraft.payment]\n"
            "      detail-type: [PaymentConfirmed]\n    targets:\n      - service: seating\n"
        )
        (equal,) = self.errors(twice)
        self.assertEqual(equal["code"], "equal-rules")

    def test_what_is_no_rule_file_or_no_manifest_is_refused(self):
        self.assertIn("rules.yaml:1:", self.lint("rules: 7\n")[2])
        (self.folder / "payment.json").write_text("{}")
        self.assertIn("payment.json: is no manifest", self.lint(self.rules)[2])


if __name__ == "__main__":
    BUILD, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
