#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conga archive, replay, map and rules diff on the journal of a sidecar that is at work.

    archive_test.py BUILD
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from harness import Site
from peer import event

BUILD = "build"

RULES = """
rules:
  - name: write-letters
    pattern: {source: [shop.orders]}
    targets: [{service: letters}]
  - name: keep-books
    replay: true
    pattern: {source: [shop.orders], detail-type: [OrderPlaced]}
    targets: [{service: books}]
archives:
  - name: paid
    pattern: {detail-type: [OrderPaid]}
    retention-age: 365d
  - name: everything
"""


class ArchiveTest(unittest.TestCase):
    def setUp(self):
        self.site = Site(BUILD, RULES, sidecar="process")
        self.site.__enter__()
        self.addCleanup(self.leave)
        os.environ["XDG_STATE_HOME"] = str(self.site.folder / "state")
        self.site.start_bus()
        self.letters = self.site.peer(service="letters")
        self.addCleanup(self.letters.close)
        self.books = self.site.peer(service="books")
        self.addCleanup(self.books.close)
        self.made = [event("shop.orders", "OrderPlaced", {"total": n}) for n in range(3)]
        self.made.append(event("shop.orders", "OrderPaid", {"total": 3}))
        self.letters.put_all(self.made)
        self.take(self.letters, 4)
        self.take(self.books, 3)

    def leave(self):
        failed = not self._outcome.success
        self.site.__exit__(AssertionError if failed else None, None, None)

    def take(self, peer, count):
        """That many deliveries, settled; their events."""
        events = []
        while len(events) < count:
            delivery = peer.delivery()
            peer.settle(delivery.id, "ok")
            events.append(delivery.event)
        return events

    def conga(self, *arguments):
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        return self.site.run("cli/conga", *arguments, "--journal", "journal", *where)

    def exported(self, *more):
        code, out, error = self.conga("archive", "export", *more)
        self.assertEqual(code, 0, error)
        return [json.loads(line) for line in out.splitlines()]

    def archived(self):
        states = self.letters.ask("sidecar.status")["archives"]
        self.assertEqual([each["fault"] for each in states], [""] * len(states))
        return {each["name"]: (each["archived"], each["waiting"]) for each in states}

    def test_archives_of_the_rules_have_what_is_theirs_over_kill_9(self):
        self.letters.wait_for(
            lambda: self.archived() == {"everything": (4, 0), "paid": (1, 0)}, 10, "the copies")
        where = ["--publish", self.site.publish, "--subscribe", self.site.subscribe]
        listed = self.site.run("cli/conga", "rules", "list", *where)[1]
        self.assertIn('keeps {"detail-type":["OrderPaid"]} for 365d', listed)
        paid = event("shop.orders", "OrderPaid", {"total": 4})
        self.assertEqual(self.letters.put(paid), "ok")
        # Accepted and not copied yet, most likely; whatever it is, nothing is lost or doubled.
        self.site.durable.kill()
        self.site.durable.start()
        self.take(self.letters, 1)
        self.letters.wait_for(
            lambda: [waiting for _, waiting in self.archived().values()] == [0, 0], 10, "the copies")
        both = [self.made[3]["id"], paid["id"]]
        self.assertEqual([each["id"] for each in self.exported("--archive", "paid")], both)
        code, out, error = self.conga("archive", "list", "--json")
        self.assertEqual(code, 0, error)
        held = {each["archive"]: each["events"] for each in json.loads(out)["archives"]}
        self.assertEqual(held, {None: 5, "everything": 5, "paid": 2})
        # What is put again from there is not kept again.
        code, _, error = self.conga("replay", "--archive", "paid", "--rule", "write-letters")
        self.assertEqual(code, 0, error)
        again = []
        while len(again) < 2:
            # What was not settled for good when the sidecar died comes once more, too.
            again += [each for each in self.take(self.letters, 1) if "replay-name" in each]
        self.assertEqual([each["causation-id"] for each in again], both)
        self.assertEqual(len(self.exported("--archive", "everything")), 5)

    def test_an_archive_that_is_not_there_is_named(self):
        code, _, error = self.conga("archive", "stats", "--archive", "nothing")
        self.assertEqual(code, 1)
        self.assertIn("journal/archives/nothing", error)

    def test_the_buss_own_news_is_not_replayed(self):
        self.assertEqual(self.letters.put(event("shop.orders", "OrderPaid", {"total": 9})), "ok")
        self.letters.settle(self.letters.delivery().id, "reject", "Unknown", "no such order")
        news = {"detail-type": ["EventDeadLettered"]}
        self.letters.wait_for(lambda: self.exported("--pattern", json.dumps(news)), 10, "the news")
        code, out, error = self.conga("replay", "--json", "--name", "again")
        self.assertEqual((code, out, error), (0, "", ""))
        again = [each["causation-id"] for each in self.take(self.books, 3)]
        self.assertEqual(again, [each["id"] for each in self.made[:3]])

    def test_tap_shows_the_past_and_goes_on_without_gap_or_repeat(self):
        code, out, error = self.conga("tap", "--since", "1h", "--json")
        self.assertEqual(code, 0, error)
        past = out.splitlines()
        self.assertEqual([json.loads(line)["id"] for line in past], [each["id"] for each in self.made])
        more = [event("shop.orders", "OrderPaid", {"total": n}) for n in range(200)]
        everything = len(self.made) + len(more)
        tap = subprocess.Popen(
            [str(self.site.build / "cli/conga"), "tap", "--since", "1h", "--follow", "--json",
             "--count", str(everything), "--journal", "journal",
             "--publish", self.site.publish, "--subscribe", self.site.subscribe],
            cwd=self.site.folder, stdout=subprocess.PIPE, text=True)
        self.addCleanup(tap.kill)
        # While it starts, reads and follows, in whatever order that happens.
        for each in more:
            self.assertEqual(self.letters.put(each), "ok")
        out, _ = tap.communicate(timeout=30)
        ids = [json.loads(line)["id"] for line in out.splitlines()]
        self.assertEqual(ids, [each["id"] for each in self.made + more])

    def settled(self, count):
        """Waits until so many deliveries ended."""
        self.letters.wait_for(
            lambda: self.letters.ask("sidecar.status")["counters"]["settled"] >= count,
            what=f"{count} settled",
        )

    def test_the_archive_is_exported_and_counted(self):
        self.assertEqual([each["id"] for each in self.exported()], [m["id"] for m in self.made])
        paid = self.exported("--pattern", '{"detail-type": ["OrderPaid"]}')
        self.assertEqual([each["detail"]["total"] for each in paid], [3])
        self.assertEqual(self.exported("--until", "1h"), [])
        code, out, _ = self.conga("archive", "stats", "--json")
        self.assertEqual(code, 0)
        kinds = {each["detail-type"]: each["events"] for each in json.loads(out)["kinds"]}
        self.assertEqual(kinds, {"OrderPlaced": 3, "OrderPaid": 1})
        code, _, error = self.conga("archive", "export", "--since", "yesterday")
        self.assertEqual(code, 1)
        self.assertIn("--since: 'yesterday' is no time", error)

    def test_a_replay_goes_to_rules_that_want_it_once(self):
        code, _, error = self.conga("replay", "--name", "fix")
        self.assertEqual(code, 0, error)
        self.assertIn("4 events accepted", error)
        again = self.take(self.books, 3)
        self.assertEqual({each["replay-name"] for each in again}, {"fix"})
        self.assertEqual(
            {each["causation-id"] for each in again}, {each["id"] for each in self.made[:3]}
        )
        # The same once more: each is recognised, and nobody is sent anything.
        code, _, error = self.conga("replay", "--name", "fix", "--speed", "1000x")
        self.assertEqual(code, 0, error)
        self.settled(4 + 3 + 3)
        last = event("shop.orders", "OrderPaid", {"total": 99})
        self.letters.put(last)
        self.assertEqual([each["id"] for each in self.take(self.letters, 1)], [last["id"]])
        self.assertFalse(self.books.deliveries)
        # What was replayed is no second time in the archive.
        self.assertEqual(len(self.exported()), len(self.made) + 1)

    def test_a_replay_goes_to_the_chosen_rule_and_to_no_other(self):
        code, _, error = self.conga("replay", "--name", "some", "--rule", "write-letters")
        self.assertEqual(code, 0, error)
        self.assertEqual(len(self.take(self.letters, 4)), 4)
        self.assertFalse(self.books.deliveries)
        code, _, error = self.conga("replay", "--name", "more", "--target", "books")
        self.assertEqual(code, 0, error)
        self.take(self.books, 3)
        self.assertFalse(self.letters.deliveries)
        for wrong in (["--rule", "write-leters"], ["--target", "book"]):
            code, _, error = self.conga("replay", *wrong)
            self.assertEqual(code, 1)
            self.assertIn(f"the bus has no {wrong[0][2:]} '{wrong[1]}'", error)

    def begin_replay(self, *arguments):
        replay = subprocess.Popen(
            [str(self.site.build / "cli/conga"), "replay", *arguments,
             *([] if "--resume" in arguments else ["--journal", "journal"]),
             "--publish", self.site.publish, "--subscribe", self.site.subscribe],
            cwd=self.site.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(replay.stderr.close)
        self.addCleanup(replay.wait)
        self.addCleanup(replay.kill)
        return replay

    def resume(self, name):
        return self.site.run("cli/conga", "replay", "--resume", name,
                             "--publish", self.site.publish, "--subscribe", self.site.subscribe)

    def test_a_replay_that_was_interrupted_goes_on(self):
        more = [event("shop.orders", "OrderPaid", {"total": n}) for n in range(296)]
        self.letters.put_all(more)
        self.take(self.letters, 296)
        state = self.site.folder / "state/conga/replay-half.json"
        replay = self.begin_replay("--name", "half", "--rule", "write-letters", "--rate", "100/s")
        got = self.take(self.letters, 60)
        replay.kill()
        replay.wait()
        done = json.loads(state.read_text())["done"]
        self.assertGreater(done, 0)
        self.assertLess(done, 300)
        # Not in the replay, which goes on as it was begun.
        late = event("shop.orders", "OrderPaid", {"total": 1000})
        self.letters.put(late)
        replay = self.begin_replay("--resume", "half")
        # Settled as they come; an attempt more of one event has its id and is one with it.
        seen = {each["id"]: each for each in got}
        while len(seen) < 301:
            each = self.take(self.letters, 1)[0]
            seen[each["id"]] = each
        self.assertEqual(replay.wait(30), 0)
        self.assertNotIn("300 events", replay.stderr.read())
        last = event("shop.orders", "OrderPaid", {"total": 1001})
        self.letters.put(last)
        while last["id"] not in seen:
            each = self.take(self.letters, 1)[0]
            seen[each["id"]] = each
        again = [each for each in seen.values() if each.get("replay-name") == "half"]
        self.assertEqual(len(seen), 302)
        self.assertEqual(
            sorted(each["causation-id"] for each in again),
            sorted(each["id"] for each in self.made + more),
        )
        self.assertFalse(self.books.deliveries)
        self.assertFalse(state.exists())
        code, _, error = self.resume("half")
        self.assertEqual(code, 2)
        self.assertIn("no replay 'half' was interrupted", error)

    def test_a_replay_that_is_stopped_says_how_to_go_on(self):
        replay = self.begin_replay("--name", "stop", "--rule", "write-letters", "--rate", "1/s")
        self.take(self.letters, 1)
        replay.send_signal(signal.SIGTERM)
        self.assertEqual(replay.wait(30), 130)
        self.assertIn("conga replay --resume stop\n", replay.stderr.read())
        code, _, error = self.resume("stop")
        self.assertEqual(code, 0, error)
        self.take(self.letters, 3)

    def test_two_replays_of_one_name_are_not_run_at_once(self):
        replay = self.begin_replay("--name", "one", "--rule", "write-letters", "--rate", "1/s")
        self.take(self.letters, 1)
        code, _, error = self.conga("replay", "--name", "one")
        self.assertEqual(code, 2)
        self.assertIn(f"the replay 'one' is under way already", error)
        self.assertIn(f"process {replay.pid}", error)
        replay.send_signal(signal.SIGTERM)
        self.assertEqual(replay.wait(30), 130)
        self.assertEqual(self.resume("one")[0], 0)
        self.assertEqual(list((self.site.folder / "state/conga").iterdir()), [])

    def test_a_faulty_replay_ends_with_its_reason(self):
        self.assertEqual(self.conga("replay", "--speed", "fast")[0], 2)
        code, _, error = self.conga("replay", "--pattern", "{")
        self.assertEqual(code, 1)
        self.assertIn("--pattern", error)

    def test_other_rules_are_rehearsed(self):
        code, out, _ = self.conga("rules", "diff", "rules.yaml", "--against", "rules.yaml")
        self.assertEqual((code, out), (0, "4 events, 7 deliveries the same, none changed\n"))
        (self.site.folder / "new.yaml").write_text(RULES.replace("OrderPlaced", "OrderPaid"))
        code, out, _ = self.conga(
            "rules", "diff", "new.yaml", "--against", "rules.yaml", "--json"
        )
        self.assertEqual(code, 1)
        change = json.loads(out)["changes"][0]
        self.assertEqual((change["gained"], change["lost"]), (1, 3))

    def test_why_an_event_went_where_it_did(self):
        paid = self.made[-1]["id"]
        code, out, _ = self.conga("why", paid, "keep-books", "--rules", "rules.yaml")
        self.assertEqual(code, 1)
        self.assertIn("'detail-type' satisfies \"OrderPlaced\"; found \"OrderPaid\"", out)
        self.assertEqual(self.conga("why", paid, "write-letters", "--rules", "rules.yaml")[0], 0)
        code, _, error = self.conga("why", event("a", "b", {})["id"], "--rules", "rules.yaml")
        self.assertEqual(code, 1)
        self.assertIn("holds no event", error)

    def test_the_map_shows_what_happened(self):
        self.settled(7)
        code, out, error = self.conga("map", "--json")
        self.assertEqual(code, 0, error)
        edges = {
            (each["detail-type"], each["to"]): each["count"] for each in json.loads(out)["edges"]
        }
        self.assertEqual(
            edges,
            {("OrderPlaced", "letters"): 3, ("OrderPaid", "letters"): 1, ("OrderPlaced", "books"): 3},
        )
        self.assertIn("RATE", self.conga("map")[1])

    def test_the_map_is_drawn_by_graphviz_and_who_has_none_is_told(self):
        self.settled(7)
        if shutil.which("dot"):
            code, out, error = self.conga("map", "--svg")
            self.assertEqual(code, 0, error)
            drawn = xml.etree.ElementTree.fromstring(out)
            self.assertTrue(drawn.tag.endswith("svg"))
            self.assertIn("OrderPlaced 3", "".join(drawn.itertext()))
        done = subprocess.run(
            [str(self.site.build / "cli/conga"), "map", "--svg", "--journal", "journal"],
            cwd=self.site.folder, env={"PATH": ""}, capture_output=True, text=True, timeout=30,
            check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("install graphviz", done.stderr)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
