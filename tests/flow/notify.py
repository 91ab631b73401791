#!/usr/bin/python3
"""What the daemon tells the service manager: ready, alive after balancing cycles, stopping."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

DAEMON = os.path.join(os.environ.get("top_builddir", "."), "ampgated")
CONFIG = """version: 1
circuits:
  grid: {kind: grid_connection, limit_a: 16}
balancing: {interval: 200ms}
listen:
  ocpp:
    lan: {address: 127.0.0.1, port: %d}
log: {target: stderr}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Notify(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(os.path.join(self.dir, "notify"))
        self.manager.settimeout(30)
        self.addCleanup(self.manager.close)

    def start(self, **environment):
        path = os.path.join(self.dir, "ampgate.yaml")
        with open(path, "w") as f:
            f.write(CONFIG % free_port())
        env = {k: v for k, v in os.environ.items() if not k.startswith("WATCHDOG_")}
        env.update(environment, NOTIFY_SOCKET=os.path.join(self.dir, "notify"))
        daemon = subprocess.Popen([DAEMON, "-c", path, "--state-dir", os.path.join(self.dir, "state"),
                                   "--socket", os.path.join(self.dir, "control.sock")], env=env)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        return daemon

    def hear(self):
        return self.manager.recv(4096).decode().splitlines()

    def hear_ready(self):
        """What is said up to READY=1, and that."""
        said = []
        while "READY=1" not in said:
            said = self.hear()
        return said

    def test_watchdog_is_fed_by_cycles(self):
        daemon = self.start(WATCHDOG_USEC="800000")
        self.hear_ready()
        for _ in range(3):
            said = self.hear()
            self.assertEqual(said, ["WATCHDOG=1", "STATUS=0/0 stations, 0/0 uplinks up, queue 0"])
        daemon.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in said:
            said = self.hear()
        self.assertEqual(daemon.wait(30), 0)

    def test_without_a_watchdog_there_is_only_status(self):
        self.start()
        self.hear_ready()
        self.assertEqual(self.hear(), ["STATUS=0/0 stations, 0/0 uplinks up, queue 0"])

    def test_the_watchdog_of_another_process_is_not_fed(self):
        self.start(WATCHDOG_USEC="800000", WATCHDOG_PID="1")
        self.hear_ready()
        self.assertEqual(self.hear(), ["STATUS=0/0 stations, 0/0 uplinks up, queue 0"])


unittest.main()
