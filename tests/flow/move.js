'use strict';
// A box that is replaced: its backup goes to another one with another host name, which goes on where it was. What the CSMS has been told is not told
// again, what waited is told once, and nobody has to be set up anew. A file that is damaged, or newer than the program, changes nothing.
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { spawnSync } = require('child_process');
const { freePort, tempDir, until, top, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const now = () => new Date().toISOString();

async function main() {
	const dir = tempDir(), backup = path.join(dir, 'box-a.tar.gz');
	const [port, web, csmsPort] = [await freePort(), await freePort(), await freePort()];
	const csms = new RawCsms(csmsPort), told = []; // what the CSMS has been told of transactions, in order
	let next = 8820;
	csms.answer = (identity, m) => {
		if (m[0] !== 2) return null;
		if (/Transaction$/.test(m[2])) told.push([identity, m[2], m[2] === 'StopTransaction' ? m[3].transactionId : m[3].meterStart]);
		const answer = m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime: now() } : m[2] === 'StartTransaction' ? { transactionId: ++next, idTagInfo: { status: 'Accepted' } } : {};
		return JSON.stringify([3, m[1], answer]);
	};

	// A box: its /etc and its /var are directories of its own.
	const box = (name) => {
		const home = path.join(dir, name), etc = path.join(home, 'etc');
		fs.mkdirSync(path.join(etc, 'credentials'), { recursive: true });
		const d = new Daemon(home, '');
		Object.assign(d, { etc, config: path.join(etc, 'ampgate.yaml'), places: ['--config-dir', etc, '--state-dir', path.join(home, 'state')] });
		const start = d.start.bind(d);
		d.start = () => {
			process.env.CREDENTIALS_DIRECTORY = path.join(etc, 'credentials');
			return start();
		};
		return d;
	};
	const a = box('a'), b = box('b');
	fs.writeFileSync(a.config, conf({ port, csmsPort, onboarding: 'manual', defaults: ', password: "cred:station-{id}"', stations: '{G-01: {circuit: grid}}', more: 'tls: {own: {mode: self-signed}}\noffline: {authorize: [local_list, cache, all]}\n' })
		.replace('listen: {ocpp', `listen: {console: {address: 127.0.0.1, port: ${web}, tls: own}, ocpp`));
	for (const id of ['G-01', 'G-02']) fs.writeFileSync(path.join(a.etc, 'credentials', `ampgate_station-${id}`), `of ${id}, sixteen and more`);
	const station = async (id) => {
		const s = await rawStation(port, id, ['ocpp1.6'], { headers: { Authorization: `Basic ${Buffer.from(`${id}:of ${id}, sixteen and more`).toString('base64')}` } });
		s.id = id;
		return s;
	};
	const boots = async (s) => (await s.ask('boot', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' }))[2];
	const begins = async (s, meterStart) => (await s.ask(`start${meterStart}`, 'StartTransaction', { connectorId: 1, idTag: 'CARD-1', meterStart, timestamp: now() }))[2];
	const ends = (s, transactionId) => s.ask(`stop${transactionId}`, 'StopTransaction', { transactionId, meterStop: 900, timestamp: now() });
	const said = async (d, code, fits, ...args) => {
		const got = await d.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		ok(fits.test(got.out + got.err), `${args.join(' ')} says ${fits}:\n${got.out}${got.err}`);
	};
	const known = async (d) => {
		await until(20000, 'its certificates are looked at', async () => (await d.ask('pki.list')).length === 2); // its own authority, and the console's
		return { tokens: await d.ask('token.list'), users: await d.ask('user.list'), programs: (await d.ask('api-token.list')).map((t) => t.name), root: await d.ask('pki.root'),
		certificates: (await d.ask('pki.list')).map((c) => [c.use, c.name, c.serial]), stations: (await d.ask('station.list')).map((s) => s.id), generation: (await d.ask('status')).config.generation };
	};
	let before, provisional;

	await run([
		['box A: set up by hand, a session that the CSMS knows, one that it does not', async () => {
			await csms.listen();
			await a.start();
			await a.ask('pki.init', { name: 'Yard' });
			await a.ask('token.add', { token: 'CARD-1' });
			await a.ask('user.add', { user: 'anna', role: 'installer', password: 'correct horse battery' });
			await a.ask('api-token.add', { name: 'grafana', role: 'viewer' });
			const fresh = await station('G-02');
			fresh.send(JSON.stringify([2, 'boot', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' }]));
			await until(10000, 'it waits', async () => (await a.ask('station.list')).some((s) => s.id === 'G-02' && s.state === 'pending'));
			const waits = await a.cli('station', 'list', '--pending');
			ok(/G-02 +pending/.test(waits.out) && !/G-01/.test(waits.out), `it alone is listed as waiting: ${waits.out}${waits.err}`);
			await a.ask('station.accept', { station: 'G-02', circuit: 'grid' });
			const s = await station('G-01');
			await boots(s);
			equal((await begins(s, 100)).transactionId, 8821, 'the number of the CSMS');
			await csms.close();
			await until(10000, 'the CSMS is missed', async () => (await a.ask('status')).uplink.cpo.state !== 'up');
			await ends(s, 8821);
			provisional = (await begins(s, 200)).transactionId;
			ok(provisional > 1000000, `a number of the box: ${provisional}`);
			await until(10000, 'both wait', async () => (await a.ask('status')).queue.messages === 2);
		}],
		['its backup, while it runs; then it breaks', async () => {
			before = await known(a);
			await said(a, 0, /credentials[\s\S]*ampgate\.db/, 'backup', 'create', backup, ...a.places);
			await a.kill();
		}],
		['a damaged file, and one of a newer program, change nothing on box B', async () => {
			const bytes = fs.readFileSync(backup), broken = path.join(dir, 'broken.tar.gz'), newer = path.join(dir, 'newer.tar.gz');
			for (const at of [100, 200, bytes.length >> 1, bytes.length - 40]) {
				fs.writeFileSync(broken, Buffer.concat([bytes.subarray(0, at), Buffer.alloc(30), bytes.subarray(at + 30)]));
				await said(b, 1, /no backup, or not a whole one/, 'backup', 'restore', broken, '--yes', ...b.places);
			}
			const plain = zlib.gunzipSync(bytes), early = Buffer.from(plain), at = plain.indexOf('SQLite format 3\0');
			early.fill(0, early.indexOf('config/credentials/'), early.indexOf('config/credentials/') + 512); // it looks like its end, and is not
			fs.writeFileSync(broken, zlib.gzipSync(early));
			await said(b, 1, /no backup, or not a whole one/, 'backup', 'restore', broken, '--yes', ...b.places);
			plain.writeUInt32BE(plain.readUInt32BE(at + 60) + 7, at + 60); // the schema's number
			fs.writeFileSync(newer, zlib.gzipSync(plain));
			for (const more of [[], ['--yes']]) await said(b, 1, /written by a newer version \(schema \d+, this program knows \d+\)/, 'backup', 'restore', newer, ...more, ...b.places);
			equal([fs.existsSync(b.config), fs.existsSync(path.join(dir, 'b', 'state'))], [false, false], 'nothing was made');
		}],
		['box B: another host name, the same in all that counts', async () => {
			await said(b, 0, /as they were/, 'backup', 'restore', backup, '--yes', ...b.places);
			if (spawnSync('unshare', ['-u', 'hostname', 'box-b']).status === 0) {
				b.program = path.join(dir, 'elsewhere');
				fs.writeFileSync(b.program, `#!/bin/sh\nexec unshare -u sh -c 'hostname box-b && exec "$0" "$@"' '${path.join(top, 'ampgated')}' "$@"\n`, { mode: 0o755 });
			} else {
				console.log('# the host name stays: not allowed to set one');
			}
			await b.start();
			if (b.program) equal((await b.ask('network.show')).hostname, 'box-b', 'the host');
			equal(await known(b), before, 'tokens, people, programs, certificates, stations, configuration');
			equal((await b.ask('status')).queue.messages, 2, 'what waited');
		}],
		['the stations come with the passwords they have, one that was accepted by hand among them', async () => {
			const wrong = await rawStation(port, 'G-02', ['ocpp1.6'], { headers: { Authorization: `Basic ${Buffer.from('G-02:something else that is long').toString('base64')}` } }).catch((e) => e);
			equal(wrong.status, 401, 'another password');
			equal((await boots(await station('G-02'))).status, 'Accepted', 'G-02');
		}],
		['the CSMS is told what waited, once, and nothing that it knows', async () => {
			const s = await station('G-01');
			await boots(s);
			await csms.listen();
			await until(20000, 'all is delivered', async () => (await b.ask('status')).queue.messages === 0 && told.length >= 3);
			await ends(s, provisional);
			await until(10000, 'the end', () => told.length >= 4);
			equal(told, [['G-01', 'StartTransaction', 100], ['G-01', 'StopTransaction', 8821], ['G-01', 'StartTransaction', 200], ['G-01', 'StopTransaction', 8822]], 'each once, in order');
			await b.stop();
		}],
	]);
}

main();
