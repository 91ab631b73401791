'use strict';
// Exceptions for stations that are too old for the rest: a port of their own, with TLS 1.0 or without TLS, for the stations it names and for nobody else. The other
// ports stay as they are.
const { execFileSync } = require('child_process');
const path = require('path');
const { freePort, tempDir, Daemon, equal, ok, run } = require('./lib.js');
const { rawStation, conf } = require('./raw.js');

const PASSWORD = 'the-password-of-all', OLD_SUITE = 'AES128-SHA:@SECLEVEL=0';

async function main() {
	const dir = tempDir(), [lan, secure, old, plain, csmsPort] = await Promise.all(Array.from({ length: 5 }, freePort));
	const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
	openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', 'rsa.key', '-out', 'rsa.crt');
	const file = (name) => path.join(dir, name);
	const yaml = conf({ port: lan, csmsPort, stations: `
  O-1: {circuit: grid, password: "${PASSWORD}"}
  O-2: {circuit: grid, password: "${PASSWORD}"}
  N-1: {circuit: grid, password: "${PASSWORD}"}` }).replace(/listen: .*\n/, `listen:
  ocpp:
    new: {address: 127.0.0.1, port: ${secure}, tls: new, min_security_profile: 2}
    old: {address: 127.0.0.1, port: ${old}, tls: old, min_security_profile: 2, only: [O-1]}
    plain: {address: 127.0.0.1, port: ${plain}, min_security_profile: 1, only: [O-2]}
tls:
  new: {cert: ${file('rsa.crt')}, key: ${file('rsa.key')}}
  old: {cert: ${file('rsa.crt')}, key: ${file('rsa.key')}, old_stations: true}
`).replace('uplink: cpo, ', '').replace(/uplinks:[^]*?(?=log:)/, '');
	const daemon = new Daemon(dir, yaml);
	daemon.listeners = 3;
	const headers = (id, password = PASSWORD) => ({ headers: { Authorization: 'Basic ' + Buffer.from(`${id}:${password}`).toString('base64') } });
	const by = (port, id, options = {}) => rawStation(port, id, ['ocpp1.6'], { scheme: 'wss', rejectUnauthorized: false, ...headers(id, options.password), ...options });
	const outcome = (coming) => coming.then(async (s) => (await s.close(), 101), (e) => e.status || 'no handshake');
	const at = (version, ciphers = OLD_SUITE) => ({ minVersion: version, maxVersion: version, ciphers });

	await run([
		['an old station comes by TLS 1.0 and 1.1, where it is named', async () => {
			await daemon.start();
			equal(await outcome(by(old, 'O-1', at('TLSv1'))), 101, 'TLS 1.0');
			equal(await outcome(by(old, 'O-1', at('TLSv1.1'))), 101, 'TLS 1.1');
			equal(await outcome(by(old, 'O-1', at('TLSv1.2'))), 101, 'TLS 1.2 with the old suite');
			equal(await outcome(by(old, 'O-1')), 101, 'as new as can be');
		}],
		['its password counts as anywhere, and other suites are no exception', async () => {
			equal(await outcome(by(old, 'O-1', { ...at('TLSv1'), password: 'wrong' })), 401, 'a wrong password');
			equal(await outcome(by(old, 'O-1', at('TLSv1', 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0'))), 'no handshake', 'another suite of TLS 1.0');
			equal(await outcome(by(old, 'O-1', at('TLSv1.2', 'AES256-SHA:@SECLEVEL=0'))), 'no handshake', 'another old suite of TLS 1.2');
			equal(await outcome(by(old, 'O-1', at('TLSv1.2', 'NULL:@SECLEVEL=0'))), 'no handshake', 'one without encryption');
		}],
		['nobody else comes there', async () => {
			equal(await outcome(by(old, 'N-1', at('TLSv1'))), 403, 'a new one, by TLS 1.0');
			equal(await outcome(by(old, 'N-1')), 403, 'a new one, by TLS 1.3');
			equal(await outcome(by(old, 'O-2')), 403, 'the other exception');
			equal(await outcome(by(old, 'X-9')), 403, 'a stranger');
		}],
		['without TLS: one that is named, with its password', async () => {
			const come = (id, password) => outcome(rawStation(plain, id, ['ocpp1.6'], headers(id, password)));
			equal([await come('O-2'), await come('O-2', 'wrong'), await come('O-1'), await come('N-1')], [101, 401, 403, 403], 'outcomes');
		}],
		['the other port is as strict as before, for the old ones too', async () => {
			equal(await outcome(by(secure, 'N-1')), 101, 'a new one');
			for (const version of ['TLSv1', 'TLSv1.1']) equal(await outcome(by(secure, 'O-1', at(version))), 'no handshake', version);
			equal(await outcome(by(secure, 'O-1', at('TLSv1.2'))), 'no handshake', 'the old suite');
			ok((await daemon.ask('station.list')).length === 3, 'strangers are not among the stations');
			await daemon.stop();
		}],
	]);
}

main();
