'use strict';
// The ends of certificates are told in time, once, wherever the box meets them: its own, roots, what stations and a CSMS show.
const fs = require('fs');
const https = require('https');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const { Pki } = require('./certs.js');

const at = (days) => new Date(Date.now() + days * 86400000).toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';

async function main() {
	const dir = tempDir(), pki = new Pki(dir), file = (name) => pki.file(name);
	const [plain, two, three, metrics, port] = await Promise.all(Array.from({ length: 5 }, freePort));
	const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
	pki.ca('root');
	pki.sign('root', 'far', '/CN=localhost', { ext: names, until: at(400) });
	pki.sign('root', 'ninety', '/CN=ninety', { ext: names, until: at(80) });
	pki.sign('root', 'thirty', '/CN=localhost', { ext: names, until: at(20) });
	pki.sign('root', 'short', '/CN=short', { ext: names, from: at(-0.2), until: at(0.8) });
	pki.sign('root', 'station', '/CN=C-1', { until: at(6) });
	pki.sign('root', 'over', '/CN=BOX', { until: at(-3) });
	const pair = (name) => ({ cert: pki.read(`${name}.crt`), key: pki.read(`${name}.key`) });
	const tlsOf = (id, name, more = '') => `${id}: {cert: ${file(`${name}.crt`)}, key: ${file(`${name}.key`)}${more}}`;
	const daemon = new Daemon(dir, conf({ port: plain, csmsPort: port, stations: '{C-1: {circuit: grid, min_security_profile: 0}}', listen: '' })
		.replace('listen: {ocpp: {', `tls: {${tlsOf('two', 'ninety')}, ${tlsOf('three', 'far', `, client_ca: ${file('root.crt')}, second_cert: ${file('short.crt')}, second_key: ${file('short.key')}`)}}
listen: {metrics: {address: 127.0.0.1, port: ${metrics}}, ocpp: {two: {address: 127.0.0.1, port: ${two}, tls: two}, three: {address: 127.0.0.1, port: ${three}, tls: three, min_security_profile: 3}, `)
		.replace(/ {4}security_profile: 0\n/, `    security_profile: 3\n    ca: ${file('root.crt')}\n    cert: ${file('over.crt')}\n    key: ${file('over.key')}\n`)
		.replace('ws://127', 'wss://127'));
	daemon.listeners = 3;
	const csms = new RawCsms(port, { server: https.createServer(pair('thirty')) });
	csms.answer = (identity, m) => m[0] === 2 && JSON.stringify([3, m[1], { currentTime: new Date().toISOString(), status: 'Accepted', interval: 300 }]);

	const told = async () => (await daemon.ask('event.list', { most: 500 })).filter((e) => e.code.startsWith('certificate.'))
		.map((e) => `${e.code.slice(12)} ${e.sev || e.severity} ${e.args.use} ${e.args.name.split(' ')[0]} ${e.args.subject}`).sort();
	// The authority's own two days are short for it, and the station's certificate is there as soon as it has come.
	const all = ['expired critical client cpo BOX', 'expires critical station C-1 C-1', 'expires info server two ninety', 'expires warning csms cpo localhost'];
	let station;

	await run([
		['each is told with its use, its name and how near it is', async () => {
			await csms.listen();
			await daemon.start();
			station = await rawStation(three, 'C-1', ['ocpp1.6'], { scheme: 'wss', ca: pki.read('root.crt'), ...pair('station') });
			await station.ask('1', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' }, 15000);
			await until(20000, 'all have been told', async () => (await told()).length >= all.length);
			equal(await told(), all, 'what was told');
			ok(/the server certificate of two \(ninety\) ends in (79|80) days, at .*ninety.crt/.test(daemon.log), 'the log');
			ok(/the client certificate of cpo \(BOX\) has ended/.test(daemon.log), 'the log, of one that has ended');
		}],
		['doctor names the nearest, and the metrics have all', async () => {
			const { code, out } = await daemon.cli('doctor');
			equal(code, 1, 'doctor is not content');
			ok(/warning\s+certificate: the client certificate of cpo \(BOX\) ended 3 days ago/.test(out), out);
			const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
			const rows = text.split('\n').filter((l) => l.startsWith('ampgate_tls_certificate_expiry_timestamp_seconds{'));
			for (const want of ['use="server",name="two",subject="ninety"', 'use="csms",name="cpo 127.0.0.1', 'use="csms_root",name="cpo",subject="root"', 'use="client_root",name="three"',
				'use="station",name="C-1",subject="C-1"', 'use="server",name="three",subject="short"', 'use="client",name="cpo",subject="BOX"'])
				ok(rows.some((l) => l.includes(want)), `${want} in ${rows.join('\n')}`);
			const end = Number(rows.find((l) => l.includes('name="two"')).split(' ').at(-1));
			ok(Math.abs(end - Date.now() / 1000 - 80 * 86400) < 3600, `it ends at ${end}`);
		}],
		['once: not again after a restart, and what the station showed is still known', async () => {
			await station.close();
			await daemon.stop();
			await daemon.start();
			const second = await rawStation(plain, 'C-1', ['ocpp1.6']);
			await second.ask('1', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' }, 15000);
			await until(20000, 'the watch has looked, with the CSMS', async () => (await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()).includes('use="csms"'));
			equal(await told(), all, 'what was told');
			ok((await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()).includes('use="station",name="C-1"'), 'the station\'s');
			await second.close();
		}],
		['a new certificate in the same place begins anew', async () => {
			pki.sign('root', 'next', '/CN=next', { ext: names, until: at(5) });
			for (const end of ['crt', 'key']) fs.copyFileSync(file(`next.${end}`), file(`ninety.${end}`));
			daemon.child.kill('SIGHUP');
			await until(10000, 'it is told', async () => (await told()).includes('expires critical server two next'));
			await daemon.stop();
			await csms.close();
		}],
	]);
}

main();
