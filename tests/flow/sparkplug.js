'use strict';
// Sparkplug B with a real broker (mosquitto) and an independent decoder (npm sparkplug-payload): births, data by alias, deaths, rebirth, what may
// be written, and one sequence without gaps.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, equal, ok, run, children, top } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const mqtt = require('../node_modules/mqtt');

const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));
let sparkplug = null;
try {
	sparkplug = require('../node_modules/sparkplug-payload').get('spBv1.0');
} catch (e) {
	console.log('skipped: npm packages are not installed (cd tests && npm ci)');
	process.exit(77);
}
if (!BROKER) {
	console.log('skipped: mosquitto is not installed');
	process.exit(77);
}

const plain = (v) => (v && typeof v === 'object' && 'toNumber' in v ? v.toNumber() : v === undefined ? null : v);

// A host application: keeps what it hears in order, and the names that births gave to aliases.
class Host {
	constructor(port, group) {
		this.group = group;
		this.seen = [];
		this.names = new Map();
		this.client = mqtt.connect(`mqtt://127.0.0.1:${port}`);
		this.client.on('message', (topic, payload, packet) => this.take(topic, payload, packet));
	}

	async listen() {
		await within(5000, 'the host connects', new Promise((resolve) => this.client.once('connect', resolve)));
		await this.client.subscribeAsync([`spBv1.0/${this.group}/#`, 'ampgate/#'], { qos: 1 });
	}

	take(topic, payload, packet) {
		if (topic.startsWith('ampgate/')) {
			this.seen.push({ plain: topic, text: String(payload) });
			return;
		}
		const [, , type, node, device] = topic.split('/');
		if (type.endsWith('CMD')) return;
		const p = sparkplug.decodePayload(payload);
		const m = { type, node, device, seq: plain(p.seq), retain: packet.retain, qos: packet.qos, timestamp: plain(p.timestamp), metrics: {}, list: p.metrics || [] };
		if (type === 'NBIRTH') this.names.clear();
		for (const x of m.list) {
			if (x.name && x.alias) this.names.set(plain(x.alias), { name: x.name, device, type: x.type });
			m.metrics[x.name || this.names.get(plain(x.alias)).name] = plain(x.value);
		}
		this.seen.push(m);
	}

	// The first message of a type (or what matches one) that fits.
	message(type, device, fits = () => true, from = 0, what = '') {
		return until(8000, `${type} ${device || ''} ${what}`, () => this.seen.slice(from).find((m) => m.type && m.type.match(type) && m.device === device && fits(m)));
	}

	write(type, device, metrics) {
		const payload = sparkplug.encodePayload({ timestamp: Date.now(), metrics, seq: 0 });
		return this.client.publishAsync(`spBv1.0/${this.group}/${type}/${this.node}${device ? `/${device}` : ''}`, payload, { qos: 1 });
	}

	// Births begin at 0, and everything but a death of the node counts on.
	sequence() {
		let last = null, n = 0;
		for (const m of this.seen.filter((x) => x.type && x.type !== 'NDEATH')) {
			if (m.type === 'NBIRTH') equal(m.seq, 0, 'the birth of a node');
			else equal(m.seq, (last + 1) % 256, `${m.type} ${m.device || ''} after ${last}`);
			last = m.seq;
			n++;
		}
		return n;
	}
}

// Every metric of a birth has a type and a time; an alias is one of a kind in the node, and the order to be born again has none.
function wellFormed(messages) {
	const aliases = new Set();
	for (const m of messages) {
		equal([m.retain, m.qos], [false, 0], `${m.type} is neither retained nor acknowledged`);
		for (const x of m.list) {
			ok(x.name && x.type && plain(x.timestamp), `${x.name} is complete`);
			if (x.name === 'Node Control/Rebirth' || x.name === 'bdSeq') ok(!plain(x.alias), `${x.name} has no alias`);
			else ok(plain(x.alias) && !aliases.has(plain(x.alias)), `the alias of ${x.name}`);
			aliases.add(plain(x.alias));
		}
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort, brokerPort] = [await freePort(), await freePort(), await freePort()];
	const yaml = (more = '') => conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 100}, row: {parent: grid, limit_a: 40}}',
		stations: '{S-01: {circuit: row}, "G|07": {circuit: row}}',
		more: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", commands: [refresh, limit.set], sparkplug: {enabled: true, group_id: depots${more}}}` });
	const daemon = new Daemon(dir, yaml());
	const csms = new RawCsms(csmsPort);
	csms.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",${m[2] === 'BootNotification' ? '{"status":"Accepted","interval":300,"currentTime":"2026-03-02T17:04:05Z"}' : '{}'}]`;
	let broker, host, s, birth, bdSeq;
	const startBroker = async () => {
		fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`);
		broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
		children.add(broker);
	};
	// Somebody who takes our name at the broker, and with it our connection.
	const cutOff = async () => {
		const thief = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, { clientId: 'ampgate-flow-sparkplug', reconnectPeriod: 0 });
		await within(5000, 'the broker lets it in', new Promise((resolve) => thief.once('connect', resolve)));
	};

	await run([
		['a node is born with types and units, then its stations', async () => {
			await startBroker();
			host = new Host(brokerPort, 'depots');
			host.node = 'flow';
			await host.listen();
			await csms.listen();
			await daemon.start();
			birth = await host.message('NBIRTH');
			bdSeq = birth.metrics.bdSeq;
			equal([birth.seq, birth.metrics['Node Control/Rebirth'], bdSeq], [0, false, 0], 'what every birth has');
			equal(birth.metrics['Circuit/row/Limit L1'], 40, 'a circuit');
			const unit = (m, name) => m.list.filter((x) => x.name === name).map((x) => [x.type, x.properties && x.properties.engUnit.value])[0];
			equal(unit(birth, 'Site/Limit L1'), ['Double', 'A'], 'type and unit of a current');
			s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await s.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			await s.ask('s', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await rawStation(port, 'G|07', ['ocpp2.0.1']);
			await host.message('DBIRTH', 'G|07');
			await host.message(/BIRTH|DATA/, 'S-01', (m) => m.metrics['EVSE 1/State'] === 'charging');
			const device = await host.message('DBIRTH', 'S-01', (m) => 'EVSE 1/State' in m.metrics);
			equal([unit(device, 'EVSE 1/Energy'), unit(device, 'EVSE 1/State')], [['Int64', 'Wh'], ['String', undefined]], 'types and units of an EVSE');
			ok(device.metrics['EVSE 1/Cap'] > 0, 'its cap');
			ok('EVSE 1/Transaction/Start' in device.metrics, 'what is unknown is there all the same');
			equal([device.metrics['EVSE 1/Transaction/Start'], unit(device, 'EVSE 1/Transaction/Start')[0]], [null, 'DateTime'], 'with its type, and null');
			ok(!('Control/Reset' in device.metrics), 'what is not allowed is not offered');
		}],
		['what changes goes out by alias, and as plain telemetry says it', async () => {
			const from = host.seen.length;
			await s.ask('m', 'MeterValues', { connectorId: 1, meterValue: [{ timestamp: new Date().toISOString(),
				sampledValue: [{ value: '7380', measurand: 'Power.Active.Import', unit: 'W' }, { value: '48213', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }] }] });
			const data = await host.message('DDATA', 'S-01', (m) => m.metrics['EVSE 1/Energy'] === 48213, from);
			equal(data.metrics['EVSE 1/Power'], 7380, 'the power');
			ok(data.list.every((x) => !x.name && plain(x.alias)), 'by aliases alone');
			ok(!('EVSE 1/State' in data.metrics), 'what is as it was is left out');
			const same = await until(8000, 'plain telemetry', () => host.seen.find((m) => m.plain === 'ampgate/flow/station/S-01/evse/1' && JSON.parse(m.text).energy_wh === 48213));
			equal(JSON.parse(same.text).p_w, 7380, 'the same');
		}],
		['Node Control/Rebirth: node and stations are born again, in the same session', async () => {
			const from = host.seen.length;
			await host.write('NCMD', null, [{ name: 'Node Control/Rebirth', type: 'Boolean', value: true }]);
			const again = await host.message('NBIRTH', undefined, () => true, from);
			equal([again.seq, again.metrics.bdSeq], [0, bdSeq], 'sequence and session');
			const device = await host.message('DBIRTH', 'S-01', () => true, from);
			const other = await host.message('DBIRTH', 'G|07', () => true, from);
			equal(device.metrics['EVSE 1/Energy'], 48213, 'with what there is');
			wellFormed([again, device, other]);
			ok(!host.seen.some((m) => m.type === 'NDEATH'), 'nobody died');
		}],
		['a cap that is written is in force, and comes back as data; by name or alias', async () => {
			let from = host.seen.length;
			await host.write('DCMD', 'S-01', [{ name: 'EVSE 1/Cap', type: 'Double', value: 10 }]);
			await host.message('DDATA', 'S-01', (m) => m.metrics['EVSE 1/Cap'] === 10, from);
			equal((await daemon.ask('limit.list')).map((l) => [l.object, l.limit_a]), [['S-01/1', 10]], 'in the daemon');
			from = host.seen.length;
			const alias = [...host.names].find(([, n]) => n.device === 'S-01' && n.name === 'EVSE 1/Cap')[0];
			await host.write('DCMD', 'S-01', [{ name: '', alias, type: 'Int32', value: 8 }]);
			await host.message('DDATA', 'S-01', (m) => m.metrics['EVSE 1/Cap'] === 8, from);
			from = host.seen.length;
			await host.write('NCMD', null, [{ name: 'Circuit/row/Control/Cap', type: 'Float', value: 20 }]);
			await host.message('NDATA', undefined, (m) => m.metrics['Circuit/row/Limit L1'] === 20, from);
		}],
		['what cannot be written, is not allowed or is no payload changes nothing and is named in the log', async () => {
			const before = JSON.stringify(await daemon.ask('limit.list'));
			const told = (what) => until(8000, `the log says: ${what}`, () => daemon.log.includes(what));
			await host.write('DCMD', 'S-01', [{ name: 'EVSE 1/Power', type: 'Double', value: 1 }]);
			await told("'EVSE 1/Power' was written");
			await host.write('DCMD', 'S-01', [{ name: 'Control/Reset', type: 'Boolean', value: true }]);
			await told("'Control/Reset' was written");
			await host.write('DCMD', 'S-01', [{ name: 'EVSE 1/Cap', type: 'String', value: '6' }]);
			await told("'EVSE 1/Cap' was written");
			await host.write('DCMD', 'S-01', [{ name: 'EVSE 1/Cap', type: 'Double', value: -3 }]);
			await told('could not be carried out');
			await host.client.publishAsync('spBv1.0/depots/NCMD/flow', Buffer.from([255, 255, 255, 255]), { qos: 1 });
			await told('no payload was dropped');
			await host.write('DCMD', 'S-99', [{ name: 'EVSE 1/Cap', type: 'Double', value: 6 }]);
			await told('for no device was dropped');
			equal(JSON.stringify(await daemon.ask('limit.list')), before, 'the limits');
		}],
		['a station that leaves is dead, and is born when it is back', async () => {
			const from = host.seen.length;
			await s.close();
			const death = await host.message('DDEATH', 'S-01', () => true, from);
			equal(death.list.length, 0, 'metrics of a death');
			s = await rawStation(port, 'S-01', ['ocpp1.6']);
			await host.message('DBIRTH', 'S-01', () => true, host.seen.indexOf(death));
		}],
		['a connection that is lost: its will names the birth, and the next one raises bdSeq', async () => {
			const from = host.seen.length;
			await cutOff();
			equal((await host.message('NDEATH', undefined, () => true, from)).metrics, { bdSeq }, 'the will');
			equal((await host.message('NBIRTH', undefined, () => true, from)).metrics.bdSeq, bdSeq + 1, 'the next');
			await host.message('DBIRTH', 'S-01', () => true, from);
			bdSeq++;
		}],
		['kill -9: the will; a start later a number that was never used', async () => {
			const from = host.seen.length;
			await daemon.kill();
			const death = await host.message('NDEATH', undefined, () => true, from);
			equal([death.metrics, death.seq], [{ bdSeq }, null], 'the will');
			fs.writeFileSync(daemon.config, yaml(', edge_node: flow, primary_host: scada'));
			await daemon.start();
			await until(8000, 'the daemon is at the broker', () => daemon.log.includes('Sparkplug is connected'));
			const waits = host.seen.length;
			await host.client.publishAsync('spBv1.0/STATE/scada', JSON.stringify({ online: true, timestamp: 1000 }), { qos: 1, retain: true });
			const next = await host.message('NBIRTH', undefined, () => true, from);
			ok(host.seen.indexOf(next) >= waits, 'not before its primary host is there');
			equal(next.metrics.bdSeq, bdSeq + 1, 'the next number');
			bdSeq++;
		}],
		['the primary host goes: so do we; old words of it are no news', async () => {
			const from = host.seen.length;
			const state = (online, timestamp) => host.client.publishAsync('spBv1.0/STATE/scada', JSON.stringify({ online, timestamp }), { qos: 1, retain: true });
			await state(false, 999);
			await host.write('NCMD', null, [{ name: 'Node Control/Rebirth', type: 'Boolean', value: true }]);
			await host.message('NBIRTH', undefined, () => true, from);
			ok(!host.seen.slice(from).some((m) => m.type === 'NDEATH'), 'an old word');
			await state(false, 2000);
			equal((await host.message('NDEATH', undefined, () => true, from)).metrics, { bdSeq }, 'our death');
			await state(true, 3000);
			equal((await host.message('NBIRTH', undefined, (m) => m.metrics.bdSeq !== bdSeq, from)).metrics.bdSeq, bdSeq + 1, 'the next birth');
			bdSeq++;
		}],
		['an orderly stop says so', async () => {
			const from = host.seen.length;
			await daemon.stop();
			equal((await host.message('NDEATH', undefined, () => true, from)).metrics, { bdSeq }, 'our death');
		}],
		['all of it was one sequence without gaps', async () => {
			ok(host.sequence() > 12, 'and there was something to count');
		}],
		['300 stations: the sequence goes over 255 to 0', async () => {
			const many = new Host(brokerPort, 'many');
			await many.listen();
			const sink = spawn(path.join(top, 'tests/tools/mqtt-sink'), [JSON.stringify({ url: `mqtt://127.0.0.1:${brokerPort}`, group_id: 'many', edge_node: 'n', site: 'many', commands: [] }), 'sparkplug']);
			children.add(sink);
			let said = '';
			sink.stdout.on('data', (d) => (said += d));
			await until(8000, 'it is up', () => said.includes('"sink":"up"'));
			for (let i = 0; i < 300; i++) {
				sink.stdin.write(JSON.stringify({ topic: `station/S-${i}`, payload: '{"vendor":"Flow"}' }) + '\n');
				sink.stdin.write(JSON.stringify({ topic: `station/S-${i}/status`, payload: 'online' }) + '\n');
			}
			await until(8000, 'all are born', () => new Set(many.seen.filter((m) => m.type === 'DBIRTH').map((m) => m.device)).size === 300);
			ok(many.sequence() >= 301, 'and counted');
			sink.stdin.end();
			await many.message('NDEATH');
			await many.client.endAsync(true);
			await host.client.endAsync(true);
			broker.kill();
		}],
	]);
}

main();
