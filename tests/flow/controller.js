'use strict';
// Charge controllers by their shipped register maps, each played by a real Modbus server (pymodbus): what is written and in which order, what
// its state register means, and a state that the map does not know.
const { spawn } = require('child_process');
const path = require('path');
const { until, equal, ok, run, top, srcdir, children } = require('./lib.js');
const { ModbusServer } = require('./modbus.js');

class Driven {
	constructor(server, model, unit) {
		const config = { driver: 'modbus-evse', model, models_dir: path.join(srcdir, 'etc/controllers'), host: '127.0.0.1', port: server.port, unit };
		this.child = spawn(path.join(top, 'tests/tools/evse-drive'), [JSON.stringify(config)], { stdio: ['pipe', 'pipe', 'inherit'] });
		children.add(this.child);
		this.lines = [];
		this.wrote = [];
		let text = '';
		this.child.stdout.on('data', (d) => {
			text += d;
			const lines = text.split('\n');
			text = lines.pop();
			this.lines.push(...lines.map((l) => JSON.parse(l)));
		});
		server.on('wrote', (table, w) => this.wrote.push(`${table} ${w.at} ${w.values}`));
	}
	last() {
		return this.lines[this.lines.length - 1] || {};
	}
	amps(a) {
		this.mark = this.wrote.length;
		this.child.stdin.write(`${a}\n`);
	}
	// What was written since the last order, without the repeats of the keep-alive.
	since() {
		return this.wrote.slice(this.mark || 0).filter((w, i, all) => all.indexOf(w) === i);
	}
	async end() {
		this.child.stdin.end();
		await new Promise((r) => this.child.once('exit', r));
	}
}

// pymodbus tells coils as true and false.
const models = [
	{ model: 'heidelberg-ec', unit: 1, table: 'ir', state: 5, a: 2, b: 4, c: 7, unknown: 77,
		setup: ['hr 257 5000', 'hr 262 0', 'hr 258 4', 'hr 259 1', 'hr 261 0'], on: ['hr 261 105'], off: ['hr 261 0'] },
	{ model: 'phoenix-ev-eth', unit: 255, table: 'ir', state: 100, a: 65, b: 66, c: 67, unknown: 1,
		setup: ['co 400 false'], on: ['hr 528 10', 'co 400 true'], off: ['co 400 false'] },
	{ model: 'phoenix-charx-1', unit: 1, table: 'hr', state: 1299, a: 0x4131, b: 0x4232, c: 0x4332, unknown: 0,
		setup: ['hr 1300 0'], on: ['hr 1301 10', 'hr 1300 1'], off: ['hr 1300 0'] },
	{ model: 'bender-cc612', unit: 255, table: 'hr', state: 122, a: 1, b: 2, c: 3, unknown: 9, setup: ['hr 1000 0'], on: ['hr 1000 10'], off: ['hr 1000 0'] },
	{ model: 'alfen-ng9xx', unit: 1, table: 'hr', state: 1201, a: 0x4100, b: 0x4232, c: 0x4332, unknown: 0x5800,
		setup: ['hr 1210 0,0'], on: ['hr 1210 16680,0'], off: ['hr 1210 0,0'] }, // 10.5 as a float: 0x41280000
	{ model: 'evse-din', unit: 1, table: 'hr', state: 1002, a: 1, b: 2, c: 3, unknown: 8, setup: ['hr 1000 0'], on: ['hr 1000 10'], off: ['hr 1000 0'] },
];

async function one(m) {
	const server = new ModbusServer();
	await server.start();
	const set = (value) => server.tell({ set: m.table, at: m.state, values: [value] });
	set(m.a);
	const d = new Driven(server, m.model, m.unit);
	const same = (want) => JSON.stringify(d.since()) === JSON.stringify(want);
	await until(8000, `${m.model}: the first order is to stop: ${d.wrote}`, () => same(m.setup));
	await until(5000, `${m.model}: no car`, () => d.last().plugged === false);
	set(m.b);
	await until(5000, `${m.model}: a car`, () => d.last().plugged === true && d.last().closed === false);
	d.amps(10.5);
	await until(5000, `${m.model}: permitted, rounded down`, () => same(m.on));
	set(m.c);
	await until(5000, `${m.model}: it charges`, () => d.last().closed === true);
	d.amps(0);
	await until(5000, `${m.model}: stopped`, () => same(m.off));
	await until(5000, `${m.model}: not closed`, () => d.last().closed === false);
	set(m.unknown);
	await until(5000, `${m.model}: an unknown state is a fault`, () => String(d.last().fault_text).includes('which the map does not know'));
	d.amps(10.5);
	await d.end();
	await until(5000, `${m.model}: the end stops it`, () => d.since().slice(-1)[0] === m.off.slice(-1)[0] || d.wrote.slice(-1)[0] === m.off.slice(-1)[0]);
	server.stop();
}

run(models.map((m) => [`${m.model}: stopped at first, permitted, limited, read, stopped at the end`, () => one(m)]));
