# SPDX-License-Identifier: Apache-2.0
"""A Kannel of its own, Debian's SMS gateway, on loopback only, with this process as the SMS centre.

    with Kannel(user, password) as kannel:
        ...  ask kannel.url, then
        assert kannel.line() == "AIRLINE +491511234 text hello"
"""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness import free_ports, wait_until

BEARERBOX, SMSBOX = "/usr/sbin/bearerbox", "/usr/sbin/smsbox"

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {password}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1

group = smsc
smsc = fake
smsc-id = CENTRE
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {user}
password = {password}
max-messages = 5
concatenation = true

group = sms-service
keyword = default
text = nobody answers here
"""


def is_installed():
    return pathlib.Path(BEARERBOX).exists() and pathlib.Path(SMSBOX).exists()


def connection(port):
    """Once somebody listens there."""

    def connected():
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            return None

    return wait_until(connected, 20, f"Kannel at port {port}")


class Kannel:
    def __init__(self, user, password):
        admin, boxes, self._centre_port, self._sendsms_port = free_ports(4)
        self.url = f"http://127.0.0.1:{self._sendsms_port}/cgi-bin/sendsms"
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="conga-kannel-"))
        self._config = self._folder / "kannel.conf"
        self._config.write_text(
            CONFIG.format(
                admin=admin,
                boxes=boxes,
                centre=self._centre_port,
                sendsms=self._sendsms_port,
                user=user,
                password=f'"{password}"',
            )
        )
        self._boxes = []
        self._centre = None
        self._lines = None

    def __enter__(self):
        try:
            self._start(BEARERBOX)
            self._centre = connection(self._centre_port)
            self._lines = self._centre.makefile(encoding="utf-8", newline="\n")
            self._start(SMSBOX)
            connection(self._sendsms_port).close()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._lines:
            self._lines.close()
            self._centre.close()
        for box in reversed(self._boxes):
            box.kill()
            box.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def line(self):
        """What the SMS centre is given next: `FROM TO text …`."""
        return self._lines.readline().rstrip("\n")

    def _start(self, box):
        with open(self._folder / "log", "ab") as log:
            self._boxes.append(
                subprocess.Popen([box, self._config], cwd=self._folder, stdout=log, stderr=log)
            )
