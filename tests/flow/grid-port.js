'use strict';
// An energy manager's port that somebody else has: the program starts all the same, everybody is limited to the fail-safe of the input, which is told
// by status, health and log, and as soon as the port is there it is listened on, without a restart. What was written before holds where it is lower.
const fs = require('fs');
const net = require('net');
const { execFile } = require('child_process');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');

async function main() {
	const dir = tempDir(), [port, ownPort, otherPort] = [await freePort(), await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
grid_operator: {inputs: {manager: {kind: server, port: ${ownPort}, fail_safe_w: 9000}, cloud: {kind: command}}}
station_defaults: {fallback_current_a: 0}
stations: {G-1: {circuit: grid}}
`);
	const take = (at = ownPort) => new Promise((resolve, reject) => {
		const s = net.createServer();
		s.once('error', reject);
		s.listen(at, '127.0.0.1', () => resolve(() => new Promise((done) => s.close(done))));
	});
	const write = (...args) => new Promise((resolve) => {
		execFile('/usr/bin/python3', [path.join(__dirname, 'modbus-client.py'), String(ownPort), 'write', ...args.map(String)], (err, out) => {
			if (err && err.code === 77) {
				console.log('skipped: python3-pymodbus is not installed');
				process.exit(77);
			}
			ok(!err, `the energy manager's request: ${err}`);
			resolve(out && JSON.parse(out));
		});
	});
	const shown = async () => {
		const { state, limit_w, decided_by, inputs } = await daemon.ask('grid.show');
		return { allowed: [state, limit_w, decided_by], ...inputs.find((i) => i.id === 'manager') };
	};
	const listens = () => until(10000, 'it listens', async () => (await shown()).fault === null);
	let release = await take();

	await run([
		['the program starts, and limits', async () => {
			await daemon.start();
			const { allowed, state, fault } = await shown();
			equal([allowed, state], [['fail_safe', 9000, 'manager'], 'fail_safe'], 'what is allowed');
			ok(fault.includes(`cannot listen on 127.0.0.1 port ${ownPort}: Address already in use`), fault);
		}],
		['log, status and health say so', async () => {
			ok(new RegExp(`grid input manager cannot listen on 127.0.0.1 port ${ownPort}: .*its fail-safe holds, tried again in 1 s`).test(daemon.log), daemon.log);
			ok(/^LIMIT +9\.0 kW by the grid operator's input manager \(fail_safe\)/m.test((await daemon.cli('status')).out), 'the state of the site');
			ok(/^AMPGATE WARNING.*grid_operator: manager: cannot listen/.test((await daemon.cli('health')).out), 'health');
			ok((await daemon.cli('doctor')).out.includes('manager: cannot listen'), 'the doctor');
		}],
		['while another input limits more, health still says so', async () => {
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 5000 });
			equal((await shown()).allowed, ['limited', 5000, 'cloud'], 'what is allowed');
			ok((await daemon.cli('health')).out.includes('grid_operator: manager: cannot listen'), 'health');
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
		}],
		['the port is there again: it is listened on, and nobody is limited any more', async () => {
			await release();
			await listens();
			equal((await shown()).allowed, ['free', null, null], 'what is allowed');
			equal(await write(0, 0, 7000), [0, 7000, 2], 'what is in force once it is answered');
		}],
		['taken when the program starts again: what was written is lower, and holds', async () => {
			await daemon.stop();
			release = await take();
			await daemon.start();
			equal((await shown()).allowed, ['fail_safe', 7000, 'manager'], 'what is allowed');
			await release();
			await listens();
			equal((await shown()).allowed, ['limited', 7000, 'manager'], 'what was written');
			equal(await write(0, 0xffff, 0xffff), [0xffff, 0xffff, 1], 'it is lifted');
		}],
		['evidence tells from when to when', async () => {
			const log = (await daemon.ask('grid.log')).filter((e) => e.code === 'grid.input' && e.args.input === 'manager').map((e) => e.args.state);
			equal(log, ['fail_safe', 'unknown', 'limited', 'fail_safe', 'limited', 'free'], 'its states');
		}],
		['another configuration gives it a port that is taken, and then one that is not', async () => {
			const move = (from, to) => {
				fs.writeFileSync(daemon.config, fs.readFileSync(daemon.config, 'utf8').replace(`port: ${from}, fail_safe_w`, `port: ${to}, fail_safe_w`));
				daemon.child.kill('SIGHUP');
			};
			release = await take(otherPort);
			move(ownPort, otherPort);
			await until(10000, 'it fails', async () => (await shown()).fault !== null);
			equal((await shown()).allowed, ['fail_safe', 9000, 'manager'], 'what is allowed');
			move(otherPort, ownPort);
			await listens();
			equal((await shown()).allowed, ['free', null, null], 'what was written before');
			equal(await write(0, 0, 7000), [0, 7000, 2], 'it hears');
			await release();
			await daemon.stop();
		}],
	]);
	process.exit(0);
}

main();
