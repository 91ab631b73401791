'use strict';
// An attack from the local network, from a process of its own, while honest stations go on: sockets that say nothing, heads of one byte a second,
// huge frames, compression bombs, a storm of TLS handshakes, random bytes on every port. Nobody honest is thrown out or left unanswered, who comes
// new gets in, and the daemon's memory stays where it was, plus a bound. The whole of it:
//	ATTACK_SOCKETS=5000 ATTACK_HANDSHAKES=10000 ATTACK_FRAME_MB=100 ATTACK_STATIONS=50 node tests/flow/attack.js
const { execFileSync, fork } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const path = require('path');
const tls = require('tls');
const zlib = require('zlib');

const env = (name, preset) => Number(process.env[name] || preset);
const SOCKETS = env('ATTACK_SOCKETS', 1800), HANDSHAKES = env('ATTACK_HANDSHAKES', 600), FRAME_MB = env('ATTACK_FRAME_MB', 20);
const STATIONS = env('ATTACK_STATIONS', 20), NOISE = env('ATTACK_NOISE', 200);
const CAP_MB = 96; // above what the daemon had before; the address sanitizer keeps what was freed, so nothing can be said under it

const pause = (ms) => new Promise((r) => setTimeout(r, ms));

/* ---- the attacker: a child of this file. Addresses of the loopback network make it several hosts. */

const upgrade = (id, extra = '') => `GET /${id} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
	`Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n${extra}\r\n`;

// The head of a masked frame (with a mask of zeros) of that length.
function frameHead(first, length) {
	const wide = length > 65535, b = Buffer.alloc(wide ? 14 : 8);
	b[0] = first;
	b[1] = 0x80 | (wide ? 127 : 126);
	if (wide) b.writeBigUInt64BE(BigInt(length), 2);
	else b.writeUInt16BE(length, 2);
	return b;
}

function connect(port, host) {
	const s = net.connect({ port, host: '127.0.0.1', localAddress: host });
	s.on('error', () => {});
	s.ended = new Promise((r) => s.once('close', r));
	s.opened = new Promise((r) => { s.once('connect', r); s.once('close', r); });
	s.resume();
	return s;
}

const attacks = {
	// Sockets that say nothing; of those that drip, each has a head that never ends.
	async idle({ ports, n, drip }) {
		attacks.held = [];
		for (let i = 0; i < n; i++) {
			const s = connect(ports[i % ports.length], `127.0.0.${2 + (i % 3)}`);
			attacks.held.push(s);
			if (i % 100 === 99) await s.opened;
		}
		await Promise.all(attacks.held.map((s) => s.opened));
		if (drip) {
			attacks.held.forEach((s) => s.write('GET /'));
			attacks.timer = setInterval(() => attacks.held.forEach((s) => s.writable && s.write('x')), 1000);
		}
		return { open: attacks.held.filter((s) => !s.destroyed).length };
	},
	async release() {
		clearInterval(attacks.timer);
		attacks.held.forEach((s) => s.destroy());
		await Promise.all(attacks.held.map((s) => s.ended));
		return {};
	},
	// As a station that the box knows: one frame announced as huge, one message in endless pieces, one that expands to it.
	async frames({ port, mb }) {
		const sent = {};
		const size = mb << 20, piece = Buffer.alloc(1 << 17, 0x20);
		const pour = async (name, extra, pieces) => {
			const s = connect(port, '127.0.0.2');
			s.write(upgrade('EVIL', extra));
			await new Promise((r) => { s.once('data', r); s.once('close', r); });
			s.on('data', (d) => { if (d[0] === 0x88 && d.length >= 4) s.code = d.readUInt16BE(2); });
			let n = 0;
			for (const b of pieces()) {
				if (s.destroyed || s.readableEnded) break;
				n += b.length;
				if (!s.write(b)) await Promise.race([new Promise((r) => s.once('drain', r)), s.ended]);
			}
			await s.ended; // the box has to be the one who hangs up
			sent[name] = `${n} (close ${s.code})`;
		};
		await pour('one frame', '', function* () {
			yield frameHead(0x81, size);
			for (let i = 0; i < size; i += piece.length) yield piece;
		});
		await pour('in pieces', '', function* () {
			for (let i = 0; i < size; i += piece.length) yield Buffer.concat([frameHead(i ? 0x00 : 0x01, piece.length), piece]);
		});
		const bomb = zlib.deflateRawSync(Buffer.alloc(size, 0x20), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
		for (let i = 0; i < 10; i++)
			await pour(`bomb of ${bomb.length} bytes`, 'Sec-WebSocket-Extensions: permessage-deflate\r\n', function* () {
				yield Buffer.concat([frameHead(0xc1, bomb.length), bomb]);
			});
		return sent;
	},
	// As many handshakes as the box lets in; every fourth breaks off in the middle.
	async storm({ port, n, hosts }) {
		const out = { done: 0, refused: 0, broken: 0 };
		let left = n;
		const one = (i) => new Promise((resolve) => {
			const s = connect(port, `127.0.0.${2 + (i % hosts)}`);
			if (i % 4 === 3) {
				s.once('connect', () => s.write(Buffer.from('16030100f8010000f40303', 'hex'), () => { s.destroy(); out.broken++; }));
				s.ended.then(resolve);
				return;
			}
			const c = tls.connect({ socket: s, rejectUnauthorized: false, maxVersion: i % 2 ? 'TLSv1.2' : 'TLSv1.3' }, () => { out.done++; c.destroy(); s.destroy(); });
			c.on('error', () => {});
			let ok = out.done;
			c.once('secureConnect', () => (ok = -1));
			s.ended.then(() => { if (ok >= 0) out.refused++; resolve(); });
		});
		await Promise.all(Array.from({ length: 100 }, async () => { while (left > 0) await one(left--); }));
		return out;
	},
	async noise({ ports, n }) {
		for (let i = 0; i < n; i++) {
			const s = connect(ports[i % ports.length], '127.0.0.2');
			const b = crypto.randomBytes(1 + crypto.randomInt(4000));
			const head = [b, Buffer.concat([Buffer.from('\x16\x03\x01', 'latin1'), b]), Buffer.concat([Buffer.from(upgrade('EVIL')), b]), Buffer.from('GET ' + b.toString('latin1'))];
			s.end(head[(i / ports.length | 0) % 4]);
			await Promise.race([s.ended, pause(300)]);
			s.destroy();
		}
		return {};
	},
};

if (process.argv[2] === 'attacker') {
	process.on('message', async ({ name, arg }) => process.send(await attacks[name](arg || {})));
	return;
}

/* ---- the honest side */

const { freePort, tempDir, within, until, Daemon, children, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

async function main() {
	const dir = tempDir(), file = (name) => path.join(dir, name);
	const [port, tlsPort, consolePort, csmsPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
	for (const [name, ...kind] of [['ec', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], ['rsa', 'rsa:2048']])
		execFileSync('openssl', ['req', '-x509', '-newkey', ...kind, '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)], { stdio: 'pipe' });
	const daemon = new Daemon(dir, conf({ port, csmsPort, stations: '{"H-[01-60]": {circuit: grid}, "N-[01-40]": {circuit: grid}, EVIL: {circuit: grid}}' })
		.replace('listen: {ocpp: {', `listen: {console: {address: 127.0.0.1, port: ${consolePort}}, ocpp: {
  safe: {address: 127.0.0.1, port: ${tlsPort}, tls: station, min_security_profile: 0}, `)
		.replace('circuits:', `tls: {station: {cert: ${file('ec.crt')}, key: ${file('ec.key')}, second_cert: ${file('rsa.crt')}, second_key: ${file('rsa.key')}}}\ncircuits:`));
	daemon.listeners = 2;
	const csms = new RawCsms(csmsPort);
	csms.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
	const attacker = fork(__filename, ['attacker'], { stdio: 'inherit' });
	children.add(attacker);
	const attack = (name, arg) => within(60000, `the attack '${name}'`, new Promise((resolve) => {
		attacker.once('message', resolve);
		attacker.send({ name, arg });
	}));

	const honest = [], waits = [];
	let going = true, left = 0, newcomers = 0, rounds = Promise.resolve(), base;
	const memory = (what) => Number(fs.readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8').match(new RegExp(`${what}:\\s+(\\d+)`))[1]) / 1024;
	const live = async (s) => {
		for (let n = 0; going; n++) {
			const from = process.hrtime.bigint();
			equal((await s.ask(`h${n}`, 'Heartbeat', {}, 20000))[0], 3, `${s.identity} is served`);
			waits.push(Number(process.hrtime.bigint() - from) / 1e6);
			await pause(100);
		}
	};
	const share = (p, all = [...waits].sort((a, b) => a - b)) => all[Math.min(all.length - 1, Math.floor(all.length * p))] || 0;
	// Somebody new on either port, while it goes on.
	const comes = async () => {
		for (const [p, more] of [[port, {}], [tlsPort, { scheme: 'wss', rejectUnauthorized: false }]]) {
			const s = await rawStation(p, `N-${String(++newcomers).padStart(2, '0')}`, ['ocpp1.6'], more);
			equal((await s.ask('n', 'Heartbeat', {}, 20000))[0], 3, 'a newcomer is served');
			await s.close();
		}
		const page = await within(10000, 'the console answers', fetch(`http://127.0.0.1:${consolePort}/`, { headers: { Connection: 'close' } }));
		ok(page.status < 500, `the console says ${page.status}`);
	};
	const held = async (name) => {
		const peak = memory('VmHWM');
		equal(left, 0, 'honest stations that lost their connection');
		const sanitized = fs.readFileSync(`/proc/${daemon.child.pid}/maps`, 'utf8').includes('libasan');
		ok(sanitized || peak < base + CAP_MB, `${name}: ${peak.toFixed(1)} MB at most, ${base.toFixed(1)} MB before`);
		console.log(`# ${name}: p50 ${share(0.5).toFixed(1)} ms, p99 ${share(0.99).toFixed(1)} ms, worst ${share(1).toFixed(1)} ms of ${waits.length} calls; ` +
			`RSS ${memory('VmRSS').toFixed(1)} MB, at most ${peak.toFixed(1)} MB (${base.toFixed(1)} MB before)`);
		waits.length = 0;
	};
	const ports = [port, tlsPort, consolePort];

	await run([
		[`${STATIONS} honest stations are served`, async () => {
			await csms.listen();
			await daemon.start();
			for (let i = 1; i <= STATIONS; i++) {
				const tlsToo = i % 2 === 0;
				const s = await rawStation(tlsToo ? tlsPort : port, `H-${String(i).padStart(2, '0')}`, ['ocpp1.6'], tlsToo ? { scheme: 'wss', rejectUnauthorized: false } : {});
				s.ended.then(() => { if (going) left++; });
				honest.push(s);
			}
			rounds = Promise.all(honest.map(live));
			rounds.catch((e) => { console.log(`not ok - ${e.stack}`); process.exit(1); });
			await until(10000, 'some calls', () => waits.length > STATIONS * 5);
			base = memory('VmRSS');
			await held('before');
		}],
		[`${SOCKETS} sockets that say nothing`, async () => {
			await attack('idle', { ports, n: SOCKETS });
			await comes();
			await attack('release');
			await held('idle sockets');
		}],
		[`${SOCKETS} heads of one byte a second`, async () => {
			await attack('idle', { ports, n: SOCKETS, drip: true });
			await comes();
			await attack('release');
			await held('slow heads');
		}],
		[`frames of ${FRAME_MB} MB, whole, in pieces, and as bombs`, async () => {
			const sent = await attack('frames', { port, mb: FRAME_MB });
			await comes();
			for (const [what, how] of Object.entries(sent).slice(2)) ok(how.endsWith('(close 1009)'), `${what}: ${how}`);
			console.log(`# sent until the box hung up: ${Object.entries(sent).map(([k, v]) => `${k} ${v}`).join(', ')}`);
			await held('huge frames');
		}],
		[`${HANDSHAKES} TLS handshakes`, async () => {
			const storm = attack('storm', { port: tlsPort, n: HANDSHAKES, hosts: Math.ceil(HANDSHAKES / 500) });
			await comes();
			const { done, refused, broken } = await storm;
			equal(done + refused + broken, HANDSHAKES, 'each has an end');
			console.log(`# handshakes: ${done} done, ${refused} refused, ${broken} broken off by the peer`);
			await comes();
			await held('handshakes');
		}],
		['random bytes on every port', async () => {
			await attack('noise', { ports, n: NOISE });
			await comes();
			await held('random bytes');
		}],
		['all honest stations are still there, and the daemon ends in order', async () => {
			going = false;
			await rounds;
			equal(left, 0, 'honest stations that lost their connection');
			await daemon.stop();
		}],
	]);
}

main();
