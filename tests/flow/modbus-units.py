#!/usr/bin/python3
"""Several Modbus units (pymodbus) behind one TCP port and on one serial line (a pseudo terminal) for the flow tests in node.

The argument is JSON: {"UNIT": {"hr|ir": {"ADDRESS": [words]}}}. Addresses that are not there are declined, units that are not there are silent on
the line and answered by the gateway (exception 11) over TCP. Prints {"port": n, "device": "/dev/pts/n"}, then after each request of the line
{"line": unit, "function": f}."""
import asyncio
import json
import logging
import os
import sys
import threading
import tty
import types

for name in ("serial", "serial_asyncio"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].create_serial_connection = None

try:
    from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
    from pymodbus.factory import ServerDecoder
    from pymodbus.server.async_io import ModbusTcpServer
    from pymodbus.transaction import ModbusRtuFramer
except ImportError:
    sys.exit(77)

logging.disable(logging.CRITICAL)


def block(runs):
    words = {int(at) + i: w for at, values in (runs or {"60000": [0]}).items() for i, w in enumerate(values)}
    return ModbusSparseDataBlock(words)


units = {int(n): ModbusSlaveContext(zero_mode=True, **{kind: block(unit.get(kind)) for kind in ("hr", "ir")})
         for n, unit in json.loads(sys.argv[1]).items()}
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def serve_line(master):
    framer = ModbusRtuFramer(ServerDecoder())

    def on_request(request):
        say(line=request.unit_id, function=request.function_code)
        response = request.execute(units[request.unit_id])
        response.unit_id = request.unit_id
        response.transaction_id = 0
        os.write(master, framer.buildPacket(response))

    while True:
        data = os.read(master, 256)
        # Requests are eight bytes; those for somebody who is not there are heard by nobody.
        for i in range(0, len(data), 8):
            request = data[i:i + 8]
            if len(request) == 8 and request[0] in units:
                framer.processIncomingPacket(request, on_request, list(units), single=False)


async def main():
    master, slave = os.openpty()
    tty.setraw(slave)
    threading.Thread(target=serve_line, args=(master,), daemon=True).start()
    server = ModbusTcpServer(ModbusServerContext(units, single=False), address=("127.0.0.1", 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    say(port=server.server.sockets[0].getsockname()[1], device=os.ttyname(slave))
    await task

asyncio.run(main())
