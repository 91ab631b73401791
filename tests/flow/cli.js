'use strict';
// The client as people and scripts use it: what it shows, what it says as JSON, and its exit codes.
const { spawn } = require('child_process');
const net = require('net');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, equal, ok, run, top, children } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 63}, row: {parent: grid, limit_a: 32}}',
		stations: '{"G-[01-03]": {circuit: row}}' }));
	const csms = new RawCsms(csmsPort);
	csms.answer = (identity, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'StartTransaction' ? { transactionId: 8821, idTagInfo: { status: 'Accepted' } }
		: m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() } : {}]);
	let s, silent;
	const shows = async (fits, ...args) => {
		const { code, out, err } = await daemon.cli(...args);
		equal(code, 0, `${args.join(' ')} ends with (${err})`);
		ok(fits.test(out), `${args.join(' ')} shows ${fits}:\n${out}`);
	};
	const fails = async (code, ...args) => {
		const got = await daemon.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		ok(got.err.length > 0 && got.out === '', `${args.join(' ')} says why, on stderr`);
	};
	const json = async (...args) => {
		const { code, out } = await daemon.cli('--json', ...args);
		equal(code, 0, args.join(' '));
		return JSON.parse(out);
	};

	await run([
		['no daemon: 4', () => fails(4, 'status')],
		['the pages', async () => {
			await csms.listen();
			await daemon.start();
			s = await rawStation(port, 'G-01', ['ocpp1.6']);
			await s.ask('1', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' });
			await s.ask('2', 'StartTransaction', { connectorId: 1, idTag: 'SECRETTAG', meterStart: 5, timestamp: '2026-03-02T17:04:05Z' });
			await s.ask('3', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await shows(/flow\s+ampgate [\s\S]*cpo up[\s\S]*1\/3 online/, 'status');
			await shows(/G-01 +online +up +ocpp1\.6 +charging/, 'station', 'list');
			await shows(/G-02 +offline/, 'station', 'list');
			await shows(/^G-01 evse 1 +charging.*\n (The|A) [^{}\n]*\.\n binding +\S+/m, 'why', 'G-01');
			await shows(/circuit row[\s\S]*limit +32/, 'why', 'row');
			await shows(/G-01 +1 +8821 +8821/, 'tx', 'list');
			await shows(/^SEQ/, 'queue', 'list');
			ok(!(await daemon.cli('tx', 'list')).out.includes('SECRETTAG'), 'tokens are not shown');
		}],
		['as JSON', async () => {
			equal((await json('station', 'list')).map((x) => [x.v, x.id, x.state]), [[1, 'G-01', 'online'], [1, 'G-02', 'offline'], [1, 'G-03', 'offline']], 'stations');
			equal((await json('status')).stations.online, 1, 'status');
			equal((await json('tx', 'list'))[0].tx, '8821', 'transactions');
			ok(Array.isArray((await json('why', 'G-01')).chain), 'why has a chain');
			equal(await json('queue', 'list'), [], 'queue');
		}],
		['call: the answer, a CALLERROR, and who is not there', async () => {
			const said = daemon.cli('call', 'G-01', 'GetConfiguration', '{"key":["X"]}');
			const call = JSON.parse(await s.action('GetConfiguration'));
			equal(call[3], { key: ['X'] }, 'as it was typed');
			s.send(`[3,"${call[1]}",{"unknownKey":["X"]}]`);
			const { code, out } = await said;
			equal([code, JSON.parse(out)], [0, { unknownKey: ['X'] }], 'the answer');
			const error = daemon.cli('call', 'G-01', 'Reset', '{"type":"Soft"}');
			s.send(`[4,"${JSON.parse(await s.action('Reset'))[1]}","NotSupported","not today",{}]`);
			const refused = await error;
			ok(refused.code === 1 && /NotSupported: not today/.test(refused.err), `a CALLERROR: ${refused.code} ${refused.err}`);
			await fails(5, 'call', 'G-99', 'Reset');
			await fails(6, 'call', 'G-02', 'Reset');
			await fails(2, 'call', 'G-01', 'Reset', 'no json');
			await fails(2, 'call', 'G-01');
			silent = daemon.cli('call', 'G-01', 'ClearCache', '{}');
			await s.action('ClearCache');
		}],
		['limits', async () => {
			await shows(/./, 'limit', 'set', 'row', '16', '--for', '2h', '--reason', 'works in row');
			await shows(/row +16[\s\S]*works in row/, 'limit', 'list');
			const [cap] = await json('limit', 'list');
			ok(Date.parse(cap.until) > Date.now() + 7100e3, `it has an end: ${cap.until}`);
			equal((await json('circuit', 'list')).find((c) => c.id === 'row').limit_a, [16, 16, 16], 'in force');
			await fails(5, 'limit', 'set', 'nothing', '16', '--for', '2h');
			await fails(2, 'limit', 'set', 'row', '16');
			await fails(2, 'limit', 'set', 'row', 'much', '--for', '2h');
			await fails(2, 'limit', 'set', 'row', '16', '--for', 'ever');
			await shows(/./, 'limit', 'clear', String(cap.limit_id));
			equal(await json('limit', 'list'), [], 'taken back');
			await fails(5, 'limit', 'clear', String(cap.limit_id));
		}],
		['any verb: words in their order, options, KEY=VALUE', async () => {
			for (const args of [['station', 'show', 'G-01'], ['history', 'row', '24h'], ['history', 'row', '--since', '24h'], ['history', 'object=row'], ['queue', 'list', 'station=G-01']])
				await json(...args);
			equal((await json('job', 'list')).length, 0, 'none');
			await fails(5, 'job', 'show', '7');
			await fails(5, 'station', 'accept', 'G-09', '--like', 'G-77');
			await fails(2, 'station', 'accept', 'G-09', '--colour', 'red');
			await fails(2, 'job', 'show', '7', '8');
			await fails(2, 'version', 'now');
			await fails(5, 'uplink', 'test', 'cpo', '9');
			await shows(/^station\.accept station circuit/m, 'help', 'station', 'accept');
			await shows(/usage: ampgate/, 'help');
			await fails(5, 'help', 'frobnicate');
		}],
		['usage and unknown objects', async () => {
			await fails(2, 'frobnicate');
			await fails(2, 'station', 'show');
			await fails(2, '--nonsense');
			await fails(5, 'station', 'show', 'G-99');
			await fails(5, 'why', 'G-99');
		}],
		['trace -f follows a station, one JSON object a line', async () => {
			const c = spawn(path.join(top, 'ampgate'), ['--socket', daemon.socket, '--json', 'trace', '-f', 'G-01']);
			children.add(c);
			let text = '';
			c.stdout.on('data', (d) => (text += d));
			const lines = () => text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean).map((l) => JSON.parse(l));
			const last = () => lines().slice(lines().findIndex((r) => r.raw?.startsWith('[2,"last"')) >>> 0); // what was asked before may still come
			let n = 0;
			await until(5000, 'it follows', async () => {
				await s.ask(`t${++n}`, 'Heartbeat', {});
				return lines().length > 0;
			});
			const other = await rawStation(port, 'G-02', ['ocpp1.6']);
			await other.ask('o', 'Heartbeat', {});
			await s.ask('last', 'Heartbeat', {});
			await until(3000, 'four records', () => last().length >= 4);
			equal(last().map((r) => [r.v, r.station, r.side, r.dir, r.verdict, r.type]), [[1, 'G-01', 'station', 'rx', 'forwarded', 2], [1, 'G-01', 'csms', 'tx', 'forwarded', 2],
				[1, 'G-01', 'csms', 'rx', 'forwarded', 3], [1, 'G-01', 'station', 'tx', 'forwarded', 3]], 'a CALL and its answer on both legs');
			equal(last()[0].raw, '[2,"last","Heartbeat",{}]', 'the text as it was');
			c.kill();
			await shows(/Heartbeat/, 'trace', 'G-02');
		}],
		['a connection to the socket is told what changes', async () => {
			const c = net.connect(daemon.socket);
			let text = '';
			c.on('data', (d) => (text += d));
			const told = (fits) => text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean).map((l) => JSON.parse(l)).filter(fits);
			const asks = (id, topics) => c.write(JSON.stringify({ jsonrpc: '2.0', id, method: 'subscribe', params: { topics } }) + '\n');
			asks(1, ['station', 'weather']);
			await until(5000, 'a topic that there is not', () => told((m) => m.id === 1 && /topics is a list/.test(m.error?.message)).length === 1);
			asks(2, ['station', 'circuit', 'event']);
			await until(10000, 'all as it is', () => told((m) => m.method === 'station' && m.params.key === 'G-03' && m.params.state === 'offline').length > 0
				&& told((m) => m.method === 'circuit' && m.params.key === 'row').length > 0);
			await daemon.ask('limit.set', { object: 'row', limit_a: 11, for: '1h' });
			await until(10000, 'what changes', () => told((m) => m.method === 'circuit' && m.params.key === 'row' && m.params.limit_a[0] === 11).length > 0);
			await daemon.ask('user.add', { user: 'zoe', role: 'viewer', password: 'correct horse battery' });
			await until(10000, 'what happens', () => told((m) => m.method === 'event' && m.params.obj === 'user/zoe').length === 1);
			equal(told((m) => m.method === 'evse').length, 0, 'nothing else');
			c.destroy();
			await daemon.ask('limit.clear', { limit_id: (await daemon.ask('limit.list'))[0].limit_id });
		}],
		['a call that the station does not answer: 7', async () => {
			const { code, err } = await within(20000, 'the time is over', silent);
			ok(code === 7 && /did not answer/.test(err), `silence: ${code} ${err}`);
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
