#!/usr/bin/python3
"""One request to a Modbus TCP server by pymodbus, as an energy manager makes it: PORT write ADDRESS VALUE..., or PORT read ADDRESS COUNT (input
registers). Prints as JSON what was read, after a write the first three input registers; 77 when pymodbus is not installed."""
import json
import sys
import types

for name in ("serial", "serial_asyncio"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].create_serial_connection = None
try:
    from pymodbus.client import ModbusTcpClient
except ImportError:
    sys.exit(77)

port, verb, at, *rest = sys.argv[1:]
client = ModbusTcpClient("127.0.0.1", port=int(port))
client.connect()
if verb == "write":
    answer = client.write_registers(int(at), [int(v) for v in rest], slave=1)
    at, rest = 0, [3]
if verb == "read" or not answer.isError():
    answer = client.read_input_registers(int(at), int(rest[0]), slave=1)
if not answer.isError():
    print(json.dumps(answer.registers))
client.close()
sys.exit(1 if answer.isError() else 0)
