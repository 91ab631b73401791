'use strict';
// Lanes as streams of one HTTP/2 connection, with HAProxy in front of a CSMS: one connection for all, all back after a cut, beside as many
// sockets of their own; a long message of one lane in the way of short ones of another; and a peer that does not offer it.
// Environment: LANES (16), MEGABYTES (3). LANES=300 MEGABYTES=10 is the long form, which prints the same figures.
const { spawn, execFileSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, Csms, station, equal, ok, run, children } = require('./lib.js');

const LANES = Number(process.env.LANES || 16);
const MEGABYTES = Number(process.env.MEGABYTES || 3);
const PIECE = 900 * 1024; // of a message; a megabyte is the most
const RATE = 4 * 1024 * 1024; // bytes a second, through the narrow relay

try {
	execFileSync('haproxy', ['-v'], { stdio: 'ignore' });
} catch (e) {
	console.log('skipped: haproxy is not installed');
	process.exit(77);
}

// A TCP relay that counts, can be cut, and can be narrow towards the server.
class Relay {
	constructor(to) {
		this.to = to;
		this.pairs = new Set();
		this.reset();
	}

	reset() {
		this.connections = this.up = this.down = 0;
	}

	async listen() {
		this.port = await freePort();
		this.server = net.createServer((a) => this.accept(a));
		await new Promise((r) => this.server.listen(this.port, '127.0.0.1', r));
	}

	accept(a) {
		const b = net.connect(this.to, '127.0.0.1'), pair = [a, b];
		this.connections++;
		this.pairs.add(pair);
		a.setNoDelay();
		b.setNoDelay();
		a.on('data', (d) => {
			this.up += d.length;
			b.write(d);
			if (!this.rate) return;
			a.pause();
			setTimeout(() => a.resume(), (d.length / this.rate) * 1000);
		});
		b.on('data', (d) => {
			this.down += d.length;
			a.write(d);
		});
		for (const [x, y] of [[a, b], [b, a]]) {
			x.on('error', () => y.destroy());
			x.on('close', () => {
				y.destroy();
				this.pairs.delete(pair);
			});
		}
	}

	cut() {
		for (const [a, b] of this.pairs) {
			a.destroy();
			b.destroy();
		}
	}
}

async function haproxy(dir, csmsPort, more) {
	const [h2, h1] = [await freePort(), await freePort()];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
		'-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'cert.pem')], { stdio: 'ignore' });
	fs.writeFileSync(path.join(dir, 'both.pem'), fs.readFileSync(path.join(dir, 'cert.pem'), 'utf8') + fs.readFileSync(path.join(dir, 'key.pem'), 'utf8'));
	fs.writeFileSync(path.join(dir, 'haproxy.cfg'), `
global
	maxconn 4000
	tune.h2.max-concurrent-streams ${more || 1000}
defaults
	mode http
	timeout connect 10s
	timeout client 300s
	timeout server 300s
	timeout tunnel 1h
frontend both
	bind 127.0.0.1:${h2} ssl crt ${dir}/both.pem alpn h2,http/1.1
	default_backend csms
frontend old
	bind 127.0.0.1:${h1} ssl crt ${dir}/both.pem alpn http/1.1
	default_backend csms
backend csms
	server one 127.0.0.1:${csmsPort}
`);
	const child = spawn('haproxy', ['-f', path.join(dir, 'haproxy.cfg'), '-db'], { stdio: ['ignore', 'ignore', 'pipe'] });
	children.add(child);
	const open = (port) => new Promise((r) => {
		const s = net.connect(port, '127.0.0.1', () => { s.destroy(); r(true); });
		s.on('error', () => r(false));
	});
	await until(5000, 'haproxy listens', async () => await open(h2) && await open(h1));
	return { h2, h1, child };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const kib = (n) => `${(n / 1024).toFixed(0)} KiB`;

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const csms = new Csms(csmsPort);
	const proxy = await haproxy(dir, csmsPort);
	const shared = new Relay(proxy.h2), each = new Relay(proxy.h2);
	await shared.listen();
	await each.listen();
	const yaml = (uplinks, stations) => `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0, max_message: 1MiB}}}
circuits: {grid: {kind: grid_connection, limit_a: 10000}}
station_defaults: {subprotocols: [ocpp2.0.1, ocpp1.6], fallback_current_a: 6}
stations:
${stations}
uplinks:
${uplinks}
log: {level: info, target: stderr}
`;
	const uplink = (id, mode, at) => `  ${id}: {mode: ${mode}, security_profile: 2, password: cred:lanes, ca: ${dir}/cert.pem, endpoints: [{url: "wss://127.0.0.1:${at}/{id}"}],
    reconnect: {min: 500ms, max: 1s}, call_timeout: 20s}`;
	const range = (prefix, to) => `  "${prefix}-[001-${String(LANES).padStart(3, '0')}]": {circuit: grid, uplink: ${to}}`;
	fs.mkdirSync(path.join(dir, 'credentials'));
	fs.writeFileSync(path.join(dir, 'credentials', 'lanes'), 'a-password-of-some-length');
	process.env.CREDENTIALS_DIRECTORY = path.join(dir, 'credentials');
	fs.symlinkSync('lanes', path.join(dir, 'credentials', 'ampgate_lanes'));
	let daemon = new Daemon(dir, yaml([uplink('one', 'multiplex', shared.port), uplink('many', 'per-station', each.port)].join('\n'),
		[range('M', 'one'), range('P', 'many')].join('\n')));
	const clients = new Map();
	const view = async (id) => (await daemon.ask('uplink.list')).find((u) => u.id === id);
	const allUp = (id, ms = 60000) => until(ms, `all lanes of ${id}`, async () => (await view(id)).lanes_up === LANES);
	const ids = (prefix) => Array.from({ length: LANES }, (_, i) => `${prefix}-${String(i + 1).padStart(3, '0')}`);
	const dump = (relay) => `${relay.connections} handshake${relay.connections === 1 ? '' : 's'}, ${kib(relay.up)} up, ${kib(relay.down)} down`;

	await run([
		[`${LANES} lanes on one connection, and ${LANES} on their own`, async () => {
			await csms.listen();
			await daemon.start();
			for (const id of [...ids('M'), ...ids('P')]) clients.set(id, await station(port, id, clients.size % 2 ? 'ocpp1.6' : 'ocpp2.0.1'));
			await allUp('one');
			await allUp('many');
			const one = await view('one');
			equal([one.sharing, one.connections, one.handshakes], ['shared', 1, 1], 'how the lanes travel');
			equal([shared.connections, each.connections], [1, LANES], 'TCP connections');
			equal([...csms.clients.keys()].filter((k) => k.startsWith('M-')).length, LANES, 'each lane has its identity');
			const beat = await clients.get('M-001').call('Heartbeat', {});
			ok(beat.currentTime, 'a call passes');
			console.log(`# connecting ${LANES} lanes: shared ${dump(shared)}; each its own ${dump(each)}`);
		}],
		['a CSMS reaches each station by its own stream', async () => {
			for (const id of ['M-001', ids('M')[LANES - 1]]) {
				const c = clients.get(id), heard = new Promise((r) => c.handle('DataTransfer', ({ params }) => { r(params); return { status: 'Accepted', data: id }; }));
				equal((await csms.clients.get(id).call('DataTransfer', { vendorId: 'flow' })).data, id, `the answer of ${id}`);
				await heard;
			}
		}],
		['all are back after a cut', async () => {
			const took = {};
			for (const [id, relay] of [['one', shared], ['many', each]]) {
				relay.reset();
				const from = Date.now();
				relay.cut();
				await until(60000, 'connections after the cut', () => relay.connections >= (relay === shared ? 1 : LANES));
				await allUp(id);
				took[id] = Date.now() - from;
			}
			equal(shared.connections, 1, 'handshakes of the shared connection');
			equal((await view('one')).tls_resumed, 1, 'it resumes the session of the first');
			ok((await view('many')).tls_resumed >= LANES - 1, 'so do the others');
			ok(each.connections >= LANES, 'handshakes of the others');
			ok(shared.up + shared.down < (each.up + each.down) / 2, 'bytes of both');
			console.log(`# reconnecting ${LANES} lanes: shared ${dump(shared)}, ${took.one} ms; each its own ${dump(each)}, ${took.many} ms; ` +
				`${((each.up + each.down) / (shared.up + shared.down)).toFixed(1)} times the bytes`);
			await clients.get('M-001').call('Heartbeat', {});
		}],
		[`${MEGABYTES} MB of one lane do not hold up the Authorize of another`, async () => {
			const sender = clients.get('M-001'), asker = clients.get('M-002');
			const authorize = async () => {
				const from = process.hrtime.bigint();
				await asker.call('Authorize', asker.protocol === 'ocpp1.6' ? { idTag: 'TAG1' } : { idToken: { idToken: 'TAG1', type: 'Central' } });
				return Number(process.hrtime.bigint() - from) / 1e6;
			};
			csms.clients.get('M-001').handle('DataTransfer', () => ({ status: 'Accepted' }));
			shared.rate = RATE;
			const alone = [];
			for (let i = 0; i < 9; i++) alone.push(await authorize());
			const from = Date.now(), data = 'x'.repeat(PIECE);
			let sending = true;
			const sent = (async () => {
				for (let left = MEGABYTES * 1e6; left > 0; left -= PIECE) await sender.call('DataTransfer', { vendorId: 'flow', data });
				sending = false;
			})();
			const beside = [];
			while (sending) {
				beside.push(await authorize());
				await new Promise((r) => setTimeout(r, 5));
			}
			await sent;
			const took = Date.now() - from, each1 = took / Math.ceil(MEGABYTES * 1e6 / PIECE);
			shared.rate = 0;
			console.log(`# an Authorize through ${RATE / 1048576} MiB/s: alone ${median(alone).toFixed(1)} ms, beside ${MEGABYTES} MB (${took} ms) median ` +
				`${median(beside).toFixed(1)} ms, most ${Math.max(...beside).toFixed(1)} ms of ${beside.length}; one message of the other lane ${each1.toFixed(0)} ms`);
			ok(beside.length > 4, 'some were asked meanwhile');
			ok(median(beside) < each1 / 2, `it does not wait for a message of the other lane: ${median(beside)} of ${each1} ms`);
		}],
		['a peer that does not offer it gets a socket for every lane, and that is said', async () => {
			for (const c of clients.values()) await c.close({ force: true });
			clients.clear();
			await daemon.stop();
			const old = new Relay(proxy.h1);
			await old.listen();
			fs.writeFileSync(daemon.config, yaml(uplink('one', 'multiplex', old.port), '  "M-[001-003]": {circuit: grid, uplink: one}'));
			await daemon.start();
			for (const id of ids('M').slice(0, 3)) clients.set(id, await station(port, id, 'ocpp1.6'));
			await until(20000, 'the lanes are up', async () => (await view('one')).lanes_up === 3);
			const one = await view('one');
			equal([one.sharing, one.separate_why], ['separate', 'the peer does not speak HTTP/2'], 'how they travel');
			await until(10000, 'an event says so', async () => (await daemon.ask('event.list')).some((e) => e.code === 'uplink.separate'));
			ok(daemon.log.includes('every lane gets a connection of its own: the peer does not speak HTTP/2'), 'the log says so');
			ok((await clients.get('M-002').call('Heartbeat', {})).currentTime, 'a call passes');
			await daemon.stop();
		}],
		['a shared connection takes the next interface as a lane of its own does', async () => {
			for (const c of clients.values()) await c.close({ force: true });
			clients.clear();
			const relay = new Relay(proxy.h2);
			await relay.listen();
			fs.writeFileSync(daemon.config, yaml(uplink('one', 'multiplex', relay.port).replace('reconnect', 'interfaces: [nosuch0, lo], reconnect'),
				'  "M-[001-003]": {circuit: grid, uplink: one}'));
			await daemon.start();
			for (const id of ids('M').slice(0, 3)) clients.set(id, await station(port, id, 'ocpp1.6'));
			await until(20000, 'the lanes are up', async () => (await view('one')).lanes_up === 3);
			const one = await view('one');
			equal([one.sharing, one.interface, relay.connections], ['shared', 'lo', 1], 'how they travel');
			await daemon.stop();
		}],
		['a peer with room for few streams gets more connections', async () => {
			proxy.child.kill('SIGKILL');
			for (const c of clients.values()) await c.close({ force: true });
			const few = await haproxy(dir, csmsPort, 4), relay = new Relay(few.h2);
			await relay.listen();
			fs.writeFileSync(daemon.config, yaml(uplink('one', 'multiplex', relay.port), '  "M-[001-010]": {circuit: grid, uplink: one}'));
			await daemon.start();
			await Promise.all(Array.from({ length: 10 }, (_, i) => station(port, `M-${String(i + 1).padStart(3, '0')}`, 'ocpp1.6')));
			await until(20000, 'ten lanes are up', async () => (await view('one')).lanes_up === 10);
			equal((await view('one')).connections, 3, 'connections for ten lanes of four each');
			await daemon.stop();
		}],
	]);
}

main();
