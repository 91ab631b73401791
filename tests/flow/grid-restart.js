'use strict';
// Whoever tells this box a limit and gets an answer may rely on it: neither the limit nor the evidence of it is lost when the program dies at that
// moment, a heartbeat of an energy manager repeats its limit and not the nothing that a new process knows, a clock that is set ends no limit, and no station counts as obedient
// because it is not there yet. A disk that takes nothing is told to who asks, and the evidence follows.
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { PATIENCE, freePort, tempDir, within, until, Daemon, Csms, station, insist, equal, ok, run, children } = require('./lib.js');

const now = () => new Date().toISOString();

// Writes holding registers from `at` as one request; resolves with the function of the answer, its highest bit set when it says no.
function write(port, at, ...values) {
	const words = [1, 0, 7 + 2 * values.length, (1 << 8) | 16, at, values.length];
	const frame = Buffer.alloc(13 + 2 * values.length);
	words.forEach((w, i) => frame.writeUInt16BE(w, 2 * i));
	frame[12] = 2 * values.length;
	values.forEach((v, i) => frame.writeUInt16BE(v, 13 + 2 * i));
	return within(10000, 'an answer to the write', new Promise((resolve, reject) => {
		const s = net.connect(port, '127.0.0.1', () => s.write(frame));
		s.once('data', (d) => {
			s.destroy();
			resolve(d[7]);
		});
		s.on('error', reject);
	}));
}

// Another process that has the database to itself until it is ended: so nothing can be written.
async function occupy(file) {
	const script = 'import sqlite3, sys\nd = sqlite3.connect(sys.argv[1], isolation_level=None)\nd.execute("BEGIN IMMEDIATE")\nprint("held", flush=True)\nsys.stdin.read()';
	const child = spawn('/usr/bin/python3', ['-c', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
	children.add(child);
	await within(10000, 'the database is held', new Promise((resolve) => child.stdout.once('data', resolve)));
	return () => new Promise((resolve) => {
		child.once('exit', resolve);
		child.stdin.end();
	});
}

const DAY = 86400000;

// Its clock goes by `ahead` ms.
class OtherClock extends Csms {
	serve(c) {
		super.serve(c);
		c.handle('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: new Date(Date.now() + this.ahead).toISOString() }));
	}
}

async function main() {
	const dir = tempDir(), [port, csmsPort, ownPort] = [await freePort(), await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
grid_operator: {inputs: {manager: {kind: server, port: ${ownPort}}, cloud: {kind: command}}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 32}}
station_defaults: {uplink: cpo, max_current_a: 32, fallback_current_a: 0}
stations: {G-1: {circuit: grid}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`);
	const csms = Object.assign(new OtherClock(csmsPort), { ahead: 2 * DAY });
	const input = async (id) => (await daemon.ask('grid.show')).inputs.find((i) => i.id === id);
	const evidence = async (code, id, watts) => (await daemon.ask('grid.log')).filter((e) => e.code === code && e.args.input === id && e.args.limit_w === watts);
	const restart = async () => {
		await daemon.kill();
		await daemon.start();
	};
	let car, release, doubted;

	await run([
		['what was answered is there after a crash at that moment, and so is its evidence', async () => {
			await daemon.start();
			for (let i = 0; i < 6; i++) {
				if (i % 2) equal(await write(ownPort, 0, 0, 30000 + i), 16, 'the answer to the write');
				else await daemon.ask('grid.limit', { input: 'cloud', limit_w: 30000 + i });
				await restart();
				const id = i % 2 ? 'manager' : 'cloud';
				equal((await input(id)).limit_w, 30000 + i, `the limit of ${id}`);
				ok((await evidence('grid.input', id, 30000 + i)).length >= 1, `evidence of ${id}`);
			}
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
			await restart();
			equal((await input('cloud')).limit_w, null, 'what was taken back stays so');
		}],
		['a heartbeat after a restart repeats the limit that was written before it', async () => {
			equal(await write(ownPort, 0, 0, 20000), 16, 'the answer to the write');
			await restart();
			equal(await write(ownPort, 2, 1), 16, 'the answer to the heartbeat');
			const { state, limit_w } = await input('manager');
			equal([state, limit_w], ['limited', 20000], 'what it says');
			equal(await write(ownPort, 0, 0xffff, 0xffff), 16, 'it is lifted');
			await restart();
			equal(await write(ownPort, 2, 2), 16, 'the answer to the heartbeat');
			equal((await daemon.ask('grid.show')).state, 'free', 'what is allowed');
		}],
		['what is recorded by a clock that nobody vouches for is no known time', async () => {
			doubted = !(await daemon.ask('status')).clock_trusted;
			const clocks = new Set((await daemon.ask('grid.log')).map((e) => e.clock));
			equal([...clocks], [doubted ? 'unknown' : 'known'], 'what is said of their times');
		}],
		['a station that is not back yet has not obeyed', async () => {
			await csms.listen();
			const profile = ({ csChargingProfiles: p }) => {
				if (p.chargingProfilePurpose === 'TxDefaultProfile' && p.stackLevel === 0) return;
				car.amps = p.chargingSchedule.chargingSchedulePeriod[0].limit;
				const sampledValue = ['L1', 'L2', 'L3'].map((phase) => ({ measurand: 'Current.Import', phase, unit: 'A', value: String(car.amps) }));
				car.call('MeterValues', { connectorId: 1, transactionId: car.tx, meterValue: [{ timestamp: now(), sampledValue }] }).catch(() => {});
			};
			car = await station(port, 'G-1', 'ocpp1.6', { reconnect: false });
			car.on('profile', profile);
			await car.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			car.tx = (await car.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: now() })).transactionId;
			await until(10000, 'it charges', async () => car.amps === 32 && (await daemon.ask('grid.show')).charging_w === 22080);
			const { tx } = car;
			await restart();
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 10000 });
			const measured = await until(5000, 'the limit in the journal', () => evidence('grid.limit', 'cloud', 10000).then((l) => l[0]));
			ok(measured.args.charging_w >= 22080, `what it may still draw counts: ${JSON.stringify(measured.args)}`);
			equal(await evidence('grid.obeyed', 'cloud', 10000), [], 'nobody has obeyed so far');
			car = Object.assign(await station(port, 'G-1', 'ocpp1.6'), { tx });
			car.on('profile', profile);
			await car.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			const seen = await until(20000, 'it obeys', () => evidence('grid.obeyed', 'cloud', 10000).then((l) => l[0]));
			ok(seen.args.charging_w <= 10000 && car.amps <= 14.5, `${JSON.stringify(seen.args)} at ${car.amps} A`);
		}],
		['evidence from before the clock was known says so, and is put right once it is, in the order in which it was written', async () => {
			if (!doubted) return console.log('# the kernel knows the time here, so nothing was recorded before');
			const check = async () => {
				const log = await daemon.ask('grid.log'), early = log.filter((e) => e.args.clock_trusted === false);
				ok(early.length >= 12 && early.every((e) => e.clock === 'corrected'), JSON.stringify(early));
				ok(early.every((e) => Math.abs(Date.parse(e.at) - Date.parse(e.recorded_at) - 2 * DAY) < 60000 * PATIENCE), 'by as much as the clock was off');
				ok(early.every((e, i) => !i || (e.seq > early[i - 1].seq && e.at >= early[i - 1].at)), 'their order');
				ok(log.some((e) => e.code === 'grid.clock'), 'how both clocks stood');
			};
			await until(8000, 'both clocks in the journal', async () => (await daemon.ask('grid.log')).some((e) => e.code === 'grid.clock'));
			await check();
			await restart(); // nobody has told the time to this process, and what was learnt is in the journal
			await check();
		}],
		['a clock that is set takes nothing from a limit that has an end', async () => {
			csms.ahead = -3 * DAY;
			await restart();
			if ((await daemon.ask('status')).clock_trusted) return console.log('# the kernel knows the time here, so a CSMS cannot set it');
			const boot = () => insist(car, 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			await until(10000, 'the CSMS has told its time', () => boot().then(async () => (await daemon.ask('status')).clock_trusted));
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 7000, for: '1h' });
			csms.ahead = 0;
			await boot();
			await until(5000, 'the clock is set', () => /the clock was set by (259[12]|25920)\d+ s/.test(daemon.log));
			equal(await write(ownPort, 0, 0, 25000), 16, 'what is written later is on disk');
			await csms.close();
			await restart();
			const { state, limit_w, until: end } = await input('cloud');
			equal([state, limit_w], ['limited', 7000], 'its limit');
			ok(Math.abs(Date.parse(end) - Date.now() - 3600000) < 60000 * PATIENCE, `its end: ${end}`);
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
		}],
		['where the disk takes nothing the limit holds, and whoever gave it hears that it may be forgotten', async () => {
			release = await occupy(path.join(dir, 'state', 'ampgate.db'));
			const [asked, written] = await Promise.all([daemon.cli('grid', 'limit', 'cloud', '9000'), write(ownPort, 0, 0, 8000)]);
			ok(asked.code === 1 && /the limit holds, but a restart may forget it/.test(asked.err), `${asked.code}: ${asked.err}`);
			equal(written, 0x90, 'the energy manager gets an exception');
			equal([(await input('cloud')).limit_w, (await input('manager')).limit_w, (await daemon.ask('grid.show')).limit_w], [9000, 8000, 8000], 'what holds');
			ok(daemon.log.includes('evidence of the grid operator\'s limits cannot be written'), 'it is told to people');
		}],
		['and the evidence follows, with the time at which it was', async () => {
			const before = Date.now();
			await release();
			await until(20000, 'the words are kept', () => daemon.log.includes('are told is kept again'));
			for (const [id, watts] of [['cloud', 9000], ['manager', 8000]]) {
				const [line] = await until(20000, `evidence of ${id}`, () => evidence('grid.input', id, watts).then((l) => l.length && l));
				ok(Date.parse(line.recorded_at || line.at) < before, `${JSON.stringify(line)} is when it was`);
			}
			await restart();
			equal([(await input('cloud')).limit_w, (await input('manager')).limit_w], [9000, 8000], 'the limits');
		}],
		['a database in memory keeps nothing, and nobody is told that it does', async () => {
			await daemon.stop();
			const file = path.join(dir, 'state', 'ampgate.db');
			for (const end of ['', '-wal', '-shm']) fs.rmSync(file + end, { force: true });
			fs.mkdirSync(file); // so it cannot be opened
			await daemon.start();
			const asked = await daemon.cli('grid', 'limit', 'cloud', '9000');
			ok(asked.code === 1 && /a restart may forget it/.test(asked.err), `${asked.code}: ${asked.err}`);
			equal((await daemon.ask('grid.show')).limit_w, 9000, 'what is allowed');
			equal(await write(ownPort, 0, 0, 8000), 0x90, 'the energy manager gets an exception');
			await daemon.stop();
		}],
	]);
}

main();
