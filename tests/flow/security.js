'use strict';
// Security profiles 0 to 3 in both directions, case by case, as a table that it prints: what is let in, what is refused, and with what word.
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const tls = require('tls');
const { freePort, tempDir, within, until, Daemon, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const basic = (user, password) => ({ Authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') });
const rows = [];

// Authorities and certificates by openssl, as a site would make them.
class Pki {
	constructor(dir) {
		this.dir = dir;
		this.n = 1;
	}

	openssl(...args) {
		return execFileSync('openssl', args, { cwd: this.dir, stdio: 'pipe' });
	}

	file(name) {
		return path.join(this.dir, name);
	}

	read(name) {
		return fs.readFileSync(this.file(name));
	}

	ca(name) {
		this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
		fs.writeFileSync(this.file(`${name}.cnf`), `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.db\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\nserial=${name}.srl\nunique_subject=no\ncrlnumber=${name}.num\n[p]\nO=optional\nCN=supplied\n`);
		fs.writeFileSync(this.file(`${name}.db`), '');
		fs.writeFileSync(this.file(`${name}.srl`), '1000\n');
		fs.writeFileSync(this.file(`${name}.num`), '01\n');
	}

	sign(ca, name, subject, { ext = 'keyUsage=digitalSignature', from = '20200101000000Z', until: to = '20491231000000Z' } = {}) {
		this.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
		fs.writeFileSync(this.file('ext'), ext);
		this.openssl('ca', '-batch', '-notext', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-in', `${name}.csr`, '-out', `${name}.crt`,
			'-startdate', from, '-enddate', to, '-extfile', 'ext', '-preserveDN');
	}

	crl(ca, out, ...revoked) {
		for (const name of revoked) this.openssl('ca', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-revoke', `${name}.crt`);
		this.openssl('ca', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-gencrl', '-crldays', '2', '-out', out);
	}
}

function note(direction, profile, name, want, got) {
	const right = want instanceof RegExp ? want.test(String(got)) : got === want;
	rows.push(`| ${direction} | ${profile} | ${name} | ${String(got).replace(/[^]*routines:\w*:/, '').replace(/:[^:]*\.c:[^]*/, '').replace(/\|/g, '/')} |`);
	ok(right, `${direction}, profile ${profile}, ${name}: got ${got}, want ${want}`);
}

async function main() {
	const dir = tempDir(), pki = new Pki(dir), file = (name) => pki.file(name);
	const [plain, one, two, three, csmsPort, ...up] = await Promise.all(Array.from({ length: 16 }, freePort));
	const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
	pki.ca('root');
	pki.ca('alien');
	pki.sign('root', 'server', '/CN=localhost', { ext: names });
	pki.sign('root', 'other-name', '/CN=elsewhere.example', { ext: 'subjectAltName=DNS:elsewhere.example' });
	pki.sign('root', 'old-server', '/CN=localhost', { ext: names, until: '20210101000000Z' });
	pki.sign('alien', 'alien-server', '/CN=localhost', { ext: names });
	pki.sign('root', 'good', '/O=Flow/CN=C-1');
	pki.sign('root', 'of-another', '/O=Flow/CN=C-2');
	pki.sign('root', 'other-o', '/O=Else/CN=C-1');
	pki.sign('root', 'expired', '/O=Flow/CN=C-1', { until: '20210101000000Z' });
	pki.sign('root', 'not-yet', '/O=Flow/CN=C-1', { from: '20480101000000Z' });
	pki.sign('alien', 'alien-client', '/O=Flow/CN=C-1');
	pki.sign('root', 'revoked', '/O=Flow/CN=C-1');
	pki.sign('root', 'box', '/O=Flow/CN=BOX');
	pki.crl('root', 'root.crl', 'revoked');
	const pair = (name) => ({ cert: pki.read(`${name}.crt`), key: pki.read(`${name}.key`) });

	// Upwards: one CSMS per case, since what it shows is the case. Each tells what the box showed it.
	const seen = {}, faults = {};
	const csmsOf = (id, port, server) => {
		const c = new RawCsms(port, { server });
		c.answer = (identity, m) => m[0] === 2 && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
		server.on('upgrade', (rq, s) => (seen[id] = { authorization: rq.headers.authorization, cn: s.getPeerCertificate && (s.getPeerCertificate().subject || {}).CN, protocol: s.getProtocol && s.getProtocol() }));
		return c;
	};
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
	].map((c, i) => ({ ...c, port: up[i] }));
	const uplinks = cases.map((c) => `  ${c.id}: {security_profile: ${c.profile}, endpoints: [{url: "${c.profile > 1 ? 'wss' : 'ws'}://localhost:${c.port}/{id}"}], reconnect: {min: 100ms, max: 1s}` +
		`${c.profile > 1 ? `, ca: ${file('root.crt')}` : ''}${c.more ? `, ${c.more}` : ''}}\n`).join('');
	const tlsOf = (id, more = '') => `${id}: {cert: ${file('server.crt')}, key: ${file('server.key')}${more}}`;
	const daemon = new Daemon(dir, conf({ port: plain, csmsPort, stations: `
  C-0: {circuit: grid}
  C-1: {circuit: grid, password: "secret-of-C-1-0123"}
  C-2: {circuit: grid, password: "secret-of-C-2-0123"}
  C-3: {circuit: grid, password: "secret-of-C-3-0123", min_security_profile: 2}
${cases.map((c) => `  "on-${c.id}": {circuit: grid, uplink: ${c.id}}`).join('\n')}` })
		.replace('listen: {ocpp: {', `tls: {${tlsOf('two')}, ${tlsOf('three', `, client_ca: ${file('root.crt')}, client_crl: ${file('root.crl')}, client_o: Flow`)}}
listen: {ocpp: {one: {address: 127.0.0.1, port: ${one}, tls: none, min_security_profile: 1}, two: {address: 127.0.0.1, port: ${two}, tls: two, min_security_profile: 2},
  three: {address: 127.0.0.1, port: ${three}, tls: three, min_security_profile: 3}, `)
		.replace('uplinks:\n', `uplinks:\n${uplinks}`));
	daemon.listeners = 4;

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
			await until(3000, 'the log says why', () => daemon.log.includes('certificate revoked') && daemon.log.includes('certificate has expired'));
			await csms.close();
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
		['the table', async () => {
			console.log(['| direction | profile | case | outcome |', '| --- | --- | --- | --- |', ...rows].join('\n'));
			await daemon.stop();
		}],
	]);
}

main();
