'use strict';
// SIGHUP: a changed configuration is in force without a station losing its link or a car its current; what cannot be used or has to wait says so.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const tls = require('tls');
const { freePort, tempDir, until, within, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

function certificate(dir, name) {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-days', '2',
		'-keyout', path.join(dir, 'box.key'), '-out', path.join(dir, 'box.crt')], { stdio: 'ignore' });
}

const shownCertificate = (port) => within(5000, 'a handshake', new Promise((resolve, reject) => {
	const s = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
		resolve(s.getPeerCertificate().subject.CN);
		s.destroy();
	});
	s.on('error', reject);
}));

async function main() {
	const dir = tempDir();
	const [port, otherPort, tlsPort, csmsPort, csms2Port] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
	const [csms, csms2] = [new RawCsms(csmsPort), new RawCsms(csms2Port)];
	csms.answer = csms2.answer = (id, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'StartTransaction'
		? { transactionId: 77, idTagInfo: { status: 'Accepted' } } : m[2] === 'BootNotification'
			? { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() } : {}]);
	certificate(dir, 'first');
	const secure = `, wire: {address: 127.0.0.1, port: ${tlsPort}, tls: box, min_security_profile: 0}`;
	const more = `tls: {box: {cert: ${dir}/box.crt, key: ${dir}/box.key}}\n`;
	const base = { port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 63}}', stations: '{G-01: {circuit: grid}, G-02: {circuit: grid}}',
		listen: `}${secure}`.replace(/\}$/, ''), more };
	const daemon = new Daemon(dir, conf(base));
	daemon.listeners = 2;
	let stations;
	let heartbeats = 0;
	const works = async (s) => equal((await s.ask(`h${++heartbeats}`, 'Heartbeat', {}))[0], 3, `${s.identity} is answered on its old link`);
	const said = (what) => until(10000, `the log says ${what}`, async () => daemon.log.includes(what));
	const reload = async (yaml, what) => {
		fs.writeFileSync(daemon.config, yaml);
		daemon.log = '';
		daemon.child.kill('SIGHUP');
		await said(what);
	};
	const limit = async () => (await daemon.ask('circuit.list'))[0].limit_a[0];
	const status = async () => (await daemon.ask('status')).config;

	await run([
		['a lower fuse is in force at once, and a running transaction hears of it', async () => {
			await csms.listen();
			await daemon.start();
			stations = [await rawStation(port, 'G-01', ['ocpp1.6']), await rawStation(port, 'G-02', ['ocpp1.6'])];
			for (const s of stations) await s.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' });
			await stations[0].ask('t', 'StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: '2026-03-02T17:04:05Z' });
			await stations[0].ask('c', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			let lowest = Infinity;
			const hears = within(10000, 'a profile of 14 A', new Promise((resolve) => {
				const before = stations[0].answer;
				stations[0].answer = (m, t) => {
					const p = m[2] === 'SetChargingProfile' && m[3].csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit;
					if (p !== false) lowest = Math.min(lowest, p);
					if (lowest <= 14) resolve();
					return before(m, t);
				};
			}));
			await until(5000, 'it has been granted current', async () => (await daemon.ask('why', { object: 'G-01' })).offered_a > 14);
			await reload(conf({ ...base, circuits: '{grid: {kind: grid_connection, limit_a: 14}}' }), 'configuration read again, generation 2');
			equal(await limit(), 14, 'the limit');
			await hears;
			for (const s of stations) await works(s);
			equal((await daemon.ask('tx.list')).length, 1, 'its transaction');
		}],
		['stations come and go', async () => {
			let refused = 0;
			await rawStation(port, 'G-03', ['ocpp1.6']).catch((e) => (refused = e.status));
			equal(refused, 404, 'not known yet');
			await reload(conf({ ...base, stations: '{G-01: {circuit: grid}, G-03: {circuit: grid, max_current_a: 16}}' }), 'configuration read again');
			const third = await rawStation(port, 'G-03', ['ocpp1.6']);
			await third.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' });
			await third.ask('t', 'StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: '2026-03-02T17:05:05Z' });
			await third.ask('c', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await until(10000, 'the new one is given current', async () => (await daemon.ask('why', { object: 'G-03' })).offered_a > 0);
			equal((await within(5000, 'the removed one is sent away', stations[1].ended)).code, 1008, 'close code');
			await works(stations[0]);
			await third.close();
		}],
		['another CSMS: the lanes move, the links stay', async () => {
			await csms2.listen();
			await reload(conf({ ...base, csmsPort: csms2Port }), 'configuration read again');
			await csms2.lane('G-01');
			await works(stations[0]);
		}],
		['another port: who is connected stays, new ones come by the new one', async () => {
			await reload(conf({ ...base, port: otherPort, csmsPort: csms2Port }), 'configuration read again');
			await works(stations[0]);
			const late = await rawStation(otherPort, 'G-02', ['ocpp1.6']);
			await late.close();
			let closed = '';
			await rawStation(port, 'G-02', ['ocpp1.6']).catch((e) => (closed = e.code));
			equal(closed, 'ECONNREFUSED', 'the old port');
		}],
		['a renewed certificate, though nothing in the file has changed', async () => {
			equal(await shownCertificate(tlsPort), 'first', 'before');
			certificate(dir, 'renewed');
			await reload(conf({ ...base, port: otherPort, csmsPort: csms2Port }), 'configuration read again');
			equal(await shownCertificate(tlsPort), 'renewed', 'after');
			await works(stations[0]);
		}],
		['a mistake: what ran goes on, and the first page says where it is', async () => {
			const before = await limit();
			await reload(conf({ ...base, circuits: '{grid: {kind: grid_connection, limit_a: 1x}}' }), 'is not usable');
			equal([await limit(), (await status()).state], [before, 'files_unusable'], 'limit, state');
			ok(/ampgate\.yaml:\d+:\d+: error/.test((await daemon.cli('status')).out), 'status');
			await works(stations[0]);
		}],
		['what needs a restart waits for it, whole, and says so', async () => {
			await reload(conf({ ...base, port: otherPort, csmsPort: csms2Port, circuits: '{grid: {kind: grid_connection, limit_a: 20}}' }).replace('id: flow', 'id: other'),
				'waits for a restart');
			equal([await limit(), (await status()).restart], [63, 'site.id'], 'limit, what waits');
			await works(stations[0]);
			await reload(conf({ ...base, port: otherPort, csmsPort: csms2Port }), 'configuration read again');
			equal((await status()).restart, null, 'nothing waits when it is taken back');
			await daemon.stop();
		}],
		['out of safe mode: the same process starts anew', async () => {
			fs.rmSync(path.join(dir, 'state'), { recursive: true });
			fs.writeFileSync(daemon.config, 'version: 1\n');
			await daemon.start();
			equal((await status()).state, 'safe_mode', 'state');
			const { pid } = daemon.child;
			await reload(conf({ ...base, csmsPort: csms2Port }), 'stations connect to');
			await until(5000, 'it answers', async () => (await status().catch(() => ({}))).state === 'ok');
			equal([daemon.child.pid, daemon.child.exitCode], [pid, null], 'the process');
			await daemon.stop();
			await csms.close();
			await csms2.close();
		}],
	]);
}

main();
