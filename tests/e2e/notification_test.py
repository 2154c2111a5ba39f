#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga-notification with a real SMTP server (aiosmtpd) and a gateway for SMS over real HTTP.

    notification_test.py BUILD SOURCE [unittest's options]

Both servers refuse, stall and break off as the test wants them to; what arrives is read by Python's
own e-mail parser.
"""

import collections
import contextlib
import email
import email.policy
import http.server
import logging
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import kannel
from harness import Site, free_ports, wait_until
from peer import event

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's: faults are what we want
BUILD, SOURCE = pathlib.Path("build"), pathlib.Path(".")
USER, PASSWORD = "conga", "correct horse"

RULES = """
rules:
  - name: tell-the-customer
    pattern: {source: [aircraft.payment]}
    targets:
      - service: notification
        retry: {backoff: {initial: 50ms, factor: 1, max: 50ms, jitter: none}}
        ack-timeout: 30s
"""

Mail = collections.namedtuple("Mail", "sender recipient content tls user")
Sms = collections.namedtuple("Sms", "to text fields")


def make_certificate(folder):
    """A key, and a certificate that vouches for itself, for 127.0.0.1."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        + ["-subj", "/CN=mail.example", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return key, certificate


class MailServer:
    """Accepts mail; `refusals[address]` are replies to RCPT for it, used one after the other."""

    def __init__(self, tls=None):
        self.mails = []
        self.recipients = []  # of every RCPT
        self.refusals = collections.defaultdict(collections.deque)
        self.lost_answers = 0  # how many accepted mails end in a broken connection
        self.logins = []
        self.faults = []  # connections that broke off, as where we are not trusted
        (self.port,) = free_ports(1)
        options = {}
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls[1], tls[0])
            options = {
                "tls_context": context,
                "require_starttls": True,
                "auth_required": True,
                "authenticator": self._log_in,
            }
        # Its own name is given, or each connection would look it up, and wait where DNS is slow.
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            server_hostname="mail.example",
            enable_SMTPUTF8=True,
            **options,
        )

    def start(self):
        self._controller.start()

    def stop(self):
        self._controller.stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _log_in(self, _server, _session, _envelope, _mechanism, data):
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.logins.append(right)
        return AuthResult(success=right, handled=False, auth_data=data.login)

    # What aiosmtpd calls a handler for.

    async def handle_exception(self, error):
        self.faults.append(error)
        return "421 goodbye"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        self.recipients.append(address)
        if self.refusals[address]:
            return self.refusals[address].popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        (recipient,) = envelope.rcpt_tos
        mail = Mail(
            envelope.mail_from,
            recipient,
            envelope.content,
            session.ssl is not None,
            session.auth_data,
        )
        self.mails.append(mail)
        if self.lost_answers:
            self.lost_answers -= 1
            server.transport.abort()
        return "250 Message accepted for delivery"


class Gateway(http.server.ThreadingHTTPServer):
    """A gateway in Kannel's manner; `faults` are what it does to requests, one after the other."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), GatewayRequest)
        self.asked = []
        self.sent = []
        self.faults = collections.deque()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/cgi-bin/sendsms"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that has gone is what a slow answer is for."""


class GatewayRequest(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        fields = {name: value for name, [value] in urllib.parse.parse_qs(query).items()}
        gateway = self.server
        gateway.asked.append(fields)
        fault = gateway.faults.popleft() if gateway.faults else None
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        if fault == "slow":
            gateway.over.wait(20)
        if isinstance(fault, tuple):
            self.answer(*fault)
        elif path != "/cgi-bin/sendsms" or fields.get("password") != PASSWORD:
            self.answer(403, "Authorization failed for sendsms")
        else:
            gateway.sent.append(Sms(fields["to"], fields["text"], fields))
            self.answer(202, "0: Accepted for delivery")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def paid(email_address="", phone="", language="", name="Ana Müller"):
    trip = {
        "booking-id": "B1",
        "flight": "LH123",
        "cabin": "economy",
        "passengers": [{"name": name}],
        "email": email_address,
        "phone": phone,
        "language": language,
        "locator": "KQ7XWP",
        "fare": {"amount": 123456, "currency": "EUR"},
    }
    return event("aircraft.payment", "PaymentConfirmed", {"trip": trip, "payment-id": "p"}, correlation_id="B1")


class Office:
    """A bus and the service, and a peer that hears what becomes of messages."""

    def __init__(self, site, peer):
        self.site = site
        self.peer = peer
        self.service = site.daemons["conga-notification"]
        self._known = set()  # ids of facts that were told

    def tell(self, made):
        assert self.peer.put(made) == "ok"
        return made["id"]

    def outcomes(self, count):
        """The next facts: (detail-type, detail). A tap may see one twice, if it was put twice."""
        taken = {}

        def enough():
            while self.peer.tapped:
                _, fact = self.peer.tapped.popleft()
                if fact["id"] not in self._known:
                    taken[fact["id"]] = (fact["detail-type"], fact["detail"])
            return len(taken) >= count

        self.peer.wait_for(enough, 20, f"{count} facts")
        self._known |= taken.keys()
        assert len(taken) == count, f"{len(taken)} facts, not {count}"
        return list(taken.values())

    def tries(self):
        """The attempts to deliver the one event, as the sidecar's trace has them."""
        answer = self.peer.ask("trace", {"id": "B1"})
        return [
            attempt
            for each in answer["events"]
            for delivery in each["deliveries"]
            for attempt in delivery["attempts"]
        ]

    def outcome(self):
        ((kind, detail),) = self.outcomes(1)
        return kind, detail


class NotificationTest(unittest.TestCase):
    @contextlib.contextmanager
    def office(self, keys):
        with Site(BUILD, RULES) as site:
            (site.folder / "password").write_text(PASSWORD + "\n")
            config = site.folder / "notification.yaml"
            config.write_text(
                f"bus: {{publish: '{site.publish}', subscribe: '{site.subscribe}'}}\n"
                "database: notification.db\n"
                "notification:\n"
                f"  templates: '{SOURCE}/config/notification'\n"
                "  from: bookings@airline.example\n"
                "  maildir: mail\n" + keys
            )
            executable = site.build / "services/conga-notification"
            service = site.add("conga-notification", executable, config)
            site.start_bus()
            service.start()
            taps = [f"event/aircraft.notification/Notification{end}" for end in ("Sent", "Failed")]
            with site.peer(taps=taps) as peer:
                yield Office(site, peer)
            service.stop()
            self.assertNotIn("Sanitizer", service.log_text())
            self.assertNotIn(PASSWORD, service.log_text())
            self.assertNotIn(urllib.parse.quote(PASSWORD), service.log_text())

    def smtp_keys(self, server, more="starttls: off"):
        return f"  smtp: {{url: 'smtp://127.0.0.1:{server.port}', timeout: 5s, {more}}}\n"

    def sms_keys(self, gateway, timeout="5s"):
        return (
            f"  sms-gateway: {{url: '{gateway.url}', user: conga, password-file: password,"
            f" from: AIRLINE, timeout: {timeout}}}\n"
        )

    def check_german_mail(self, mail, event_id):
        self.assertEqual(mail.sender, "bookings@airline.example")
        self.assertNotRegex(mail.content, rb"(?<!\r)\n")
        message = email.message_from_bytes(mail.content, policy=email.policy.default)
        self.assertEqual(message["To"], mail.recipient)
        self.assertEqual(message["From"], "bookings@airline.example")
        self.assertEqual(message["Subject"], "Zahlung für LH123 erhalten")
        self.assertEqual(message["Message-ID"], f"<{event_id}@airline.example>")
        self.assertEqual(message["Content-Language"], "de")
        self.assertIsNotNone(message["Date"].datetime)
        text, html = message.iter_parts()
        self.assertEqual(
            [text.get_content_type(), html.get_content_type()], ["text/plain", "text/html"]
        )
        lines = text.get_content().splitlines()
        self.assertEqual(lines[:2], ["Guten Tag Ana <b>Müller,", ""])
        self.assertIn("1234,56 EUR", text.get_content())
        self.assertIn("Guten Tag Ana &lt;b&gt;Müller,", html.get_content())
        for part in (message, text, html):
            self.assertEqual(part.defects, [])

    def test_mail_goes_over_tls_with_a_login_and_a_parser_reads_it(self):
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            tls = make_certificate(folder)
            server = stack.enter_context(MailServer(tls))
            login = f"user: {USER}, password-file: password, ca-file: '{tls[1]}'"
            office = stack.enter_context(self.office(self.smtp_keys(server, login)))
            made = paid("ana@example.com", language="de-CH", name="Ana <b>Müller")
            event_id = office.tell(made)
            kind, fact = office.outcome()
            self.assertEqual(kind, "NotificationSent")
            self.assertEqual(fact["message-id"], f"<{event_id}@airline.example>")
            self.assertEqual((fact["recipient"], fact["channel"]), ("ana@example.com", "email"))
            (mail,) = server.mails
            self.assertEqual((mail.recipient, mail.tls), ("ana@example.com", True))
            self.assertEqual(mail.user, USER.encode())
            self.check_german_mail(mail, event_id)

    def test_without_trust_nothing_is_said_and_the_message_waits(self):
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            tls = make_certificate(folder)
            server = stack.enter_context(MailServer(tls))
            login = f"user: {USER}, password-file: password"
            office = stack.enter_context(self.office(self.smtp_keys(server, login)))
            office.tell(paid("ana@example.com"))
            wait_until(lambda: len(server.faults) >= 2, 10, "two connections that break off")
            wait_until(lambda: "certificate" in str(office.tries()), 10, "the reason in the trace")
            self.assertEqual((server.logins, server.mails), ([], []))
            office.service.stop()
            config = office.site.folder / "notification.yaml"
            config.write_text(config.read_text().replace("timeout:", f"ca-file: '{tls[1]}', timeout:"))
            office.service.start()
            self.assertEqual(office.outcome()[0], "NotificationSent")

    def test_a_wrong_password_is_no_fact_about_the_customer(self):
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            tls = make_certificate(folder)
            server = stack.enter_context(MailServer(tls))
            login = f"user: {USER}, password-file: password, ca-file: '{tls[1]}'"
            office = stack.enter_context(self.office(self.smtp_keys(server, login)))
            office.service.stop()
            (office.site.folder / "password").write_text("wrong\n")
            office.service.start()
            office.tell(paid("ana@example.com"))
            wait_until(lambda: server.logins.count(False) >= 2, 10, "two refused logins")
            office.service.stop()
            (office.site.folder / "password").write_text(PASSWORD + "\n")
            office.service.start()
            self.assertEqual(office.outcome()[0], "NotificationSent")

    def test_mail_that_is_deferred_goes_out_once_and_refused_mail_is_a_fact(self):
        with MailServer() as server, self.office(self.smtp_keys(server)) as office:
            server.refusals["busy@example.com"] = collections.deque(
                ["450 4.2.1 mailbox busy", "451 4.3.0 try later"]
            )
            office.tell(paid("busy@example.com"))
            self.assertEqual(office.outcome()[0], "NotificationSent")
            self.assertEqual(server.recipients, ["busy@example.com"] * 3)
            self.assertEqual(len(server.mails), 1)
            self.assertIn("450 4.2.1 mailbox busy", office.service.log_text())

            server.refusals["gone@example.com"].append("550-5.1.1 No such user,\r\n550 sorry")
            office.tell(paid("gone@example.com"))
            kind, fact = office.outcome()
            self.assertEqual(kind, "NotificationFailed")
            self.assertEqual(fact["reason"], "550 5.1.1 No such user, sorry")
            self.assertEqual(fact["channel"], "email")
            self.assertEqual(server.recipients.count("gone@example.com"), 1)

    def test_mail_whose_acceptance_is_not_heard_comes_again_and_can_be_recognised(self):
        with MailServer() as server, self.office(self.smtp_keys(server)) as office:
            server.lost_answers = 1
            event_id = office.tell(paid("ana@example.com"))
            self.assertEqual(office.outcome()[0], "NotificationSent")
            contents = [mail.content for mail in server.mails]
            self.assertEqual(len(contents), 2)
            self.assertEqual(contents[0], contents[1])
            self.assertIn(f"Message-ID: <{event_id}@airline.example>".encode(), contents[0])

    def test_mail_does_not_go_in_the_clear_where_tls_is_required(self):
        keys = "starttls: required"
        with MailServer() as server, self.office(self.smtp_keys(server, keys)) as office:
            office.tell(paid("ana@example.com"))
            wait_until(lambda: len(office.tries()) >= 2, 10, "two tries")
            self.assertEqual((server.recipients, server.mails), ([], []))

    def test_mail_waits_for_a_server_that_is_not_there(self):
        server = MailServer()
        with self.office(self.smtp_keys(server)) as office:
            office.tell(paid("ana@example.com"))
            wait_until(lambda: len(office.tries()) >= 2, 10, "two tries")
            server.start()
            try:
                self.assertEqual(office.outcome()[0], "NotificationSent")
                self.assertEqual(len(server.mails), 1)
            finally:
                server.stop()

    def test_many_mails_go_out_at_once_each_to_its_own(self):
        with MailServer() as server, self.office(self.smtp_keys(server)) as office:
            addresses = {f"guest{each}@example.com" for each in range(50)}
            office.peer.put_all([paid(each) for each in addresses])
            office.outcomes(len(addresses))
            self.assertEqual({mail.recipient for mail in server.mails}, addresses)
            self.assertEqual(len(server.mails), len(addresses))

    def test_killed_in_the_middle_it_repeats_only_what_was_in_doubt(self):
        with MailServer() as server, self.office(self.smtp_keys(server)) as office:
            addresses = {f"guest{each}@example.com" for each in range(200)}
            office.peer.put_all([paid(each) for each in addresses])
            for part in (20, 60, 120):
                wait_until(lambda at=part: len(server.mails) >= at, 20, f"{part} mails")
                office.service.kill()
                office.service.start()
            facts = office.outcomes(len(addresses))
            self.assertEqual({kind for kind, _ in facts}, {"NotificationSent"})
            self.assertEqual({fact["recipient"] for _, fact in facts}, addresses)
            self.assertEqual({mail.recipient for mail in server.mails}, addresses)
            self.assertEqual(len({mail.content for mail in server.mails}), len(addresses))
            # Those that eight workers had in hand, and those whose end was not committed yet: on a
            # busy machine a commit takes its time. Without a memory of them it would be all 200.
            repeats = len(server.mails) - len(addresses)
            self.assertLess(repeats, 150)
            print(f"{repeats} mails went out twice", file=sys.stderr)

    def test_text_messages_go_out_through_every_fault_of_the_gateway(self):
        with Gateway() as gateway, self.office(self.sms_keys(gateway, "300ms")) as office:
            gateway.faults.extend([(500, "oops"), (503, "Temporal failure"), "slow", "reset"])
            office.tell(paid(phone="+4915112345678", language="de"))
            kind, fact = office.outcome()
            self.assertEqual((kind, fact["channel"]), ("NotificationSent", "sms"))
            self.assertEqual(fact["recipient"], "+4915112345678")
            self.assertEqual(len(gateway.asked), 5)
            sms = gateway.sent[-1]
            self.assertEqual(
                sms.text, "LH123: Ihre Zahlung über 1234,56 EUR ist eingegangen. Buchung KQ7XWP"
            )
            fields = {name: sms.fields[name] for name in ("from", "username", "charset", "coding")}
            self.assertEqual(
                fields,
                {"from": "AIRLINE", "username": "conga", "charset": "UTF-8", "coding": "0"},
            )

            gateway.faults.append((400, "Malformed number, rejected"))
            office.tell(paid(phone="+4915100000000"))
            kind, fact = office.outcome()
            self.assertEqual(kind, "NotificationFailed")
            self.assertEqual(fact["reason"], "400 Malformed number, rejected")

    @unittest.skipUnless(kannel.is_installed(), "Debian's package kannel is not installed")
    def test_kannel_sends_what_we_ask_it_to(self):
        with kannel.Kannel(USER, PASSWORD) as gateway, self.office(self.sms_keys(gateway)) as office:
            phone = "+4915112345678"
            office.tell(paid(phone=phone, language="de"))
            text = "LH123: Ihre Zahlung über 1234,56 EUR ist eingegangen. Buchung KQ7XWP"
            self.assertEqual(gateway.line(), f"AIRLINE {phone} text {text}")
            self.assertEqual(office.outcome()[0], "NotificationSent")

            cancelled = paid(phone=phone)
            cancelled["detail-type"] = "PaymentRefunded"
            cancelled["detail"] |= {"reason": "x"}
            cancelled["detail"]["trip"]["locator"] = "航空券"
            office.tell(cancelled)
            sender, to, kind, sms = gateway.line().split(" ", 3)
            self.assertEqual((sender, to, kind), ("AIRLINE", phone, "ucs-2"))
            sms = urllib.parse.unquote_to_bytes(sms.replace("+", " ")).decode("utf-16-be")
            self.assertEqual(sms, "LH123: we have refunded 1234.56 EUR. Booking 航空券")
            self.assertEqual(office.outcome()[0], "NotificationSent")

    def test_a_channel_that_is_down_does_not_repeat_the_other(self):
        with MailServer() as server, Gateway() as gateway:
            keys = self.smtp_keys(server) + self.sms_keys(gateway)
            with self.office(keys) as office:
                gateway.faults.extend([(500, "oops")] * 5)
                event_id = office.tell(paid("ana@example.com", "+4915112345678"))
                facts = office.outcomes(2)
                self.assertEqual([kind for kind, _ in facts], ["NotificationSent"] * 2)
                self.assertEqual({fact["channel"] for _, fact in facts}, {"email", "sms"})
                self.assertEqual(facts[1][1]["message-id"], f"{event_id}-sms")
                self.assertEqual((len(server.mails), len(gateway.asked)), (1, 6))

    def test_without_servers_messages_are_files(self):
        with self.office("") as office:
            event_id = office.tell(paid("ana@example.com", "+4915112345678", "ja"))
            self.assertEqual(len(office.outcomes(2)), 2)
            mail = (office.site.folder / "mail/new" / event_id).read_bytes()
            message = email.message_from_bytes(mail, policy=email.policy.default)
            self.assertEqual(message["Subject"], "Payment received for LH123")
            sms = (office.site.folder / "sms" / f"{event_id}-sms.txt").read_text()
            self.assertTrue(sms.startswith("To: +4915112345678\n\nLH123: we have received"))


if __name__ == "__main__":
    BUILD, SOURCE = (pathlib.Path(each).resolve() for each in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
