'use strict';
// Who gets in, by which name, with which proof and version; and what becomes of those who misbehave: each gets the error that the standard
// names, is logged once with its reason, and a station beside them never notices.
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const tlsLib = require('tls');
const net = require('net');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const HEX = '0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF';
const basic = (user, password) => ({ Authorization: 'Basic ' + Buffer.concat([Buffer.from(user + ':'), Buffer.from(password)]).toString('base64') });

// A socket that says what it likes. `all`: everything that came back until the peer closed.
function socket(port, ...pieces) {
	const s = net.connect(port, '127.0.0.1');
	const got = [];
	s.on('data', (d) => { got.push(d); s.emit('more'); });
	s.on('error', () => {});
	s.bytes = () => Buffer.concat(got);
	s.all = new Promise((resolve) => s.once('close', () => resolve(Buffer.concat(got))));
	s.once('connect', () => pieces.forEach((p) => s.write(p)));
	return s;
}

const upgrade = (target, extra = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
	`Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n${extra}\r\n`;

// A client's frame; `mask` false breaks the rule.
function frame(opcode, payload, { mask = true, fin = true, length = payload.length, rsv = 0 } = {}) {
	const body = Buffer.from(payload), head = [(fin ? 0x80 : 0) | rsv << 4 | opcode];
	if (length < 126) head.push((mask ? 0x80 : 0) | length);
	else if (length < 65536) head.push((mask ? 0x80 : 0) | 126, length >> 8, length & 255);
	else head.push((mask ? 0x80 : 0) | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
	return Buffer.concat([Buffer.from(head), mask ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

// The head of the answer, and the code of the close frame that ends what follows.
function read(bytes) {
	const end = bytes.indexOf('\r\n\r\n');
	const head = bytes.subarray(0, end < 0 ? 0 : end).toString();
	let rest = bytes.subarray(end + 4), close = 0;
	const texts = [];
	while (end >= 0 && rest.length >= 2) {
		let n = rest[1] & 127, at = 2;
		if (n === 126) { n = rest.readUInt16BE(2); at = 4; }
		if ((rest[0] & 15) === 8 && n >= 2) close = rest.readUInt16BE(at);
		if ((rest[0] & 15) === 1) texts.push(rest.subarray(at, at + n).toString());
		rest = rest.subarray(at + n);
	}
	return { status: Number(head.split(' ')[1]), head, body: bytes.subarray(end + 4).toString(), close, texts };
}

async function main() {
	const dir = tempDir();
	const [port, strict, tlsPort, csmsPort, wssPort] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
	const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
	const file = (name) => path.join(dir, name);
	const sign = (name, cn, extra) => {
		openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=Flow/CN=${cn}`);
		fs.writeFileSync(file('ext'), extra);
		openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', `${name}.crt`, '-extfile', 'ext');
	};
	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/O=Flow/CN=CA', '-keyout', 'ca.key', '-out', 'ca.crt');
	sign('server', 'localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
	sign('client', 'T-02', 'keyUsage=digitalSignature');
	sign('serial', 'SN-0815', 'keyUsage=digitalSignature');
	openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'rsa.key', '-out', 'rsa.csr', '-subj', '/O=Flow/CN=localhost');
	openssl('x509', '-req', '-in', 'rsa.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', 'rsa.crt');
	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=T-02', '-keyout', 'other.key', '-out', 'other.crt');
	const yaml = (onboarding) => conf({ port, csmsPort, onboarding,
		stations: `
  KEEP: {circuit: grid}
  "S-[01-09]": {circuit: grid}
  "a|b": {circuit: grid}
  P-01: {circuit: grid, password: "secret-of-P-01:colon"}
  P-02: {circuit: grid, password: "${HEX}"}
  P-03: {circuit: grid, password: relay, uplink: safe}
  P-04: {circuit: grid, min_security_profile: 2}
  T-01: {circuit: grid, uplink: safe, password: "secret-of-T-01-xx"}
  T-02: {circuit: grid, uplink: safe, min_security_profile: 3}
  T-03: {circuit: grid, uplink: safe, min_security_profile: 3}
  T-04: {circuit: grid, uplink: safe, min_security_profile: 3, certificate_cn: SN-0815}`,
		more: '' }).replace('listen: {ocpp: {', `listen: {ocpp: {
  strict: {address: 127.0.0.1, port: ${strict}, tls: none, min_security_profile: 1}, safe: {address: 127.0.0.1, port: ${tlsPort}, tls: station, min_security_profile: 2},
  `).replace('circuits:', `tls: {station: {cert: ${file('server.crt')}, key: ${file('server.key')}, client_ca: ${file('ca.crt')}, client_o: Flow,
  second_cert: ${file('rsa.crt')}, second_key: ${file('rsa.key')}}}\ncircuits:`)
		.replace('uplinks:', `uplinks:
  safe: {security_profile: 2, endpoints: [{url: "wss://localhost:${wssPort}/{id}"}], ca: ${file('ca.crt')}, password: "up-secret", reconnect: {min: 100ms, max: 1s}}`);
	const daemon = new Daemon(dir, yaml('reject'));
	daemon.listeners = 3;
	const csms = new RawCsms(csmsPort, { ws: { perMessageDeflate: true } });
	const safe = new RawCsms(wssPort, { server: https.createServer({ cert: fs.readFileSync(file('server.crt')), key: fs.readFileSync(file('server.key')) }) });
	csms.answer = safe.answer = (identity, m) => m[2] === 'Heartbeat' && `[3,"${m[1]}",{"currentTime":"2026-03-02T17:04:05Z"}]`;
	let keep, beats = 0, loris;
	const beat = async () => equal((await keep.ask(`beat-${++beats}`, 'Heartbeat', {}))[0], 3, 'the station beside it is served');
	// The suite and kind of key that a client gets; or why it gets none.
	const handshake = (at, options) => within(5000, 'a handshake', new Promise((resolve) => {
		const c = tlsLib.connect({ port: at, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
			resolve([c.getCipher().name, c.getPeerCertificate().asn1Curve ? 'ec' : 'rsa']);
			c.destroy();
		});
		c.on('error', (e) => resolve(`${e.code} ${e.message}`));
	}));
	const refused = (f) => f.then(() => 101, (e) => e.status);
	const logged = (text) => daemon.log.split('\n').filter((l) => l.includes(text)).length;
	const once = (text) => until(3000, `a log line with "${text}"`, () => logged(text) === 1);
	const greet = async (identity) => {
		const s = socket(port, upgrade('/' + identity, 'Sec-WebSocket-Protocol: ocpp1.6\r\n'));
		await until(3000, 'the greeting', () => s.bytes().includes('\r\n\r\n'));
		return s;
	};

	await run([
		['a station of the file gets in', async () => {
			await csms.listen();
			await safe.listen();
			await daemon.start();
			loris = socket(port, 'GET /S-09 HTTP/1.1\r\nHost: x\r\n');
			const drip = setInterval(() => loris.write('X-A: b\r\n'), 500);
			loris.all.then(() => clearInterval(drip));
			keep = await rawStation(port, 'KEEP', ['ocpp1.6']);
			await beat();
		}],
		['an identity that is not in the file: 404, and no lane', async () => {
			equal(await refused(rawStation(port, 'STRANGER', ['ocpp1.6'])), 404, 'status');
			await once('unknown identity');
			equal(csms.opened.filter((l) => l.identity === 'STRANGER').length, 0, 'lanes of it');
		}],
		['identities: percent-encoded, behind any path, with a slash at the end or a query', async () => {
			for (const [target, identity] of [['/a%7Cb', 'a|b'], ['/a|b', 'a|b'], ['/ocpp/v16/S-03/', 'S-03'], ['//S-04', 'S-04'],
				['/x/S-05?token=1', 'S-05']]) {
				const s = socket(port, upgrade(target, 'Sec-WebSocket-Protocol: ocpp1.6\r\n'));
				const lane = await csms.lane(identity);
				equal(read(s.bytes()).status, 101, target);
				s.destroy();
				await within(3000, 'the lane follows', lane.ended);
				csms.lanes.delete(identity);
			}
			equal(csms.opened.filter((l) => l.identity === 'a|b')[0].url, '/a%7Cb', 'encoded upwards');
			for (const [target, status] of [['/', 400], ['/%00', 400], ['/S-01%2F..%2Fx', 404], ['/%ff', 400], ['/S-0%', 400], [`/${'x'.repeat(60)}`, 404]])
				equal(read(await socket(port, upgrade(target, 'Sec-WebSocket-Protocol: ocpp1.6\r\n')).all).status, status, target);
		}],
		['versions: ours by preference; none in common: completed and closed', async () => {
			for (const [offer, choice] of [[['ocpp2.0.1', 'ocpp1.6'], 'ocpp1.6'], [['ocpp2.1', 'ocpp2.0.1'], 'ocpp2.0.1'], [['x', 'ocpp2.1'], 'ocpp2.1']]) {
				const s = await rawStation(port, 'S-02', offer);
				equal(s.protocol, choice, `of ${offer}`);
				const lane = await csms.lane('S-02');
				equal(lane.protocol, choice, 'the lane has the same');
				await s.close();
				await within(3000, 'the lane follows', lane.ended);
			}
			for (const offer of ['', 'Sec-WebSocket-Protocol: ocpp1.5, mqtt\r\n']) {
				const s = socket(port, upgrade('/S-02', offer));
				await until(3000, 'a close frame', () => read(s.bytes()).close);
				const r = read(s.bytes());
				equal([r.status, /sec-websocket-protocol/i.test(r.head), r.close], [101, false, 1002], 'without a version');
				s.end(frame(8, Buffer.from([3, 234])));
				await within(5000, 'the end', s.all);
			}
		}],
		['Basic: none, wrong, of another; right as text, as hex and as bytes', async () => {
			const get = (identity, headers) => refused(rawStation(port, identity, ['ocpp1.6'], { headers }).then((s) => s.close()));
			equal(await get('P-01', {}), 401, 'none');
			equal(await get('P-01', basic('P-01', 'secret-of-P-01:colom')), 401, 'wrong');
			equal(await get('P-01', basic('P-02', 'secret-of-P-01:colon')), 401, 'user is not the identity');
			equal(await get('P-01', { Authorization: 'Bearer x' }), 401, 'another scheme');
			equal(await get('P-01', basic('P-01', 'secret-of-P-01:colon')), 101, 'right');
			equal(await get('P-02', basic('P-02', HEX)), 101, 'the hex text');
			equal(await get('P-02', basic('P-02', Buffer.from(HEX, 'hex'))), 101, 'its bytes');
			equal(await get('P-02', basic('P-02', Buffer.from(HEX.replace('07', '08'), 'hex'))), 401, 'other bytes');
			equal(await get('P-03', {}), 401, 'nothing to relay');
			ok(!daemon.log.includes('colom') && !daemon.log.includes('colon') && !daemon.log.includes(HEX), 'no password in the log');
			await beat();
		}],
		['security profiles: of the listener and of the station', async () => {
			equal(await refused(rawStation(strict, 'P-01', ['ocpp1.6'])), 401, 'profile 1 without a password');
			equal(await refused(rawStation(strict, 'P-01', ['ocpp1.6'], { headers: basic('P-01', 'secret-of-P-01:colon') }).then((s) => s.close())), 101, 'with');
			equal(await refused(rawStation(port, 'P-04', ['ocpp1.6'])), 403, 'profile 2 on a plain listener');
			equal(await refused(rawStation(port, 'T-02', ['ocpp1.6'])), 403, 'profile 3 on a plain listener');
		}],
		['TLS down and up: the password, the certificate, and the credential towards the CSMS', async () => {
			const tls = (identity, more) => rawStation(tlsPort, identity, ['ocpp2.0.1'], { scheme: 'wss', ca: fs.readFileSync(file('ca.crt')), ...more });
			const shown = (identity) => Buffer.from(safe.opened.filter((l) => l.identity === identity).pop().authorization.split(' ')[1], 'base64').toString();
			equal(await refused(tls('T-01', {})), 401, 'TLS without a password');
			const one = await tls('T-01', { headers: basic('T-01', 'secret-of-T-01-xx') });
			await safe.lane('T-01');
			equal(shown('T-01'), 'T-01:up-secret', 'our own credential upwards');
			equal((await one.ask('h', 'Heartbeat', {}))[0], 3, 'through both');
			equal(await refused(tls('T-02', {})), 401, 'profile 3 without a certificate');
			const pair = (name) => ({ cert: fs.readFileSync(file(`${name}.crt`)), key: fs.readFileSync(file(`${name}.key`)) });
			ok(await tls('T-02', pair('other')).then(() => false, () => true), 'a certificate of somebody else');
			const two = await tls('T-02', pair('client'));
			equal((await two.ask('h', 'Heartbeat', {}))[0], 3, 'with its certificate');
			equal(await refused(tls('T-01', pair('client'))), 401, 'the certificate of one station for another with a password');
			equal(await refused(tls('T-03', pair('client'))), 401, 'and for one with a certificate');
			const four = await tls('T-04', pair('serial'));
			equal((await four.ask('h', 'Heartbeat', {}))[0], 3, 'by its serial number');
			await four.close();
			for (const [suite, key] of [['ECDHE-ECDSA-AES128-GCM-SHA256', 'ec'], ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ec'], ['AES128-GCM-SHA256', 'rsa'], ['AES256-GCM-SHA384', 'rsa']])
				equal(await handshake(tlsPort, { ciphers: suite, maxVersion: 'TLSv1.2' }), [suite, key], 'a suite that the standards ask for');
			ok(/alert|version|protocol/i.test(await handshake(tlsPort, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })), 'TLS 1.1');
			ok(/alert|cipher|handshake/i.test(await handshake(tlsPort, { ciphers: 'ECDHE-RSA-AES128-SHA', maxVersion: 'TLSv1.2' })), 'a suite of old');
			const three = await rawStation(port, 'P-03', ['ocpp2.0.1'], { headers: basic('P-03', 'the one it has') });
			await safe.lane('P-03');
			equal(shown('P-03'), 'P-03:the one it has', 'the station\'s own credential is relayed');
			await Promise.all([one, two, three].map((s) => s.close()));
		}],
		['a second connection of a station wins, the lane stays, and answers for the first do not reach the second', async () => {
			const old = await rawStation(port, 'S-06', ['ocpp1.6']);
			const lane = await csms.lane('S-06');
			const lanes = csms.opened.length;
			lane.answer = null;
			old.send('[2,"old","Heartbeat",{}]');
			await lane.action('Heartbeat');
			lane.send('[2,"down","GetConfiguration",{}]');
			await old.action('GetConfiguration');
			const young = await rawStation(port, 'S-06', ['ocpp1.6']);
			await within(3000, 'the old one is closed', old.ended);
			equal(JSON.parse(await lane.answerTo('down')).slice(0, 2), [4, 'down'], 'the CSMS hears that the first is gone');
			young.send('[2,"young","DataTransfer",{"vendorId":"v"}]');
			lane.send('[3,"old",{"currentTime":"2026-03-02T17:04:05Z"}]');
			await lane.action('DataTransfer');
			lane.send('[3,"young",{"status":"Accepted"}]');
			equal(JSON.parse(await young.next('an answer'))[1], 'young', 'the first answer on the second connection');
			equal([csms.opened.length, lane.ws.readyState], [lanes, 1], 'the lane is the same');
			for (let i = 0; i < 5; i++) await rawStation(port, 'S-06', ['ocpp1.6']);
			equal([csms.opened.length, lane.ws.readyState], [lanes, 1], 'and stays while the station comes again and again');
			await beat();
		}],
		['what is no request: 400, 405, 426, 431, or nothing', async () => {
			for (const [text, status] of [['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + '\r\n\r\n', 400], ['SSH-2.0-x\r\n\r\n', 400], ['GET /S-01 HTTP/1.1\r\n\r\n', 400],
				['POST /S-01 HTTP/1.1\r\nHost: x\r\n\r\n', 405], ['GET /S-01 HTTP/1.1\r\nHost: x\r\n\r\n', 426], [upgrade('/S-01', `X: ${'y'.repeat(9000)}\r\n`), 431],
				[upgrade('/S-01', 'Content-Length: 4\r\n') + 'abcd', 400]]) {
				const s = socket(port, Buffer.from(text, 'latin1'));
				equal(read(await within(5000, `the end of ${text.slice(0, 20)}`, s.all)).status, status, JSON.stringify(text.slice(0, 40)));
				await beat();
			}
			const cut = socket(port, 'GET /S-01 HT');
			await new Promise((r) => cut.once('connect', r));
			cut.end();
			await once('in the middle of the request\'s head');
		}],
		['bad frames are closed with the code of RFC 6455 and the reason is logged once', async () => {
			const deep = '['.repeat(100);
			for (const [name, bytes, code, line] of [
				['binary', frame(2, 'x'), 1003, 'binary'],
				['not masked', frame(1, '[2,"a","Heartbeat",{}]', { mask: false }), 1002, null],
				['a reserved bit', frame(1, 'x', { rsv: 2 }), 1002, null],
				['an unknown opcode', frame(3, 'x'), 1002, null],
				['a ping in pieces', frame(9, 'x', { fin: false }), 1002, null],
				['a continuation of nothing', frame(0, 'x'), 1002, null],
				['no UTF-8', frame(1, Buffer.from([0xc3, 0x28])), 1007, null],
				['too large, said at once', frame(1, deep, { length: 0x7fffffff }), 1009, 'too large'],
			]) {
				const from = logged('station=S-07 station left');
				const s = await greet('S-07');
				s.write(bytes);
				await until(3000, `${name}: a close frame`, () => read(s.bytes()).close);
				equal(read(s.bytes()).close, code, name);
				s.end(frame(8, Buffer.from([code >> 8, code & 255])));
				await until(3000, `${name}: one line`, () => logged('station=S-07 station left') === from + 1);
				const last = daemon.log.split('\n').filter((l) => l.includes('station=S-07 station left')).pop();
				ok(last.includes(`code ${code}`) && (!line || last.includes(line)), `${name}: the line tells why: ${last}`);
				await beat();
			}
			const half = await greet('S-07');
			half.write(frame(1, '[2,"a","Hea', { length: 100 }));
			half.destroy();
			await until(3000, 'half a frame is noticed', () => logged('station=S-07 station left') === 9);
			await beat();
		}],
		['what is no OCPP gets the error of its version, and the connection lives', async () => {
			const nest = 32768;
			const six = await rawStation(port, 'S-08', ['ocpp1.6']), two = await rawStation(port, 'S-01', ['ocpp2.0.1']), other = await rawStation(port, 'S-05', ['ocpp1.6']);
			const error = async (s, text, id) => { s.send(text); return JSON.parse(await s.answerTo(id)).slice(0, 3); };
			for (const [text, id, code6, code2] of [
				['[2,"j1","Heartbeat",{]', 'j1', 'FormationViolation', 'FormatViolation'],
				['[2,"j2","Heartbeat"', 'j2', 'FormationViolation', 'RpcFrameworkError'],
				['[2,"j3",7,{}]', 'j3', 'FormationViolation', 'RpcFrameworkError'],
				['[2,"j4","Heartbeat",{}] x', 'j4', 'FormationViolation', 'RpcFrameworkError'],
				[`[2,"j5","Heartbeat",${'['.repeat(nest)}${']'.repeat(nest)}]`, 'j5', 'FormationViolation', 'FormatViolation'],
				[`[2,"j6","Heartbeat",${'{"a":'.repeat(nest / 3)}`, 'j6', 'FormationViolation', 'FormatViolation'],
			]) {
				equal(await error(six, text, id), [4, id, code6], `1.6: ${text.slice(0, 30)}`);
				equal(await error(two, text, id), [4, id, code2], `2.0.1: ${text.slice(0, 30)}`);
				await beat();
			}
			for (const text of ['', 'hello', '{}', '["2","x"]', '[[[[', '\u0000', '[2']) {
				equal(await error(two, text, '-1'), [4, '-1', 'RpcFrameworkError'], `2.0.1: ${text}`);
				other.send(text); // 1.6 has no answer to what cannot be read
			}
			other.send('[3,"nobody",{]');
			for (const s of [six, two, other]) equal((await s.ask('alive', 'Heartbeat', {})).slice(0, 2), [3, 'alive'], 'it is served');
			equal(six.texts.concat(two.texts, other.texts), [], 'no other answers');
			for (const [id, n] of [['S-08', 6], ['S-05', 8]])
				await until(3000, 'each is logged once', () => logged(`station=${id} the station sent an unreadable message`) === n);
			for (const s of [six, two, other]) await s.close();
		}],
		['compression is agreed to where a station asks for it', async () => {
			const s = await rawStation(port, 'S-08', ['ocpp2.0.1'], { perMessageDeflate: true });
			ok(s.ws.extensions.includes('permessage-deflate'), 'agreed');
			const lane = await csms.lane('S-08');
			const call = `[2,"z","DataTransfer",{"vendorId":"v","data":"${'ab'.repeat(20000)}"}]`;
			s.send(call);
			ok((await lane.action('DataTransfer')) === call, 'the same text');
			ok(lane.ws.extensions.includes('permessage-deflate'), 'and offered to a CSMS of 2.x');
			lane.send(call.replace('[2,', '[2, '));
			equal((await s.action('DataTransfer')).length, call.length + 1, 'and back');
			s.ws.terminate();
			const old = await rawStation(port, 'S-07', ['ocpp1.6'], { perMessageDeflate: true });
			ok(old.ws.extensions.includes('permessage-deflate') && !(await csms.lane('S-07')).ws.extensions, '1.6: to the station that asks for it, not to the CSMS');
			old.ws.terminate();
		}],
		['a head that comes byte by byte ends with 408', async () => {
			const { status, body } = read(await within(15000, 'the deadline', loris.all));
			equal([status, body.includes('did not come in time')], [408, true], 'the answer'); // of many refusals in ten seconds the log counts some
			await beat();
			console.log(`# the station beside it: ${beats} heartbeats, all answered by the CSMS`);
		}],
		['onboarding manual: a stranger is Pending, refused all else, and has no lane', async () => {
			await daemon.stop();
			fs.writeFileSync(daemon.config, yaml('manual'));
			await daemon.start();
			const s = await rawStation(port, 'STRANGER', ['ocpp1.6']);
			equal((await s.ask('b', 'BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }))[2].status, 'Pending', 'boot');
			equal((await s.ask('h', 'Heartbeat', {}))[2], 'SecurityError', 'heartbeat');
			equal((await s.ask('s', 'StartTransaction', { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: '2026-03-02T17:04:05Z' }))[2], 'SecurityError', 'start');
			equal((await daemon.ask('station.list')).filter((x) => x.id === 'STRANGER').map((x) => x.state), ['pending'], 'what the installer sees');
			equal(csms.opened.filter((l) => l.identity === 'STRANGER').length, 0, 'lanes of it');
			await daemon.stop();
		}],
		['onboarding auto: a stranger is served on the circuit, whatever its name needs in an address', async () => {
			fs.writeFileSync(daemon.config, yaml('{auto: {circuit: grid}}'));
			await daemon.start();
			const s = await rawStation(port, 'RDAM 123', ['ocpp1.6']);
			await csms.lane('RDAM 123');
			equal(csms.opened.pop().url, '/RDAM%20123', 'encoded upwards');
			equal((await s.ask('h', 'Heartbeat', {}))[0], 3, 'served');
			await daemon.stop();
		}],
	]);
}

main();
