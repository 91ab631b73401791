'use strict';
// Nothing lost, nothing billed twice, whatever crashes. The real daemon between stations and a CSMS of our own, two relays that disturb every
// connection, and random disasters from a printed seed; then everything is healed, and each station's transactions are compared with what the
// CSMS wrote down.
//
//     node torture.js                 Environment: SEED (random), POINTS disasters (300), STATIONS (20), KEEP=1 keeps the folder
const { freePort, tempDir, within, until, Daemon, ok } = require('../flow/lib.js');
const { Relay } = require('./relay.js');
const { Csms } = require('./csms.js');
const { Station, pause } = require('./station.js');

const SEED = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));
const POINTS = Number(process.env.POINTS || 300);
const STATIONS = Number(process.env.STATIONS || 20);
const MIRRORED = 3; // the last ones; their link is cut with their lane

// Chooses what happens and to whom; when is up to the machine.
function randomFrom(seed) {
	let state = seed >>> 0;
	return (least, most) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return least + (((t ^ (t >>> 14)) >>> 0) % (most - least + 1));
	};
}

const random = randomFrom(SEED);
const pick = (list) => list[random(0, list.length - 1)];
const violations = [];
const violation = (text) => {
	if (violations.push(text) <= 20) console.log(`# VIOLATION ${new Date().toISOString()} ${text}`);
};

let clock = 1.8e12;
const world = { random, violation, healing: false, remoteStops: 0, remoteStopsMapped: 0, tick: () => (clock += 1000 + random(0, 5)) };
const counts = {};
const two = (i) => String(i).padStart(2, '0');
const name = (i) => `${i >= STATIONS - MIRRORED ? 'M' : 'T'}-${two(i)}`;

function configuration(port, upPort) {
	const uplink = (more) => `
    mode: per-station
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${upPort}/{id}", priority: 1}]
    reconnect: {min: 100ms, max: 1s, jitter: 50%}
    call_timeout: 1s
    ping: 1s
    message_attempts: 20
    message_retry_interval: 300ms
${more}`;
	return `
version: 1
site: {id: torture}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1]}
stations:
  "T-[00-${two(STATIONS - MIRRORED - 1)}]": {circuit: grid}
  "M-[${two(STATIONS - MIRRORED)}-${two(STATIONS - 1)}]": {circuit: grid, uplink: mirrored}
uplinks:
  cpo:${uplink('')}
  mirrored:${uplink('    on_loss: mirror')}
offline: {authorize: [all]}
log: {level: debug, target: stderr}
`;
}

// --- disasters ---

let daemon, csms, down, up;
const stations = [];

async function killDaemon() {
	await daemon.kill();
	await pause(random(0, 3) ? 0 : random(50, 800));
	await daemon.start();
}

async function restartDaemon() {
	await daemon.stop();
	await daemon.start();
}

async function freezeDaemon() {
	daemon.child.kill('SIGSTOP');
	await pause(random(100, 2500));
	daemon.child.kill('SIGCONT');
}

let csmsBack = Promise.resolve();
async function killCsms() {
	if (!csms.alive) return false;
	await csms.crash();
	csmsBack = pause(random(20, 1500)).then(() => csms.listen());
	return true;
}

function onLink(relay, does) {
	const links = [...relay.links];
	if (!links.length) return false;
	does(pick(links));
	return true;
}

const disasters = [
	[4, 'kill -9 of the daemon', killDaemon],
	[1, 'a restart of the daemon', restartDaemon],
	[1, 'the daemon stands still', freezeDaemon],
	[3, 'kill -9 of the CSMS', killCsms],
	[6, 'a station loses power', () => pick(stations).crash(random(20, 800))],
	[8, 'a station link is cut', () => onLink(down, (l) => l.cut())],
	[8, 'a lane is cut', () => onLink(up, (l) => l.cut())],
	[4, 'a station link is half-open', () => onLink(down, (l) => l.swallow(random(0, 1), true, random(300, 3000)))],
	[4, 'a lane is half-open', () => onLink(up, (l) => l.swallow(random(0, 1), true, random(300, 3000)))],
	[2, 'all lanes are cut', () => up.cutAll()],
	[2, 'all station links are cut', () => down.cutAll()],
	[10, 'the CSMS notes and dies for one station', () => csms.mischief.set(pick(stations).id, { kind: 'die' })],
	[6, 'an answer never comes', () => csms.mischief.set(pick(stations).id, { kind: 'never' })],
	[6, 'an answer comes late', () => csms.mischief.set(pick(stations).id, { kind: 'late', ms: random(50, 2500) })],
	[3, 'a message is refused once', () => csms.mischief.set(pick(stations).id, { kind: 'error' })],
	[4, 'a lane is slow', () => onLink(up, (l) => l.lag(random(10, 400), random(100, 1000)))],
	[3, 'a station link is slow', () => onLink(down, (l) => l.lag(random(10, 400), random(100, 1000)))],
	[4, 'a station gives its link up', () => pick(stations).abandon()],
];
const total = disasters.reduce((n, [weight]) => n + weight, 0);

async function strike() {
	let at = random(0, total - 1);
	const [, what, does] = disasters.find(([weight]) => (at -= weight) < 0);
	if ((await does()) === false) return;
	counts[what] = (counts[what] || 0) + 1;
	world.points++;
}

// --- the judgement ---

// What the CSMS must have noted for an entry, given the ids it handed out.
function expected(station, entry, starts) {
	const want = JSON.parse(JSON.stringify(entry.payload));
	if (station.v2) return [want];
	if (entry.action === 'StartTransaction') return [want];
	return starts.map((tx) => ({ ...want, transactionId: tx }));
}

function withoutLate(params) {
	const { offline, ...rest } = params;
	return rest;
}

function judge(station) {
	const notes = csms.notesOf(station.id);
	const firsts = notes.filter((n) => n.first === n);
	const where = (i) => `${station.id} message ${i}`;
	if (firsts.length !== station.truth.length) violation(`${station.id}: ${firsts.length} messages at the CSMS, ${station.truth.length} were sent`);
	for (let i = 0; i < Math.min(firsts.length, station.truth.length); i++) {
		const entry = station.truth[i], note = firsts[i];
		if (!entry.ids.has(note.id)) {
			const other = station.truth.findIndex((e) => e.ids.has(note.id));
			violation(`${where(i)}: ${entry.action} expected, ${note.action} ${note.id} came, which is message ${other}`);
			return;
		}
		const startIds = new Set(entry.tx.start.ids);
		const given = notes.filter((n) => startIds.has(n.id) && n.tx).map((n) => n.tx);
		const got = JSON.stringify(withoutLate(note.params));
		if (!expected(station, entry, given).some((want) => JSON.stringify(want) === got))
			violation(`${where(i)}: ${entry.action} ${JSON.stringify(entry.payload)} came as ${got}; the CSMS calls it ${given}`);
	}
}

// The one thing OCPP 1.6 leaves open: a start that reached the CSMS, whose answer was lost, and that a CSMS takes for a second one although the
// message id is the same.
function leftOpen() {
	let n = 0;
	for (const notes of csms.notes.values())
		n += notes.filter((x) => x.action === 'StartTransaction' && x.first !== x).length;
	return n;
}

async function heal() {
	world.healing = true;
	await csmsBack;
	await until(60000, 'the stations have nothing left to say', () => stations.every((s) => !s.queue.length && !s.running))
		.catch((e) => {
			const rest = stations.filter((s) => s.queue.length || s.running);
			throw new Error(`${e.message}: ${rest.map((s) => `${s.id} ${s.queue.length} ${s.queue[0] && s.queue[0].action} ${s.connected}`).join(', ')}`);
		});
	await until(60000, 'the queue is empty', async () => (await daemon.ask('status')).queue.messages === 0)
		.catch(async (e) => {
			throw new Error(`${e.message}: ${JSON.stringify((await daemon.ask('queue.list')).slice(0, 5))}`);
		});
	const { parked } = (await daemon.ask('status')).queue;
	if (parked) violation(`${parked} messages were set aside: ${JSON.stringify((await daemon.ask('queue.list')).filter((r) => r.state === 'parked').slice(0, 5))}`);
}

function report(from) {
	const truth = stations.reduce((n, s) => n + s.truth.length, 0);
	const txs = stations.reduce((n, s) => n + s.txs.length, 0);
	console.log(`# seed ${SEED}: ${world.points} crash points in ${Math.round((Date.now() - from) / 1000)} s, ${txs} transactions, ${truth} messages, ` +
		`${csms.repeats} repeats under the same id, ${world.remoteStops} remote stops (${world.remoteStopsMapped} with a provisional id), ` +
		`${leftOpen()} starts billed twice by a CSMS that ignores message ids, ${violations.length} violations`);
	for (const [what, n] of Object.entries(counts)) console.log(`#   ${String(n).padStart(5)}  ${what}`);
}

async function main() {
	console.log(`# seed ${SEED}, ${POINTS} crash points, ${STATIONS} stations`);
	const dir = tempDir();
	const [port, downPort, upPort, csmsPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
	const from = Date.now();
	world.points = 0;
	down = new Relay(downPort, port);
	up = new Relay(upPort, csmsPort);
	csms = world.csms = new Csms(csmsPort, violation);
	daemon = new Daemon(dir, configuration(port, upPort));
	await Promise.all([csms.listen(), down.listen(), up.listen()]);
	await daemon.start();
	for (let i = 0; i < STATIONS; i++) {
		const s = new Station(downPort, name(i), { v2: i % 2 === 1, newIds: i % 3 === 0, overlaps: i % 5 === 0 }, world);
		stations.push(s);
		s.connect();
		s.charge(1);
		if (i % 4 === 0) s.charge(2);
	}
	await until(20000, 'the first messages are at the CSMS', () => csms.notes.size > STATIONS / 2);
	while (world.points < POINTS && violations.length < 20) {
		await strike();
		if (random(0, 9) === 0) csms.remoteStop(pick(stations).id);
		await pause(random(0, 160));
	}
	await heal();
	stations.forEach(judge);
	report(from);
	ok(violations.length === 0, `${violations.length} violations; again with SEED=${SEED} POINTS=${POINTS}`);
	await daemon.stop();
}

within(30000 + POINTS * 1000, 'the end', main()).then(() => process.exit(0), (e) => {
	console.log(e.stack);
	process.exit(1);
});
