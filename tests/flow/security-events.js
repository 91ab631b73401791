'use strict';
// Security events of the box: in the journal, told to the CSMS by the box's own identity, also when the CSMS was away and the box was killed meanwhile; and in
// the name of a group, in the words of 1.6.
const fs = require('fs');
const https = require('https');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation } = require('./raw.js');

async function main() {
	const dir = tempDir(), [port, csmsPort, groupPort, web] = await Promise.all(Array.from({ length: 4 }, freePort));
	const yaml = (profile) => `
version: 1
site: {id: flow}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${web}, tls: own}
tls: {own: {mode: self-signed}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
stations:
  S-1: {circuit: grid, uplink: cpo, password: "first-password-000"${profile}}
uplinks:
  cpo: {own_identity: LC-1, own_version: ocpp2.0.1, security_profile: 1, password: "of-the-box-itself", endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
  all: {mode: aggregate, version: ocpp1.6, identity: SITE, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${groupPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
log: {level: info, target: stderr}
`;
	const told = [], groupTold = [];
	let refuse = () => false;
	const boots = (m) => ({ BootNotification: { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() }, Heartbeat: { currentTime: new Date().toISOString() } }[m[2]] || {});
	const answering = (list) => (identity, m) => {
		if (m[0] !== 2) return null;
		if (m[2] === 'SecurityEventNotification') list.push({ identity, ...m[3] });
		return JSON.stringify([3, m[1], boots(m)]);
	};
	const csms = new RawCsms(csmsPort, { ws: { verifyClient: ({ req }, done) => done(!refuse(req), 401) } }), central = new RawCsms(groupPort);
	csms.answer = answering(told);
	central.answer = answering(groupTold);
	const daemon = new Daemon(dir, yaml(''));
	const heard = (list, type, text = '') => until(5000, `${type} ${text}`, () => list.find((e) => e.type === type && (e.techInfo || '').includes(text)));
	const login = () => new Promise((resolve, reject) => {
		const rq = https.request({ host: '127.0.0.1', port: web, path: '/api/v1/session', method: 'POST', rejectUnauthorized: false, headers: { 'Content-Type': 'application/json' } },
			(answer) => (answer.resume(), answer.once('end', () => resolve(answer.statusCode))));
		rq.once('error', reject);
		rq.end(JSON.stringify({ user: 'eva', password: 'not-the-password' }));
	});
	let station;

	await run([
		['the start', async () => {
			await csms.listen();
			await central.listen();
			await daemon.start();
			const e = await heard(told, 'StartupOfTheDevice');
			equal(e.identity, 'LC-1', 'told by the own identity');
			equal((await heard(groupTold, 'StartupOfTheDevice')).identity, 'SITE', 'told in the name of the group');
		}],
		['a CSMS that refuses a station', async () => {
			refuse = (rq) => rq.url.endsWith('/S-1');
			station = await rawStation(port, 'S-1', ['ocpp1.6'], { headers: { Authorization: 'Basic ' + Buffer.from('S-1:first-password-000').toString('base64') } });
			const e = await heard(told, 'FailedToAuthenticateAtCsms');
			ok(e.techInfo.startsWith('S-1: '), `it says who: ${e.techInfo}`);
			ok(!groupTold.some((x) => x.type === 'FailedToAuthenticateAtCentralSystem'), 'another CSMS does not hear of it');
			refuse = () => false;
			await csms.lane('S-1');
		}],
		['a message of the CSMS that is none', async () => {
			(await csms.lane('S-1')).send('[2,"x","Reset"');
			await heard(told, 'InvalidMessages');
		}],
		['a new password, and a new configuration', async () => {
			const lane = await csms.lane('S-1');
			lane.send(JSON.stringify([2, 'p1', 'ChangeConfiguration', { key: 'AuthorizationKey', value: 'another-password-1' }]));
			const asked = JSON.parse(await station.action('ChangeConfiguration'));
			station.send(JSON.stringify([3, asked[1], { status: 'Accepted' }]));
			await heard(told, 'ReconfigurationOfSecurityParameters', 'S-1: a new password');
			fs.writeFileSync(daemon.config, yaml(', min_security_profile: 1'));
			daemon.child.kill('SIGHUP');
			const e = await heard(told, 'ReconfigurationOfSecurityParameters', 'stations.S-1.min_security_profile');
			await heard(groupTold, 'ReconfigurationOfSecurityParameters', 'stations.S-1');
			ok(!JSON.stringify([told, groupTold]).includes('another-password-1'), `no secret: ${e.techInfo}`);
		}],
		['a login that fails, while no CSMS is there, and kill -9', async () => {
			await csms.close();
			await central.close();
			const user = await daemon.ask('user.add', { user: 'eva', role: 'viewer', password: 'right-and-long-1' });
			ok(user !== undefined, 'a user');
			equal(await login(), 401, 'the login');
			await until(5000, 'it is in the journal', async () => (await daemon.ask('event.list')).some((e) => e.code === 'security.event' && e.args.type === 'MaintenanceLoginFailed'));
			await daemon.ask('user.add', { user: 'max', role: 'viewer', password: 'right-and-long-2' }); // is on disk behind it
			await daemon.kill();
			await daemon.start();
			told.length = groupTold.length = 0;
			await csms.listen();
			await central.listen();
			equal((await heard(told, 'MaintenanceLoginFailed')).techInfo, "{'user': 'eva', 'origin': '127.0.0.1'}", 'the CSMS hears of it');
			await heard(groupTold, 'MaintenanceLoginFailed');
			const types = new Set((await daemon.ask('event.list')).filter((e) => e.code === 'security.event').map((e) => e.args.type));
			equal([...types].sort(), ['FailedToAuthenticateAtCsms', 'InvalidMessages', 'MaintenanceLoginFailed', 'ReconfigurationOfSecurityParameters', 'StartupOfTheDevice'], 'the journal');
			const log = await daemon.cli('log', '--module', 'security');
			ok(log.out.includes('StartupOfTheDevice'), `ampgate log shows them: ${log.out}${log.err}`);
			await daemon.stop();
		}],
	]);
}

main();
