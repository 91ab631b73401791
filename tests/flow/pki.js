'use strict';
// An authority of the box's own serves a site that has none: stations get certificates by files or by SignCertificate, come in with them under profile 3,
// and do not once they are taken back. Certificates are looked at by openssl.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const tls = require('tls');
const { freePort, tempDir, until, within, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const { Pki } = require('./certs.js');

async function main() {
	const dir = tempDir(), pki = new Pki(dir), file = (name) => pki.file(name);
	const [plain, three, csmsPort] = [await freePort(), await freePort(), await freePort()];
	pki.ca('site');
	pki.sign('site', 'server', '/CN=localhost', { ext: 'subjectAltName=DNS:localhost,IP:127.0.0.1' });
	const daemon = new Daemon(dir, conf({ port: plain, csmsPort, uplink: '\n    pki: local', stations: `
  S-1: {circuit: grid}
  S-2: {circuit: grid}
  S-3: {circuit: grid, certificate_cn: SERIAL-3}
  S-4: {circuit: grid, uplink: relayed}` })
		.replace('listen: {ocpp: {', `tls: {three: {cert: ${file('server.crt')}, key: ${file('server.key')}, pki: local}}
listen: {ocpp: {three: {address: 127.0.0.1, port: ${three}, tls: three, min_security_profile: 3}, `)
		.replace('log: ', `  relayed:
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]
log: `));
	daemon.listeners = 2;
	const csms = new RawCsms(csmsPort), asked = [];
	csms.answer = (identity, m) => {
		if (m[0] === 2 && m[2] === 'SignCertificate') asked.push(identity);
		return m[0] === 2 && JSON.stringify([3, m[1], { currentTime: new Date().toISOString(), status: 'Accepted', interval: 300 }]);
	};
	const cli = async (want, ...args) => {
		const r = await daemon.cli('pki', ...args);
		equal(r.code, want, `pki ${args.join(' ')}: ${r.out}${r.err}`);
		return r;
	};
	const read = (name) => fs.readFileSync(file(name));
	const openssl = (...args) => String(execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] }));
	const come = (id, name, more = {}) => rawStation(three, id, ['ocpp1.6', 'ocpp2.0.1'], { scheme: 'wss', ca: read('server-root.pem'), cert: read(`${name}.crt`), key: read(`${name}.key`), ...more });
	const turned = (id, name) => come(id, name).then((s) => (s.close(), 'accepted'), (e) => (e.status ? `HTTP ${e.status}` : e.message));
	fs.copyFileSync(file('site.crt'), file('server-root.pem'));

	// As a station asks: its own key, its request, and the certificate that follows.
	async function sign(s, version, name, kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']) {
		openssl('req', ...kind, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=whatever/O=Nobody');
		const payload = version === 'ocpp1.6' ? { csr: String(read(`${name}.csr`)) } : { csr: String(read(`${name}.csr`)), certificateType: 'ChargingStationCertificate' };
		return (await s.ask(`sign-${name}`, 'SignCertificate', payload))[2].status;
	}
	async function take(s, name) {
		const [, id, , payload] = JSON.parse(await s.action('CertificateSigned'));
		fs.writeFileSync(file(`${name}.crt`), payload.certificateChain);
		s.send(JSON.stringify([3, id, { status: 'Accepted' }]));
		return payload;
	}
	const stations = {};

	await run([
		['nothing is there by itself: without an authority nobody gets a certificate, and none is believed', async () => {
			await csms.listen();
			await daemon.start();
			ok(!fs.existsSync(path.join(dir, 'state/authority')), 'no authority');
			await cli(5, 'issue', 'station', 'S-1', '--out', dir);
			ok(!fs.existsSync(file('S-1.key')), 'no key is left behind');
			stations.one = await rawStation(plain, 'S-2', ['ocpp1.6']);
			equal(await sign(stations.one, 'ocpp1.6', 'early'), 'Rejected', 'a station that asks');
			await stations.one.close();
			ok(/pki is local, and there is no local authority/.test(daemon.log), 'the log says so');
		}],
		['it is made once, on demand, with a key that nobody else reads', async () => {
			await cli(0, 'init', 'Site authority', 'Flow');
			equal(fs.statSync(path.join(dir, 'state/authority/root.key')).mode & 0o777, 0o600, 'the key');
			await cli(6, 'init');
			fs.writeFileSync(file('root.pem'), (await cli(0, 'root')).out);
			ok(/CN ?= ?Site authority/.test(openssl('x509', '-in', 'root.pem', '-noout', '-subject')), 'its name');
			ok(/CA:TRUE/.test(openssl('x509', '-in', 'root.pem', '-noout', '-text')), 'it may issue');
		}],
		['a server certificate of it serves the listener', async () => {
			await cli(0, 'issue', 'server', 'gateway.example', '--names', 'localhost,127.0.0.1', '--out', dir);
			equal(openssl('verify', '-CAfile', 'root.pem', '-purpose', 'sslserver', '-verify_ip', '127.0.0.1', 'gateway.example.crt').trim(), 'gateway.example.crt: OK', 'openssl');
			for (const end of ['crt', 'key']) fs.copyFileSync(file(`gateway.example.${end}`), file(`server.${end}`));
			daemon.child.kill('SIGHUP');
			fs.copyFileSync(file('root.pem'), file('server-root.pem'));
			await until(10000, 'the listener shows it', () => new Promise((resolve) => {
				const c = tls.connect({ port: three, host: '127.0.0.1', ca: read('root.pem') }, () => (c.end(), resolve(true))).on('error', () => resolve(false));
			}));
		}],
		['key and certificate as files: the station comes in under profile 3, as nobody else', async () => {
			await cli(0, 'issue', 'station', 'S-1', '--out', dir, '--days', '100');
			equal(fs.statSync(file('S-1.key')).mode & 0o777, 0o600, 'the key');
			const text = openssl('x509', '-in', 'S-1.crt', '-noout', '-subject', '-text');
			ok(/O ?= ?Flow, ?CN ?= ?S-1/.test(text) && /Digital Signature/.test(text) && !/Extended Key Usage/.test(text), text);
			stations.one = await come('S-1', 'S-1');
			equal(await turned('S-2', 'S-1'), 'HTTP 401', 'another station with it');
			await cli(1, 'issue', 'station', 'S-1', '--out', dir); // the key that is there stays
		}],
		['a certificate for a request: only the key is taken from it', async () => {
			openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'S-3.key', '-out', 'theirs.csr', '-subj', '/CN=S-1/O=Else');
			await cli(0, 'issue', 'station', 'S-3', '--csr', file('theirs.csr'), '--out', dir);
			ok(/O ?= ?Flow, ?CN ?= ?SERIAL-3/.test(openssl('x509', '-in', 'S-3.crt', '-noout', '-subject')), 'the name that the configuration has for it');
			await (await come('S-3', 'S-3')).close();
			await cli(2, 'issue', 'station', 'S-3', '--csr', file('S-3.key'), '--out', dir);
			await cli(2, 'issue', 'server', 'x,email:copy', '--out', dir);
		}],
		['a station that asks on its connection gets one, in 1.6 and 2.x; the CSMS hears nothing of it', async () => {
			for (const [id, version] of [['S-2', 'ocpp1.6'], ['S-3', 'ocpp2.0.1']]) {
				const s = await rawStation(plain, id, [version]);
				equal(await sign(s, version, id), 'Accepted', version);
				const payload = await take(s, id);
				equal(payload.certificateType, version === 'ocpp1.6' ? undefined : 'ChargingStationCertificate', 'its kind');
				await s.close();
				await (await come(id, id)).close();
			}
			equal(asked, [], 'what the CSMS was asked');
			const s = await rawStation(plain, 'S-2', ['ocpp1.6']);
			equal(await sign(s, 'ocpp1.6', 'weak', ['-newkey', 'rsa:1024']), 'Rejected', 'a weak key');
			const other = await rawStation(plain, 'S-3', ['ocpp2.0.1']);
			other.send(JSON.stringify([2, 'v', 'SignCertificate', { csr: String(read('S-3.csr')), certificateType: 'V2GCertificate' }]));
			await other.answerTo('v');
			equal(asked, ['S-3'], 'one for cars is the CSMS\'s to answer');
			await s.close();
			await other.close();
		}],
		['where pki is relay, the CSMS answers', async () => {
			const s = await rawStation(plain, 'S-4', ['ocpp1.6']);
			equal(await sign(s, 'ocpp1.6', 'S-4'), 'Accepted', 'the CSMS\'s word');
			equal(asked.at(-1), 'S-4', 'who was asked');
			await s.close();
		}],
		['stations are given the root, and are had to renew', async () => {
			const s = await rawStation(plain, 'S-2', ['ocpp1.6']), two = await rawStation(plain, 'S-3', ['ocpp2.0.1']);
			for (const [peer, id, type] of [[s, 'S-2', 'CentralSystemRootCertificate'], [two, 'S-3', 'CSMSRootCertificate']]) {
				const done = cli(0, 'install', id);
				const [, mid, , payload] = JSON.parse(await peer.action('InstallCertificate'));
				equal([payload.certificateType, payload.certificate], [type, String(read('root.pem'))], 'what is installed');
				peer.send(JSON.stringify([3, mid, { status: 'Accepted' }]));
				ok(/Accepted/.test((await done).out), 'the word of the station');
			}
			for (const [peer, id, action, what] of [[s, 'S-2', 'ExtendedTriggerMessage', 'SignChargePointCertificate'], [two, 'S-3', 'TriggerMessage', 'SignChargingStationCertificate']]) {
				const done = cli(0, 'renew', id);
				const [, mid, , payload] = JSON.parse(await peer.action(action));
				equal(payload, { requestedMessage: what }, 'what is asked for');
				peer.send(JSON.stringify([3, mid, { status: 'Accepted' }]));
				await done;
			}
			await cli(5, 'renew', 'NOBODY');
			await s.close();
			await two.close();
		}],
		['a month before its end, one is renewed without being asked', async () => {
			fs.mkdirSync(file('short'), { recursive: true });
			await cli(0, 'issue', 'station', 'S-2', '--out', file('short'), '--days', '30');
			const s = await come('S-2', 'short/S-2');
			await s.ask('boot', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' }); // the CSMS tells the time
			const [, id, , payload] = JSON.parse(await s.action('ExtendedTriggerMessage', 20000));
			equal(payload, { requestedMessage: 'SignChargePointCertificate' }, 'what is asked for');
			s.send(JSON.stringify([3, id, { status: 'Accepted' }]));
			await s.close();
		}],
		['what was issued is listed, and so is the root', async () => {
			const { out } = await cli(0, 'list');
			ok(/^issued +S-1 /m.test(out) && /^issued server +gateway.example /m.test(out) && /^issued +SERIAL-3 /m.test(out), out);
			await until(5000, 'the root and what the station showed', async () => /^authority +local +Site authority/m.test((await cli(0, 'list')).out) && /^station +S-1 +S-1 /m.test((await cli(0, 'list')).out));
		}],
		['one that is taken back ends its connection and does not come in again, by no session from before either; the others do', async () => {
			let session = null;
			const sessions = await new Promise((resolve, reject) => {
				const c = tls.connect({ port: three, host: '127.0.0.1', ca: read('root.pem'), cert: read('S-1.crt'), key: read('S-1.key') }, () => c.write('GET / HTTP/1.1\r\n\r\n'));
				c.on('session', (s) => (session = s)).on('error', reject).on('close', () => resolve(session));
				c.on('data', () => {});
			});
			ok(sessions, 'there is a session');
			await cli(0, 'revoke', 'S-1');
			equal((await within(5000, 'the connection ends', stations.one.ended)).code, 1008, 'how it ends');
			ok(/certificate revoked/.test(await turned('S-1', 'S-1')), 'it is refused');
			const resumed = await new Promise((resolve) => {
				const c = tls.connect({ port: three, host: '127.0.0.1', ca: read('root.pem'), cert: read('S-1.crt'), key: read('S-1.key'), session: sessions }, () => c.write('GET / HTTP/1.1\r\n\r\n'));
				c.on('data', () => resolve('answered')).on('error', (e) => resolve(e.message)).on('close', () => resolve('closed'));
			});
			ok(/revoked/.test(resumed), `by a session from before: ${resumed}`);
			await (await come('S-2', 'S-2')).close();
			await cli(5, 'revoke', 'S-1');
			const crl = openssl('crl', '-in', path.join(dir, 'state/authority/list.crl'), '-noout', '-text', '-CAfile', 'root.pem');
			equal((crl.match(/Serial Number: /g) || []).length, 1, 'the list');
			ok(/^issued +S-1 .* revoked /m.test((await cli(0, 'list')).out), 'it is listed so');
		}],
		['after a restart too', async () => {
			await daemon.stop();
			await daemon.start();
			ok(/certificate revoked/.test(await turned('S-1', 'S-1')), 'it is refused');
			await (await come('S-2', 'S-2')).close();
			await daemon.stop();
			await csms.close();
		}],
	]);
}

main();
