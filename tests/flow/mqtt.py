#!/usr/bin/python3
"""The MQTT sink against a real broker (mosquitto) and its clients."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL = os.path.join(os.environ.get("top_builddir", "."), "tests", "tools", "mqtt-sink")
BROKER = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
if not BROKER or not shutil.which("mosquitto_sub"):
    sys.exit(77)
VERSIONS = {"3.1.1": "mqttv311", "5": "mqttv5"}
WAIT = 20


class Lines:
    """The lines a process prints, to be waited for."""

    def __init__(self, args, **more):
        self.p = subprocess.Popen(args, stdout=subprocess.PIPE, text=True, bufsize=1, **more)
        self.seen, self.news, self.ended = [], threading.Condition(), False
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        for line in self.p.stdout:
            with self.news:
                self.seen.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def expect(self, test, what, fits):
        """The first line that fits."""
        with self.news:
            found = self.news.wait_for(lambda: next((l for l in self.seen if fits(l)), None) or self.ended, WAIT)
        if not isinstance(found, str):
            test.fail("%s never came; seen: %s" % (what, self.seen))
        return found

    def end(self):
        if self.p.stdin and not self.p.stdin.closed:
            self.p.stdin.close()
        else:
            self.p.kill()
        self.p.wait(WAIT)


class Broker:
    def __init__(self, test, lines=""):
        self.dir = tempfile.mkdtemp()
        test.addCleanup(shutil.rmtree, self.dir, True)
        self.test, self.lines = test, lines
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.start()
        test.addCleanup(self.stop)

    def start(self):
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.write("listener %d 127.0.0.1\nmax_inflight_messages 100\nlog_type all\n%s\n" % (self.port, self.lines or "allow_anonymous true"))
        self.p = subprocess.Popen([BROKER, "-c", conf], stderr=subprocess.PIPE, text=True)
        for line in self.p.stderr:
            if "running" in line:
                break
        else:
            self.test.fail("the broker did not start")
        threading.Thread(target=lambda pipe: pipe.read(), args=(self.p.stderr,), daemon=True).start()

    def stop(self):
        """Asks until it ends: mosquitto forgets a signal that comes between its word that it runs and its loop."""
        for _ in range(WAIT):
            self.p.terminate()
            try:
                return self.p.wait(1)
            except subprocess.TimeoutExpired:
                continue
        self.test.fail("the broker does not stop")

    def sub(self, *topics, version="5", fmt="%t %r %p"):
        """A subscriber that is known to be subscribed: it has seen a message of its own."""
        args = ["mosquitto_sub", "-p", str(self.port), "-V", VERSIONS[version], "-q", "1", "-F", fmt, "-t", "test/ready"]
        for t in topics:
            args += ["-t", t]
        lines = Lines(args)
        self.test.addCleanup(lines.end)
        self.pub("test/ready", "yes", "-r")
        lines.expect(self.test, "the subscription", lambda l: "test/ready" in l)
        return lines

    def pub(self, topic, payload, *more, version="5"):
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-V", VERSIONS[version], "-q", "1", "-t", topic, "-m", payload, *more], check=True)

    def sink(self, **more):
        config = {"url": "mqtt://127.0.0.1:%d" % self.port, "site": "s1", "commands": ["echo"]}
        config.update(more)
        lines = Lines([TOOL, json.dumps(config)], stdin=subprocess.PIPE)
        self.test.addCleanup(lines.end)
        return lines


class Path:
    """The way to a port, to be cut and mended. While cut, connections are accepted and closed."""

    def __init__(self, to):
        self.to, self.whole, self.ends = to, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            a, _ = self.listener.accept()
            if not self.whole:
                a.close()
                continue
            b = socket.create_connection(("127.0.0.1", self.to))
            self.ends += [a, b]
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.carry, args=(x, y), daemon=True).start()

    def carry(self, x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def cut(self):
        self.whole = False
        for e in self.ends:
            try:
                e.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self):
        self.whole = True


def publish(sink, **message):
    sink.p.stdin.write(json.dumps(message) + "\n")
    sink.p.stdin.flush()


class Sink(unittest.TestCase):
    def up(self, sink):
        sink.expect(self, "the connection", lambda l: '"sink":"up"' in l)

    def test_status_is_online_then_offline_when_it_leaves(self):
        for protocol in VERSIONS:
            b = Broker(self)
            sub = b.sub("ampgate/s1/status")
            sink = b.sink(protocol=protocol)
            sub.expect(self, "online", lambda l: l == "ampgate/s1/status 0 online")
            sink.end()
            sub.expect(self, "offline", lambda l: l == "ampgate/s1/status 0 offline")
            late = b.sub("ampgate/s1/status")
            late.expect(self, "the retained status", lambda l: l == "ampgate/s1/status 1 offline")

    def test_the_broker_says_offline_after_a_kill(self):
        for protocol in VERSIONS:
            b = Broker(self)
            sink = b.sink(protocol=protocol)
            self.up(sink)
            sub = b.sub("ampgate/s1/status")
            sub.expect(self, "online", lambda l: l.endswith("online"))
            os.kill(sink.p.pid, signal.SIGKILL)
            sub.expect(self, "the last will", lambda l: l == "ampgate/s1/status 0 offline")

    def test_retained_messages_and_whole_topics(self):
        b = Broker(self)
        sub = b.sub("ampgate/#", "homeassistant/#")
        sink = b.sink()
        self.up(sink)
        publish(sink, topic="site", payload="{}", retain=True)
        publish(sink, topic="/homeassistant/device/x/config", payload="{}", retain=True)
        sub.expect(self, "the value", lambda l: l == "ampgate/s1/site 0 {}")
        sub.expect(self, "the other tree", lambda l: l == "homeassistant/device/x/config 0 {}")
        b.sub("ampgate/s1/site").expect(self, "the retained value", lambda l: l == "ampgate/s1/site 1 {}")

    def test_message_expiry_is_told(self):
        b = Broker(self)
        sub = b.sub("ampgate/s1/site", fmt="%t %E")
        sink = b.sink()
        self.up(sink)
        publish(sink, topic="site", payload="{}", expiry_s=180)
        sub.expect(self, "the expiry", lambda l: l in ("ampgate/s1/site 180", "ampgate/s1/site 179"))

    def test_a_command_is_answered_where_version_5_asks(self):
        b = Broker(self)
        sub = b.sub("answers/me", fmt="%t %D %p")
        sink = b.sink()
        self.up(sink)
        b.pub("ampgate/s1/cmd/echo", '{"a":0.10}', "-D", "publish", "response-topic", "answers/me", "-D", "publish", "correlation-data", "c7")
        got = sub.expect(self, "the answer", lambda l: l.startswith("answers/me"))
        topic, correlation, payload = got.split(" ", 2)
        self.assertEqual(correlation, "c7")
        self.assertEqual(payload, '{"ok":true,"result":{"id":"correlation:6337","a":0.10}}')

    def test_a_command_is_answered_by_its_id(self):
        for protocol in VERSIONS:
            b = Broker(self)
            sub = b.sub("ampgate/s1/rsp/+", version="3.1.1", fmt="%t %p")
            sink = b.sink(protocol=protocol)
            self.up(sink)
            b.pub("ampgate/s1/cmd/echo", '{"id":"7f1"}', version="3.1.1")
            sub.expect(self, "the answer", lambda l: l == 'ampgate/s1/rsp/echo {"id":"7f1","ok":true,"result":{"id":"7f1"}}')
            b.pub("ampgate/s1/cmd/echo", ' { "id" : 12 , "x":[] } ', version="3.1.1")
            sub.expect(self, "the answer", lambda l: l.startswith('ampgate/s1/rsp/echo {"id":12,"ok":true'))

    def test_commands_that_are_not_carried_out(self):
        b = Broker(self)
        sub = b.sub("ampgate/s1/rsp/+", fmt="%t %p")
        b.pub("ampgate/s1/cmd/echo", '{"id":"old"}', "-r")
        sink = b.sink()
        self.up(sink)
        b.pub("ampgate/s1/cmd/reset", '{"id":"1"}')
        self.assertIn('"code":"forbidden"', sub.expect(self, "the refusal", lambda l: l.startswith('ampgate/s1/rsp/reset {"id":"1","ok":false')))
        b.pub("ampgate/s1/cmd/echo", "on")
        self.assertIn('"code":"bad_request"', sub.expect(self, "the refusal", lambda l: l.startswith('ampgate/s1/rsp/echo {"ok":false')))
        b.pub("ampgate/s1/cmd/echo", "")
        sub.expect(self, "the answer to an empty payload", lambda l: l == 'ampgate/s1/rsp/echo {"ok":true,"result":{}}')
        sink.expect(self, "the one that was carried out", lambda l: "command" in l)
        self.assertEqual([l for l in sink.seen if "command" in l], ['{"command":"echo","args":{}}'])

    def test_nothing_is_lost_or_doubled_while_the_broker_is_away(self):
        b = Broker(self)
        path = Path(b.port)
        sub = b.sub("ampgate/s1/+", fmt="%t %p")
        sink = b.sink(url="mqtt://127.0.0.1:%d" % path.port)
        self.up(sink)
        path.cut()
        sink.expect(self, "the loss", lambda l: '"sink":"down"' in l)
        for n in range(60):
            publish(sink, topic="event", payload=str(n))
        for n in range(3):
            publish(sink, topic="site", payload="v%d" % n, retain=True)
        publish(sink, topic="telemetry", payload="momentary", qos=0)
        sink.expect(self, "the last", lambda l: len([x for x in sink.seen if x == '{"published":0}']) == 64)
        path.mend()
        publish(sink, topic="event", payload="end")
        sub.expect(self, "the end", lambda l: l == "ampgate/s1/event end")
        self.assertEqual([l for l in sub.seen if "/event" in l], ["ampgate/s1/event %d" % n for n in range(60)] + ["ampgate/s1/event end"])
        self.assertEqual([l for l in sub.seen if "/site" in l], ["ampgate/s1/site v2"])
        self.assertEqual([l for l in sub.seen if "momentary" in l], [])

    def test_what_does_not_fit_is_refused(self):
        b = Broker(self)
        b.stop()
        sink = b.sink()
        for n in range(1001):
            publish(sink, topic="event", payload=str(n))
        sink.expect(self, "the refusal", lambda l: l.startswith('{"published":-'))
        self.assertEqual(len([l for l in sink.seen if l == '{"published":0}']), 1000)

    def test_a_wrong_password_is_told(self):
        b = Broker(self, lines="allow_anonymous false")
        for protocol in VERSIONS:
            sink = b.sink(protocol=protocol, username="me", password="wrong")
            sink.expect(self, "the reason", lambda l: '"sink":"down"' in l and ("uthori" in l))

    def test_username_and_password(self):
        b = Broker(self)
        b.stop()
        secret = os.path.join(b.dir, "passwords")
        subprocess.run(["mosquitto_passwd", "-b", "-c", secret, "me", "right"], check=True)
        os.chmod(secret, 0o644)
        os.chmod(b.dir, 0o755)
        b.lines = "allow_anonymous false\npassword_file " + secret
        b.start()
        self.up(b.sink(username="me", password="right"))

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_tls_checks_the_broker(self):
        b = Broker(self)
        b.stop()
        key, cert = os.path.join(b.dir, "key"), os.path.join(b.dir, "cert")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        os.chmod(key, 0o644)
        os.chmod(b.dir, 0o755)
        b.lines = "allow_anonymous true\ncertfile %s\nkeyfile %s" % (cert, key)
        b.start()
        self.up(b.sink(url="mqtts://localhost:%d" % b.port, ca=cert))
        stranger = b.sink(url="mqtts://localhost:%d" % b.port)
        stranger.expect(self, "the refusal", lambda l: '"sink":"down"' in l)
        self.assertEqual([l for l in stranger.seen if "up" in l], [])

    def test_a_wrong_configuration(self):
        for config, message in (({"site": "s"}, "url is mqtt://host[:port] or mqtts://host[:port]"), ({"url": "http://x", "site": "s"}, "url is mqtt"),
                                ({"url": "mqtt://x"}, "'site' is missing"), ({"url": "mqtt://x:99999", "site": "s"}, "url is mqtt"),
                                ({"url": "mqtt://x", "site": "s", "protocol": "3.1"}, "protocol is 5 or 3.1.1")):
            p = subprocess.run([TOOL, json.dumps(config)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=WAIT)
            self.assertEqual(p.returncode, 2)
            self.assertIn(message, p.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
