'use strict';
// A Modbus server by pymodbus beside the test: registers are set from here, first readings and writes are reported with their time.
const { spawn } = require('child_process');
const { EventEmitter } = require('events');
const path = require('path');
const { within, children } = require('./lib.js');

class ModbusServer extends EventEmitter {
	async start() {
		this.child = spawn('/usr/bin/python3', [path.join(__dirname, 'modbus-server.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
		children.add(this.child);
		let text = '';
		this.child.once('exit', (code) => {
			if (code !== 77) return;
			console.log('skipped: python3-pymodbus is not installed');
			process.exit(77);
		});
		const up = new Promise((resolve) => this.once('port', resolve));
		this.child.stdout.on('data', (d) => {
			text += d;
			const lines = text.split('\n');
			text = lines.pop();
			for (const line of lines) {
				const said = JSON.parse(line);
				const [what] = Object.keys(said);
				this.emit(what, said[what], said);
			}
		});
		this.port = await within(10000, 'the Modbus server listens', up);
	}

	tell(command) {
		this.child.stdin.write(JSON.stringify(command) + '\n');
	}

	stop() {
		this.child.kill('SIGKILL');
	}
}

// A SunSpec meter of model 203 at 40000: currents of the phases in ampere.
const BASE = 40000, MODEL = BASE + 70;
class SunSpecMeter extends ModbusServer {
	async start() {
		await super.start();
		const regs = new Array(180).fill(0);
		[regs[0], regs[1], regs[2], regs[3]] = [0x5375, 0x6e53, 1, 66];
		Object.assign(regs, { 70: 203, 71: 105, 76: 0xfffe, 78: 2300, 79: 2300, 80: 2300, 85: 0xffff, 124: 1, 177: 0xffff, 178: 0 });
		this.tell({ set: 'hr', at: BASE, values: regs });
		this.tell({ tick: MODEL + 47 });
	}

	amps(i, mark) {
		const word = (v) => Math.round(v) & 0xffff;
		this.tell({ set: 'hr', at: MODEL + 3, mark, values: i.map((a) => word(a * 100)) });
		this.tell({ set: 'hr', at: MODEL + 18, values: [word(i.reduce((p, a) => p + a * 230, 0)), ...i.map((a) => word(a * 230))] });
	}
}

module.exports = { ModbusServer, SunSpecMeter };
