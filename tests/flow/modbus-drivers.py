#!/usr/bin/python3
"""Meters and relay boards over Modbus against real servers (pymodbus), and against ones that answer as no server should."""
import asyncio
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import tty
import types
import unittest

# The server module imports the serial libraries, which Debian's package only recommends; the TCP server does not use them.
for name in ("serial", "serial_asyncio"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].create_serial_connection = None

try:
    from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
    from pymodbus.server.async_io import ModbusTcpServer
except ImportError:
    sys.exit(77)

TOOLS = os.path.join(os.environ.get("top_builddir", "."), "tests", "tools")
MODELS = os.path.join(os.environ.get("srcdir", "."), "etc", "models")


def floats(*values):
    return list(struct.unpack(">%dH" % (2 * len(values)), struct.pack(">%df" % len(values), *values)))


class Server:
    """A pymodbus server in a thread of its own, on a free port."""

    def __init__(self, units):
        self.slaves = {n: ModbusSlaveContext(zero_mode=True, **blocks) for n, blocks in units.items()}
        ready = threading.Event()
        threading.Thread(target=self.run, args=(ready,), daemon=True).start()
        ready.wait()

    def run(self, ready):
        async def main():
            server = ModbusTcpServer(ModbusServerContext(self.slaves, single=False), address=("127.0.0.1", 0))
            task = asyncio.ensure_future(server.serve_forever())
            await server.serving
            self.port = server.server.sockets[0].getsockname()[1]
            ready.set()
            await task
        asyncio.run(main())


class Odd:
    """A TCP server whose answers a function makes: answer(n, connection, request) returns bytes, or None for silence."""

    def __init__(self, answer):
        self.answer, self.n, self.connections = answer, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            while request := peer.recv(260):
                self.n += 1
                response = self.answer(self.n, peer, request)
                if response:
                    peer.sendall(response)
        except OSError:
            pass


def sdm630_answer(request, unit=None, words=None, tid=None):
    """What a SDM630 says to a request: 230 V, 16 A, 3680 W on each phase."""
    at, n = struct.unpack(">HH", request[8:12])
    if words is None:
        words = [SDM630[at + i] for i in range(n)]
    data = struct.pack(">%dH" % len(words), *words)
    return struct.pack(">HHHBBB", tid if tid is not None else struct.unpack(">H", request[:2])[0], 0, 3 + len(data),
                       request[6] if unit is None else unit, request[7], len(data)) + data


SDM630 = dict(enumerate(floats(230, 230, 230, 16, 16, 16, 3680, 3680, 3680)))
SDM630.update({0x34 + i: w for i, w in enumerate(floats(11040))})
SDM630.update({0x48 + i: w for i, w in enumerate(floats(1234.5, 12.75))})
GOOD = {"i_a": [16, 16, 16], "u_v": [230, 230, 230], "p_w": [3680, 3680, 3680], "power_w": 11040, "import_wh": 1234500, "export_wh": 12750}


def config(port, **more):
    c = {"driver": "modbus-tcp", "host": "127.0.0.1", "port": port, "unit": 1, "model": "eastron-sdm630", "models_dir": MODELS, "timeout_ms": 300}
    c.update(more)
    return json.dumps(c)


def read(conf, count=1, poll_ms=20):
    configs = [conf] if isinstance(conf, str) else conf
    out = subprocess.run([TOOLS + "/meter-read", *configs, str(count), str(poll_ms)], stdout=subprocess.PIPE, timeout=60, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


class Meters(unittest.TestCase):
    def test_sdm630(self):
        s = Server({1: {"ir": ModbusSparseDataBlock(SDM630)}})
        self.assertEqual(read(config(s.port), 2), [GOOD, GOOD])

    def test_a_ratio_and_a_meter_mounted_the_other_way_round(self):
        s = Server({1: {"ir": ModbusSparseDataBlock(SDM630)}})
        got = read(config(s.port, ct_ratio=40, invert=True))[0]
        self.assertEqual((got["i_a"][0], got["p_w"][0], got["import_wh"], got["export_wh"]), (-640, -147200, 510000, 49380000))

    def sunspec(self, base):
        regs = [0] * 180
        regs[0:4] = [0x5375, 0x6E53, 1, 66]
        block = {2: 2700, 3: 1600, 4: 1050, 5: 50, 6: 0xFFFE, 8: 2300, 9: 2315, 10: 2292, 15: 0xFFFF, 18: 2680, 19: 3680, 20: 0x10000 - 1000,
                 21: 0, 22: 0, 39: 1275, 46: 1, 47: 0xE23A, 54: 1}
        for offset, value in block.items():
            regs[70 + offset] = value
        regs[70:72] = [203, 105]
        regs[177:179] = [0xFFFF, 0]
        return Server({1: {"hr": ModbusSparseDataBlock({base + i: r for i, r in enumerate(regs)})}})

    def test_sunspec_203_is_found_at_each_base(self):
        for base in (40000, 50000, 0):
            got = read(config(self.sunspec(base).port, model="sunspec"))[0]
            self.assertEqual(got, {"i_a": [16, -10.5, 0.5], "u_v": [230, 231.5, 229.2], "p_w": [3680, -1000, 0], "power_w": 2680,
                                   "import_wh": 1234500, "export_wh": 12750})

    def test_no_sunspec_there(self):
        s = Server({1: {"hr": ModbusSparseDataBlock({7: 0})}})
        self.assertEqual(read(config(s.port, model="sunspec")), [{"fault": "no SunSpec marker at 40000, 50000 or 0"}])

    def test_an_exception_names_the_address(self):
        s = Server({1: {"ir": ModbusSparseDataBlock({k: v for k, v in SDM630.items() if k != 0x35})}})
        self.assertRegex(read(config(s.port))[0]["fault"], r"exception 2 \(illegal data address\) from unit 1 at 127.0.0.1:\d+ for address 52")

    def test_reads_keep_their_connection(self):
        s = Odd(lambda n, peer, request: sdm630_answer(request))
        self.assertEqual(read(config(s.port), 3), [GOOD] * 3)
        self.assertEqual(s.connections, 1)

    def test_units_behind_one_host_share_a_connection(self):
        asked = set()

        def answer(n, peer, request):
            asked.add(request[6])
            return sdm630_answer(request)
        s = Odd(answer)
        got = read([config(s.port, unit=1), config(s.port, unit=2)], 6)
        self.assertEqual({(line.pop("meter"), json.dumps(line)) for line in got}, {(0, json.dumps(GOOD)), (1, json.dumps(GOOD))})
        self.assertEqual((s.connections, asked), (1, {1, 2}))

    def test_values_that_are_not_available(self):
        regs = dict(SDM630)
        regs.update({6: 0x7FC0, 7: 0})
        got = read(config(Server({1: {"ir": ModbusSparseDataBlock(regs)}}).port))[0]
        self.assertEqual((got["i_a"], got["p_w"]), ([None] * 3, GOOD["p_w"]))

    def test_words_in_the_wrong_order_are_implausible(self):
        regs = {k: SDM630[k ^ 1] for k in SDM630}
        regs.update({0: 0x449A, 1: 0x5000})
        got = read(config(Server({1: {"ir": ModbusSparseDataBlock(regs)}}).port))[0]
        self.assertRegex(got["fault"], "implausible: a voltage outside")


class BadAnswers(unittest.TestCase):
    def test_the_answer_of_another_unit(self):
        s = Odd(lambda n, peer, request: sdm630_answer(request, unit=7 if n == 1 else None))
        got = read(config(s.port), 2)
        self.assertRegex(got[0]["fault"], r"asked unit 1 at 127.0.0.1:\d+, unit 7 answered")
        self.assertEqual(got[1], GOOD)

    def test_the_answer_to_another_request(self):
        s = Odd(lambda n, peer, request: sdm630_answer(request, tid=4711))
        self.assertRegex(read(config(s.port))[0]["fault"], "belongs to another request")

    def test_too_few_registers(self):
        s = Odd(lambda n, peer, request: sdm630_answer(request, words=[1, 2]))
        self.assertRegex(read(config(s.port))[0]["fault"], "the answer has function 4 and 5 bytes, function 4 and 37 were asked for")

    def test_an_answer_that_stops_short(self):
        s = Odd(lambda n, peer, request: sdm630_answer(request)[:20])
        self.assertRegex(read(config(s.port))[0]["fault"], "no answer from unit 1 at .* within 300 ms")

    def test_silence(self):
        s = Odd(lambda n, peer, request: None)
        self.assertRegex(read(config(s.port))[0]["fault"], "no answer from unit 1 at .* within 300 ms")

    def test_a_late_answer_is_not_taken_for_the_next(self):
        """The first request is answered when the second arrives, with another current; it must not become a sample."""
        late = []

        def answer(n, peer, request):
            if n == 1:
                late.append((peer, request))
                return None
            if late:
                old, first = late.pop()
                words = floats(230, 230, 230, 99, 99, 99, 3680, 3680, 3680)
                try:
                    old.sendall(sdm630_answer(first, words=words))
                except OSError:
                    pass
            return sdm630_answer(request)
        got = read(config(Odd(answer).port), 3)
        self.assertIn("no answer", got[0]["fault"])
        self.assertEqual(got[1:], [GOOD, GOOD])

    def test_a_meter_that_closes_between_reads_is_asked_again_at_once(self):
        def answer(n, peer, request):
            response = sdm630_answer(request)
            if n % 3 == 0:  # three reads make a sample
                peer.sendall(response)
                peer.shutdown(socket.SHUT_RDWR)
                return None
            return response
        self.assertEqual(read(config(Odd(answer).port), 3), [GOOD] * 3)

    def test_a_host_that_comes_later(self):
        port = socket.create_server(("127.0.0.1", 0))
        number = port.getsockname()[1]
        port.close()
        p = subprocess.Popen([TOOLS + "/meter-read", config(number), "0", "50"], stdout=subprocess.PIPE, text=True)
        self.assertIn("cannot connect", p.stdout.readline())
        self.listener = socket.create_server(("127.0.0.1", number))

        def serve():
            peer, _ = self.listener.accept()
            while request := peer.recv(260):
                peer.sendall(sdm630_answer(request))
        threading.Thread(target=serve, daemon=True).start()
        for line in p.stdout:
            if json.loads(line) == GOOD:
                break
        else:
            self.fail("no sample after the host came")
        p.kill()
        p.wait()
        p.stdout.close()


def crc(data):
    c = 0xFFFF
    for b in data:
        c ^= b
        for _ in range(8):
            c = c >> 1 ^ (0xA001 if c & 1 else 0)
    return struct.pack("<H", c)


class Line:
    """Units on a serial line, here a pseudo terminal: a request is 8 bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave
        self.device = os.ttyname(slave)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        held = b""
        while True:
            held += os.read(self.master, 256)
            while len(held) >= 8:
                request, held = held[:8], held[8:]
                response = self.answer(request)
                if response:
                    os.write(self.master, response + crc(response))


class Serial(unittest.TestCase):
    def answer(self, request, unit=None):
        at, n = struct.unpack(">HH", request[2:6])
        data = struct.pack(">%dH" % n, *[SDM630[at + i] for i in range(n)])
        return bytes([unit or request[0], request[1], len(data)]) + data

    def config(self, line, **more):
        c = {"driver": "modbus-rtu", "device": line.device, "baud": 19200, "parity": "even", "unit": 2, "model": "eastron-sdm630",
             "models_dir": MODELS, "timeout_ms": 300}
        c.update(more)
        return json.dumps(c)

    def test_a_meter_on_a_line(self):
        line = Line(lambda request: self.answer(request) if crc(request[:6]) == request[6:] else None)
        self.assertEqual(read(self.config(line), 2), [GOOD, GOOD])

    def test_a_unit_that_is_not_there(self):
        line = Line(lambda request: self.answer(request) if request[0] == 2 else None)
        self.assertRegex(read(self.config(line, unit=3))[0]["fault"], "no answer from unit 3 at /dev/")

    def test_another_unit_answers(self):
        line = Line(lambda request: self.answer(request, unit=9))
        self.assertIn("belongs to another request or unit", read(self.config(line))[0]["fault"])

    def test_a_damaged_answer(self):
        line = Line(lambda request: self.answer(request) + b"\0")
        self.assertIn("fault", read(self.config(line))[0])


class Board(ModbusSparseDataBlock):
    """Coils whose contacts follow into the inputs, unless they stick."""

    def __init__(self, inputs):
        super().__init__({i: False for i in range(8)})
        self.inputs, self.stuck, self.writes, self.log = inputs, False, 0, []
        self.written = threading.Condition()

    def setValues(self, address, values):
        super().setValues(address, values)
        if not self.stuck:
            self.inputs.setValues(address, values)
        with self.written:
            self.log.append((address, list(values)))
            self.written.notify_all()


class Relays(unittest.TestCase):
    def setUp(self):
        self.inputs = ModbusSparseDataBlock({i: False for i in range(8)})
        self.board = Board(self.inputs)
        self.server = Server({1: {"co": self.board, "di": self.inputs}})

    def drive(self, **more):
        c = {"driver": "modbus-relay", "host": "127.0.0.1", "port": self.server.port, "coil": 2, "feedback": 2}
        c.update(more)
        self.p = subprocess.Popen([TOOLS + "/evse-drive", json.dumps(c)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(self.end)

    def end(self):
        self.p.stdin.close()
        self.p.wait(30)
        self.p.stdout.close()

    def expect(self, **want):
        for line in self.p.stdout:
            got = json.loads(line)
            if all(got.get(k) == v for k, v in want.items()):
                return
        self.fail("never saw %s" % want)

    def test_a_contactor_follows_and_is_kept_alive(self):
        self.drive()
        self.expect(closed=False, plugged=True, fault=0)
        self.assertEqual(set(map(str, self.board.log)), {"(2, [False])"})  # the host's own first order
        self.p.stdin.write("16\n")
        self.expect(closed=True, fault=0)
        with self.board.written:
            self.assertTrue(self.board.written.wait_for(lambda: self.board.log.count((2, [True])) >= 3, 30))
        self.p.stdin.write("0\n")
        self.expect(closed=False, fault=0)

    def test_the_end_opens_the_contactor(self):
        self.drive()
        self.p.stdin.write("16\n")
        self.expect(closed=True)
        self.p.stdin.close()
        self.p.wait(30)
        self.assertEqual(self.board.log[-1], (2, [False]))

    def test_a_welded_contactor(self):
        self.drive()
        self.p.stdin.write("16\n")
        self.expect(closed=True, fault=0)
        self.board.stuck = True
        self.p.stdin.write("0\n")
        self.expect(closed=True, fault=1)

    def test_a_contactor_that_does_not_close(self):
        self.board.stuck = True
        self.drive()
        self.p.stdin.write("16\n")
        self.expect(closed=False, fault=2)

    def test_a_plug_contact_and_inverted_feedback(self):
        self.inputs.setValues(2, [True])
        self.board.stuck = True
        self.drive(feedback_inverted=True, plugged=5)
        self.expect(closed=False, plugged=False, fault=0)
        self.inputs.setValues(5, [True])
        self.expect(closed=False, plugged=True)

    def test_a_board_that_does_not_answer(self):
        s = Odd(lambda n, peer, request: None)
        self.server.port = s.port
        self.drive(timeout_ms=100)
        line = json.loads(self.p.stdout.readline())
        self.assertIn("no answer from unit 1", line["fault_text"])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    unittest.main(verbosity=2, warnings="ignore")
