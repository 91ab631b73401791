'use strict';
// The surfaces over HTTP: what is no proper request is refused, nobody comes in without the setup code or a password, a change needs the page's own
// token, roles hold, events go on where a client left, and Prometheus' own checker is content with the metrics and the rules.
const assert = require('assert');
const { spawnSync } = require('child_process');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');
const { Daemon, freePort, tempDir, until, within, top, srcdir } = require('./lib.js');

const CSRF = 'X-Ampgate-Csrf';
let port, metricsPort, plainPort;

// One request; `headers` may hold a cookie and the rest.
function ask(method, target, body, headers = {}) {
	return new Promise((resolve, reject) => {
		const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
		const h = { ...headers };
		if (text !== undefined) h['Content-Type'] ??= 'application/json';
		if (text !== undefined) h['Content-Length'] = Buffer.byteLength(text);
		const r = https.request({ host: '127.0.0.1', port, path: target, method, headers: h, rejectUnauthorized: false, agent: false }, (res) => {
			let got = '';
			res.on('data', (d) => (got += d));
			res.on('end', () => {
				let json;
				try { json = JSON.parse(got); } catch { json = undefined; }
				resolve({ status: res.statusCode, headers: res.headers, text: got, json });
			});
		});
		r.on('error', reject);
		r.end(text);
	});
}

// Bytes as they are, to the plain listener; what comes back until it closes.
function raw(bytes, at = plainPort) {
	return within(10000, 'an answer to raw bytes', new Promise((resolve) => {
		let got = '';
		const s = net.connect(at, '127.0.0.1', () => s.write(bytes));
		s.on('data', (d) => (got += d));
		s.on('error', () => {});
		s.on('close', () => resolve(got));
	}));
}

const status = (answer) => Number(answer.split(' ')[1]);

async function hardened() {
	const ok = 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
	assert.equal(status(await raw(ok)), 200);
	const bad = {
		'no Host': 'GET /metrics HTTP/1.1\r\n\r\n',
		'two lengths': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
		'length and chunks': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
		'bare LF': 'GET /metrics HTTP/1.1\nHost: x\n\n',
		'a folded line': 'GET /metrics HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n',
		'no path': 'GET metrics HTTP/1.1\r\nHost: x\r\n\r\n',
	};
	for (const [what, bytes] of Object.entries(bad)) assert.equal(status(await raw(bytes)), 400, what);
	assert.equal(status(await raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(9000)}\r\n\r\n`)), 431);
	assert.equal(status(await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n')), 413);
	assert.equal(status(await raw('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')), 411);
	// Two requests in one packet get two answers, in order.
	const two = await raw('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
	assert.match(two, /^HTTP\/1\.1 200 [^]*ok\nHTTP\/1\.1 404 /);
}

async function closedDoors() {
	assert.equal((await ask('GET', '/', undefined, { Host: 'evil.example' })).status, 421);
	assert.equal((await ask('GET', '/api/v1/status', undefined, { Host: 'box.example' })).status, 401); // a name of the configuration
	const page = await ask('GET', '/');
	for (const [name, part] of [['content-security-policy', "frame-ancestors 'none'"], ['x-content-type-options', 'nosniff'], ['referrer-policy', 'no-referrer']])
		assert.ok(page.headers[name].includes(part), name);
	const nobody = await ask('GET', '/api/v1/stations');
	assert.equal(nobody.status, 401);
	assert.match(nobody.headers['content-type'], /^application\/problem\+json/);
	assert.equal(nobody.json.status, 401);
	assert.equal((await ask('GET', '/healthz')).text, 'ok\n');
	assert.ok([200, 503].includes((await ask('GET', '/readyz')).status));
	// The plain port sends to the other one, and only under the box's name.
	assert.match(await raw('GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', redirectPort), /^HTTP\/1\.1 421 /);
	assert.match(await raw('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', redirectPort), new RegExp(`Location: https://127.0.0.1:${port}/`));
}

let redirectPort;

function cookieOf(answer) {
	const line = answer.headers['set-cookie'][0];
	for (const part of ['__Host-ampgate=', 'Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(line.includes(part), part);
	return line.split(';')[0];
}

async function login(user, password) {
	const a = await ask('POST', '/api/v1/session', { user, password });
	assert.equal(a.status, 200, a.text);
	return { Cookie: cookieOf(a), [CSRF]: a.json.csrf };
}

async function firstPerson(d) {
	assert.equal((await ask('GET', '/api/v1/session')).json.setup, true);
	const code = await d.ask('setup-code');
	assert.match(code, /^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$/);
	assert.ok(!d.log.includes(code), 'the code is in the log');
	assert.equal((await ask('POST', '/api/v1/setup', { code: 'AAAA-BBBB-CCCC', admin: 'a long enough one' })).status, 403);
	assert.equal((await ask('POST', '/api/v1/setup', { code, admin: 'short' })).status, 400);
	assert.equal((await ask('POST', '/api/v1/setup', { code, admin: 'admin-password', installer: 'installer-password' })).status, 200);
	assert.equal((await ask('POST', '/api/v1/setup', { code, admin: 'another-password' })).status, 410);
	assert.equal((await ask('GET', '/api/v1/session')).json.setup, false);
	await assert.rejects(d.ask('setup-code'), /users already/);
}

async function roles(d) {
	const admin = await login('admin', 'admin-password');
	const noToken = { Cookie: admin.Cookie };
	const user = { user: 'eva', role: 'viewer', password: 'eva-password' };
	assert.equal((await ask('POST', '/api/v1/users', user, noToken)).status, 403, 'a change without the page\'s token');
	assert.equal((await ask('POST', '/api/v1/users', user, { ...admin, [CSRF]: 'x'.repeat(43) })).status, 403);
	assert.equal((await ask('POST', '/api/v1/users', user, admin)).status, 200);
	const eva = await login('eva', 'eva-password');
	assert.equal((await ask('GET', '/api/v1/stations', undefined, eva)).status, 200);
	const cap = { object: 'grid', limit_a: 10, for: '1h' };
	assert.equal((await ask('POST', '/api/v1/limits', cap, eva)).status, 403, 'a viewer lowers a limit');
	assert.equal((await ask('GET', '/api/v1/traces', undefined, eva)).status, 403, 'a viewer reads the trace');
	const set = await ask('POST', '/api/v1/limits', cap, admin);
	assert.equal(set.status, 200, set.text);
	assert.equal((await ask('GET', '/api/v1/limits', undefined, eva)).json[0].user, 'admin');
	assert.equal((await ask('DELETE', `/api/v1/limits/${set.json.limit_id}`, undefined, admin)).status, 200);
	assert.equal((await ask('DELETE', '/api/v1/limits/77', undefined, admin)).status, 404);
	assert.equal((await ask('POST', '/api/v1/limits', { object: 'grid' }, admin)).status, 400);
	assert.equal((await ask('POST', '/api/v1/do/limit.list', {}, eva)).status, 200, 'any verb by its name');
	assert.equal((await ask('PUT', '/api/v1/limits', {}, admin)).status, 405);
	assert.equal((await ask('GET', '/api/v1/nothing', undefined, admin)).status, 404);
	assert.equal((await ask('POST', '/api/v1/limits', '[1', admin)).status, 400);
	assert.equal((await ask('POST', '/api/v1/limits', 'a=b', { ...admin, 'Content-Type': '' })).status, 400);
	// A new password ends what the old one began; a removed user is out.
	assert.equal((await ask('POST', '/api/v1/users', { ...user, password: 'other-password' }, admin)).status, 200);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, eva)).status, 401);
	const again = await login('eva', 'other-password');
	assert.equal((await ask('DELETE', '/api/v1/users/eva', undefined, admin)).status, 200);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, again)).status, 401);
	assert.equal((await ask('DELETE', '/api/v1/users/boss', undefined, admin)).status, 403, 'one of the configuration');
	// Programs show tokens.
	const made = await ask('POST', '/api/v1/api-tokens', { name: 'grafana', role: 'viewer', for: '1h' }, admin);
	assert.match(made.json.token, /^agt_/);
	const bearer = { Authorization: `Bearer ${made.json.token}` };
	assert.equal((await ask('GET', '/api/v1/stations', undefined, bearer)).status, 200);
	assert.equal((await ask('POST', '/api/v1/limits', cap, bearer)).status, 403);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, { Authorization: 'Bearer agt_wrong' })).status, 401);
	assert.ok(!JSON.stringify((await ask('GET', '/api/v1/api-tokens', undefined, admin)).json).includes('agt_'));
	// Lists as CSV.
	const csv = await ask('GET', '/api/v1/circuits?format=csv', undefined, bearer);
	assert.match(csv.text, /^v,ts,id,/);
	// The description names every verb.
	const open = (await ask('GET', '/api/v1/openapi.json', undefined, bearer)).json;
	assert.ok(open.paths['/limits/{limit_id}'].delete && open.paths['/do/user.add'].post['x-role'] === 'admin');
	await ask('DELETE', '/api/v1/session', undefined, admin);
	assert.equal((await ask('GET', '/api/v1/users', undefined, admin)).status, 401);
	// People of the configuration, who survive everything; and what was made here survives a restart.
	await login('boss', 'configured-password');
	await d.stop();
	await d.start();
	await login('installer', 'installer-password');
	assert.equal((await ask('GET', '/api/v1/stations', undefined, bearer)).status, 200);
}

async function backOff() {
	for (let i = 0; i < 5; i++) assert.equal((await ask('POST', '/api/v1/session', { user: 'installer', password: 'wrong' })).status, 401);
	const wait = await ask('POST', '/api/v1/session', { user: 'installer', password: 'installer-password' });
	assert.equal(wait.status, 429);
	assert.ok(Number(wait.headers['retry-after']) >= 1);
}

// Server-sent events until `enough` is content with them.
function events(headers, query, enough) {
	return within(20000, `events ${query}`, new Promise((resolve, reject) => {
		const r = https.request({ host: '127.0.0.1', port, path: `/api/v1/events?${query}`, headers, rejectUnauthorized: false, agent: false }, (res) => {
			let text = '';
			res.on('data', (d) => {
				text += d;
				const all = text.split('\n\n').slice(0, -1).map((block) => Object.fromEntries(block.split('\n').filter((l) => !l.startsWith(':')).map((l) => {
					const at = l.indexOf(': ');
					return [l.slice(0, at), l.slice(at + 2)];
				})));
				if (enough(all)) {
					r.destroy();
					resolve(all);
				}
			});
		});
		r.on('error', (e) => e.code === 'ECONNRESET' || reject(e));
		r.end();
	}));
}

async function stream(d) {
	const { token } = await d.ask('api-token.add', { name: 'stream', role: 'operator' });
	const bearer = { Authorization: `Bearer ${token}` };
	assert.equal((await ask('GET', '/api/v1/events')).status, 401);
	const first = await events(bearer, 'topics=site,circuit,evse', (all) => ['site', 'circuit', 'evse'].every((t) => all.some((e) => e.event === t)));
	const evse = JSON.parse(first.find((e) => e.event === 'evse').data);
	assert.equal(evse.key, 'R-01/1');
	assert.ok(evse.chain);
	// What happens while nobody listens is told to who says where it left.
	const last = first[first.length - 1].id;
	const cap = await d.ask('limit.set', { object: 'grid', limit_a: 12, for: '1h' });
	const later = await events({ ...bearer, 'Last-Event-ID': last }, 'topics=circuit', (all) => all.some((e) => e.event === 'circuit' && JSON.parse(e.data).limit_a[0] === 12));
	assert.ok(!later.some((e) => e.event === 'reset'));
	await d.ask('limit.clear', { limit_id: cap.limit_id });
	// A place that is not known any more.
	await events({ ...bearer, 'Last-Event-ID': 'deadbeef-17' }, 'topics=site', (all) => all.some((e) => e.event === 'reset'));
	// Events as they happen.
	const heard = events(bearer, 'topics=event', (all) => all.some((e) => e.event === 'event' && JSON.parse(e.data).code === 'api-token.added'));
	const beat = setInterval(() => d.ask('api-token.del', { name: 'another' }).catch(() => {}).then(() => d.ask('api-token.add', { name: 'another', role: 'viewer' })).catch(() => {}), 200);
	await heard;
	clearInterval(beat);
}

function metrics(headers = {}) {
	return new Promise((resolve, reject) => http.get({ host: '127.0.0.1', port: metricsPort, path: '/metrics', headers, agent: false }, (res) => {
		let text = '';
		res.on('data', (c) => (text += c));
		res.on('end', () => resolve({ text, type: res.headers['content-type'] }));
	}).on('error', reject));
}

async function prometheus() {
	const wanted = ['build_info', 'ready', 'stations{state="online"}', 'evse_limit_amperes{station="R-01",evse="1",phase="L1"}', 'circuit_limit_amperes{circuit="grid",phase="L3"}',
		'balancing_cycle_duration_seconds_count', 'ocpp_messages_total{side="station"', 'login_attempts_total{result="wrong"}', 'db_size_bytes'];
	const plain = await until(10000, 'the first frames are counted', async () => {
		const m = await metrics();
		return wanted.every((w) => m.text.includes(`ampgate_${w}`)) && m;
	});
	assert.match(plain.type, /version=0\.0\.4/);
	assert.match(plain.text, /^process_resident_memory_bytes \d+$/m);
	const open = await metrics({ Accept: 'application/openmetrics-text; version=1.0.0' });
	assert.match(open.type, /openmetrics-text/);
	assert.ok(open.text.endsWith('# EOF\n') && open.text.includes('# TYPE ampgate_ocpp_messages counter'));
	const tool = spawnSync('promtool', ['check', 'metrics'], { input: plain.text });
	if (tool.error) return console.log('# promtool is not installed: its part is left out');
	assert.equal(tool.status, 0, `${tool.stdout}${tool.stderr}`);
	const rules = spawnSync('promtool', ['check', 'rules', path.join(srcdir, 'etc/prometheus/ampgate.rules.yml')]);
	assert.equal(rules.status, 0, `${rules.stdout}${rules.stderr}`);
}

// Whoever has less than a route's role is refused, by its path and by its verb.
async function everyRoute(d) {
	const rank = ['viewer', 'operator', 'installer', 'admin'];
	const tokens = {};
	for (const role of rank) tokens[role] = { Authorization: `Bearer ${(await d.ask('api-token.add', { name: `only-${role}`, role })).token}` };
	const open = (await ask('GET', '/api/v1/openapi.json', undefined, tokens.viewer)).json;
	let n = 0;
	for (const [path, methods] of Object.entries(open.paths)) {
		for (const [method, what] of Object.entries(methods)) {
			const at = rank.indexOf(what['x-role']);
			assert.ok(at >= 0, `${method} ${path} has no role`);
			const url = `/api/v1${path.replace(/\{[^}]*\}/g, 'x')}`, body = method === 'get' || method === 'delete' ? undefined : {};
			assert.equal((await ask(method.toUpperCase(), url, body, {})).status, 401, `${method} ${path} without a token`);
			if (!at) continue;
			assert.equal((await ask(method.toUpperCase(), url, body, tokens[rank[at - 1]])).status, 403, `${method} ${path} by a ${rank[at - 1]}`);
			n++;
		}
	}
	assert.ok(n > 60, `${n} routes`);
	for (const role of rank) await d.ask('api-token.del', { name: `only-${role}` });
}

// People of the configuration change while everything runs: who is concerned logs in again, the others notice nothing.
async function people(d) {
	const admin = await login('admin', 'admin-password'), boss = await login('boss', 'configured-password');
	const put = (over) => ask('POST', '/api/v1/do/config.apply', { over: { console: { users: over } }, for: '0s' }, admin);
	const changed = await put({ boss: { password: 'another-password' } });
	assert.equal(changed.status, 200, changed.text);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, boss)).status, 401, 'the session of the old password');
	const again = await login('boss', 'another-password');
	assert.equal((await ask('GET', '/api/v1/users', undefined, again)).status, 200);
	assert.equal((await put({ boss: { role: 'viewer' }, guard: { role: 'operator', password: 'guard-password' } })).status, 200);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, again)).status, 401, 'the session of the old role');
	assert.equal((await ask('GET', '/api/v1/users', undefined, await login('boss', 'another-password'))).status, 403);
	const guard = await login('guard', 'guard-password');
	assert.equal((await put({ guard: null })).status, 200);
	assert.equal((await ask('GET', '/api/v1/stations', undefined, guard)).status, 401, 'somebody who is not there any more');
	assert.equal((await ask('GET', '/api/v1/users', undefined, admin)).status, 200, 'a session that nothing changed for');
	// The console moves to another port, and says so to who asked for it.
	const other = await freePort();
	assert.equal((await ask('POST', '/api/v1/do/config.apply', { over: { listen: { console: { port: other } } }, for: '0s' }, admin)).status, 200);
	await until(5000, 'the other port', () => new Promise((resolve) => https.get({ port: other, path: '/healthz', rejectUnauthorized: false }, (r) => resolve(r.resume().statusCode === 200)).on('error', () => resolve(false))));
	await d.ask('config.apply', { yaml: '', for: '0s' });
	await until(5000, 'the first port', async () => (await ask('GET', '/api/v1/users', undefined, admin).catch(() => ({}))).status === 200);
}

async function main() {
	const dir = tempDir();
	[port, redirectPort, plainPort] = [await freePort(), await freePort(), await freePort()];
	metricsPort = plainPort;
	const d = new Daemon(dir, `
version: 1
site: {id: http, name: Hof}
circuits: {grid: {kind: grid_connection, limit_a: 32}}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${port}, tls: own, redirect_from: ${redirectPort}}
  metrics: {port: ${metricsPort}}
tls: {own: {mode: self-signed}}
console: {names: [box.example]}
evses: {R-01: {circuit: grid, driver: sim, phases: [L1], current_a: 16, authorize: [free]}}
`);
	await d.start();
	await hardened();
	await closedDoors();
	await firstPerson(d);
	await d.stop();
	require('fs').writeFileSync(d.config, require('fs').readFileSync(d.config, 'utf8').replace('console: {names', 'console: {users: {boss: {role: admin, password: configured-password}}, names'));
	await d.start();
	await roles(d);
	await people(d);
	await everyRoute(d);
	await backOff();
	await stream(d);
	await prometheus();
	await d.stop();
	console.log('PASS: the surfaces over HTTP');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
