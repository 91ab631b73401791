'use strict';
// Whole files from the command line: stations out to a table and back in, with mistakes at their cells and a change that takes itself back; another name
// for a station; tokens by the hundred; and more lines from one part of the program for a while.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, station, equal, ok, run } = require('./lib.js');

async function main() {
	const dir = tempDir(), port = await freePort();
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 250}, row-a: {parent: grid, limit_a: 100}, row-b: {parent: grid, limit_a: 100}}
station_defaults: {max_current_a: 32, fallback_current_a: 0}
stations:
  "G-[01-03]": {circuit: row-a, rotation: [RST, STR, TRS]}
  G-02: {max_current_a: 16, name: "Hof, links", password: "hunter2hunter2hunter2"}
log: {level: info, target: stderr}
`);
	const file = (name, text) => {
		fs.writeFileSync(path.join(dir, name), text);
		return path.join(dir, name);
	};
	const says = async (code, fits, ...args) => {
		const got = await daemon.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		for (const f of [fits].flat()) ok(f.test(got.out + got.err), `${args.join(' ')} says ${f}:\n${got.out}${got.err}`);
		return got.out;
	};
	const circuits = async () => Object.fromEntries((await daemon.ask('station.export')).text.split('\r\n').slice(1).map((l) => l.split(',').slice(0, 2)));

	await run([
		['stations go out as a table, without what they share and without secrets', async () => {
			await daemon.start();
			equal(await says(0, /./, 'station', 'export'), ['id,circuit,rotation,max_current_a,password,name', 'G-01,row-a,RST,,,', 'G-02,row-a,STR,16,***,"Hof, links"',
				'G-03,row-a,TRS,,,', ''].join('\r\n'), 'the table');
			await says(0, [/"G-02": \{.*max_current_a: 16/, /password: "\*\*\*"/], 'station', 'export', '--format', 'yaml');
			await says(0, /^$/, 'station', 'export', path.join(dir, 'out.csv'));
			equal(fs.statSync(path.join(dir, 'out.csv')).mode & 0o777, 0o600, 'for its owner');
		}],
		['what came out goes in again and changes nothing', () => says(0, [/no difference/, /nothing was changed/], 'station', 'import', path.join(dir, 'out.csv'), '--dry-run')],
		['a mistake is named by line and column, and nothing is changed', async () => {
			const bad = file('bad.csv', 'id;circuit;rotation;max_current_a\nG-04;row-x;RST;32\nG-05;row-a;RSS;\nG 06;row-a;;\nG-07;row-a;;4\nG-07;row-b;;\nG-08;row-a;;32;1\n;row-a;;\n');
			await says(3, [/bad\.csv:6:1: error: 'G-07' is there already/, /bad\.csv:7:16: error: there are more cells/, /bad\.csv:8:1: error: this line has no id/], 'station', 'import', bad);
			const worse = file('worse.csv', 'id,circuit,rotation,max_current_a,colour\nG-04,row-x,RST,32,\nG-05,row-a,RSS,,\nG-07,row-a,,4,\nG-08,row-a,,,red\n');
			await says(3, [/worse\.csv:2:6: error: circuit 'row-x' is not defined/, /did you mean 'row-a'/, /worse\.csv:3:12: error/, /worse\.csv:4:13: error/, /worse\.csv:5:14: error: unknown key 'colour'/],
				'station', 'import', worse);
			await says(3, /open\.csv:2:6: error: this quote is never closed/, 'station', 'import', file('open.csv', 'id,circuit\nG-04,"row-a\n'));
			await says(3, /none\.csv:1:1: error: the table has no column 'id'/, 'station', 'import', file('none.csv', 'station,circuit\nG-04,row-a\n'));
			await says(3, /bad\.yaml:2:19: error: circuit 'row-x' is not defined/, 'station', 'import', file('bad.yaml', 'stations:\n  G-04: {circuit: row-x}\n'));
			await says(3, /more\.yaml:1:1: error: only stations are imported, not 'circuits'/, 'station', 'import', file('more.yaml', 'circuits: {}\nstations: {G-04: {circuit: row-a}}\n'));
			await says(1, /No such file|no such file/, 'station', 'import', path.join(dir, 'nothing.csv'));
			ok(!fs.existsSync(path.join(dir, 'state/managed.yaml')), 'nothing was written');
		}],
		['a table takes effect, and takes itself back unless confirmed', async () => {
			const good = file('good.csv', '\ufeffid;circuit;max_current_a;name\r\nG-03;row-b;20;"Der ""letzte"""\r\nG-04;row-b;;\r\n');
			await says(0, [/stations\.G-03\.circuit: row-a -> row-b/, /stations\.G-04: - -> present/, /nothing was changed/], 'station', 'import', good, '--dry-run');
			await says(0, /unless confirmed/, 'station', 'import', good, '--for', '2m');
			equal((await circuits())['G-04'], 'row-b', 'there');
			await says(6, /another change waits/, 'station', 'import', good);
			await daemon.ask('config.rollback');
			equal((await circuits())['G-03'], 'row-a', 'taken back');
			await says(0, /unless confirmed/, 'station', 'import', good);
			await daemon.ask('config.confirm');
			await daemon.stop();
			await daemon.start();
			equal([(await circuits())['G-03'], (await circuits())['G-04']], ['row-b', 'row-b'], 'for good');
			const shown = await daemon.ask('config.show');
			ok(/Der "letzte"|Der \\"letzte\\"/.test(shown.yaml), 'a quote in a name');
			ok(/password: "?\*\*\*/.test(shown.yaml), 'the password that was masked is kept');
		}],
		['a drop-in for the directory of layers, without a daemon', async () => {
			const out = await says(0, [/^stations:/, /G-03:/, /max_current_a: 20/], 'station', 'import', path.join(dir, 'good.csv'), '--drop-in');
			fs.mkdirSync(path.join(dir, 'conf.d'));
			fs.writeFileSync(path.join(dir, 'conf.d/10-stations.yaml'), out);
			await says(3, /worse|no id/, 'station', 'import', file('empty-id.csv', 'id,circuit\n,row-a\n'), '--drop-in');
		}],
		['another name for a station', async () => {
			await says(5, /no station 'G-9'/, 'station', 'rename', 'G-9', 'H-9');
			await says(6, /already/, 'station', 'rename', 'G-01', 'G-02');
			await says(2, /identity/, 'station', 'rename', 'G-01', 'a b');
			await says(0, /nothing was changed/, 'station', 'rename', 'G-02', 'H-02', '--dry-run');
			await says(0, /in force/, 'station', 'rename', 'G-02', 'H-02', '--keep-uplink-id', '--for', '0s');
			const yaml = (await daemon.ask('config.show')).yaml;
			ok(/H-02:[\s\S]*max_current_a: 16/.test(yaml) && /uplink_id: G-02/.test(yaml), 'the same under the new name');
			ok(!/^ {2}"?G-02"?:/m.test(yaml), 'and not under the old one');
		}],
		['tokens by the hundred, into the list or the cache', async () => {
			const rows = Array.from({ length: 300 }, (_, i) => `04A2${String(i).padStart(4, '0')},${i % 10 ? 'Accepted' : 'Blocked'},2031-01-01T00:00:00Z`).join('\n');
			const many = file('many.csv', `token,status,expiry\n${rows}\n`);
			await says(0, /300 tokens; nothing/, 'token', 'import', many, '--dry-run');
			equal((await daemon.ask('token.list')).length, 0, 'nothing yet');
			await says(0, /300 tokens/, 'token', 'import', many);
			await says(0, /2 tokens/, 'token', 'import', file('two.json', JSON.stringify([{ token: 'X1' }, { token: 'X2', status: 'Invalid', type: 'ISO14443', group: 'crew' }])));
			const list = await daemon.ask('token.list');
			equal([list.length, list.filter((t) => t.status === 'Blocked').length, list.every((t) => t.source === 'list')], [302, 30, true], 'the list');
			await says(0, /1 tokens/, 'token', 'import', file('one.csv', 'token\nC-1\n'), '--source', 'cache');
			equal((await daemon.ask('token.list')).filter((t) => t.source === 'cache').length, 1, 'the cache');
			await says(0, /2 tokens/, 'token', 'import', path.join(dir, 'two.json'), '--replace');
			equal((await daemon.ask('token.list')).filter((t) => t.source === 'list').length, 2, 'in place of all others');
			await says(3, [/wrong\.csv:2:4: error: 'acepted' is no status/, /did you mean 'Accepted'/, /wrong\.csv:3:13: error: 'soon' is no time/], 'token', 'import',
				file('wrong.csv', 'token,status,expiry\nA1,acepted,\nA2,Accepted,soon\n'));
			await says(3, /list\.json, item:2:1: error: it has no token/, 'token', 'import', file('list.json', '[{"token":"A"},{"id":"B"}]'));
			equal((await daemon.ask('token.list')).length, 3, 'nothing of these');
		}],
		['one part of the program, or one station, logs more for a while', async () => {
			await says(5, /nothing that logs is called 'frobnicate'/, 'log', 'level', 'frobnicate', 'debug');
			await says(2, /level is none/, 'log', 'level', 'session', 'loud');
			await says(2, /for is no duration/, 'log', 'level', 'session', 'debug', '--for', '2d');
			await says(0, /as configured/, 'log', 'level');
			await says(0, /session +debug +until/, 'log', 'level', 'session', 'debug', '--for', '5m');
			await says(0, /station=G-01 +debug/, 'log', 'level', 'station=G-01', 'debug');
			const lines = () => daemon.log.split('\n').filter((l) => / debug /.test(l)).length;
			const s = await station(port, 'G-01', 'ocpp1.6');
			await s.call('BootNotification', { chargePointVendor: 'F', chargePointModel: 'M' });
			await until(5000, 'debug lines', async () => lines() > 0);
			await says(0, /station=G-01/, 'log', 'level', 'session', 'default');
			equal((await daemon.ask('log.level')).map((l) => [l.component, l.level]), [['station=G-01', 'debug']], 'the other one stays');
			await daemon.ask('log.level', { component: 'station=G-01', level: 'error', for: '1s' });
			await until(5000, 'its time is over', async () => (await daemon.ask('log.level')).length === 0);
		}],
		['what happened, from the journal', async () => {
			await says(0, [/config\.applied/, /config\.confirmed/], 'log');
			const out = await says(0, /config/, 'log', '--module', 'config', '--level', 'warning');
			ok(/config\.rolled_back/.test(out) && !/config\.confirmed/.test(out), out);
			await says(2, /log \[-f\]/, 'log', '--level', 'loud');
			await daemon.stop();
		}],
	]);
}

main();
