'use strict';
// Logs and firmware of the box's own stations travel by real HTTP, signatures and certificates are made by openssl, and the operator's hook is
// called for what it has to do: install, confirm, roll back.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { execFileSync } = require('child_process');
const { rpc, freePort, tempDir, until, top, Daemon, equal, ok, run } = require('./lib.js');

if (!fs.readFileSync(path.join(top, 'config.h'), 'utf8').includes('#define HAVE_CURL 1')) {
	console.log('skipped: built without libcurl');
	process.exit(77);
}

const dir = tempDir();
const at = (name) => path.join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] });
const read = (name) => fs.readFileSync(at(name), 'utf8');

function makeCertificates() {
	openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'maker.key', '-out', 'maker.pem', '-days', '30', '-subj', '/CN=Maker');
	openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'signer.key', '-out', 'signer.csr', '-subj', '/CN=Signer');
	openssl('x509', '-req', '-in', 'signer.csr', '-CA', 'maker.pem', '-CAkey', 'maker.key', '-CAcreateserial', '-out', 'signer.pem', '-days', '30');
	openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'other.key', '-out', 'other.pem', '-days', '30', '-subj', '/CN=Other');
}

const firmware = crypto.randomBytes(300000);
const sign = (bytes) => crypto.sign('sha256', bytes, { key: read('signer.key'), padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString('base64');

async function main() {
	const [port, csmsPort, filePort, nobody] = [await freePort(), await freePort(), await freePort(), await freePort()];
	makeCertificates();
	fs.writeFileSync(at('hook'), `#!/bin/sh\ncp "$2" ${at('installed')} 2>/dev/null\necho "$1" >> ${at('called')}\n`, { mode: 0o755 });
	fs.writeFileSync(at('called'), '');
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 63}}
evses:
  R-01: {circuit: grid, uplink: cpo, version: ocpp2.0.1, driver: sim, current_a: 16}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}}
firmware: {hook: ${at('hook')}, confirm_within: 2s}
log: {level: info, target: stderr}
`);
	const files = { uploads: {}, offered: firmware };
	const server = http.createServer((q, a) => {
		const parts = [];
		q.on('data', (d) => parts.push(d));
		q.on('end', () => {
			if (q.method === 'PUT') files.uploads[q.url] = Buffer.concat(parts).toString();
			a.statusCode = q.url.startsWith('/secret') ? 403 : q.url === '/gone' ? 404 : 200;
			a.end(q.method === 'GET' ? files.offered : '');
		});
	});
	await new Promise((r) => server.listen(filePort, '127.0.0.1', r));
	const base = `http://127.0.0.1:${filePort}`;
	let c = null, boots = 0, registration = 'Accepted', csr = null, violation = null;
	const told = [], security = [];
	const csms = new rpc.RPCServer({ protocols: ['ocpp2.0.1'], strictMode: true });
	csms.auth((accept) => accept({}));
	csms.on('client', (client) => {
		c = client;
		c.on('strictValidationFailure', (e) => { violation = e.error && e.error.message; });
		c.handle(({ method, params }) => {
			if (method === 'BootNotification') {
				boots++;
				return { status: registration, currentTime: new Date().toISOString(), interval: 300 };
			}
			if (method === 'LogStatusNotification' || method === 'FirmwareStatusNotification') told.push(params.status);
			if (method === 'SecurityEventNotification') security.push(params.type);
			if (method === 'SignCertificate') {
				csr = params.csr;
				return { status: 'Accepted' };
			}
			return method === 'Heartbeat' ? { currentTime: new Date().toISOString() } : {};
		});
	});
	await csms.listen(csmsPort, '127.0.0.1');
	const log = (type, url) => c.call('GetLog', { logType: type, requestId: 1, retries: 0, log: { remoteLocation: url } });
	const heard = (status) => until(5000, `${status} (${told})`, () => told.includes(status));
	const update = (name, signature, certificate) => {
		told.length = 0;
		return c.call('UpdateFirmware', { requestId: 2, retries: 0, firmware: { location: `${base}/${name}`, retrieveDateTime: '2020-01-01T00:00:00Z',
			signingCertificate: read(certificate), signature } });
	};
	const called = () => read('called').trim().split('\n').filter(Boolean);
	// As if the program that runs now had been installed by an older one.
	const pretendOlder = () => execFileSync('/usr/bin/python3', ['-c', `
import sqlite3
d = sqlite3.connect('${at('state/ampgate.db')}')
d.execute("insert or replace into kept (owner, name, value) values ('R-01', 'own/trial', ?)", (b'older',))
d.execute("insert or replace into kept (owner, name, value) values ('R-01', 'own/firmware', ?)", (b'2 older',))
d.commit()`]);

	await run([
		['the diagnostics log arrives, the station\'s own frames in it', async () => {
			await daemon.start();
			await until(8000, 'it boots', () => boots === 1);
			const { status, filename } = await log('DiagnosticsLog', `${base}/logs/`);
			equal(status, 'Accepted', 'GetLog');
			await heard('Uploaded');
			const text = files.uploads[`/logs/${filename}`];
			ok(text && text.includes('BootNotification') && JSON.parse(text.split('\n')[0]).station === 'R-01', `what came: ${text}`);
		}],
		['the security log arrives; a server that refuses is told apart from one that is not there', async () => {
			told.length = 0;
			const { filename } = await log('SecurityLog', `${base}/logs/`);
			await heard('Uploaded');
			ok(files.uploads[`/logs/${filename}`].includes('StartupOfTheDevice'), 'the start is in it');
			await log('SecurityLog', `${base}/secret/x`);
			await heard('PermissionDenied');
			await log('SecurityLog', `http://127.0.0.1:${nobody}/x`);
			await heard('UploadFailure');
			equal((await log('SecurityLog', 'file:///etc/passwd')).status, 'Rejected', 'not by that way');
		}],
		['only a signer whose root is installed is believed', async () => {
			equal((await update('f.bin', sign(firmware), 'signer.pem')).status, 'InvalidCertificate', 'nobody is trusted yet');
			await until(5000, 'the security event', () => security.includes('InvalidFirmwareSigningCertificate'));
			const install = (name) => c.call('InstallCertificate', { certificateType: 'ManufacturerRootCertificate', certificate: read(name) });
			equal((await install('maker.pem')).status, 'Accepted', 'the root');
			equal((await install('signer.key')).status, 'Rejected', 'a key is no certificate');
			equal((await update('f.bin', sign(firmware), 'other.pem')).status, 'InvalidCertificate', 'another maker');
			const ids = await c.call('GetInstalledCertificateIds', {});
			const { certificateHashData: hash, certificateType } = ids.certificateHashDataChain[0];
			equal([ids.certificateHashDataChain.length, certificateType], [1, 'ManufacturerRootCertificate'], 'what is installed');
			const serial = openssl('x509', '-in', 'maker.pem', '-noout', '-serial').toString().trim().split('=')[1].replace(/^0+/, '');
			equal(hash.serialNumber.toUpperCase(), serial, 'its number, as openssl says');
			ok(/^[0-9a-f]{64}$/.test(hash.issuerNameHash) && /^[0-9a-f]{64}$/.test(hash.issuerKeyHash), 'hashes');
		}],
		['a file that is not what was signed is not installed', async () => {
			files.offered = Buffer.concat([firmware, Buffer.from('x')]);
			equal((await update('f.bin', sign(firmware), 'signer.pem')).status, 'Accepted', 'the request');
			await heard('InvalidSignature');
			await until(5000, 'the security event', () => security.includes('InvalidFirmwareSignature'));
			equal((await update('gone', sign(firmware), 'signer.pem')).status, 'Accepted', 'one that is not there');
			await heard('DownloadFailed');
			equal(called(), [], 'the hook was not called');
		}],
		['one that is goes to the hook', async () => {
			files.offered = firmware;
			equal((await update('f.bin', sign(firmware), 'signer.pem')).status, 'Accepted', 'the request');
			await heard('Installing');
			equal(told, ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing'], 'on the way');
			await until(5000, 'the hook', () => called().length > 0);
			equal(called(), ['install'], 'the hook');
			ok(fs.readFileSync(at('installed')).equals(firmware), 'the very file');
			await heard('InstallationFailed'); // nobody started a new program
		}],
		['a new program that the CSMS accepts is confirmed', async () => {
			await daemon.stop();
			pretendOlder();
			told.length = 0;
			await daemon.start();
			await heard('Installed');
			await until(5000, 'the hook', () => called().includes('confirm'));
			await until(5000, 'the security event', () => security.includes('FirmwareUpdated'));
		}],
		['one that it does not accept in time is rolled back', async () => {
			await daemon.stop();
			pretendOlder();
			registration = 'Pending';
			await daemon.start();
			await until(8000, 'the hook', () => called().includes('rollback'));
			equal(called(), ['install', 'confirm', 'rollback'], 'all it was called for');
			registration = 'Accepted';
		}],
		['a certificate of its own: key and request here, signed by openssl, taken only for that key', async () => {
			await daemon.stop();
			const before = boots;
			await daemon.start();
			await until(8000, 'it boots', () => boots > before);
			const trigger = () => c.call('TriggerMessage', { requestedMessage: 'SignChargingStationCertificate' });
			equal((await trigger()).status, 'Accepted', 'trigger');
			await until(5000, 'the request', () => csr);
			fs.writeFileSync(at('own.csr'), csr);
			ok(openssl('req', '-in', 'own.csr', '-noout', '-verify', '-subject').toString().includes('R-01'), 'its name is in it');
			openssl('x509', '-req', '-in', 'own.csr', '-CA', 'other.pem', '-CAkey', 'other.key', '-CAcreateserial', '-out', 'own.pem', '-days', '30');
			equal((await c.call('CertificateSigned', { certificateChain: read('signer.pem') })).status, 'Rejected', 'one for another key');
			await until(5000, 'the security event', () => security.includes('InvalidChargingStationCertificate'));
			equal((await c.call('CertificateSigned', { certificateChain: read('own.pem') })).status, 'Accepted', 'the one');
			equal(fs.statSync(at('state/station-R-01/ChargingStationCertificate.pem')).mode & 0o777, 0o600, 'the key is nobody else\'s');
		}],
		['the daemon ends in order', async () => {
			ok(!violation, violation);
			await daemon.stop();
			await csms.close({ force: true });
			server.close();
		}],
	]);
}

main();
