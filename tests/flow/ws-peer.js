// An independent WebSocket implementation (npm ws) against ws-echo in both roles, plain and TLS, with and without compression: thousands of
// messages of every size class come back byte for byte, pings are answered, and the close handshake carries the code.
// Needs: tests/node_modules (tests/package.json) and the openssl command; skipped (77) without.
'use strict';
const { spawn, spawnSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const os = require('os');
const path = require('path');

const testsDir = path.join(__dirname, '..');
const modules = process.env.WS_PEER_MODULES || path.join(testsDir, 'node_modules');
if (!fs.existsSync(path.join(modules, 'ws'))) {
	console.log('skipped: ' + modules + ' has no ws');
	process.exit(77);
}
const WebSocket = require(path.join(modules, 'ws'));
const echo = path.join(process.env.top_builddir || path.join(testsDir, '..'), 'tests/tools/ws-echo');
const MESSAGES = 1500;

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-peer-'));
process.on('exit', () => fs.rmSync(tmp, { recursive: true, force: true }));
const cert = path.join(tmp, 'cert.pem'), key = path.join(tmp, 'key.pem');
const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
	'/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert]);
if (made.status !== 0) {
	console.log('skipped: no openssl command');
	process.exit(77);
}

// Reproducible contents: mostly small as in OCPP, some of 64 KiB and around it, a few up to 200 kB; text with all lengths of UTF-8.
let seed = 12345;
const random = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
const piece = '{"timestamp":"2026-03-02T17:04:05Z","value":"π 23.50 €","n":"𝄞"} ';
function message(i) {
	const size = i % 100 === 0 ? random(200000) : i % 25 === 0 ? 65520 + random(32) : i % 5 === 0 ? random(6000) : random(400);
	if (i % 3 === 2)
		return crypto.createHash('sha512').update(String(i)).digest().subarray(0, random(64)); // binary that does not compress
	const text = (i + piece.repeat(Math.ceil(size / piece.length) + 1));
	return Array.from(text).slice(0, size).join('');
}

function fail(text) {
	console.log('not ok - ' + text);
	process.exit(1);
}

// Sends all, several at a time, and compares what comes back in order.
function exchange(ws, name) {
	return new Promise((done) => {
		const waiting = [];
		let sent = 0, ponged = false;
		const more = () => {
			while (sent < MESSAGES && waiting.length < 8) {
				const m = message(sent++);
				waiting.push(m);
				ws.send(m);
			}
		};
		ws.on('pong', (data) => { ponged = data.toString() === 'are you there'; });
		ws.on('message', (data, binary) => {
			const want = waiting.shift();
			if (binary !== (typeof want !== 'string') || !Buffer.from(want).equals(data))
				fail(`${name}: message ${sent - waiting.length} came back changed (${data.length} bytes)`);
			more();
			if (!waiting.length && sent === MESSAGES) {
				if (!ponged)
					fail(`${name}: no pong`);
				ws.close(4001, 'enough');
			}
		});
		ws.on('close', (code) => {
			if (sent !== MESSAGES || waiting.length || code !== 4001)
				fail(`${name}: closed with ${code} after ${sent} messages`);
			console.log('ok - ' + name);
			done();
		});
		ws.on('error', (e) => fail(`${name}: ${e.message}`));
		ws.ping('are you there');
		more();
	});
}

function startEcho(args) {
	const child = spawn(echo, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	return new Promise((done) => child.stdout.on('data', (text) => done({ child, port: Number(/\d+/.exec(text)[0]) })));
}

async function againstServer(tls, deflate) {
	const { child, port } = await startEcho(['server'].concat(tls ? ['--tls', cert, key] : [], deflate ? ['--deflate'] : []));
	const ended = new Promise((done) => child.on('exit', (code) => done(code)));
	const ws = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${port}/echo`, { ca: fs.readFileSync(cert), perMessageDeflate: deflate });
	await new Promise((done) => ws.on('open', done));
	if ((ws.extensions.length > 0) !== deflate)
		fail('compression was ' + (deflate ? 'not agreed' : 'agreed unasked'));
	await exchange(ws, `our server, ${tls ? 'TLS' : 'plain'}, ${deflate ? 'compressed' : 'as is'}`);
	child.kill('SIGTERM');
	if (await ended !== 0)
		fail('ws-echo server ended badly');
}

async function againstClient(tls, deflate) {
	const server = tls ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }) : require('http').createServer();
	const wss = new WebSocket.Server({ server, perMessageDeflate: deflate ? { threshold: 0 } : false });
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const url = `${tls ? 'wss' : 'ws'}://127.0.0.1:${server.address().port}/echo?x=1`;
	const child = spawn(echo, ['client', url].concat(deflate ? ['--deflate'] : [], tls ? ['--ca', cert] : []), { stdio: ['ignore', 'inherit', 'pipe'] });
	const ended = new Promise((done) => child.on('exit', (code) => done(code)));
	const ws = await new Promise((done) => wss.on('connection', done));
	await exchange(ws, `our client, ${tls ? 'TLS' : 'plain'}, ${deflate ? 'compressed' : 'as is'}`);
	if (await ended !== 0)
		fail('ws-echo client ended badly');
	await new Promise((done) => server.close(done));
}

async function main() {
	for (const tls of [false, true])
		for (const deflate of [false, true]) {
			await againstServer(tls, deflate);
			await againstClient(tls, deflate);
		}
	process.exit(0);
}
main();
