'use strict';
// The MQTT side with a real broker (mosquitto) and an independent client (npm mqtt): what is retained, the last will, and commands on both
// versions of MQTT.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, equal, ok, run, children } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const mqtt = require('../node_modules/mqtt');

const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));
if (!BROKER) {
	console.log('skipped: mosquitto is not installed');
	process.exit(77);
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort, brokerPort] = [await freePort(), await freePort(), await freePort()];
	const yaml = (protocol) => conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 100}, row: {parent: grid, limit_a: 40}}',
		stations: '{S-01: {circuit: row}, "G|07": {circuit: row}}',
		more: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", protocol: "${protocol}", commands: [refresh, limit.set]}` });
	const daemon = new Daemon(dir, yaml('5'));
	const csms = new RawCsms(csmsPort);
	csms.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",${m[2] === 'BootNotification' ? '{"status":"Accepted","interval":300,"currentTime":"2026-03-02T17:04:05Z"}' : '{}'}]`;
	const B = 'ampgate/flow';
	let broker, client;
	const now = new Map(), seen = []; // newest text of each topic; all messages in order
	const topic = (name, fits = () => true, ms = 8000) => until(ms, `${name} on the broker`, () => {
		const text = now.get(`${B}/${name}`);
		return text !== undefined && fits(text) && text;
	});
	const json = async (name, fits = () => true) => JSON.parse(await topic(name, (t) => { try { return fits(JSON.parse(t)); } catch (e) { return false; } }));
	const listen = async (protocolVersion) => {
		if (client) await client.endAsync(true);
		now.clear();
		seen.length = 0;
		client = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion });
		client.on('message', (name, payload, packet) => {
			now.set(name, String(payload));
			seen.push({ topic: name, text: String(payload), retain: packet.retain, properties: packet.properties || {} });
		});
		await within(5000, 'the client connects', new Promise((resolve) => client.once('connect', resolve)));
		await client.subscribeAsync([`${B}/#`, 'answers/#'], { qos: 1 });
	};
	const message = (fits, what) => until(8000, what, () => seen.find(fits));
	const events = () => seen.filter((m) => m.topic === `${B}/event`).map((m) => JSON.parse(m.text));

	await run([
		['status, info, site and stations are on the broker, retained', async () => {
			fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`);
			broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
			children.add(broker);
			await csms.listen();
			await daemon.start();
			const s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await s.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			await s.ask('s', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await rawStation(port, 'G|07', ['ocpp2.0.1']);
			await until(8000, 'the broker has something', async () => {
				await listen(5).catch(() => {});
				await new Promise((r) => setTimeout(r, 200));
				return now.get(`${B}/status`) === 'online';
			});
			equal((await json('info')).v, 1, 'info');
			await topic('station/S-01/status', (t) => t === 'online');
			const shown = await json('station/S-01', (j) => j.vendor === 'Flow');
			equal([shown.v, shown.model, shown.subprotocol], [1, 'One', 'ocpp1.6'], 'the station');
			equal((await json('station/S-01/evse/1', (j) => j.state === 'charging')).v, 1, 'its EVSE');
			await topic('station/G|07/status', (t) => t === 'online');
			const site = await json('site', (j) => j.uplink.cpo.state === 'up');
			equal([site.v, site.queue.messages], [1, 0], 'the site');
			equal((await json('circuit/row')).limit_a, [40, 40, 40], 'a circuit');
			await listen(5);
			for (const name of ['status', 'info', 'site', 'circuit/row', 'station/S-01/status', 'station/S-01', 'station/S-01/evse/1']) {
				await topic(name);
				ok(seen.find((m) => m.topic === `${B}/${name}`).retain, `${name} is retained`);
			}
		}],
		['a limit by MQTT 5: answered on the response topic with the same correlation data, and in force', async () => {
			client.publish(`${B}/cmd/limit.set`, JSON.stringify({ id: 'a1', circuit: 'row', limit_a: 20, for: '2h', reason: 'works' }),
				{ qos: 1, properties: { responseTopic: 'answers/me', correlationData: Buffer.from([0, 1, 255]) } });
			const answer = await message((m) => m.topic === 'answers/me', 'the answer');
			equal([...answer.properties.correlationData], [0, 1, 255], 'correlation data');
			const said = JSON.parse(answer.text);
			equal([said.id, said.ok, said.result.limit_id > 0], ['a1', true, true], 'the answer');
			equal((await json('circuit/row', (j) => j.limit_a[0] === 20)).limit_a, [20, 20, 20], 'published');
			equal((await daemon.ask('limit.list')).map((l) => [l.object, l.limit_a, l.reason]), [['row', 20, 'works']], 'in the daemon');
		}],
		['the same request again is the same answer and no second limit', async () => {
			client.publish(`${B}/cmd/limit.set`, JSON.stringify({ id: 'a1', circuit: 'row', limit_a: 20, for: '2h', reason: 'works' }),
				{ qos: 1, properties: { responseTopic: 'answers/again', correlationData: Buffer.from([0, 1, 255]) } });
			await message((m) => m.topic === 'answers/again', 'the answer');
			equal((await daemon.ask('limit.list')).length, 1, 'limits');
		}],
		['what is wrong is answered, what is not in the list is refused', async () => {
			const tell = async (verb, body, options = {}) => {
				const name = `answers/${seen.length}-${verb}`;
				client.publish(`${B}/cmd/${verb}`, body, { qos: 1, ...options, properties: { responseTopic: name, correlationData: Buffer.from(name) } });
				return JSON.parse((await message((m) => m.topic === name, `the answer to ${verb}`)).text);
			};
			equal((await tell('limit.set', '{"id":"a2","circuit":"none","limit_a":20,"for":"2h"}')).error.code, 'not_found', 'no such circuit');
			equal((await tell('limit.set', '{"id":"a3","circuit":"row"}')).error.code, 'invalid', 'no limit');
			equal((await tell('limit.set', 'not json')).ok, false, 'no JSON');
			equal((await tell('call', '{"id":"a4","station":"S-01","action":"Reset","payload":{}}')).error.code, 'forbidden', 'a verb that the list does not have');
			equal((await tell('queue.retry', '{"id":"a5"}')).error.code, 'forbidden', 'another');
			equal((await daemon.ask('limit.list')).length, 1, 'limits');
		}],
		['refresh publishes everything again and ends with an event; events are numbered without a gap', async () => {
			now.delete(`${B}/info`);
			now.delete(`${B}/site`);
			client.publish(`${B}/cmd/refresh`, '{"id":"r1"}', { qos: 1 });
			await until(8000, 'the event', () => events().some((e) => e.code === 'refresh_done'));
			ok(now.has(`${B}/info`) && now.has(`${B}/site`), 'info and site came again');
			const numbers = events().map((e) => e.seq);
			numbers.forEach((n, i) => ok(!i || n === numbers[i - 1] + 1, `gap-free: ${numbers}`));
			ok(events().every((e) => e.v === 1 && e.boot && e.ts && e.code), 'each is complete');
		}],
		['a station that leaves is offline there', async () => {
			const s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await s.close();
			await topic('station/S-01/status', (t) => t === 'offline');
		}],
		['kill -9: the broker tells that we are gone; after the start we are back, and a command that was retained meanwhile is not run', async () => {
			await daemon.kill();
			await topic('status', (t) => t === 'offline');
			await client.publishAsync(`${B}/cmd/limit.set`, '{"id":"a6","circuit":"grid","limit_a":10,"for":"2h"}', { qos: 1, retain: true });
			fs.writeFileSync(daemon.config, yaml('3.1.1'));
			await daemon.start();
			await topic('status', (t) => t === 'online');
			await client.publishAsync(`${B}/cmd/limit.set`, '', { retain: true });
		}],
		['MQTT 3.1.1: the answer is on B/rsp with the id', async () => {
			await listen(4);
			client.publish(`${B}/cmd/limit.set`, '{"id":"b1","station":"S-01","evse":1,"limit_a":10,"for":"10m"}', { qos: 1 });
			const said = JSON.parse((await message((m) => m.topic === `${B}/rsp/limit.set`, 'the answer')).text);
			equal([said.id, said.ok], ['b1', true], 'the answer');
			equal((await daemon.ask('limit.list')).map((l) => l.object), ['S-01/1'], 'the limits in force');
		}],
		['an orderly stop says so', async () => {
			await daemon.stop();
			await topic('status', (t) => t === 'offline');
			await client.endAsync(true);
			broker.kill();
		}],
	]);
}

main();
