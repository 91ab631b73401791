#!/usr/bin/python3
"""A Modbus TCP server (pymodbus) for the flow tests in node. Prints {"port": n}, then obeys JSON lines on its standard input:

{"set": "hr|ir|co|di", "at": address, "values": [...], "mark": m}   m: {"read": m, "t": ns} is printed when these are first read
{"mode": "ok|exception|silent"}                                     how it answers from now on
{"tick": address}                                                   a holding register that counts the requests

and prints {"wrote": "co|hr", "at": address, "values": [...], "t": ns} for what the other side writes. Times are CLOCK_MONOTONIC."""
import asyncio
import json
import logging
import os
import sys
import threading
import time
import types

for name in ("serial", "serial_asyncio"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].create_serial_connection = None

try:
    from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
    from pymodbus.server.async_io import ModbusTcpServer
except ImportError:
    sys.exit(77)

logging.disable(logging.CRITICAL)

state = {"mode": "ok", "tick": None, "marks": []}


def say(**what):
    print(json.dumps(what), flush=True)


class Block(ModbusSequentialDataBlock):
    def __init__(self, table, size):
        super().__init__(0, [0] * size)
        self.table, self.ours = table, False

    def validate(self, address, count=1):
        return state["mode"] != "exception" and super().validate(address, count)

    def getValues(self, address, count=1):
        while state["mode"] == "silent":
            time.sleep(0.005)  # the server has one thread: nobody gets an answer
        if state["tick"] is not None and self.table == "hr":
            self.values[state["tick"]] = (self.values[state["tick"]] + 1) & 0x7FFF
        for m in [m for m in state["marks"] if m["set"] == self.table and address <= m["at"] < address + count]:
            state["marks"].remove(m)
            say(read=m["mark"], t=time.monotonic_ns())
        return super().getValues(address, count)

    def setValues(self, address, values):
        super().setValues(address, values)
        if not self.ours:
            say(wrote=self.table, at=address, values=list(values) if isinstance(values, (list, tuple)) else [values], t=time.monotonic_ns())


tables = {t: Block(t, 65536) for t in ("hr", "ir", "co", "di")}


def obey():
    for line in sys.stdin:
        c = json.loads(line)
        if "set" in c:
            block = tables[c["set"]]
            block.ours = True
            block.setValues(c["at"], c["values"])
            block.ours = False
            if "mark" in c:
                state["marks"].append(c)
        if "mode" in c:
            state["mode"] = c["mode"]
        if "tick" in c:
            state["tick"] = c["tick"]
    os._exit(0)


async def main():
    slave = ModbusSlaveContext(zero_mode=True, **tables)
    server = ModbusTcpServer(ModbusServerContext(slave, single=True), address=("127.0.0.1", 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    say(port=server.server.sockets[0].getsockname()[1])
    threading.Thread(target=obey, daemon=True).start()
    await task

asyncio.run(main())
