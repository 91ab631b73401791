'use strict';
// A fleet on one broker: BOXES daemons (500) with two charging stations each whose cars come, draw and go, one mosquitto, one client that hears all.
//
//   BOXES=500 MEASURE_S=120 OUTAGE_S=60 node tests/bench/fleet.js
//
// Prints what the broker passes on in the steady state (messages and bytes, by topic), how long commands to all boxes take, and how the boxes
// come back after the broker was away: when, how many at a time, and whether an event is missing. Everything is real but the stations, which are
// plain OCPP 1.6 clients in here. Boxes are started a few at a time; each takes about 5 MiB of its own. Ends with 1 when an event is missing.
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { freePort, tempDir, until, children } = require('../flow/lib.js');
const mqtt = require('../node_modules/mqtt');
const WebSocket = require('../node_modules/ws');

const BOXES = Number(process.env.BOXES || 500), MEASURE_S = Number(process.env.MEASURE_S || 120), OUTAGE_S = Number(process.env.OUTAGE_S || 60);
const AT_ONCE = Number(process.env.AT_ONCE || 10);   // starting together
const METER_S = 30; // a charging station tells its meter
const STAY_S = 300; // a car stays or stays away, on average
const top = process.env.top_builddir || path.resolve(__dirname, '../..');
const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const at = (list, q) => (list.length ? list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] : NaN);
const name = (i) => `box-${String(i).padStart(3, '0')}`;

// A station with a car that comes, charges at a current of its own choice, and goes.
class Station {
	constructor(id) {
		this.id = id;
		this.n = 0;
		this.wh = 0;
		this.tx = null; // id of the transaction
		this.next = Math.random() * METER_S;
		this.change = Math.random() * STAY_S * 2;
	}

	async connect(port) {
		this.ws = new WebSocket(`ws://127.0.0.1:${port}/${this.id}`, ['ocpp1.6']);
		this.ws.on('error', () => {});
		this.ws.on('message', (data) => {
			const m = JSON.parse(data);
			if (m[0] === 2) this.ws.send(JSON.stringify(/ChargingProfile$/.test(m[2]) ? [3, m[1], { status: 'Accepted' }] : [4, m[1], 'NotImplemented', '', {}]));
			else if (m[0] === 3 && m[2].transactionId !== undefined) this.tx = m[2].transactionId;
		});
		await new Promise((resolve, reject) => this.ws.once('open', resolve).once('close', () => reject(new Error(`${this.id} is not let in`))));
		this.say('BootNotification', { chargePointVendor: 'Bench', chargePointModel: 'One' });
		this.state('Available');
	}

	say(action, payload) {
		this.ws.send(JSON.stringify([2, `${++this.n}`, action, payload]));
	}

	state(status) {
		this.say('StatusNotification', { connectorId: 1, errorCode: 'NoError', status });
	}

	meter() {
		const amps = this.amps + Math.random() * 2 - 1, timestamp = new Date().toISOString();
		this.wh += amps * 230 * 3 * METER_S / 3600;
		this.say('MeterValues', { connectorId: 1, transactionId: this.tx, meterValue: [{ timestamp, sampledValue: [
			...[1, 2, 3].map((l) => ({ value: amps.toFixed(1), measurand: 'Current.Import', phase: `L${l}`, unit: 'A' })),
			{ value: this.wh.toFixed(0), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }] }] });
	}

	second() {
		if ((this.change -= 1) <= 0) {
			this.change = Math.random() * STAY_S * 2;
			const timestamp = new Date().toISOString();
			if (this.tx === null) {
				this.amps = 7 + Math.random() * 8;
				this.state('Charging');
				this.say('StartTransaction', { connectorId: 1, idTag: 'CAR', meterStart: Math.round(this.wh), timestamp });
			} else {
				this.say('StopTransaction', { transactionId: this.tx, meterStop: Math.round(this.wh), timestamp });
				this.tx = null;
				this.state('Available');
			}
		} else if (this.tx !== null && (this.next -= 1) <= 0) {
			this.next = METER_S;
			this.meter();
		}
	}
}

class Box {
	constructor(dir, i, broker, port) {
		this.id = name(i);
		this.dir = path.join(dir, this.id);
		this.port = port;
		this.events = new Map(); // number -> how often
		this.stations = [1, 2].map((n) => new Station(`S-${n}`));
		fs.mkdirSync(this.dir);
		fs.writeFileSync(path.join(this.dir, 'ampgate.yaml'), `version: 1
site: {id: ${this.id}}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 25}}
stations: {"S-[1-2]": {circuit: grid}}
authorization: {order: list_only}
offline: {authorize: [all]}
mqtt: {url: "mqtt://127.0.0.1:${broker}", commands: [refresh, limit.set]}
log: {level: info, target: stderr}
`);
	}

	// One request on the control socket; 'refresh' leaves an event.
	ask(method) {
		return new Promise((resolve, reject) => {
			let text = '';
			const s = net.connect(path.join(this.dir, 'sock'));
			s.on('error', reject);
			s.on('connect', () => s.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }) + '\n'));
			s.on('data', (d) => {
				text += d;
				if (text.endsWith('\n')) s.end(() => resolve(JSON.parse(text).result));
			});
		});
	}

	start() {
		const log = fs.openSync(path.join(this.dir, 'log'), 'a');
		this.child = spawn(path.join(top, 'ampgated'), ['-c', path.join(this.dir, 'ampgate.yaml'), '--state-dir', path.join(this.dir, 'state'),
			'--socket', path.join(this.dir, 'sock')], { stdio: ['ignore', 'ignore', log] });
		fs.closeSync(log);
		children.add(this.child);
	}

	get rss() {
		return Number(/Rss: +(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/smaps_rollup`))[1]);
	}

	get pss() {
		return Number(/Pss: +(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/smaps_rollup`))[1]);
	}

	get cpu() {
		const f = fs.readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
		return (Number(f[11]) + Number(f[12])) / 100;
	}
}

async function main() {
	const dir = tempDir(), port = await freePort();
	fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nsys_interval 1\nuser root\n`);
	let broker;
	const startBroker = () => {
		broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
		children.add(broker);
	};
	startBroker();
	const boxes = [];
	for (let i = 1; i <= BOXES; i++) boxes.push(new Box(dir, i, port, await freePort()));
	const byId = new Map(boxes.map((b) => [b.id, b]));
	const online = new Set(), sys = new Map(), replies = new Map(), kinds = new Map();
	let counting = false, back = [];
	const note = (box, e) => e.code && box.events.set(e.seq, (box.events.get(e.seq) || 0) + 1);
	const hear = (topic, payload) => {
		if (topic.startsWith('$SYS/')) {
			sys.set(topic.slice(5), Number(String(payload).split(' ')[0]));
			return;
		}
		const [, id, ...rest] = topic.split('/'), box = byId.get(id), kind = rest[0] === 'station' ? ['station', ...rest.slice(2, 3)].join('/') : rest[0];
		if (counting) {
			const k = kinds.get(kind) || { n: 0, bytes: 0 };
			k.n++;
			k.bytes += payload.length + topic.length;
			kinds.set(kind, k);
		}
		if (kind === 'status') {
			if (String(payload) !== 'online') online.delete(id);
			else if (!online.has(id)) online.add(id) && back.push(Date.now());
		} else if (kind === 'event') note(box, JSON.parse(payload));
		else if (kind === 'backlog') JSON.parse(payload).forEach((e) => note(box, e));
		else if (kind === 'rsp') replies.set(JSON.parse(payload).id, Date.now());
	};
	const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 100, resubscribe: true });
	client.on('error', () => {});
	client.on('message', hear);
	await new Promise((resolve) => client.once('connect', resolve));
	await client.subscribeAsync(['ampgate/#', '$SYS/broker/#'], { qos: 1 });

	// The boxes, a few at a time, so that what is measured later is not their start.
	const begun = Date.now();
	for (let i = 0; i < BOXES; i += AT_ONCE) {
		const some = boxes.slice(i, i + AT_ONCE);
		some.forEach((b) => b.start());
		await until(120000, `${some[0].id} and those beside it`, () => some.every((b) => online.has(b.id)));
		await Promise.all(some.flatMap((b) => b.stations.map((s) => s.connect(b.port))));
	}
	console.log(`${BOXES} boxes online after ${((Date.now() - begun) / 1000).toFixed(0)} s, ${AT_ONCE} at a time`);
	const life = setInterval(() => boxes.forEach((b) => b.stations.forEach((s) => s.second())), 1000);
	await sleep(STAY_S * 200); // some cars have come

	// The steady state.
	const cpu0 = boxes.reduce((n, b) => n + b.cpu, 0), brokerCpu = () => {
		const f = fs.readFileSync(`/proc/${broker.pid}/stat`, 'utf8').split(') ')[1].split(' ');
		return (Number(f[11]) + Number(f[12])) / 100;
	};
	const b0 = brokerCpu(), s0 = new Map(sys), t0 = Date.now();
	counting = true;
	await sleep(MEASURE_S * 1000);
	counting = false;
	const s = (Date.now() - t0) / 1000, d = (k) => ((sys.get(`broker/${k}`) - s0.get(`broker/${k}`)) / s).toFixed(0);
	console.log(`steady, ${s.toFixed(0)} s, ${boxes.reduce((n, b) => n + b.stations.filter((x) => x.tx !== null).length, 0)} of ${BOXES * 2} stations charge:`);
	console.log(`  the broker receives ${d('messages/received')} messages/s, ${d('bytes/received')} bytes/s; `
		+ `${(Number(d('bytes/received')) / BOXES).toFixed(0)} bytes/s for each box, ${(d('bytes/received') / BOXES * 86400 / 1e6).toFixed(1)} MB a day`);
	for (const [kind, k] of [...kinds].sort((a, b) => b[1].bytes - a[1].bytes)) {
		console.log(`  ${kind.padEnd(14)} ${(k.n / s).toFixed(1).padStart(8)} messages/s ${(k.bytes / s).toFixed(0).padStart(8)} bytes/s`);
	}
	const rss = boxes.map((b) => b.rss / 1024), pss = boxes.map((b) => b.pss / 1024);
	console.log(`  a box: ${((boxes.reduce((n, b) => n + b.cpu, 0) - cpu0) / s / BOXES * 1000).toFixed(1)} ms of CPU a second, RSS median ${at(rss, 0.5).toFixed(1)} MiB,`
		+ ` most ${at(rss, 1).toFixed(1)}; its own part ${at(pss, 0.5).toFixed(1)}. The broker: ${((brokerCpu() - b0) / s * 1000).toFixed(0)} ms a second`);

	// A command to all of them.
	const sent = new Map();
	for (const b of boxes) {
		sent.set(`all-${b.id}`, Date.now());
		client.publish(`ampgate/${b.id}/cmd/limit.set`, JSON.stringify({ id: `all-${b.id}`, circuit: 'grid', limit_a: 20, for: '1h' }), { qos: 1 });
	}
	await until(60000, 'all answers', () => [...sent.keys()].every((id) => replies.has(id)));
	const took = [...sent].map(([id, t]) => replies.get(id) - t);
	console.log(`a limit for all boxes at once: answered after ${at(took, 0.5)} ms (median), ${at(took, 0.99)} ms (99 of 100), ${at(took, 1)} ms (last)`);

	// The broker goes, things happen, it comes back.
	broker.kill('SIGKILL');
	online.clear();
	for (let n = 0, end = Date.now() + OUTAGE_S * 1000; Date.now() < end; n++) {
		for (const b of boxes.filter((_, i) => i % 5 === n % 5)) await b.ask('refresh');
		await sleep(1000);
	}
	back = [];
	startBroker();
	const up = Date.now();
	await until(60000, 'all boxes back', () => online.size === BOXES);
	const after = back.map((t) => t - up), peak = new Map();
	after.forEach((t) => peak.set(Math.floor(t / 1000), (peak.get(Math.floor(t / 1000)) || 0) + 1));
	console.log(`after ${OUTAGE_S} s without a broker all are back: median ${(at(after, 0.5) / 1000).toFixed(1)} s, last ${(at(after, 1) / 1000).toFixed(1)} s,`
		+ ` at most ${Math.max(...peak.values())} in one second`);

	// What each box noted is what arrived.
	clearInterval(life);
	let events = 0, missing = 0, twice = 0;
	await sleep(5000);
	for (const b of boxes) {
		const noted = (await b.ask('event.list')).map((e) => e.seq);
		await until(20000, `all events of ${b.id}`, () => noted.every((seq) => b.events.has(seq))).catch(() => {});
		events += noted.length;
		missing += noted.filter((seq) => !b.events.has(seq)).length;
		twice += noted.filter((seq) => b.events.get(seq) > 1).length;
	}
	console.log(`${events} events noted by the boxes, ${missing} missing at the client, ${twice} came twice`);
	await client.endAsync(true);
	for (const b of boxes) b.child.kill('SIGTERM');
	await Promise.all(boxes.map((b) => new Promise((r) => (b.child.exitCode === null && b.child.signalCode === null ? b.child.once('exit', r) : r()))));
	broker.kill();
	process.exit(missing ? 1 : 0);
}

main();
