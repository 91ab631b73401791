'use strict';
// Events over MQTT: in order and without a gap over an outage of the broker and a killed daemon; and stations that announce themselves to Home
// Assistant, as its discovery wants it. A real broker (mosquitto), an independent client (npm mqtt).
const { spawn } = require('child_process');
const { createHash } = require('crypto');
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
	const daemon = new Daemon(dir, conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 100}}',
		stations: '{S-01: {circuit: grid, evses: 2}, "G|07": {circuit: grid, max_current_a: 16}}',
		more: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", commands: [refresh, limit.set, config.apply], homeassistant: {enabled: true}}` }));
	const csms = new RawCsms(csmsPort);
	csms.answer = (id, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'BootNotification'
		? { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() } : {}]);
	let broker, client;
	const replies = [];
	const seen = []; // events in the order of their arrival
	const retained = new Map();
	fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${dir}/\nuser root\n`);
	const hear = (topic, payload) => {
		if (topic.startsWith('homeassistant/')) retained.set(topic, String(payload));
		else if (topic.endsWith('/event')) seen.push(JSON.parse(payload));
		else if (topic.endsWith('/backlog')) seen.push(...JSON.parse(payload));
		else replies.push(JSON.parse(payload));
	};
	// The broker keeps what it has for us while we are away: whoever publishes before we are back is heard all the same.
	const listen = async () => {
		broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
		children.add(broker);
		client = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion: 5, reconnectPeriod: 100, connectTimeout: 2000,
			clientId: 'judge', clean: false, properties: { sessionExpiryInterval: 3600 } });
		client.on('error', () => {});
		client.on('message', hear);
		await within(10000, 'the client connects', new Promise((resolve) => client.once('connect', resolve)));
		await client.subscribeAsync(['event', 'backlog', 'rsp/config.apply'].map((t) => `ampgate/flow/${t}`).concat('homeassistant/#'), { qos: 1 });
	};
	const cut = async () => {
		await client.endAsync(true);
		const ended = new Promise((resolve) => broker.once('exit', resolve));
		broker.kill('SIGTERM'); // it writes down who subscribed
		await within(5000, 'the broker ends', ended);
	};
	const events = () => seen.filter((e) => e.code);
	const up = () => until(20000, 'MQTT is up', async () => (await daemon.ask('status')).mqtt);
	// Each change of the uplink is an event, told within a second.
	let after = 0;
	const told = (code) => until(20000, `${code} is told`, async () => {
		const last = (await daemon.ask('event.list')).filter((e) => e.obj === 'uplink/cpo').pop();
		return last && last.code === code && last.seq > after && (after = last.seq);
	});
	const outages = async (n) => {
		for (let i = 0; i < n; i++) {
			await csms.close();
			await told('uplink.down');
			await csms.listen();
			await told('uplink.up');
		}
	};
	const apply = async (request) => {
		const n = replies.length;
		await client.publishAsync('ampgate/flow/cmd/config.apply', JSON.stringify(request), { qos: 1 });
		await until(10000, 'an answer', () => replies.length > n);
		return replies[n];
	};
	const complete = async (what) => {
		const all = (await daemon.ask('event.list')).map((e) => e.seq);
		await until(30000, `${what}: all ${all.length} events arrive`, () => all.every((seq) => events().some((e) => e.seq === seq)));
		const first = [...new Set(events().map((e) => e.seq))];
		equal(first, [...first].sort((a, b) => a - b), `${what}: order`);
		equal(first[first.length - 1] - first[0] + 1, first.length, `${what}: no gap`);
	};

	await run([
		['live events', async () => {
			await csms.listen();
			await listen();
			await daemon.start();
			const s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await s.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One', firmwareVersion: '1.4.2' });
			await up();
			await told('uplink.up');
			await outages(1);
			await complete('live');
			ok(events().every((e) => !e.hist || e.code === 'security.event'), 'they came as they happened, but for the start'); // which is before the broker is
		}],
		['the broker is away for some, and the daemon dies with what it had not delivered', async () => {
			await cut();
			await outages(2);
			await daemon.kill();
			await daemon.start();
			const s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await told('uplink.up');
			await outages(1);
			await listen();
			await up();
			await complete('after the outage');
			ok(events().some((e) => e.hist), 'some came late');
			await s.close();
		}],
		['nothing is told twice when nothing was lost', async () => {
			await apply({ id: 'x', yaml: '-' }); // its answer comes behind all that the broker has acknowledged
			const before = events().length;
			await daemon.stop();
			await daemon.start();
			await up();
			const late = events().slice(before).filter((e) => events().slice(0, before).some((o) => o.seq === e.seq));
			equal(late.length, 0, 'events told again');
		}],
		['Home Assistant: a device per station, entities that it accepts, again when it starts', async () => {
			const topic = 'homeassistant/device/ampgate_flow_S-01/config';
			const text = await until(10000, 'the announcement', () => retained.get(topic));
			const d = JSON.parse(text);
			equal(d.device.identifiers, ['ampgate_flow_S-01'], 'identifiers');
			equal([d.origin.name, d.availability_mode, d.availability.length], ['ampgate', 'all', 2], 'origin, availability');
			const ids = Object.values(d.components).map((c) => c.unique_id);
			equal(new Set(ids).size, ids.length, 'ids are unique');
			for (const c of Object.values(d.components)) {
				ok(['sensor', 'number'].includes(c.platform) && c.state_topic.startsWith('ampgate/flow/station/S-01/evse/'), JSON.stringify(c));
				ok(c.platform !== 'sensor' || !c.state_class || (c.unit_of_measurement && c.device_class), JSON.stringify(c));
				ok(c.platform !== 'number' || (c.command_topic === 'ampgate/flow/cmd/limit.set' && c.min < c.max), JSON.stringify(c));
			}
			ok(d.components['2_power'] && d.components['1_cap'], 'both EVSEs');
			ok(retained.has('homeassistant/device/ampgate_flow_G_7c07/config'), 'an identity with a sign that topics do not allow');
			retained.clear();
			await client.publishAsync('homeassistant/status', 'online');
			await until(10000, 'announced again', () => retained.get(topic));
		}],
		['the cap that Home Assistant sets is shown', async () => {
			const d = JSON.parse(retained.get('homeassistant/device/ampgate_flow_G_7c07/config'));
			const cap = d.components['1_cap'];
			equal(cap.max, 16, 'its highest value');
			await client.publishAsync(cap.command_topic, cap.command_template.replace('{{ value }}', '9'));
			await until(10000, 'it is in force', async () => (await daemon.ask('limit.list')).some((l) => l.object === 'G|07/1' && l.limit_a === 9));
		}],
		['a change of the configuration by MQTT: checked, and confirmed by the box itself as long as its connections stand', async () => {
			const yaml = 'circuits: {grid: {limit_a: 80}}\n';
			const { generation } = (await daemon.ask('status')).config;
			const sha256 = createHash('sha256').update(yaml).digest('hex');
			equal((await apply({ id: 'a', yaml, sha256: '00'.repeat(32) })).ok, false, 'torn on its way');
			equal((await apply({ id: 'b', yaml, sha256, base: generation + 5 })).error.code, 'forbidden', 'for another generation');
			const done = await apply({ id: 'c', yaml, sha256, base: generation, for: '2s' });
			ok(done.ok && done.result.confirm_until, JSON.stringify(done));
			await until(10000, 'it confirms itself', async () => (await daemon.ask('status')).config.generation === generation + 1);
			equal((await daemon.ask('circuit.list'))[0].limit_a[0], 80, 'the limit');
			equal(await apply({ id: 'c', yaml, sha256, base: generation, for: '2s' }), done, 'the same request again gets the same answer');
			await rawStation(port, 'S-01', ['ocpp1.6']);
			await csms.lane('S-01');
			await apply({ id: 'd', yaml: 'circuits: {grid: {limit_a: 70}}\n', for: '3s' });
			await csms.close();
			await until(20000, 'it takes the change back without its uplink', async () => (await daemon.ask('circuit.list'))[0].limit_a[0] === 80);
			await daemon.stop();
			await cut();
		}],
	]);
}

main();
