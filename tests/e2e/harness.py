# SPDX-License-Identifier: Apache-2.0
"""Starts, kills and looks after real daemons in a folder of their own, for the e2e tests.

    with Site(build, sidecar="process", rules=RULES) as site:
        site.start_bus()                    # and, where it is a process of its own, the sidecar
        with site.peer(service="billing") as peer:
            ...
        site.bus.kill()                     # SIGKILL, by pid
        site.bus.start()

Ports are free ones, waiting is on a condition with a deadline, and whatever was started is ended
when the site is left, however that happens. If a test fails, the ends of the logs are shown.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from peer import Peer

READY_SECONDS = 20.0
STOP_SECONDS = 20.0


def wait_until(condition, seconds, what):
    """Looks at `condition` until it is true; returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def free_ports(count):
    """Ports that nobody has just now. All are held until all are known, so they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


class Daemon:
    """One daemon that may be started, killed and started again. Its log is appended to."""

    def __init__(self, name, argv, folder):
        self.name = name
        self.log = folder / f"{name}.log"
        self._ready = folder / f"{name}.ready"
        self._argv = [str(each) for each in argv] + ["--ready-file", str(self._ready)]
        self._folder = folder
        self._process = None

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def start(self, wait=True):
        assert not self.is_running(), f"{self.name} runs already"
        self._ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self._argv, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=READY_SECONDS):
        def ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self._process.returncode} at start")
            return self._ready.exists()

        wait_until(ready, seconds, f"{self.name} ready")

    def kill(self):
        """SIGKILL: no goodbye, nothing flushed."""
        self._signal(signal.SIGKILL)
        return self._process.wait(STOP_SECONDS)

    def stop(self):
        """SIGTERM, and waits; the exit code."""
        self._signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def reload(self):
        self._signal(signal.SIGHUP)

    def pause(self):
        """SIGSTOP: there, but silent."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _signal(self, number):
        if self.is_running():
            os.kill(self._process.pid, number)

    def end(self):
        """For cleaning up: ends it in whatever state it is."""
        if self.is_running():
            self._process.kill()
            self._process.wait()


class Site:
    """A bus with its sidecar in a temporary folder, and whatever else is added to it.

    The sidecar is a process, embedded, or threaded: embedded, and every turn done by its thread."""

    def __init__(self, build, rules, sidecar="process", bus_keys="", sidecar_keys="", journal_keys=""):
        self.build = pathlib.Path(build).resolve()
        self.sidecar_kind = sidecar
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="conga-e2e-"))
        publish, subscribe = free_ports(2)
        self.publish = f"tcp://127.0.0.1:{publish}"
        self.subscribe = f"tcp://127.0.0.1:{subscribe}"
        self.link = f"ipc://{self.folder}/link"
        self.rules_file = self.folder / "rules.yaml"
        self.bus_file = self.folder / "bus.yaml"
        self.sidecar_file = self.folder / "sidecar.yaml"
        self.rules_file.write_text(rules)
        if sidecar == "threaded":
            bus_keys += "sidecar-hand-over-size: 0B\n"
        self.bus_file.write_text(
            f"publish: {self.publish}\nsubscribe: {self.subscribe}\nrules: rules.yaml\n"
            f"sidecar: {'process' if sidecar == 'process' else 'embedded'}\n"
            f"sidecar-config: sidecar.yaml\n"
            f"link: {{endpoint: '{self.link}'}}\n{bus_keys}"
        )
        self.sidecar_file.write_text(
            f"link: '{self.link}'\njournal: {{directory: journal, segment-size: 16MiB"
            f"{journal_keys}}}\n{sidecar_keys}"
        )
        self.daemons = {}
        self._failed = False
        self.bus = self.add("conga-bus", self.build / "bus/conga-bus", self.bus_file)
        self.sidecar = None
        if sidecar == "process":
            self.sidecar = self.add(
                "conga-sidecar", self.build / "bus/sidecar/conga-sidecar", self.sidecar_file
            )

    @property
    def durable(self):
        """The daemon that has the journal."""
        return self.sidecar or self.bus

    def add(self, name, executable, config):
        """A further daemon, not started yet."""
        daemon = Daemon(name, [executable, "--config", config], self.folder)
        self.daemons[name] = daemon
        return daemon

    def start_bus(self):
        if self.sidecar:
            self.sidecar.start()
        self.bus.start()

    def peer(self, hello=True, **options):
        peer = Peer(self.publish, self.subscribe, **options)
        if hello:
            peer.hello()
        return peer

    def run(self, executable, *arguments, seconds=30):
        """Runs something to its end: (exit code, standard output, standard error)."""
        done = subprocess.run(
            [str(self.build / executable), *map(str, arguments)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for daemon in self.daemons.values():
            daemon.end()
        if kind is not None:
            self.show_logs()
        shutil.rmtree(self.folder, ignore_errors=True)

    def show_logs(self, lines=40):
        for daemon in self.daemons.values():
            print(f"--- {daemon.log}, its end:", file=sys.stderr)
            print("\n".join(daemon.log_text().splitlines()[-lines:]), file=sys.stderr)
