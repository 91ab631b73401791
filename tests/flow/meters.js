'use strict';
// Finding and trying meters, over TCP and on a serial line: what answers is named with the models that fit, a wrong transformer is seen, and a meter in
// use goes on being read meanwhile; the same without a daemon. The units are pymodbus's.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, within, Daemon, equal, ok, run, srcdir, children } = require('./lib.js');

// Words of floats, high word first.
const floats = (...values) => values.flatMap((v) => {
	const b = Buffer.alloc(4);
	b.writeFloatBE(v);
	return [b.readUInt16BE(0), b.readUInt16BE(2)];
});
const text = (s) => Array.from({ length: 16 }, (_, i) => ((s.charCodeAt(2 * i) || 0) << 8) | (s.charCodeAt(2 * i + 1) || 0));

// Unit 1 and 2: a meter for three phases by its register map, the second with a transformer turned round. Unit 9: one that describes itself.
// Unit 12: no meter.
const sdm630 = (p) => ({ ir: { 0: floats(230, 231, 229, 10, 8, 5, ...p), 52: floats(p[0] + p[1] + p[2]), 72: floats(1234.5, 12.75) } });
const sunspec = { 0: [0x5375, 0x6e53, 1, 66], 4: [...text('ACME'), ...text('M3')], 70: [203, 105] };
const regs = new Array(180).fill(0);
for (const [at, words] of Object.entries(sunspec)) words.forEach((w, i) => (regs[Number(at) + i] = w));
Object.assign(regs, { 73: 1600, 74: 1050, 75: 50, 76: 0xfffe, 78: 2300, 79: 2300, 80: 2300, 85: 0xffff, 88: 6210, 89: 3680, 90: 2415, 91: 115, 177: 0xffff, 178: 0 });
const UNITS = { 1: sdm630([2250, 1800, 1130]), 2: sdm630([2250, -1800, 1130]), 9: { hr: { 40000: regs } }, 12: { hr: { 0: [7] } } };

function units() {
	const child = spawn('/usr/bin/python3', [path.join(__dirname, 'modbus-units.py'), JSON.stringify(UNITS)], { stdio: ['ignore', 'pipe', 'inherit'] });
	children.add(child);
	child.once('exit', (code) => {
		if (code !== 77) return;
		console.log('skipped: python3-pymodbus is not installed');
		process.exit(77);
	});
	const u = { asked: {} };
	let held = '';
	return within(10000, 'the units are there', new Promise((resolve) => child.stdout.on('data', (d) => {
		held += d;
		const lines = held.split('\n');
		held = lines.pop();
		for (const line of lines) {
			const said = JSON.parse(line);
			if (said.port) resolve(Object.assign(u, said));
			if (said.line) u.asked[said.line] = (u.asked[said.line] || 0) + 1;
		}
	})));
}

async function main() {
	const dir = tempDir(), u = await units(), models = path.join(srcdir, 'etc/models');
	const config = `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 63, meter: main}, sub: {parent: grid, limit_a: 63, meter: turned}}
buses: {line: {device: ${u.device}, baud: 19200, parity: none}}
meters:
  main: {driver: modbus-rtu, bus: line, unit: 1, model: eastron-sdm630, poll: 200ms, stale_after: 5s}
  turned: {driver: modbus-tcp, host: 127.0.0.1, port: ${u.port}, unit: 2, model: eastron-sdm630, poll: 200ms, stale_after: 5s}
log: {level: info, target: stderr}
`;
	const daemon = new Daemon(dir, config);
	const json = async (code, ...args) => {
		const got = await daemon.cli('--json', ...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		return JSON.parse(got.out);
	};
	const fails = async (code, fits, ...args) => {
		const got = await daemon.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		ok(fits.test(got.err), `${args.join(' ')} says ${fits}: ${got.err}`);
	};
	const found = (r) => r.found.map((f) => [f.unit, f.models[0]?.model ?? null]);
	const all = [[1, 'eastron-sdm630'], [2, 'eastron-sdm630'], [9, 'sunspec'], [12, null]];

	await run([
		['without a daemon: over TCP', async () => {
			const r = await json(0, 'meter', 'scan', `127.0.0.1:${u.port}`, '1-2,8-9,12', '--models', models, '--timeout-ms', '100');
			equal(found(r), all, 'what answers');
			ok(r.found[0].models.some((m) => m.model === 'eastron-sdm72d-m-v2'), 'its relatives fit too');
			equal(r.found[2].device, 'ACME M3', 'what it calls itself');
			equal(r.found[0].phases.map((p) => [p.u_v, p.i_a, p.verdict]), [[230, 10, 'ok'], [231, 8, 'ok'], [229, 5, 'ok']], 'a reading');
			ok(r.found[1].hints.some((h) => /L2 counts the other way round/.test(h)), `the turned one: ${r.found[1].hints}`);
		}],
		['without a daemon: a serial line', async () => {
			const r = await json(0, 'meter', 'scan', u.device, '1-2,9,12-14', '--baud', '19200', '--models', models, '--timeout-ms', '60');
			equal(found(r), all, 'what answers');
			const t = await json(0, 'meter', 'test', u.device, '--unit', '1', '--model', 'eastron-sdm630', '--seconds', '1', '--models', models);
			equal([t.ok, t.failed, t.power_w, t.import_wh, t.hints], [true, 0, 5180, 1234500, []], 'a test');
		}],
		['without a daemon: what cannot be', async () => {
			await fails(2, /no list of addresses/, 'meter', 'scan', '127.0.0.1', '1-999');
			await fails(2, /no model 'eastron-sdm63'.*did you mean/, 'meter', 'test', '127.0.0.1', '--model', 'eastron-sdm63', '--models', models);
			await fails(2, /names no such meter/, 'meter', 'test', 'main');
			const r = await json(1, 'meter', 'scan', `127.0.0.1:${await freePort()}`, '1', '--models', models);
			ok(/cannot connect to 127\.0\.0\.1/.test(r.fault) && r.found.length === 0, `nobody listens: ${r.fault}`);
			await fails(2, /scan/, 'meter', 'scan');
			await fails(2, /test/, 'meter', 'test', 'main', '1-3');
		}],
		['a meter on a serial line of the configuration is read', async () => {
			// A few of the maps: what each address is asked costs time on a line that is in use.
			const few = path.join(dir, 'models');
			fs.mkdirSync(few);
			for (const m of ['eastron-sdm630', 'eastron-sdm120', 'janitza-umg604', 'abb-b23']) fs.copyFileSync(path.join(models, `${m}.yaml`), path.join(few, `${m}.yaml`));
			await daemon.start('--models', few);
			await until(10000, 'both are', async () => (await daemon.ask('meter.list')).every((m) => m.i_a && m.i_a[0] === 10 && !m.stale));
		}],
		['a meter in use is tried as it is read', async () => {
			const t = await json(1, 'meter', 'test', 'turned', '--seconds', '2');
			equal(t.phases.map((p) => p.verdict), ['ok', 'reversed', 'ok'], 'its transformers');
			equal(t.phases.map((p) => p.i_a), [10, -8, 5], 'currents have the direction of their power');
			const s = await json(0, 'meter', 'show', 'turned');
			equal([s.u_v, s.i_a, s.phases_w, s.p_w, s.import_wh, s.export_wh], [[230, 231, 229], [10, -8, 5], [2250, -1800, 1130], 1580, 1234500, 12750], 'all that it says');
			ok(/L2 +counts|L2 counts/.test(t.hints.join()), `what to do: ${t.hints}`);
			const shown = await daemon.cli('meter', 'test', 'turned', '--seconds', '1');
			ok(/turned: \d+ readings[\s\S]*U {2}V +230 +231 +229[\s\S]*ok +reversed +ok[\s\S]*-> L2 counts/.test(shown.out), shown.out);
		}],
		['the line is searched while its meter is in use', async () => {
			const from = u.asked[1];
			let stale = 0;
			const watch = setInterval(() => daemon.ask('meter.list').then((l) => (stale += l.filter((m) => m.stale).length)), 100);
			const r = await json(0, 'meter', 'scan', 'line', '1-2,9-14', '--timeout-ms', '100');
			clearInterval(watch);
			equal(found(r), all, 'what answers');
			equal(stale, 0, 'the meter never was stale meanwhile');
			ok(u.asked[1] > from + 10, 'it went on being read');
			equal(found(await json(0, 'meter', 'scan', 'turned', '1,9', '--timeout-ms', '200')), [[1, 'eastron-sdm630'], [9, 'sunspec']], 'the bus of a meter');
			const log = daemon.log;
			ok(!/error/.test(log.split('stations connect to')[1]), log);
		}],
		['over REST it is a job; one that is stopped leaves the bus alone', async () => {
			const { job } = await daemon.ask('meter.scan', { bus: 'line', units: '100-247' });
			await until(5000, 'it runs', async () => (await daemon.ask('job.show', { job })).part > 0);
			await daemon.ask('job.stop', { job });
			equal((await daemon.ask('job.show', { job })).state, 'stopped', 'stopped');
			await fails(5, /no bus and no meter is called 'lime'/, 'meter', 'scan', 'lime');
			await fails(2, /say its model/, 'meter', 'test', '127.0.0.1');
			await fails(2, /parity is/, 'meter', 'scan', 'line', '--parity', 'some');
			const other = await json(0, 'meter', 'test', `127.0.0.1:${u.port}`, '--unit', '9', '--model', 'sunspec', '--seconds', '1');
			equal(other.phases.map((p) => p.i_a), [16, 10.5, 0.5], 'one that is not in the configuration');
			await daemon.stop();
		}],
	]);
}

main();
