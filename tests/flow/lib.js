'use strict';
// What the flow tests share: the real daemon with a configuration of its own in a folder of its own, free ports, and a CSMS and charging
// stations played by an independent OCPP implementation (npm ocpp-rpc, strict validation on).
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const top = process.env.top_builddir || path.resolve(__dirname, '../..');
const srcdir = path.resolve(__dirname, '../..');

let rpc = null;
try {
	rpc = require('../node_modules/ocpp-rpc');
} catch (e) {
	console.log('skipped: npm packages are not installed (cd tests && npm ci)');
	process.exit(77);
}

const children = new Set();
process.on('exit', () => children.forEach((c) => c.kill('SIGKILL')));

// Resolves with a server that listens there, or with null where somebody else does.
const hold = (port) => new Promise((resolve, reject) => {
	const s = net.createServer().unref();
	s.once('error', (e) => (e.code === 'EADDRINUSE' ? resolve(null) : reject(e)));
	s.listen(port, '127.0.0.1', () => resolve(s));
});

// A port that nobody listens on. From below the range that outgoing connections get theirs from, so that none of those takes it before its
// owner listens, or while its owner is down; never the same one twice. Nor is it given to another test that runs meanwhile: ports are cut
// into blocks, and the first of a block is held for as long as this process lives.
const FIRST_PORT = 10000, BLOCK = 40, BLOCKS = 550;
let ownPorts = [], asked = Promise.resolve();
async function nextPort() {
	while (!ownPorts.length) {
		const first = FIRST_PORT + BLOCK * Math.floor(Math.random() * BLOCKS);
		if (await hold(first)) ownPorts = Array.from({ length: BLOCK - 1 }, (_, i) => first + 1 + i);
	}
	const port = ownPorts.shift(), held = await hold(port);
	if (!held) return nextPort();
	return new Promise((resolve) => held.close(() => resolve(port)));
}
const freePort = () => (asked = asked.then(nextPort));

function tempDir() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ampgate-flow-'));
	process.on('exit', (code) => {
		if (code === 0 && !process.env.KEEP) fs.rmSync(dir, { recursive: true, force: true });
		else console.log(`kept for a look: ${dir}`);
	});
	return dir;
}

// Limits are there so that a test that hangs says where; what they are multiplied with is for machines that do ten things at once.
const PATIENCE = 5;

// Resolves when the event has happened; rejects after `ms`.
function within(ms, what, promise) {
	let timer;
	ms *= PATIENCE;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Asks again until the answer pleases; for states that have no event of their own.
async function until(ms, what, ask) {
	ms *= PATIENCE;
	const end = Date.now() + ms;
	for (;;) {
		const answer = await ask();
		if (answer) return answer;
		if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((r) => setTimeout(r, 50));
	}
}

class Daemon {
	constructor(dir, yaml) {
		this.dir = dir;
		this.socket = path.join(dir, 'control.sock');
		this.config = path.join(dir, 'ampgate.yaml');
		fs.writeFileSync(this.config, yaml);
		this.log = '';
		this.listeners = 1;
	}

	async start(...more) {
		const args = ['-c', this.config, '--state-dir', path.join(this.dir, 'state'), '--socket', this.socket, ...more];
		this.child = spawn(this.program || path.join(top, 'ampgated'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
		children.add(this.child);
		this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
		const up = new Promise((resolve, reject) => {
			this.child.stderr.on('data', (d) => {
				this.log += d;
				fs.appendFileSync(path.join(this.dir, 'daemon.log'), d);
				if (this.log.split('stations connect to').length > this.listeners || this.log.includes(': safe mode, ')) resolve();
			});
			this.ended.then((e) => reject(new Error(`the daemon ended at start: ${JSON.stringify(e)}\n${this.log}`)));
		});
		this.log = '';
		await within(20000, 'the daemon listens', up);
	}

	async kill() {
		this.child.kill('SIGKILL');
		await this.ended;
	}

	async stop() {
		this.child.kill('SIGTERM');
		const e = await within(20000, 'the daemon stops', this.ended);
		if (e.code !== 0) throw new Error(`the daemon ended with ${JSON.stringify(e)}\n${this.log}`);
	}

	// One request on the control socket.
	ask(method, params = {}) {
		return new Promise((resolve, reject) => {
			let text = '';
			const s = net.connect(this.socket);
			s.on('error', reject);
			s.on('connect', () => s.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) + '\n'));
			s.on('data', (d) => {
				text += d;
				if (!text.endsWith('\n')) return;
				s.end();
				const answer = JSON.parse(text);
				if (answer.error) reject(Object.assign(new Error(answer.error.message), answer.error));
				else resolve(answer.result);
			});
		});
	}

	// The client program, as a person runs it.
	cli(...args) {
		return new Promise((resolve) => {
			const c = spawn(path.join(top, 'ampgate'), ['--socket', this.socket, ...args]);
			let out = '', err = '';
			c.stdout.on('data', (d) => (out += d));
			c.stderr.on('data', (d) => (err += d));
			c.once('close', (code) => resolve({ code, out, err })); // and not at its exit: what it said may still be on the way
		});
	}
}

// A CSMS that keeps what it is told and never looks for duplicates, so that ours would show.
class Csms {
	constructor(port) {
		this.port = port;
		this.starts = []; // {station, tx, params, id}
		this.stops = [];
		this.events = [];
		this.statuses = [];
		this.boots = [];
		this.meters = [];
		this.jobs = [];    // states of firmware updates and logs
		this.reports = [];
		this.clients = new Map();
		this.nextTx = 1;
	}

	async listen() {
		this.server = new rpc.RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true });
		this.server.auth((accept) => accept({}));
		this.server.on('client', (c) => this.serve(c));
		this.http = await this.server.listen(this.port, '127.0.0.1');
	}

	serve(c) {
		const station = c.identity;
		this.clients.set(station, c);
		c.on('strictValidationFailure', (e) => {
			this.violation = `${station}: ${e.error && e.error.message}`;
		});
		const now = () => new Date().toISOString();
		c.handle('BootNotification', ({ params }) => {
			this.boots.push({ station, params });
			return { status: 'Accepted', interval: 300, currentTime: now() };
		});
		c.handle('Heartbeat', () => ({ currentTime: now() }));
		c.handle('StatusNotification', ({ params }) => {
			this.statuses.push({ station, params });
			return {};
		});
		c.handle('Authorize', ({ params }) => (params.idTag ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } }));
		c.handle('MeterValues', ({ params }) => {
			this.meters.push({ station, params });
			return {};
		});
		c.handle('StartTransaction', ({ params, messageId }) => {
			const tx = this.nextTx++;
			this.starts.push({ station, tx, params, messageId });
			return { transactionId: tx, idTagInfo: { status: 'Accepted' } };
		});
		c.handle('StopTransaction', ({ params, messageId }) => {
			this.stops.push({ station, params, messageId });
			return {};
		});
		c.handle('TransactionEvent', ({ params, messageId }) => {
			this.events.push({ station, params, messageId });
			return params.idToken ? { idTokenInfo: { status: 'Accepted' } } : {};
		});
		for (const method of ['FirmwareStatusNotification', 'DiagnosticsStatusNotification', 'LogStatusNotification'])
			c.handle(method, ({ params }) => {
				this.jobs.push({ station, method, params });
				return {};
			});
		c.handle('NotifyReport', ({ params }) => {
			this.reports.push({ station, params });
			return {};
		});
		c.handle(({ method }) => {
			throw rpc.createRPCError('NotImplemented', method);
		});
	}

	async close() {
		await this.server.close({ code: 1001, force: true });
	}
}

// A charging station; what it does is up to the test. Answers profiles with Accepted and keeps them.
async function station(port, identity, protocol, options = {}) {
	const c = new rpc.RPCClient({
		endpoint: `ws://127.0.0.1:${port}`,
		identity,
		protocols: [protocol],
		strictMode: true,
		callTimeoutMs: 60000,
		reconnect: true,
		maxReconnects: Infinity,
		backoff: { initialDelay: 200, maxDelay: 1000, factor: 1.5, randomisation: 0.5 },
		...options,
	});
	c.profiles = [];
	c.handle('SetChargingProfile', ({ params }) => {
		c.profiles.push({ at: process.hrtime.bigint(), params });
		c.emit('profile', params);
		return { status: 'Accepted' };
	});
	c.handle(({ method }) => {
		throw rpc.createRPCError('NotImplemented', method);
	});
	c.on('strictValidationFailure', (e) => {
		c.violation = e.error && e.error.message;
	});
	await c.connect();
	return c;
}

// Repeats a transaction message until it is answered, as a station does whose link or peer fails.
async function insist(c, method, params) {
	for (;;) {
		try {
			return await c.call(method, params);
		} catch (e) {
			await new Promise((r) => setTimeout(r, 100));
		}
	}
}

function equal(got, want, what) {
	if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

function ok(condition, what) {
	if (!condition) throw new Error(what);
}

// Runs the test's cases in order; the first that fails ends it.
async function run(cases) {
	for (const [name, f] of cases) {
		const from = Date.now();
		try {
			await f();
			console.log(`ok - ${name} (${Date.now() - from} ms)`);
		} catch (e) {
			console.log(`not ok - ${name}\n${e.stack}`);
			process.exit(1);
		}
	}
	process.exit(0);
}

module.exports = { PATIENCE, rpc, top, srcdir, freePort, tempDir, within, until, Daemon, Csms, station, insist, equal, ok, run, children };
