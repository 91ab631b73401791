'use strict';
// Security profiles 0 to 3 in both directions, case by case, as a table that it prints: what is let in, what is refused, and with what word.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const tls = require('tls');
const { freePort, tempDir, within, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const { Pki } = require('./certs.js');

const basic = (user, password) => ({ Authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') });
const rows = [], suites = [];

function note(direction, profile, name, want, got) {
	const right = want instanceof RegExp ? want.test(String(got)) : got === want;
	rows.push(`| ${direction} | ${profile} | ${name} | ${String(got).replace(/[^]*routines:\w*:/, '').replace(/:[^:]*\.c:[^]*/, '').replace(/\|/g, '/')} |`);
	ok(right, `${direction}, profile ${profile}, ${name}: got ${got}, want ${want}`);
}

async function main() {
	const dir = tempDir(), pki = new Pki(dir), file = (name) => pki.file(name);
	const [plain, one, two, three, four, both, csmsPort, ...up] = await Promise.all(Array.from({ length: 40 }, freePort));
	const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
	pki.ca('root');
	pki.ca('alien');
	pki.sign('root', 'server', '/CN=localhost', { ext: names });
	pki.sign('root', 'other-name', '/CN=elsewhere.example', { ext: 'subjectAltName=DNS:elsewhere.example' });
	pki.sign('root', 'old-server', '/CN=localhost', { ext: names, until: '20210101000000Z' });
	pki.sign('alien', 'alien-server', '/CN=localhost', { ext: names });
	pki.sign('root', 'rsa-server', '/CN=localhost', { ext: `${names}\nkeyUsage=digitalSignature,keyEncipherment`, key: ['rsa:2048'] });
	pki.sign('root', 'good', '/O=Flow/CN=C-1');
	pki.sign('root', 'of-another', '/O=Flow/CN=C-2');
	pki.sign('root', 'other-o', '/O=Else/CN=C-1');
	pki.sign('root', 'expired', '/O=Flow/CN=C-1', { until: '20210101000000Z' });
	pki.sign('root', 'not-yet', '/O=Flow/CN=C-1', { from: '20480101000000Z' });
	pki.sign('alien', 'alien-client', '/O=Flow/CN=C-1');
	pki.sign('root', 'revoked', '/O=Flow/CN=C-1');
	pki.sign('root', 'box', '/O=Flow/CN=BOX');
	pki.sign('root', 'gone-server', '/CN=localhost', { ext: names });
	pki.sign('root', 'must-staple', '/CN=localhost', { ext: `${names}\ntlsfeature=status_request` });
	pki.sign('root', 'cn-only', '/O=Flow/CN=localhost');
	pki.sign('root', 'wildcard', '/CN=*.localhost', { ext: 'subjectAltName=DNS:*.localhost' });
	pki.crl('root', 'root.crl', 'revoked', 'gone-server');
	fs.mkdirSync(file('roots'));
	for (const name of ['root', 'alien']) fs.copyFileSync(file(`${name}.crt`), file(`roots/${name}.pem`));
	fs.writeFileSync(file('both.pem'), Buffer.concat([pki.read('alien.crt'), pki.read('root.crt')]));
	const said = { good: pki.ocsp('root', 'server'), revoked: pki.ocsp('root', 'gone-server'), must: pki.ocsp('root', 'must-staple'), alien: pki.ocsp('alien', 'alien-server') };
	const pair = (name) => ({ cert: pki.read(`${name}.crt`), key: pki.read(`${name}.key`) });

	// Upwards: one CSMS per case, since what it shows is the case. Each tells what the box showed it.
	const seen = {}, faults = {};
	const csmsOf = (id, port, server) => {
		const c = new RawCsms(port, { server });
		c.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
		server.on('upgrade', (rq, s) => (seen[id] = { authorization: rq.headers.authorization, cn: s.getPeerCertificate && (s.getPeerCertificate().subject || {}).CN, protocol: s.getProtocol && s.getProtocol() }));
		return c;
	};
	const stapling = (name, response) => https.createServer(pair(name)).on('OCSPRequest', (cert, issuer, done) => done(null, response));
	const cases = [
		{ id: 'u0', profile: 0, name: 'right', server: () => http.createServer(), want: 'up' },
		{ id: 'u1', profile: 1, name: 'right', server: () => http.createServer(), more: 'password: up-secret-0123456', want: 'up' },
		{ id: 'u1w', profile: 1, name: 'wrong password', server: () => http.createServer(), more: 'password: up-secret-wrong00', refuses: true, want: /401/ },
		{ id: 'u2', profile: 2, name: 'right', server: () => https.createServer(pair('server')), more: 'password: up-secret-0123456', want: 'up' },
		{ id: 'u2n', profile: 2, name: 'certificate of another name', server: () => https.createServer(pair('other-name')), more: 'password: up-secret-0123456', want: /hostname mismatch/ },
		{ id: 'u2e', profile: 2, name: 'certificate expired', server: () => https.createServer(pair('old-server')), more: 'password: up-secret-0123456', want: /expired/ },
		{ id: 'u2r', profile: 2, name: 'certificate of a wrong root', server: () => https.createServer(pair('alien-server')), more: 'password: up-secret-0123456', want: /issuer|self.signed|verif/ },
		{ id: 'u2o', profile: 2, name: 'TLS 1.1 at most', server: () => https.createServer({ ...pair('server'), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }), more: 'password: up-secret-0123456', want: /version|protocol|alert/ },
		{ id: 'u2c', profile: 2, name: 'weak suites only', server: () => https.createServer({ ...pair('server'), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' }), more: 'password: up-secret-0123456', want: /handshake failure|cipher|alert/ },
		{ id: 'u2d', profile: 2, name: 'downgrade: the CSMS speaks without TLS', server: () => http.createServer(), more: 'password: up-secret-0123456', want: /version|TLS|http|record/ },
		{ id: 'u3', profile: 3, name: 'right', server: () => https.createServer({ ...pair('server'), ca: pki.read('root.crt'), requestCert: true, rejectUnauthorized: true }), more: `cert: ${file('box.crt')}, key: ${file('box.key')}`, want: 'up' },
		{ id: 'u2cn', profile: 2, name: 'the name in the CN only', server: () => https.createServer(pair('cn-only')), want: 'up' },
		{ id: 'u2wc', profile: 2, name: 'a wildcard for another name', server: () => https.createServer(pair('wildcard')), want: /hostname mismatch/ },
		{ id: 'u2f', profile: 2, name: 'several roots in a file', server: () => https.createServer(pair('alien-server')), ca: 'both.pem', want: 'up' },
		{ id: 'u2dir', profile: 2, name: 'several roots in a directory', server: () => https.createServer(pair('alien-server')), ca: 'roots', want: 'up' },
		{ id: 'o1', profile: 2, name: 'OCSP soft: good', server: () => stapling('server', said.good), want: 'up' },
		{ id: 'o2', profile: 2, name: 'OCSP soft: revoked', server: () => stapling('gone-server', said.revoked), want: /certificate revoked/ },
		{ id: 'o3', profile: 2, name: 'OCSP soft: nothing is said', server: () => stapling('server', null), want: 'up' },
		{ id: 'o4', profile: 2, name: 'OCSP soft: nothing is said of a certificate that must have it', server: () => stapling('must-staple', null), want: /OCSP verification needed/ },
		{ id: 'o5', profile: 2, name: 'OCSP soft: that certificate with its word', server: () => stapling('must-staple', said.must), want: 'up' },
		{ id: 'o6', profile: 2, name: 'OCSP hard: good', server: () => stapling('server', said.good), more: 'ocsp: hard', want: 'up' },
		{ id: 'o7', profile: 2, name: 'OCSP hard: nothing is said', server: () => stapling('server', null), more: 'ocsp: hard', want: /OCSP verification needed/ },
		{ id: 'o8', profile: 2, name: 'OCSP hard: the word of another authority', server: () => stapling('server', said.alien), more: 'ocsp: hard', want: /OCSP verification failed/ },
		{ id: 'o9', profile: 2, name: 'OCSP off: revoked', server: () => stapling('gone-server', said.revoked), more: 'ocsp: off', want: 'up' },
	].map((c, i) => ({ ...c, port: up[i] }));
	const uplinks = cases.map((c) => `  ${c.id}: {security_profile: ${c.profile}, endpoints: [{url: "${c.profile > 1 ? 'wss' : 'ws'}://localhost:${c.port}/{id}"}], reconnect: {min: 100ms, max: 1s}` +
		`${c.profile > 1 ? `, ca: ${file(c.ca || 'root.crt')}` : ''}${c.profile === 2 && !/password/.test(c.more) ? ', password: up-secret-0123456' : ''}${c.more ? `, ${c.more}` : ''}}\n`).join('');
	const resumed = ['r2', 'r3'].map((id, i) => `  ${id}: {security_profile: 2, password: up-secret-0123456, ca: ${file('root.crt')}, endpoints: [{url: "wss://localhost:${up[30 + i]}/{id}"}], reconnect: {min: 100ms, max: 1s}}\n`).join('');
	const tlsOf = (id, more = '') => `${id}: {cert: ${file('server.crt')}, key: ${file('server.key')}${more}}`;
	const daemon = new Daemon(dir, conf({ port: plain, csmsPort, stations: `
  C-0: {circuit: grid}
  C-1: {circuit: grid, password: "secret-of-C-1-0123"}
  C-2: {circuit: grid, password: "secret-of-C-2-0123"}
  C-3: {circuit: grid, password: "secret-of-C-3-0123", min_security_profile: 2}
  on-r2: {circuit: grid, uplink: r2}
  on-r3: {circuit: grid, uplink: r3}
${cases.map((c) => `  "on-${c.id}": {circuit: grid, uplink: ${c.id}}`).join('\n')}` })
		.replace('listen: {ocpp: {', `tls: {${tlsOf('two')}, ${tlsOf('four', ', pki: local')}, ${tlsOf('both', `, second_cert: ${file('rsa-server.crt')}, second_key: ${file('rsa-server.key')}`)}, ${tlsOf('three', `, client_ca: ${file('root.crt')}, client_crl: ${file('root.crl')}, client_o: Flow`)}}
listen: {ocpp: {one: {address: 127.0.0.1, port: ${one}, tls: none, min_security_profile: 1}, two: {address: 127.0.0.1, port: ${two}, tls: two, min_security_profile: 2},
  four: {address: 127.0.0.1, port: ${four}, tls: four, min_security_profile: 3}, both: {address: 127.0.0.1, port: ${both}, tls: both},
  three: {address: 127.0.0.1, port: ${three}, tls: three, min_security_profile: 3}, `)
		.replace('uplinks:\n', `uplinks:\n${uplinks}${resumed}`));
	daemon.listeners = 6;

	const outcome = (f) => f.then((s) => (s.close(), 'accepted'), (e) => (e.status ? `HTTP ${e.status}` : e.message));
	const down = (port, id, more = {}) => outcome(rawStation(port, id, ['ocpp1.6'], more));
	const safe = (port, id, more = {}) => down(port, id, { scheme: 'wss', ca: pki.read('root.crt'), ...more });
	const right = { headers: basic('C-1', 'secret-of-C-1-0123') }, wrong = { headers: basic('C-1', 'secret-of-C-1-0124') };

	await run([
		['towards stations', async () => {
			const csms = new RawCsms(csmsPort);
			csms.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
			await csms.listen();
			await daemon.start();
			note('down', 0, 'no password needed', 'accepted', await down(plain, 'C-0'));
			note('down', 0, 'unknown identity', 'HTTP 404', await down(plain, 'NOBODY'));
			note('down', 1, 'right', 'accepted', await down(one, 'C-1', right));
			note('down', 1, 'wrong password', 'HTTP 401', await down(one, 'C-1', wrong));
			note('down', 1, 'no password', 'HTTP 401', await down(one, 'C-1'));
			note('down', 1, 'password of another station', 'HTTP 401', await down(one, 'C-1', { headers: basic('C-2', 'secret-of-C-2-0123') }));
			note('down', 2, 'right', 'accepted', await safe(two, 'C-1', right));
			note('down', 2, 'wrong password', 'HTTP 401', await safe(two, 'C-1', wrong));
			note('down', 2, 'no password', 'HTTP 401', await safe(two, 'C-1'));
			note('down', 2, 'TLS 1.2', 'accepted', await safe(two, 'C-1', { ...right, maxVersion: 'TLSv1.2' }));
			note('down', 2, 'TLS 1.3', 'accepted', await safe(two, 'C-1', { ...right, minVersion: 'TLSv1.3' }));
			note('down', 2, 'TLS 1.1', /version|protocol|alert/, await safe(two, 'C-1', { ...right, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }));
			for (const suite of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256', 'NULL', 'aNULL'])
				note('down', 2, `weak suite ${suite}`, /alert|handshake|cipher/, await safe(two, 'C-1', { ...right, maxVersion: 'TLSv1.2', ciphers: `${suite}:@SECLEVEL=0` }));
			note('down', 2, 'downgrade: the station speaks without TLS to the TLS port', /hang up|closed|ECONNRESET|wrong|not within/, await down(two, 'C-1', right));
			note('down', 2, 'downgrade: it comes to the port without TLS', 'HTTP 403', await down(one, 'C-3', { headers: basic('C-3', 'secret-of-C-3-0123') }));
			note('down', 3, 'right', 'accepted', await safe(three, 'C-1', pair('good')));
			note('down', 3, 'no certificate', 'HTTP 401', await safe(three, 'C-1', right));
			note('down', 3, 'wrong CN', 'HTTP 401', await safe(three, 'C-1', pair('of-another')));
			note('down', 3, 'wrong O', 'HTTP 401', await safe(three, 'C-1', pair('other-o')));
			for (const name of ['expired', 'not-yet', 'alien-client', 'revoked'])
				note('down', 3, { expired: 'expired', 'not-yet': 'not valid yet', 'alien-client': 'wrong root', revoked: 'revoked' }[name], /alert|ECONNRESET|hang up/, await safe(three, 'C-1', pair(name)));
			for (const name of ['own', 'own-revoked']) pki.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=x');
			note('down', 3, 'no authority of the box\'s own yet', 'HTTP 401', await safe(four, 'C-1', pair('good')));
			await daemon.ask('pki.init', {});
			for (const name of ['own-revoked', 'own']) {
				fs.writeFileSync(file(`${name}.crt`), (await daemon.ask('pki.issue', { kind: 'station', name: 'C-1', csr: String(pki.read(`${name}.csr`)) })).certificate);
				if (name === 'own-revoked') await daemon.ask('pki.revoke', { name: 'C-1' });
			}
			note('down', 3, 'issued by the authority of the box\'s own', 'accepted', await safe(four, 'C-1', pair('own')));
			note('down', 3, 'issued by it to another station', 'HTTP 401', await safe(four, 'C-2', pair('own')));
			note('down', 3, 'issued by it and taken back', /revoked/, await safe(four, 'C-1', pair('own-revoked')));
			note('down', 3, 'of another authority, where only the box\'s own counts', /unknown ca/, await safe(four, 'C-1', pair('good')));
			await until(3000, 'the log says why', () => daemon.log.includes('certificate revoked') && daemon.log.includes('certificate has expired'));
			await csms.close();
		}],
		['suites of TLS 1.2 and 1.3, port by port', async () => {
			const tries = (port, options) => new Promise((resolve) => {
				try {
					const c = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => (c.destroy(), resolve(true))).on('error', () => resolve(false));
				} catch (e) { // one that Node's OpenSSL does not know
					resolve(false);
				}
			});
			const names = String(pki.openssl('ciphers', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0')).trim().split(':'), modern = names.filter((n) => n.startsWith('TLS_'));
			for (const [what, port] of [['ECDSA', two], ['ECDSA and RSA', both]]) {
				const agreed = { 'TLS 1.2': [], 'TLS 1.3': [] };
				for (const n of names.filter((n) => !modern.includes(n)))
					if (await tries(port, { maxVersion: 'TLSv1.2', ciphers: `${n}:@SECLEVEL=0` })) agreed['TLS 1.2'].push(n);
				for (const n of modern) if (await tries(port, { minVersion: 'TLSv1.3', ciphers: n })) agreed['TLS 1.3'].push(n);
				const ecdsa = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'];
				const rsa = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', ...ecdsa.map((n) => n.replace('ECDSA', 'RSA'))];
				suites.push(`| ${what} | ${agreed['TLS 1.2'].sort().join(', ')} | ${agreed['TLS 1.3'].sort().join(', ')} |`);
				equal(agreed['TLS 1.2'], [...ecdsa, ...(what === 'ECDSA' ? [] : rsa)].sort(), `suites of the port with ${what}`);
				equal(agreed['TLS 1.3'], ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'], `suites of TLS 1.3 of the port with ${what}`);
			}
		}],
		['towards the CSMS', async () => {
			const servers = [];
			for (const c of cases) {
				const server = c.server();
				server.on('tlsClientError', () => {});
				server.on('clientError', (e, s) => s.writable && s.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
				const csms = csmsOf(c.id, c.port, server);
				await csms.listen();
				if (c.refuses) {
					server.removeAllListeners('upgrade');
					server.on('upgrade', (rq, s) => s.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'));
				}
				servers.push(csms);
			}
			for (const c of cases) {
				const s = await rawStation(plain, `on-${c.id}`, ['ocpp1.6']);
				const got = await until(10000, `${c.id} has an outcome`, async () => {
					const u = (await daemon.ask('uplink.list')).find((x) => x.id === c.id);
					return u.state === 'up' ? 'up' : u.fault || u.error || u.reason;
				});
				note('up', c.profile, c.name, c.want, got);
				if (c.want === 'up' && c.profile === 3) ok(seen[c.id].cn === 'BOX', `the CSMS saw ${seen[c.id].cn}`);
				await s.close();
			}
			ok(Buffer.from(seen.u1.authorization.split(' ')[1], 'base64').toString() === 'on-u1:up-secret-0123456', 'the password of profile 1');
			ok(!seen.u2d && !seen.u2r && !seen.u2n && !seen.u2e, 'no password went to a CSMS that is not who it should be');
		}],
		['what was found once is resumed', async () => {
			for (const [version, port] of [['TLSv1.2', up[30]], ['TLSv1.3', up[31]]]) {
				const seen = [], csms = new RawCsms(port, { server: https.createServer({ ...pair('server'), minVersion: version, maxVersion: version }) });
				csms.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
				csms.options.server.on('secureConnection', (s) => seen.push(s.isSessionReused()));
				await csms.listen();
				const id = version === 'TLSv1.2' ? 'r2' : 'r3', s = await rawStation(plain, `on-${id}`, ['ocpp1.6']);
				const lane = await csms.lane(`on-${id}`);
				lane.send('[2,"1","Heartbeat",{}]'); // something comes by it, tickets of TLS 1.3 before
				await until(5000, 'it has come', async () => (await daemon.ask('uplink.list')).find((x) => x.id === id).state === 'up');
				lane.ws.terminate(); // no farewell, as a network that is lost
				await until(10000, 'the second connection', () => seen.length > 1);
				await until(10000, 'it is up', async () => (await daemon.ask('uplink.list')).find((x) => x.id === id).state === 'up');
				const told = (await daemon.ask('uplink.list')).find((x) => x.id === id);
				note('up', 2, `${version.replace('v', ' ')}: the second connection`, 'resumed', !seen[0] && seen[1] && told.tls_handshakes === 2 && told.tls_resumed === 1 ? 'resumed' : JSON.stringify([seen, told]));
				await s.close();
				await csms.close();
			}
		}],
		['the table', async () => {
			console.log(['| direction | profile | case | outcome |', '| --- | --- | --- | --- |', ...rows].join('\n'));
			console.log(['', '| keys of the port | suites of TLS 1.2 | of TLS 1.3 |', '| --- | --- | --- |', ...suites].join('\n'));
			await daemon.stop();
		}],
	]);
}

main();
