'use strict';
// The REST contract: a request that is repeated with its key is run once; every failure is a problem document, with places where it is about a file; what
// takes a while is begun and looked after elsewhere; and the description names every verb and route with what they need.
const fs = require('fs');
const http = require('http');
const path = require('path');
const { rawStation } = require('./raw.js');
const { freePort, tempDir, until, Daemon, equal, ok, run, srcdir } = require('./lib.js');

async function main() {
	const dir = tempDir(), [port, consolePort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${consolePort}, tls: none}
console: {login: none}
circuits: {grid: {kind: grid_connection, limit_a: 63, meter: main}, row-a: {parent: grid, limit_a: 32}}
meters: {main: {driver: sim, poll: 200ms}}
stations: {G-1: {circuit: row-a}}
log: {level: info, target: stderr}
`);
	let csrf = '';
	const ask = (method, target, body, headers = {}) => new Promise((resolve, reject) => {
		const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
		headers = { 'X-Ampgate-Csrf': csrf, ...headers };
		const h = text === undefined ? headers : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers };
		const r = http.request({ host: '127.0.0.1', port: consolePort, path: target.startsWith('/') ? target : `/api/v1/${target}`, method, headers: h, agent: false }, (res) => {
			let got = '';
			res.on('data', (d) => (got += d));
			res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, type: res.headers['content-type'], json: got ? JSON.parse(got) : undefined }));
		});
		r.on('error', reject);
		r.end(text);
	});
	const limits = async () => (await daemon.ask('limit.list')).length;
	const problem = (a, status, code) => {
		equal([a.status, a.type, a.json.status, a.json.code], [status, 'application/problem+json', status, code], JSON.stringify(a.json));
		ok(a.json.type && a.json.title && a.json.title !== 'Status' && a.json.detail, `a whole document: ${JSON.stringify(a.json)}`);
		return a.json;
	};
	const cap = { object: 'row-a', limit_a: 10, for: '1h' };

	await run([
		['with since, a circuit and an EVSE tell their currents over time', async () => {
			await daemon.start();
			csrf = (await ask('GET', 'session')).json.csrf || '';
			for (const [resource, object] of [['circuits/row-a', 'row-a'], ['stations/G-1/evses/1', 'G-1/1']]) {
				const a = await ask('GET', `${resource}?since=15m`), b = await ask('GET', `history?object=${object}&since=15m`);
				equal([a.status, Object.keys(a.json), a.json.object], [200, Object.keys(b.json), b.json.object], resource);
				ok(!('chain' in a.json) && Object.keys(a.json).length > 1, `a history: ${JSON.stringify(a.json).slice(0, 200)}`);
				problem(await ask('GET', `${resource}?since=ever`), 400, 'invalid');
			}
		}],
		['with a key, a request is run once', async () => {
			const key = { 'Idempotency-Key': 'b1-7f' };
			const first = await ask('POST', 'limits', cap, key), again = await ask('POST', 'limits', cap, key);
			equal([first.status, again.status, again.json], [200, 200, first.json], 'the same answer');
			equal([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']], [undefined, 'true'], 'and it says so');
			equal(await limits(), 1, 'one limit');
			problem(await ask('POST', 'limits', { ...cap, limit_a: 11 }, key), 409, 'idempotency_conflict');
			problem(await ask('POST', 'do/limit.set', cap, key), 409, 'idempotency_conflict');
			await ask('POST', 'limits', cap);
			await ask('POST', 'limits', cap, { 'Idempotency-Key': 'b1-80' });
			equal(await limits(), 3, 'without one, or with another, it is another');
			problem(await ask('POST', 'limits', cap, { 'Idempotency-Key': '' }), 400, 'invalid');
			problem(await ask('POST', 'limits', cap, { 'Idempotency-Key': 'x'.repeat(256) }), 400, 'invalid');
		}],
		['a refusal is repeated too, and while the first one runs nothing is begun', async () => {
			const key = { 'Idempotency-Key': 'r1' };
			const first = problem(await ask('POST', 'limits', { object: 'nothing', limit_a: 1, for: '1h' }, key), 404, 'not_found');
			equal((await ask('POST', 'limits', { object: 'nothing', limit_a: 1, for: '1h' }, key)).json, first, 'the same');
			const many = await Promise.all(Array.from({ length: 20 }, () => ask('POST', 'limits', cap, { 'Idempotency-Key': 'burst' })));
			ok(many.every((a) => a.status === 200 || a.json.code === 'in_progress'), 'answered, or told to come again');
			equal(await limits(), 4, 'one of them counts');
		}],
		['the store is bounded: the oldest key goes first', async () => {
			for (let i = 0; i < 1001; i += 10)
				await Promise.all(Array.from({ length: 10 }, (_, k) => ask('POST', 'do/version', {}, { 'Idempotency-Key': `fill-${i + k}` })));
			const a = await ask('POST', 'limits', { ...cap, limit_a: 9 }, { 'Idempotency-Key': 'b1-7f' });
			equal([a.status, a.headers['idempotency-replayed']], [200, undefined], 'it is a new request');
		}],
		['a file that cannot be used: where and what', async () => {
			const p = problem(await ask('POST', 'stations-file', { text: 'id,circuit\nG-2,row-x\nG-3,row-a\nG-4,row-y\n', name: 'new.csv' }), 422, 'config_invalid');
			equal(p.errors, [{ path: 'new.csv', line: 2, column: 5, message: "circuit 'row-x' is not defined", hint: "did you mean 'row-a'?" },
				{ path: 'new.csv', line: 4, column: 5, message: "circuit 'row-y' is not defined", hint: "did you mean 'row-a'?" }], 'each with its place');
			const q = problem(await ask('POST', 'config/check', { yaml: 'stations:\n  G-2: {circut: row-a}\n' }), 422, 'config_invalid');
			ok(q.errors.some((e) => e.line === 2 && e.column === 9 && /circut/.test(e.message) && /circuit/.test(e.hint)), JSON.stringify(q.errors));
		}],
		['every failure is a problem document', async () => {
			problem(await ask('GET', 'nothing'), 404, 'not_found');
			problem(await ask('PATCH', 'limits'), 405, 'invalid');
			problem(await ask('POST', 'limits', '{'), 400, 'invalid');
			problem(await ask('POST', 'limits', '[]'), 400, 'invalid');
			problem(await ask('GET', 'stations/G-9'), 404, 'not_found');
			problem(await ask('POST', 'stations/G-1/reset', {}), 403, 'forbidden');
			problem(await ask('GET', '/nothing'), 404, 'not_found');
			equal((await ask('GET', '/api/v1/status', undefined, { Host: 'evil.example' })).json.status, 421, 'another name');
		}],
		['single objects', async () => {
			equal((await ask('GET', 'meters/main')).json.id, 'main', 'a meter');
			equal((await ask('GET', 'circuits/row-a/state')).json.id, 'row-a', 'a circuit');
			equal((await ask('GET', 'stations/G-1/evses/1')).json.station, 'G-1', 'an EVSE');
			problem(await ask('GET', 'stations/G-1/evses/7'), 404, 'not_found');
			problem(await ask('GET', 'meters/none'), 404, 'not_found');
			equal((await ask('PUT', 'tokens/T-1', { status: 'Blocked' })).status, 200, 'a token is put');
			equal((await ask('GET', 'tokens')).json.map((t) => t.status), ['Blocked'], 'and is there');
		}],
		['lists as tables, a trace as a file, and nothing of it is markup', async () => {
			const text = (target) => new Promise((resolve) => http.get({ host: '127.0.0.1', port: consolePort, path: `/api/v1/${target}`, agent: false }, (res) => {
				let got = '';
				res.on('data', (d) => (got += d));
				res.on('end', () => resolve({ status: res.statusCode, type: res.headers['content-type'], as: res.headers['content-disposition'], got }));
			}));
			const s = await rawStation(port, 'G-1', ['ocpp1.6']);
			await s.ask('1', 'BootNotification', { chargePointVendor: '<script>x</script>', chargePointModel: '=1+1' });
			await s.ask('=2', 'Heartbeat', {});
			s.ws.terminate();
			equal((await text('circuits?format=csv')).type, 'text/csv; charset=utf-8', 'a list');
			const html = await text('traces?format=html');
			equal([html.status, html.type, html.as], [200, 'text/html; charset=utf-8', 'attachment'], 'a page');
			ok(html.got.includes('&lt;script&gt;') && !html.got.includes('<script') && html.got.trimEnd().endsWith('</html>'), html.got);
			const csv = (await text('traces?format=csv&action=Heartbeat')).got.split('\r\n');
			ok(csv[0].startsWith('seq,ts,station,') && csv.some((l) => l.includes('"\'=2"')), csv.join('\n'));
			const lines = (await text('traces?format=jsonl')).got.trim().split('\n').map((l) => JSON.parse(l));
			ok(lines.length >= 4 && lines.every((l) => l.station === 'G-1'), 'JSON lines');
			equal(JSON.parse((await text('traces?format=har')).got).log.version, '1.2', 'HAR');
			equal((await text('traces?format=pcapng')).got.charCodeAt(0), 0x0a, 'pcapng');
			problem(await ask('GET', 'circuits?format=har'), 400, 'invalid');
			problem(await ask('GET', 'circuits?format=xml'), 400, 'invalid');
			ok((await ask('GET', 'stations-file?format=yaml')).json.text.startsWith('stations:'), 'where the verb has a format of its own');
		}],
		['what takes a while is a job', async () => {
			const begun = await ask('POST', 'meters/main/test', { seconds: 1 });
			equal([begun.status, begun.headers.location], [202, `/api/v1/jobs/${begun.json.job}`], 'begun');
			const job = await until(8000, 'its end', async () => {
				const j = (await ask('GET', begun.headers.location)).json;
				return j.state !== 'running' && j;
			});
			ok(job.result.meter === 'main' && job.result.samples > 0, JSON.stringify(job));
		}],
		['a change of the configuration for another generation is refused', async () => {
			problem(await ask('PUT', 'config', { yaml: 'site: {name: Hof}\n' }, { 'If-Match': '"99"' }), 403, 'forbidden');
			equal((await ask('PUT', 'config', { yaml: 'site: {name: Hof}\n', for: '0s' }, { 'If-Match': '"1"' })).status, 200, 'the one in force');
		}],
		['the description has every route and every verb with what it needs', async () => {
			const api = (await ask('GET', 'openapi.json')).json;
			const table = (file, row) => [...fs.readFileSync(path.join(srcdir, file), 'utf8').matchAll(row)];
			const verbs = new Map(table('gateway/manage/commands.def', /^VERB\("([^"]+)",\s*ROLE_(\w+),\s*\w+,\s*"([^"]*)"/gm).map((m) => [m[1], { role: m[2].toLowerCase(), args: m[3] }]));
			ok(verbs.size > 80, `${verbs.size} verbs`);
			for (const [verb, { role, args }] of verbs) {
				const post = api.paths[`/do/${verb}`]?.post;
				ok(post && post['x-role'] === role && post.summary, verb);
				const schema = post.requestBody.content['application/json'].schema;
				equal(Object.keys(schema.properties), args.split(/[ [\]|]+/).filter(Boolean), `${verb}: its arguments`);
				equal(schema.required, args.split(' ').filter((w) => w && !/[[|]/.test(w)), `${verb}: what it needs`);
			}
			const ids = new Set();
			for (const [, method, route, verb] of table('gateway/http/routes.def', /^ROUTE\("(\w+)",\s*"([^"]+)",\s*"([^"]+)"\)/gm)) {
				const op = api.paths[route]?.[method.toLowerCase()];
				ok(op && op['x-verb'] === verb && verbs.has(verb), `${method} ${route}`);
				const inPath = [...route.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
				equal(op.parameters.filter((p) => p.in === 'path').map((p) => p.name), inPath, route);
				for (const name of inPath) ok(verbs.get(verb).args.split(/[ [\]|]+/).includes(name), `${route}: ${verb} knows no ${name}`);
				ok(!ids.has(`${method} ${route}`), `${method} ${route} is there twice`);
				ids.add(`${method} ${route}`);
				if (method === 'POST') ok(op.parameters.some((p) => p.name === 'Idempotency-Key'), `${route} has a key`);
			}
			ok(api.components.schemas.problem, 'what went wrong has a form');
			await daemon.stop();
		}],
	]);
}

main();
