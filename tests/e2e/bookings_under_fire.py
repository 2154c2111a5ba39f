#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""500 bookings while bus, sidecar and two instances of every service are killed with SIGKILL at random.

    bookings_under_fire.py BUILD SOURCE [SEED]

At the end every booking is confirmed or cancelled, charged exactly once if confirmed and refunded
if it was charged and cancelled; no seat and no ticket is given twice; and every event that was put
with ok is settled or a dead letter. CONGA_E2E_BOOKINGS makes it longer.
At the end scripts/books prints the ledger, and the cabins if CONGA_E2E_MAPS is set.
"""

import datetime
import email
import email.policy
import html
import os
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time

from harness import Site, wait_until
from peer import event

SERVICES = ["booking", "payment", "seating", "ticketing", "notification"]
INSTANCES = 2
DECLINED, TIMEOUT_ONCE, GOOD = "4000000000000002", "4000000000000119", "4242424242424242"
BATCH = 10
SETTLE_SECONDS = 90.0

# As config/flights.yaml has them.
FARES = {("LH123", "economy"): 18900, ("QF2", "economy"): 131250, ("LX41", "business"): 189000}


def rules_of(source):
    """The real choreography, with short waits and patience enough for this much fire."""
    text = (source / "config/rules.yaml").read_text()
    text = re.sub(r"\n *ack-timeout: [^\n]*", "", text)
    retry = "retry: {backoff: {initial: 100ms, factor: 2, max: 1s, jitter: full}}"
    return re.sub(r"\n( *)retry: \{[^\n]*", rf"\n\1{retry}\n\1ack-timeout: 3s", text)


def service_config(site, source, name):
    own = {
        "booking": f"booking: {{flights: '{source}/config/flights.yaml'}}",
        "payment": "payment: {acquirer-database: acquirer.db}",
        "seating": f"seating: {{cabins: '{source}/config/cabins.yaml', flights: '{source}/config/flights.yaml'}}",
        "ticketing": "ticketing: {airline-code: 220}",
        "notification": f"notification: {{templates: '{source}/config/notification', maildir: mail}}",
    }
    path = site.folder / f"{name}.yaml"
    path.write_text(
        f"bus: {{publish: '{site.publish}', subscribe: '{site.subscribe}'}}\n"
        f"database: {name}.db\n{own[name]}\n"
    )
    return path


def make_request(number, chance):
    flight, cabin = chance.choice(sorted(FARES))
    passengers = chance.randint(1, 2)
    day = datetime.date.today() + datetime.timedelta(days=chance.randint(2, 60))
    card = chance.choices([GOOD, DECLINED, TIMEOUT_ONCE], [8, 1, 1])[0]
    booking = f"B{number}"
    trip = {
        "booking-id": booking,
        "flight": flight,
        "cabin": cabin,
        "passengers": [{"name": f"Passenger {each}"} for each in range(passengers)],
        "email": "someone@example.org",
        "date": day.isoformat(),
        "fare": {"amount": FARES[flight, cabin] * passengers, "currency": "EUR"},
    }
    made = event(
        "customer", "BookingRequested", {"trip": trip, "card": card}, correlation_id=booking
    )
    return booking, (card, trip["fare"]["amount"]), made


class Fire(threading.Thread):
    """Kills one daemon after the other and starts it again, until it is put out."""

    def __init__(self, site, chance):
        super().__init__(daemon=True)
        self._site, self._chance = site, chance
        self._out = threading.Event()
        self.kills = {name: 0 for name in site.daemons}
        self.error = None

    def run(self):
        try:
            while not self._out.wait(self._chance.uniform(0.05, 0.4)):
                name = self._chance.choice(sorted(self._site.daemons))
                daemon = self._site.daemons[name]
                daemon.kill()
                self.kills[name] += 1
                time.sleep(self._chance.uniform(0.0, 0.3))
                # A service is ready when the bus has greeted it, and the bus may be next to go.
                daemon.start(wait=False)
        except Exception as error:  # told by put_out(), in the thread that matters
            self.error = error

    def put_out(self):
        self._out.set()
        self.join()
        if self.error:
            raise self.error


def rows(site, database, query):
    """Reads only. Nothing while the file is not there or busy."""
    try:
        connection = sqlite3.connect(f"file:{site.folder}/{database}.db?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return None


def is_quiet(site, requests):
    booked = rows(site, "booking", "SELECT count(*) FROM bookings WHERE status != 'created'")
    if booked != [(len(requests),)]:
        return False
    return all(rows(site, name, "SELECT count(*) FROM outbox") == [(0,)] for name in SERVICES)


def pending_in(status):
    return sum(each["pending"] + each["in-flight"] for each in status["targets"])


def check(site, requests):
    """Every fault, not only the first."""
    faults = []
    ends = dict(rows(site, "booking", "SELECT booking_id, status FROM bookings"))
    charges = [key for key, in rows(
        site, "acquirer", "SELECT key FROM captures WHERE reason = ''")]
    refunds = [key for key, in rows(site, "acquirer", "SELECT key FROM refunds")]
    seats = rows(site, "seating", "SELECT booking_id, flight || date, seat FROM seats")
    tickets = rows(site, "ticketing", "SELECT booking_id, number FROM tickets")
    sold = sum(fare for booking, (_, fare) in requests.items() if ends.get(booking) == "confirmed")
    ledger = rows(site, "payment", "SELECT sum(amount) FROM entries WHERE account = 'acquirer'")
    if ledger != [(sold,)]:
        faults.append(f"sold for {sold}, and the ledger has {ledger}")
    for booking, (card, _) in requests.items():
        end = ends.get(booking)
        charged = charges.count(f"{booking}/capture")
        refunded = refunds.count(f"{booking}/refund")
        if end not in ("confirmed", "cancelled"):
            faults.append(f"{booking} ends {end}")
        if charged != (0 if card == DECLINED else 1):
            faults.append(f"{booking}: {end}, charged {charged} times")
        if refunded != (1 if end == "cancelled" and card != DECLINED else 0):
            faults.append(f"{booking}: {end}, refunded {refunded} times")
        held = any(each[0] == booking for each in tickets)
        if held != (end == "confirmed"):
            faults.append(f"{booking}: {end}, ticket: {held}")
    if len({(flight, seat) for _, flight, seat in seats}) != len(seats):
        faults.append("a seat is given twice")
    if len({number for _, number in tickets}) != len(tickets):
        faults.append("a ticket number is given twice")
    return faults, ends


def check_mail(folder):
    """Every message, as Python's e-mail parser reads it: text and HTML that say the same."""
    faults = []
    names = set()
    for path in [*(folder / "new").iterdir(), *(folder / "cur").iterdir()]:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        parts = list(message.iter_parts())
        types = [part.get_content_type() for part in parts]
        if types != ["text/plain", "text/html"]:
            faults.append(f"{path.name}: its parts are {types}")
            continue
        faults += [f"{path.name}: {each}" for part in [message, *parts] for each in part.defects]
        first_line = html.escape(parts[0].get_content().splitlines()[0], quote=False)
        if first_line not in parts[1].get_content():
            faults.append(f"{path.name}: text and HTML differ")
        if message["Message-ID"] != f"<{path.name.split(':')[0]}@airline.example>":
            faults.append(f"{path.name}: Message-ID {message['Message-ID']}")
        names.add(message["Message-ID"])
    if not names:
        faults.append("no message was sent")
    return faults


def check_books(site, source):
    """Prints what scripts/books does; it fails if the ledger does not balance."""
    maps = [] if os.environ.get("CONGA_E2E_MAPS") else ["--no-maps"]
    done = subprocess.run(
        [source / "scripts/books", "--build-dir", site.build, "--config", site.folder, *maps],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(done.stdout)
    return [f"scripts/books: {done.stderr}"] if done.returncode != 0 else []


def main(build, source, seed):
    chance = random.Random(seed)
    count = int(os.environ.get("CONGA_E2E_BOOKINGS", "500"))
    print(f"seed {seed}", flush=True)
    with Site(build, rules=rules_of(source)) as site:
        services = []
        for name in SERVICES:
            executable = site.build / "services" / f"conga-{name}"
            config = service_config(site, source, name)
            for instance in range(1, INSTANCES + 1):
                services.append(site.add(f"conga-{name}-{instance}", executable, config))
        site.start_bus()
        for service in services:
            service.start()
        requests = {}
        with site.peer() as peer:
            fire = Fire(site, random.Random(chance.random()))
            begun = time.monotonic()
            fire.start()
            for start in range(0, count, BATCH):
                batch = [make_request(each, chance) for each in range(start, start + BATCH)]
                codes = peer.put_all([made for _, _, made in batch], seconds=60)
                assert set(codes) == {"ok"}, codes
                requests.update({booking: paid for booking, paid, _ in batch})
                peer.pump(0.2 if count <= 1000 else 0.0)
            fire.put_out()
            for daemon in site.daemons.values():
                daemon.wait_ready()
            patience = SETTLE_SECONDS + count / 50
            wait_until(lambda: is_quiet(site, requests), patience, "every booking ended")
            took = time.monotonic() - begun
            peer.hello()
            peer.wait_for(
                lambda: pending_in(peer.ask("sidecar.status")) == 0, 30, "delivery of everything"
            )
            letters = peer.ask("dlq.list", {"limit": 1000})
        faults, ends = check(site, requests)
        faults += check_mail(site.folder / "mail")
        if letters["letters"]:
            faults.append(f"{len(letters['letters'])} dead letters: {letters['letters'][:3]}")
        print(f"{len(requests)} bookings, kills: {sum(fire.kills.values())}: {fire.kills}")
        print(f"{took:.1f} s under fire: {len(requests) / took:.0f} bookings/s")
        faults += check_books(site, source)
        print({end: list(ends.values()).count(end) for end in set(ends.values())})
        assert not faults, "\n".join(faults)


if __name__ == "__main__":
    main(
        sys.argv[1],
        pathlib.Path(sys.argv[2]).resolve(),
        int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32),
    )
