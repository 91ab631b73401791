'use strict';
// A CSMS raises the security profile of its stations while they are connected: by a key in 1.6, by a network profile in 2.0.1. A station may fall back until it
// has come with the higher one; from then on nobody lets it in below that, and nobody lowers it from afar. What was answered survives kill -9. And a
// CSMS that forgets the password it has given is met with the one before.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const OLD = 'first-password-000', NEW = 'another-password-11';

async function main() {
	const dir = tempDir(), [port, tlsPort, csmsPort] = [await freePort(), await freePort(), await freePort()];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
		'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', 'server.key', '-out', 'server.crt'], { cwd: dir, stdio: 'pipe' });
	const ca = fs.readFileSync(path.join(dir, 'server.crt'));
	const yaml = (own) => conf({ port, csmsPort, stations: `
  P-1: {circuit: grid, uplink: shown, password: "${OLD}"${own}}
  V-1: {circuit: grid, uplink: shown, password: "${OLD}"}
  N-1: {circuit: grid, uplink: shown}` }).replace('}}}\ncircuits', `}
  , tls: {address: 127.0.0.1, port: ${tlsPort}, tls: station, min_security_profile: 2}}}
tls: {station: {cert: ${dir}/server.crt, key: ${dir}/server.key}}
circuits`).replace('uplinks:\n', `uplinks:
  shown: {security_profile: 1, password: "of-the-box-itself", endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
`);
	let forgets = null; // a password that the CSMS does not know
	const shownBy = (rq) => Buffer.from(rq.headers.authorization.split(' ')[1], 'base64').toString();
	const csms = new RawCsms(csmsPort, { ws: { verifyClient: ({ req }, done) => done(!forgets || !shownBy(req).endsWith(`:${forgets}`), 401) } });
	const daemon = new Daemon(dir, yaml(''));
	daemon.listeners = 2;
	const basic = (user, password) => (password ? { headers: { Authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') } } : {});
	const plain = (id, version, password = OLD) => rawStation(port, id, [version], basic(id, password));
	const secure = (id, version, password = OLD) => rawStation(tlsPort, id, [version], { scheme: 'wss', ca, ...basic(id, password) });
	const outcome = (coming) => coming.then(async (s) => (await s.close(), 101), (e) => e.status);
	let n = 0;
	const ask = async (s, action, payload) => {
		const lane = await csms.lane(s.identity), id = `c${++n}`;
		lane.send(JSON.stringify([2, id, action, payload]));
		return { lane, id };
	};
	const change = async (s, action, payload, answer) => {
		const { lane, id } = await ask(s, action, payload);
		const asked = JSON.parse(await s.action(action));
		equal(asked[3], payload, 'the station gets it as it was sent');
		s.send(JSON.stringify([3, asked[1], answer]));
		equal(JSON.parse(await lane.answerTo(id))[2], answer, 'the CSMS hears the station');
	};
	// The box says no itself.
	const rejected = async (s, action, payload) => {
		const { lane, id } = await ask(s, action, payload);
		equal(JSON.parse(await lane.answerTo(id))[2], { status: 'Rejected' }, 'the answer');
		ok(!s.texts.some((t) => t.includes(action)), 'the station does not hear of it');
	};
	const level = (value) => ({ key: 'SecurityProfile', value: String(value) });
	const yes = { status: 'Accepted' };
	let p, v;

	await run([
		['what no listener takes is rejected here; what the station rejects changes nothing', async () => {
			await csms.listen();
			await daemon.start();
			p = await plain('P-1', 'ocpp1.6');
			await rejected(p, 'ChangeConfiguration', level(3));
			await change(p, 'ChangeConfiguration', level(2), { status: 'Rejected' });
			await p.close();
			equal(await outcome(secure('P-1', 'ocpp1.6')), 101, 'it may come with more than it has to');
			equal(await outcome(plain('P-1', 'ocpp1.6')), 101, 'and with less again');
		}],
		['1.6: it falls back until it has come with the higher one, and no longer; also after kill -9', async () => {
			p = await plain('P-1', 'ocpp1.6');
			await change(p, 'ChangeConfiguration', level(2), yes);
			await daemon.kill();
			await p.ended;
			await daemon.start();
			p = await plain('P-1', 'ocpp1.6');
			equal((await daemon.ask('station.show', { station: 'P-1' })).security, { profile: 1, least: 0, pending: 2 }, 'it is shown');
			await p.close();
			p = await secure('P-1', 'ocpp1.6');
			equal(await outcome(plain('P-1', 'ocpp1.6')), 403, 'the lower one');
			equal((await daemon.ask('station.show', { station: 'P-1' })).security, { profile: 2, least: 2, pending: null }, 'it is shown');
			await rejected(p, 'ChangeConfiguration', level(1));
			await daemon.stop();
			await daemon.start();
			equal(await outcome(plain('P-1', 'ocpp1.6')), 403, 'after a restart');
			equal(await outcome(secure('P-1', 'ocpp1.6')), 101, 'the higher one');
			const events = (await daemon.ask('event.list', {})).map((e) => e.code);
			ok(events.includes('station.profile_raises') && events.includes('station.profile_raised'), `events: ${events}`);
		}],
		['2.0.1: by the slot that comes first', async () => {
			v = await plain('V-1', 'ocpp2.0.1');
			const data = { ocppVersion: 'OCPP20', ocppTransport: 'JSON', ocppCsmsUrl: `wss://127.0.0.1:${tlsPort}/`, messageTimeout: 30, securityProfile: 2, ocppInterface: 'Wired0' };
			await change(v, 'SetNetworkProfile', { configurationSlot: 2, connectionData: data }, yes);
			const at = { component: { name: 'OCPPCommCtrlr' }, variable: { name: 'NetworkConfigurationPriority' } };
			await change(v, 'SetVariables', { setVariableData: [{ attributeValue: '1,2', ...at }] }, { setVariableResult: [{ attributeStatus: 'Accepted', ...at }] });
			equal((await daemon.ask('station.show', { station: 'V-1' })).security.pending, null, 'the slot is not first');
			await change(v, 'SetVariables', { setVariableData: [{ attributeValue: '2,1', ...at }] }, { setVariableResult: [{ attributeStatus: 'RebootRequired', ...at }] });
			equal((await daemon.ask('station.show', { station: 'V-1' })).security.pending, 2, 'now it is');
			await v.close();
			equal(await outcome(plain('V-1', 'ocpp2.0.1')), 101, 'it falls back');
			equal(await outcome(secure('V-1', 'ocpp2.0.1')), 101, 'it comes');
			equal(await outcome(plain('V-1', 'ocpp2.0.1')), 403, 'and not with less');
		}],
		['a station without a password is given one, and then has to show it', async () => {
			let s = await plain('N-1', 'ocpp1.6', null);
			await rejected(s, 'ChangeConfiguration', level(1));
			await change(s, 'ChangeConfiguration', { key: 'AuthorizationKey', value: NEW }, yes);
			await daemon.kill();
			await s.ended;
			await daemon.start();
			s = await plain('N-1', 'ocpp1.6', null);
			await change(s, 'ChangeConfiguration', level(1), yes);
			await s.close();
			equal(await outcome(plain('N-1', 'ocpp1.6', null)), 101, 'it falls back');
			equal(await outcome(plain('N-1', 'ocpp1.6', NEW)), 101, 'it comes with its password');
			equal(await outcome(plain('N-1', 'ocpp1.6', null)), 401, 'without');
			equal(await outcome(plain('N-1', 'ocpp1.6', 'wrong-password-123')), 401, 'with a wrong one');
		}],
		['a CSMS that forgets what it has given is met with the password before', async () => {
			v = await secure('V-1', 'ocpp2.0.1');
			forgets = NEW;
			const at = { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } };
			await change(v, 'SetVariables', { setVariableData: [{ attributeValue: NEW, ...at }] }, { setVariableResult: [{ attributeStatus: 'Accepted', ...at }] });
			const again = async () => {
				const opened = csms.opened.length;
				(await csms.lane('V-1')).ws.terminate();
				await until(8000, 'a new lane', () => csms.opened.slice(opened).some((l) => l.identity === 'V-1'));
				return Buffer.from(csms.opened.filter((l) => l.identity === 'V-1').pop().authorization.split(' ')[1], 'base64').toString();
			};
			equal(await again(), 'V-1:of-the-box-itself', 'the one before');
			forgets = 'of-the-box-itself';
			equal(await again(), `V-1:${NEW}`, 'and the new one when that is refused');
			await v.close();
		}],
		['what the operator writes counts', async () => {
			fs.writeFileSync(daemon.config, yaml(', min_security_profile: 1'));
			await daemon.stop();
			await daemon.start();
			equal(await outcome(plain('P-1', 'ocpp1.6')), 101, 'what was raised is forgotten');
			await daemon.stop();
		}],
	]);
}

main();
