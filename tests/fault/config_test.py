#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong configurations, wrong rules and the exit codes of all programs.

config_test.py BUILD [unittest's options]
"""

from fault_case import RULES, FaultCase, main, order

BUS, SIDECAR, CLI = "bus/conga-bus", "bus/sidecar/conga-sidecar", "cli/conga"

WRONG_SERVICE = """\
bus: {publish: nowhere, subscibe: tcp://127.0.0.1:1}
credit: 0
log: {level: loud}
"""
SERVICE_FAULTS = [
    "1:1: database: is missing",
    "1:16: bus.publish: expected an endpoint such as",
    "1:25: bus.subscibe: unknown key, did you mean subscribe? Allowed: publish, subscribe",
    "2:9: credit: expected an integer from 1 to 10000, got the number 0",
    "3:14: log.level: expected one of debug, info, warning, error, got the text 'loud'",
]
OWN_FAULTS = {
    "booking": (
        "{fligths: flights.yaml, expire-after: 1ms}",
        [
            "4:10: booking.flights: is missing",
            "4:11: booking.fligths: unknown key, did you mean flights?",
            "4:48: booking.expire-after: expected a duration from 1s to 7d",
        ],
    ),
    "payment": (
        "{acquirer: x, acquirer-databse: y}",
        [
            "4:21: payment.acquirer: expected one of embedded, http, got the text 'x'",
            "4:24: payment.acquirer-databse: unknown key, did you mean acquirer-database?",
        ],
    ),
    "seating": (
        "{cabin: cabins.yaml}",
        [
            "4:10: seating.cabins: is missing",
            "4:10: seating.flights: is missing",
            "4:11: seating.cabin: unknown key, did you mean",
        ],
    ),
    "ticketing": (
        "{airline-code: 1000}",
        ["4:27: ticketing.airline-code: expected an integer from 0 to 999, got the number 1000"],
    ),
    "notification": (
        "{form: me, from: me, smtp: {url: 'http://x', user: me, starttls: off},\n"
        "  sms-gateway: {url: 'ftp://x', password-file: nowhere},\n"
        "  opt-outs: [{recipient: a@b.c, channel: fax}]}",
        [
            "4:15: notification.templates: is missing",
            "4:16: notification.form: unknown key, did you mean from? Allowed: templates, from, smtp, maildir",
            "4:32: notification.from: expected a mail address, got 'me'",
            "4:48: notification.smtp.url: expected smtp://HOST:PORT or smtps://HOST:PORT, got",
            "4:66: notification.smtp.user: user and password-file go together",
            "4:80: notification.smtp.starttls: a password is sent over TLS only",
            "5:16: notification.sms-gateway.from: is missing",
            "5:22: notification.sms-gateway.url: expected http://HOST:PORT or https://HOST:PORT",
            "5:48: notification.sms-gateway.password-file: ",
            "6:42: notification.opt-outs[0].channel: expected one of email, sms, got the text",
        ],
    ),
}

WRONG_RULES = """\
rules:
  - name: a
    patern: {source: [x]}
    targets: [{service: billing}]
  - name: b
    pattern: {source: [{prefiks: x}]}
    targets: []
  - name: b
    pattern: {source: [x]}
    targets: [{service: billing, retry: {max-attempts: many}}]
"""
RULE_FAULTS = [
    "rules.yaml:2:5: rules[0].pattern: is missing",
    "rules.yaml:3:5: rules[0].patern: unknown key, did you mean pattern?",
    "rules.yaml:6:25: rule b: pattern at source[0]: unknown operator 'prefiks'",
    "rules.yaml:7:14: rule b: targets: expected at least one target",
    "rules.yaml:8:11: name: a rule 'b' is already at",
    "rules.yaml:10:56: rule b: targets[0].retry.max-attempts: expected an integer",
]


class ConfigTest(FaultCase):
    def setUp(self):
        self.site = self.site_with()
        self.wrong = self.site.folder / "wrong.yaml"

    def start(self, program, text, *more):
        self.wrong.write_text(text)
        return self.site.run(program, "-c", self.wrong, *more)

    def at_places(self, faults):
        return [f"{self.wrong}:{fault}" for fault in faults]

    def test_every_fault_of_the_bus_configuration_is_told(self):
        text = (
            "publish: nowhere\nsidecar: maybe\nlink: {windwo: 1MiB}\n"
            "event: {max-size: 1 apple}\nrules: rules.yaml\n"
        )
        faults = [
            "1:10: publish: expected an endpoint such as",
            "2:10: sidecar: expected one of process, embedded, got the text 'maybe'",
            "3:8: link.windwo: unknown key, did you mean window? Allowed: endpoint, window",
            "4:19: event.max-size: expected a size from 1KiB to 16MiB",
        ]
        for more in [[], ["--check"]]:
            self.assert_told(self.start(BUS, text, *more), 2, *self.at_places(faults), lines=4)

    def test_every_fault_of_the_sidecar_configuration_is_told(self):
        text = (
            "link: nowhere\njournal: {directry: j, segment-size: 1MiB}\n"
            "dedup: {window: soon}\ndelivery: {frame-size: -1}\n"
        )
        faults = [
            "1:7: link: expected an endpoint such as",
            "2:10: journal.directory: is missing",
            "2:11: journal.directry: unknown key, did you mean directory?",
            "2:38: journal.segment-size: expected a size from 4MiB to 1GiB",
            "3:17: dedup.window: expected a duration from 10s to 1d",
            "4:24: delivery.frame-size: expected a size from 1KiB to 8MiB",
        ]
        for more in [[], ["--check"]]:
            self.assert_told(self.start(SIDECAR, text, *more), 2, *self.at_places(faults), lines=6)

    def test_every_fault_of_a_services_configuration_is_told(self):
        for service, (own, own_faults) in OWN_FAULTS.items():
            with self.subTest(service):
                faults = self.at_places(SERVICE_FAULTS + own_faults)
                text = f"{WRONG_SERVICE}{service}: {own}\n"
                for more in [[], ["--check"]]:
                    ran = self.start(f"services/conga-{service}", text, *more)
                    self.assert_told(ran, 2, f"conga-{service}: ", *faults, lines=len(faults))

    def test_a_file_that_is_no_yaml_or_not_there_is_told(self):
        programs = [BUS, SIDECAR] + [f"services/conga-{service}" for service in OWN_FAULTS]
        for program in programs:
            with self.subTest(program):
                ran = self.start(program, "a: [1\nb: 2\n")
                self.assert_told(ran, 2, f"{self.wrong}:2:2: ", lines=1)
                ran = self.site.run(program, "-c", self.site.folder / "none.yaml")
                self.assert_told(ran, 2, "none.yaml: cannot be read: No such file", lines=1)

    def test_a_wrong_value_on_the_command_line_is_told(self):
        ran = self.site.run(BUS, "-c", self.site.bus_file, "--set", "log.level=loud")
        self.assert_told(ran, 2, "--set log.level: expected one of debug, info", lines=1)
        for wrong in [[], ["--confg", "x"], ["-c", self.site.bus_file, "--set", "level"]]:
            self.assertEqual(self.site.run(BUS, *wrong)[0], 2, wrong)

    def test_every_fault_of_the_rules_is_told_at_the_start(self):
        self.site.rules_file.write_text(WRONG_RULES)
        for more in [[], ["--check"]]:
            ran = self.site.run(BUS, "-c", self.site.bus_file, *more)
            self.assert_told(ran, 2, *RULE_FAULTS, lines=len(RULE_FAULTS))
        self.site.rules_file.unlink()
        ran = self.site.run(BUS, "-c", self.site.bus_file)
        self.assert_told(ran, 2, "rules.yaml: cannot be read: No such file", lines=1)

    # --- conga

    def cli(self, *arguments):
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        return self.site.run(CLI, *arguments, "--timeout", "300ms", *where)

    def test_conga_without_a_bus_says_where_it_looked_and_what_to_do(self):
        for command in [["status"], ["tap"], ["dlq", "list"], ["trace", "x"], ["rules", "list"]]:
            self.assert_told(
                self.cli(*command),
                3,
                "conga: no bus answered within 300ms",
                self.site.publish,
                self.site.subscribe,
                "Start one with scripts/up, or say where it is: --config bus.yaml",
                lines=1,
            )
        event = '{"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {}}'
        self.assert_told(self.cli("put", event), 3, "no bus answered within")

    def test_conga_tells_wrong_usage_from_a_refusal(self):
        for wrong in [["statsu"], ["dlq"], ["put", "--count", "many"], ["put", "none.jsonl"]]:
            self.assertEqual(self.cli(*wrong)[0], 2, wrong)
        self.site.rules_file.write_text(WRONG_RULES)
        ran = self.site.run(CLI, "rules", "check", self.site.rules_file)
        self.assertEqual(ran[0], 1)
        for fault in RULE_FAULTS:
            self.assertIn(fault, ran[1] + ran[2])
        self.site.rules_file.write_text(RULES)
        self.assertEqual(self.site.run(CLI, "rules", "check", self.site.rules_file)[0], 0)

    def test_conga_with_a_bus_ends_with_0_or_1(self):
        self.site.start_bus()
        made = order()
        self.assertEqual(self.cli("status")[0], 0)
        self.assertEqual(self.cli("dlq", "list")[0], 0)
        code, out, _ = self.cli("put", "--source", "shop.orders", "--detail-type", "OrderPlaced")
        self.assertEqual((code, len(out.strip())), (0, 36))
        self.assert_told(self.cli("put", '{"detail-type": "X"}'), 1, "InvalidEvent", "source")
        self.assert_told(self.cli("trace", made["id"]), 1)
        self.assert_told(self.cli("dlq", "show", "99"), 1, "NotFound")
        self.site.rules_file.write_text(WRONG_RULES)
        self.assert_told(self.cli("rules", "reload"), 1, "InvalidRules", *RULE_FAULTS[:2])


if __name__ == "__main__":
    main()
