'use strict';
// A disk that is full, read-only or damaged, under the whole daemon: what cannot be stored is refused so that the station keeps it, what runs goes
// on as long as there is room for it, somebody is told, and afterwards nothing is missing or there twice.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('../flow/lib.js');
const { Peer, ScriptedCsms, starts, values, stops, boots } = require('./peer.js');

const config = (port, csmsPort, more = '') => `
version: 1
site: {id: disk}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1]}
stations: {"D-[0-9]": {circuit: grid}}
uplinks:
  cpo:
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]
    reconnect: {min: 100ms, max: 1s}
    call_timeout: 1s
    message_attempts: 50
    message_retry_interval: 200ms
offline: {authorize: [all]${more}}
log: {level: info, target: stderr}
`;

// A file system of a few megabytes; null where we may not mount one.
function smallDisk(dir, size) {
	fs.mkdirSync(dir, { recursive: true });
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { stdio: 'ignore' });
	} catch (e) {
		return null;
	}
	process.prependListener('exit', () => execFileSync('umount', ['-l', dir]));
	return {
		fill() {
			const fd = fs.openSync(path.join(dir, 'ballast'), 'w');
			try {
				for (;;) fs.writeSync(fd, Buffer.alloc(4096));
			} catch (e) {
				fs.closeSync(fd);
			}
		},
		empty: () => fs.unlinkSync(path.join(dir, 'ballast')),
		remount: (how) => execFileSync('mount', ['-o', `remount,${how}`, dir]),
	};
}

const isRefused = (m, what) => equal([m[0], m[2]], [4, 'InternalError'], what);

async function main() {
	const dir = tempDir();
	let daemon, csms, s, port, disk, running;

	async function begin(name, more, id) {
		[port, csms] = [await freePort(), new ScriptedCsms(await freePort())];
		fs.mkdirSync(path.join(dir, name), { recursive: true });
		daemon = new Daemon(path.join(dir, name), config(port, csms.port, more));
		await daemon.start();
		s = await Peer.connect(port, id, 'ocpp1.6');
		await s.call('BootNotification', boots['1.6']);
	}
	const queue = async () => (await daemon.ask('status')).queue;
	const drained = () => until(30000, 'the queue is empty', async () => (await queue()).messages === 0);
	const startsAtCsms = () => csms.of('StartTransaction').map((h) => h[3].meterStart / 1000);
	const padded = (tx, n) => {
		const v = values(tx, n);
		v.meterValue[0].sampledValue[0].context = 'Sample.Periodic';
		v.meterValue[0].sampledValue.push({ value: 'x'.repeat(60000), format: 'SignedData' });
		return v;
	};

	const tests = [
		['a queue that reaches its size: new starts are refused and told to the operator, the running one goes on', async () => {
			await begin('full', ', queue: {max_size: 1MiB}', 'D-0');
			running = (await s.call('StartTransaction', starts(1))).transactionId;
			let n = 1;
			for (let m = [3]; m[0] === 3 && n < 60; n++) {
				await s.call('MeterValues', padded(running, 100 + n));
				m = await s.ask('StartTransaction', starts(1 + n));
				if (m[0] === 4) isRefused(m, 'the start');
			}
			ok(n < 60, 'a start was refused at last');
			await until(5000, 'the operator is told', () => daemon.log.includes('New transactions are refused'));
			equal(daemon.log.match(/New transactions are refused/g).length, 1, 'times that the operator was told');
			isRefused(await s.ask('StartTransaction', starts(n)), 'the start again');
			await s.call('StopTransaction', stops(running, 1));
			await csms.listen();
			await drained();
			await s.call('StartTransaction', starts(n));
			await drained();
			equal(startsAtCsms(), Array.from({ length: n }, (x, i) => i + 1), 'starts at the CSMS');
			equal(csms.of('StopTransaction').length, 1, 'stops at the CSMS');
			await until(5000, 'the operator is told that it is over', () => daemon.log.includes('transactions are stored again'));
			await daemon.stop();
			await csms.close();
		}],
		['a damaged database: what is readable is kept, the service goes on, nothing is sent twice', async () => {
			await begin('damaged', '', 'D-1');
			for (let n = 1; n <= 40; n++) {
				const { transactionId } = await s.call('StartTransaction', starts(n));
				await s.call('StopTransaction', stops(transactionId, n));
			}
			const told = (await s.call('StartTransaction', starts(41))).transactionId;
			await daemon.stop();
			const file = path.join(daemon.dir, 'state', 'ampgate.db');
			const fd = fs.openSync(file, 'r+');
			const size = fs.fstatSync(fd).size;
			fs.writeSync(fd, Buffer.alloc(3 * 4096, 0xa5), 0, 3 * 4096, Math.floor(size / 8192) * 4096);
			fs.closeSync(fd);
			await daemon.start();
			ok(/was damaged; what was readable has been kept/.test(daemon.log), 'the operator is told');
			ok(fs.readdirSync(path.dirname(file)).some((f) => f.includes('.damaged-')), 'the damaged file is beside it');
			s = await Peer.connect(port, 'D-1', 'ocpp1.6');
			const next = (await s.call('StartTransaction', starts(42))).transactionId;
			ok(next > told, `no id comes back: ${next} after ${told}`);
			await csms.listen();
			await drained();
			const at = startsAtCsms();
			equal(at.length, new Set(at).size, 'no start twice');
			equal(at.slice(-1), [42], 'the newest');
			console.log(`# ${at.length} of 42 starts outlived three pages of damage`);
			await daemon.stop();
			await csms.close();
		}],
	];

	disk = smallDisk(path.join(dir, 'small', 'state'), '4m');
	if (!disk) console.log('# no right to mount: the cases of a full and of a read-only disk are left out');
	else tests.push(
		['a disk without room: everything is refused, and comes again when there is some', async () => {
			await begin('small', '', 'D-2');
			running = (await s.call('StartTransaction', starts(1))).transactionId;
			disk.fill();
			const refused = [];
			for (let n = 2; n < 40 && !refused.length; n++) { // the log may have a page left
				const m = await s.ask('StartTransaction', starts(n));
				if (m[0] === 4) refused.push(n);
			}
			equal(refused.length, 1, 'a start was refused');
			isRefused(await s.ask('StopTransaction', stops(running, 1)), 'the stop, which the station keeps');
			ok(daemon.log.includes('New transactions are refused'), 'the operator is told');
			disk.empty();
			await s.call('StopTransaction', stops(running, 1));
			await s.call('StartTransaction', starts(refused[0]));
			await csms.listen();
			await drained();
			equal(startsAtCsms(), Array.from({ length: refused[0] }, (x, i) => i + 1), 'starts at the CSMS');
			equal(csms.of('StopTransaction').length, 1, 'stops at the CSMS');
		}],
		['the CSMS answers while the disk is full: the station hears nothing before it is stored, and the CSMS nothing twice', async () => {
			csms.reset();
			let release;
			csms.answers.StartTransaction = (p, id, ws) => {
				release = () => ws.send(JSON.stringify([3, id, { transactionId: 500, idTagInfo: { status: 'Accepted' } }]));
				return null;
			};
			const first = s.ask('StartTransaction', starts(50));
			await until(5000, 'the start is at the CSMS', () => csms.of('StartTransaction').length);
			disk.fill();
			const other = await Peer.connect(port, 'D-3', 'ocpp1.6');
			for (let n = 60, m = [3]; m[0] === 3; n++) m = await other.ask('MeterValues', values(1, n)); // what room is left in the log
			release();
			isRefused(await first, 'the start');
			await until(5000, 'the answer waits for the disk', () => daemon.log.includes('answer to StartTransaction could not be stored'));
			delete csms.answers.StartTransaction;
			disk.empty();
			const answered = await until(10000, 'the start is answered', async () => {
				const m = await s.ask('StartTransaction', starts(50));
				return m[0] === 3 && m[2];
			});
			equal(answered.transactionId, 500, 'the id');
			await s.call('StopTransaction', stops(500, 50));
			await drained();
			equal(startsAtCsms(), [50], 'starts at the CSMS');
			equal(csms.of('StopTransaction').map((h) => h[3].transactionId), [500], 'stops at the CSMS');
			await other.cut();
		}],
		['a disk that is read-only at the start: what the CSMS answers is passed on, the rest is refused; and it comes back', async () => {
			csms.reset();
			await csms.close();
			await until(20000, 'it is alone', async () => (await daemon.ask('station.show', { station: 'D-2' })).lane === 'down');
			const { transactionId: kept } = await s.call('StartTransaction', starts(89));
			await csms.listen();
			csms.answers.StartTransaction = () => 'InternalError'; // it stays in the queue
			await daemon.kill(); // what is open for writing stays so; a disk turns read-only at the next start
			disk.remount('ro');
			await daemon.start();
			ok(/ampgate\.db/.test(daemon.log) && daemon.log.includes('goes on without its memory'), `the reason names the file: ${daemon.log}`);
			csms.reset();
			s = await Peer.connect(port, 'D-2', 'ocpp1.6');
			await s.call('BootNotification', boots['1.6']);
			await until(20000, 'the lane is up', async () => (await daemon.ask('station.show', { station: 'D-2' })).lane === 'up');
			csms.answers.StartTransaction = () => ({ transactionId: 600, idTagInfo: { status: 'Accepted' } });
			equal((await s.call('StartTransaction', starts(90))).transactionId, 600, 'a start with the CSMS there');
			isRefused(await s.ask('StopTransaction', stops(kept, 89)), 'the stop of one that the disk knows');
			await csms.close();
			await until(20000, 'it is alone', async () => (await daemon.ask('station.show', { station: 'D-2' })).lane === 'down');
			isRefused(await s.ask('StartTransaction', starts(91)), 'a start without the CSMS');
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			csms.reset();
			await csms.listen();
			disk.remount('rw');
			await until(30000, 'it starts anew', () => daemon.log.split('ampgate 0').length > 2 && daemon.log.split('stations connect to').length > 2);
			s = await Peer.connect(port, 'D-2', 'ocpp1.6');
			await s.call('StopTransaction', stops(600, 90));
			await s.call('StopTransaction', stops(kept, 89));
			await s.call('StartTransaction', starts(91));
			await drained();
			equal(startsAtCsms().sort(), [89, 91], 'starts at the CSMS');
			equal(csms.of('StopTransaction').length, 2, 'stops at the CSMS');
			await daemon.stop();
			await csms.close();
		}],
	);
	await run(tests);
}

main();
