'use strict';
// A CSMS gives its stations new passwords through the box: what a station has accepted counts from its next connection on, downwards and upwards, over
// a restart, until the operator writes another one; and no surface shows it.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const basic = (user, password) => ({ headers: { Authorization: 'Basic ' + Buffer.concat([Buffer.from(user + ':'), Buffer.from(password)]).toString('base64') } });
const OLD = 'first-password-000', NEW = '00112233445566778899AABBCCDDEEFF00112233', NEWER = 'second-password-of-V-1', RELAYED = 'second-password-of-R-1';

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const yaml = (own) => conf({ port, csmsPort, stations: `
  P-1: {circuit: grid, uplink: shown, password: "${own}"}
  V-1: {circuit: grid, uplink: shown, password: "${OLD}"}
  R-1: {circuit: grid, uplink: relayed, password: relay}`, more: `evses:
  O-16: {circuit: grid, uplink: shown, driver: sim, current_a: 16, file: ${dir}/O-16.json}
  O-20: {circuit: grid, uplink: shown, driver: sim, current_a: 16, version: ocpp2.0.1, file: ${dir}/O-20.json}
` }).replace('uplinks:\n', `uplinks:
  shown: {security_profile: 1, password: "of-the-box", endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
  relayed: {security_profile: 1, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
`);
	const daemon = new Daemon(dir, yaml(OLD)), csms = new RawCsms(csmsPort);
	let n = 0;
	const come = (id, version, password) => rawStation(port, id, [version], basic(id, password));
	const refused = (id, version, password) => come(id, version, password).then((s) => (s.close(), 101), (e) => e.status);
	// The CSMS changes something; the station answers.
	const change = async (s, action, payload, answer) => {
		const lane = await csms.lane(s.identity), id = `c${++n}`;
		lane.send(JSON.stringify([2, id, action, payload]));
		const asked = JSON.parse(await s.action(action));
		equal(asked[3], payload, 'the station gets it as it was sent');
		s.send(JSON.stringify([3, asked[1], answer]));
		equal(JSON.parse(await lane.answerTo(id))[2], answer, 'the CSMS hears the station');
	};
	const shown = async (id) => {
		const opened = csms.opened.length;
		(await csms.lane(id)).ws.terminate();
		await until(5000, `a new lane of ${id}`, () => csms.opened.slice(opened).some((l) => l.identity === id));
		return Buffer.from(csms.opened.filter((l) => l.identity === id).pop().authorization.split(' ')[1], 'base64').toString();
	};
	const key = { key: 'AuthorizationKey', value: NEW };
	let p, v;

	await run([
		['one that the station does not take changes nothing', async () => {
			await csms.listen();
			await daemon.start();
			p = await come('P-1', 'ocpp1.6', OLD);
			await change(p, 'ChangeConfiguration', key, { status: 'Rejected' });
			equal(await refused('P-1', 'ocpp1.6', NEW), 401, 'the new one');
			equal(await shown('P-1'), 'P-1:of-the-box', 'upwards');
		}],
		['one that it takes counts on its next connection; the old one until it was shown, and no longer', async () => {
			await change(p, 'ChangeConfiguration', key, { status: 'Accepted' });
			equal(p.ws.readyState, 1, 'the connection stays');
			await p.close();
			p = await come('P-1', 'ocpp1.6', OLD);
			await p.close();
			p = await come('P-1', 'ocpp1.6', Buffer.from(NEW, 'hex'));
			equal(await refused('P-1', 'ocpp1.6', OLD), 401, 'the old one');
			equal(await refused('P-1', 'ocpp1.6', 'another'), 401, 'another one');
			equal(await shown('P-1'), `P-1:${NEW}`, 'upwards');
		}],
		['2.0.1: among other variables', async () => {
			v = await come('V-1', 'ocpp2.0.1', OLD);
			const at = (component, variable) => ({ component: { name: component }, variable: { name: variable } });
			const result = (status, where) => ({ attributeStatus: status, ...where });
			await change(v, 'SetVariables', { setVariableData: [{ attributeValue: '60', ...at('OCPPCommCtrlr', 'HeartbeatInterval') }, { attributeValue: NEWER, ...at('SecurityCtrlr', 'BasicAuthPassword') }] },
				{ setVariableResult: [result('Accepted', at('OCPPCommCtrlr', 'HeartbeatInterval')), result('Rejected', at('SecurityCtrlr', 'BasicAuthPassword'))] });
			equal(await refused('V-1', 'ocpp2.0.1', NEWER), 401, 'rejected beside one that was accepted');
			await change(v, 'SetVariables', { setVariableData: [{ attributeValue: '60', ...at('OCPPCommCtrlr', 'HeartbeatInterval') }, { attributeValue: NEWER, ...at('SecurityCtrlr', 'BasicAuthPassword') }] },
				{ setVariableResult: [result('Accepted', at('SecurityCtrlr', 'BasicAuthPassword')), result('Rejected', at('OCPPCommCtrlr', 'HeartbeatInterval'))] });
			await v.close();
			v = await come('V-1', 'ocpp2.0.1', NEWER);
			equal(await shown('V-1'), `V-1:${NEWER}`, 'upwards');
		}],
		['a relayed one is relayed anew, before the station comes again', async () => {
			const r = await come('R-1', 'ocpp1.6', OLD);
			equal(await shown('R-1'), `R-1:${OLD}`, 'before');
			await change(r, 'ChangeConfiguration', { key: 'AuthorizationKey', value: RELAYED }, { status: 'Accepted' });
			equal(await shown('R-1'), `R-1:${RELAYED}`, 'after');
			await r.close();
		}],
		// OCPP 1.6 TC_085_CS; OCPP 1.6 TC_073_CS; OCPP 2.0.1 TC_A_01_CS; OCPP 2.0.1 TC_A_09_CS
		['stations of the box take one, and their lane is opened anew with it once the CSMS has heard', async () => {
			const header = (lane) => Buffer.from(lane.authorization.split(' ')[1], 'base64');
			const last = (id) => csms.opened.filter((l) => l.identity === id).pop();
			const given = async (id, action, payload) => {
				const lane = await csms.lane(id), call = `o${++n}`, before = last(id);
				lane.send(JSON.stringify([2, call, action, payload]));
				const answer = JSON.parse(await lane.answerTo(call));
				await until(5000, `${id} comes again`, () => last(id) !== before);
				return answer[2];
			};
			await csms.lane('O-16');
			equal(header(last('O-16')).toString(), 'O-16:of-the-box', 'before');
			equal(await given('O-16', 'ChangeConfiguration', key), { status: 'Accepted' }, 'in 1.6');
			equal(header(last('O-16')), Buffer.concat([Buffer.from('O-16:'), Buffer.from(NEW, 'hex')]), 'hex digits stand for bytes');
			const password = { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } };
			const { setVariableResult: [result] } = await given('O-20', 'SetVariables', { setVariableData: [{ attributeValue: NEWER, ...password }] });
			equal(result.attributeStatus, 'Accepted', 'in 2.0.1');
			equal(header(last('O-20')).toString(), `O-20:${NEWER}`, 'as text');
		}],
		['after a restart it still counts, and was shown nowhere', async () => {
			const places = [daemon.log, JSON.stringify(await daemon.ask('status')), JSON.stringify(await daemon.ask('station.show', { station: 'P-1' })),
				JSON.stringify(await daemon.ask('station.list')), (await daemon.cli('--json', 'trace')).out];
			ok(places[4].includes('ChangeConfiguration'), 'the trace has it');
			for (const secret of [NEW, NEWER, RELAYED]) places.forEach((text, i) => ok(!text.includes(secret), `a password in place ${i}`));
			await daemon.stop();
			for (const name of fs.readdirSync(path.join(dir, 'state')).filter((f) => f.startsWith('ampgate.db')))
				if (fs.readFileSync(path.join(dir, 'state', name)).includes(NEW))
					equal((fs.statSync(path.join(dir, 'state', name)).mode & 0o077), 0, `${name} is for the owner only`);
			await daemon.start();
			equal(await refused('P-1', 'ocpp1.6', OLD), 401, 'the configured one');
			p = await come('P-1', 'ocpp1.6', NEW);
			equal(await shown('P-1'), `P-1:${NEW}`, 'upwards');
			equal(await shown('O-20'), `O-20:${NEWER}`, 'of a station of the box');
		}],
		['a password that the operator writes instead takes its place', async () => {
			fs.writeFileSync(daemon.config, yaml('written-by-operator'));
			await daemon.stop();
			await daemon.start();
			equal(await refused('P-1', 'ocpp1.6', NEW), 401, 'what was learnt');
			p = await come('P-1', 'ocpp1.6', 'written-by-operator');
			await daemon.stop();
		}],
	]);
}

main();
