# SPDX-License-Identifier: Apache-2.0
"""What must hold after a crash test: pure functions from what everybody wrote down to what is wrong.

Publishers wrote down what they put and what they were promised, consumers what they got and what they
said of it, before they said it; the journal and the dead letters are as the sidecar left them.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    rule: str
    name: str
    ordered: bool = False


@dataclasses.dataclass
class Record:
    targets: dict  # detail-type -> [Target]: whom the rules owe such an event to
    put: dict = dataclasses.field(default_factory=dict)  # event id -> (detail-type, key)
    promised: set = dataclasses.field(default_factory=set)  # event ids that were answered ok
    seen: list = dataclasses.field(default_factory=list)  # (event id, rule, target name)
    said: list = dataclasses.field(default_factory=list)  # (time, event id, rule, name, outcome)
    letters: list = dataclasses.field(default_factory=list)  # (event id, rule, name, error code)
    kept: list = dataclasses.field(default_factory=list)  # (sequence, event id, [(rule, name)])
    ended: list = dataclasses.field(default_factory=list)  # (sequence, rule, name, "settled" or …)


def check(record):
    """All that does not hold, a sentence each."""
    return [
        *_check_promises(record),
        *_check_deliveries(record),
        *_check_endings(record),
        *_check_order(record),
        *_check_letters(record),
    ]


def _said_ok(record):
    return {(event, rule, name) for _, event, rule, name, said in record.said if said == "ok"}


def _dead(record):
    return {(event, rule, name) for event, rule, name, _ in record.letters}


def _check_promises(record):
    """What was promised is kept, and each target said ok or has it as a dead letter."""
    kept = {event for _, event, _ in record.kept}
    done = _said_ok(record) | _dead(record)
    for event in sorted(record.promised):
        if event not in kept:
            yield f"promised and not in the journal: event {event}"
        for target in record.targets[record.put[event][0]]:
            if (event, target.rule, target.name) not in done:
                yield f"promised and never done: event {event} for {target.rule}/{target.name}"


def _check_deliveries(record):
    """Nobody gets what nobody put, or what the rules do not owe it."""
    for event, rule, name in record.seen:
        if event not in record.put:
            yield f"delivered and put by nobody: event {event} to {rule}/{name}"
            continue
        owed = {(target.rule, target.name) for target in record.targets[record.put[event][0]]}
        if (rule, name) not in owed:
            yield f"delivered and not owed: event {event} to {rule}/{name}"


def _check_endings(record):
    """All that the journal owes has ended, and settled is only what a consumer said ok of."""
    events = {sequence: event for sequence, event, _ in record.kept}
    owed = {(sequence, *target) for sequence, _, targets in record.kept for target in targets}
    said = _said_ok(record)
    for sequence, rule, name, ending in record.ended:
        owed.discard((sequence, rule, name))
        event = events.get(sequence)
        if ending == "settled" and (event, rule, name) not in said:
            yield f"settled and no consumer said ok: event {event} for {rule}/{name}"
    for sequence, rule, name in sorted(owed):
        yield f"never ended: event {events[sequence]} for {rule}/{name}"


def _check_order(record):
    """Of one key an ordered target says ok for the first time in the journal's order."""
    ordered = {(t.rule, t.name) for ts in record.targets.values() for t in ts if t.ordered}
    dead = _dead(record)
    first = {}
    for time, event, rule, name, said in record.said:
        whose = (event, rule, name)
        if said == "ok" and (rule, name) in ordered and whose not in dead:
            first[whose] = min(time, first.get(whose, time))
    places = {}
    for sequence, event, _ in record.kept:
        places[event] = min(sequence, places.get(event, sequence))
    lanes = {}
    for (event, rule, name), time in first.items():
        if event in record.put and event in places:
            key = record.put[event][1]
            lanes.setdefault((rule, name, key), []).append((places[event], time, event))
    for (rule, name, key), done in sorted(lanes.items()):
        done.sort()
        for (_, before, _), (_, after, event) in zip(done, done[1:]):
            if after < before:
                yield f"out of order: event {event} of key {key} for {rule}/{name}"


def _check_letters(record):
    for event, rule, name, code in record.letters:
        if not code:
            yield f"a dead letter without a reason: event {event} for {rule}/{name}"
        if event not in record.put:
            yield f"a dead letter that nobody put: event {event} for {rule}/{name}"
