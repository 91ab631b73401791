'use strict';
// The box's own certificate towards a CSMS is renewed by its own identity, in all versions: the key is made here and stays here, the new certificate is
// used once a connection with it stands, and thrown away when the CSMS turns it away. Roots that the CSMS installs count at once.
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const { Pki } = require('./certs.js');

// The last is a group of stations shown as one.
const boxes = { 'BOX-16': 'ocpp1.6', 'BOX-201': 'ocpp2.0.1', 'BOX-21': 'ocpp2.1', GROUP: 'ocpp1.6' };
const words = { 'ocpp1.6': { trigger: 'ExtendedTriggerMessage', what: 'SignChargePointCertificate', root: 'CentralSystemRootCertificate' } };
const wordsOf = (box) => words[boxes[box]] || { trigger: 'TriggerMessage', what: 'SignChargingStationCertificate', root: 'CSMSRootCertificate' };
const soon = (days) => new Date(Date.now() + days * 86400000).toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';

async function main() {
	const dir = tempDir(), pki = new Pki(dir), file = (name) => pki.file(name);
	const [port, csmsPort] = [await freePort(), await freePort()];
	const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
	for (const ca of ['root', 'next-root']) pki.ca(ca);
	pki.sign('root', 'server', '/CN=localhost', { ext: names });
	pki.sign('next-root', 'next-server', '/CN=localhost', { ext: names });
	for (const ca of ['third', 'fourth']) pki.under('next-root', ca);
	pki.sign('third', 'third-server', '/CN=localhost', { ext: names });
	for (const box of Object.keys(boxes)) pki.sign('root', box, '/O=Flow/CN=flow', { until: soon(300) });
	const pair = (name) => ({ cert: pki.read(`${name}.crt`), key: pki.read(`${name}.key`) });
	const identity = (box) => (box === 'GROUP' ? 'mode: aggregate, identity: GROUP, version: ocpp1.6' : `own_identity: ${box}, own_version: ${boxes[box]}`);
	const uplink = (box) => `  "${box.toLowerCase()}": {security_profile: 3, ${identity(box)}, ca: ${file('root.crt')}, cert: ${file(`${box}.crt`)}, key: ${file(`${box}.key`)},
    endpoints: [{url: "wss://localhost:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}, ping: 1s}\n`;
	const daemon = new Daemon(dir, conf({ port, csmsPort: 9, stations: '{C-1: {circuit: grid, uplink: "box-201"}, M-1: {circuit: grid, uplink: group}}' })
		.replace('uplinks:\n', `uplinks:\n${Object.keys(boxes).map(uplink).join('')}`));

	const shown = {}, events = [], requests = {};
	let renewals = 0, only = null;
	const server = https.createServer({ ...pair('server'), ca: pki.read('root.crt'), requestCert: true, rejectUnauthorized: true });
	const csms = new RawCsms(csmsPort, { server, ws: { verifyClient: ({ req }) => {
		const serial = req.socket.getPeerCertificate().serialNumber;
		if (only && serial !== only && /BOX-201/.test(req.url)) return false;
		(shown[req.url.split('/').pop()] = shown[req.url.split('/').pop()] || []).push(serial);
		return true;
	} } });
	csms.answer = (identity, m) => {
		if (m[0] !== 2) return null;
		if (m[2] === 'SecurityEventNotification') events.push([identity, m[3].type]);
		if (m[2] === 'SignCertificate') requests[identity] = m[3].csr;
		return JSON.stringify([3, m[1], m[2] === 'BootNotification' ? { currentTime: new Date().toISOString(), status: 'Accepted', interval: 300 }
			: m[2] === 'SignCertificate' ? { status: 'Accepted' } : m[2] === 'Heartbeat' ? { currentTime: new Date().toISOString() } : {}]);
	};
	const serialOf = (name) => new crypto.X509Certificate(pki.read(`${name}.crt`)).serialNumber;
	const last = (box) => shown[box] && shown[box].at(-1);
	const own = (box) => path.join(dir, 'state', `station-${box}`);

	// Signs what a box has asked for, and hands it over.
	async function answer(box, until_ = soon(200)) {
		const csr = await until(10000, `${box} asks`, () => requests[box]), name = `renewed-${++renewals}`;
		delete requests[box];
		fs.writeFileSync(file(`${name}.csr`), csr);
		const subject = String(pki.openssl('req', '-in', `${name}.csr`, '-noout', '-verify', '-subject'));
		ok((box === 'GROUP' ? /CN ?= ?GROUP/ : /CN ?= ?flow/).test(subject), `the request names the box by its serial number: ${subject}`);
		fs.writeFileSync(file('ext'), 'keyUsage=digitalSignature');
		pki.openssl('ca', '-batch', '-notext', '-config', 'root.cnf', '-cert', 'root.crt', '-keyfile', 'root.key', '-in', `${name}.csr`, '-out', `${name}.crt`,
			'-startdate', '20200101000000Z', '-enddate', until_, '-extfile', 'ext', '-preserveDN');
		const lane = await csms.lane(box);
		const said = await lane.ask(`s${renewals}`, 'CertificateSigned', { certificateChain: String(pki.read(`${name}.crt`)) });
		equal(said[2].status, 'Accepted', `${box} takes it`);
		return name;
	}
	async function trigger(box) {
		const { trigger: action, what } = wordsOf(box);
		equal((await (await csms.lane(box)).ask(`t${renewals}`, action, { requestedMessage: what }))[2].status, 'Accepted', `${box} is asked`);
	}
	const renewed = {};

	await run([
		['it connects with the certificate of the configuration', async () => {
			await csms.listen();
			await daemon.start();
			for (const box of Object.keys(boxes)) {
				await csms.lane(box, 20000);
				equal(last(box), serialOf(box), `what ${box} shows`);
			}
		}],
		// OCPP 2.0.1 A02.FR.06, OCPP 2.1 A02.FR.06
		['asked for a new one, it makes a key of its own, and shows the new certificate from its next connection on', async () => {
			for (const box of Object.keys(boxes)) {
				await trigger(box);
				renewed[box] = await answer(box);
				await until(20000, `${box} comes with the new one`, () => last(box) === serialOf(renewed[box]));
				const kept = path.join(own(box), 'ChargingStationCertificate.pem');
				await until(5000, 'it is kept', () => fs.existsSync(kept));
				equal(fs.statSync(kept).mode & 0o777, 0o600, 'nobody else reads the key');
				ok(/PRIVATE KEY/.test(fs.readFileSync(kept, 'utf8')) && !fs.existsSync(path.join(own(box), 'waiting.key')), 'key and certificate are in one file');
			}
			const s = await rawStation(port, 'C-1', ['ocpp2.0.1']);
			await csms.lane('C-1');
			equal(last('C-1'), serialOf(renewed['BOX-201']), 'what the lane of a station shows');
			await s.close();
		}],
		['it is still that one after a restart', async () => {
			await daemon.stop();
			for (const box of Object.keys(boxes)) shown[box] = [];
			await daemon.start();
			for (const box of Object.keys(boxes)) equal(await until(20000, `${box} comes`, () => last(box)), serialOf(renewed[box]), `what ${box} shows`);
		}],
		['one that the CSMS turns away is thrown away; the connection stands all the time', async () => {
			const box = 'BOX-201', lane = await csms.lane(box);
			let lost = false;
			lane.ended.then(() => (lost = true));
			await trigger(box);
			await until(10000, 'it asks', () => requests[box]);
			const coming = answer(box);
			only = serialOf(renewed[box]); // before the box tries the new one
			const name = await coming;
			await until(10000, 'the security event', () => events.some(([who, type]) => who === box && type === 'DiscardedRenewedClientCertificate'));
			only = null;
			ok(!lost, 'the connection with the old one');
			ok(/the CSMS does not take the new certificate, back to the one before: the server answers HTTP 401/.test(daemon.log), 'the log says why');
			ok(!fs.existsSync(path.join(own(box), 'trial.pem')), 'the new one is gone');
			lane.ws.terminate();
			await until(10000, 'it comes again', () => csms.lanes.get(box) !== lane);
			equal(last(box), serialOf(renewed[box]), `what it shows, not ${serialOf(name)}`);
		}],
		['a root that the CSMS installs counts at once', async () => {
			for (const box of Object.keys(boxes)) {
				const said = await (await csms.lane(box)).ask('i', 'InstallCertificate', { certificateType: wordsOf(box).root, certificate: String(pki.read('next-root.crt')) });
				equal(said[2].status, 'Accepted', `${box} takes it`);
				const ids = await (await csms.lane(box)).ask('g', 'GetInstalledCertificateIds', boxes[box] === 'ocpp1.6' ? { certificateType: wordsOf(box).root } : {});
				equal(ids[2].status, 'Accepted', 'it is told');
			}
			for (const p of csms.lanes.values()) p.ws.terminate();
			await csms.wss.close();
			server.setSecureContext({ ...pair('next-server'), ca: pki.read('root.crt') });
			server.closeAllConnections();
			csms.lanes.clear();
			await new Promise((r) => server.close(r));
			await csms.listen();
			for (const box of Object.keys(boxes)) await csms.lane(box, 20000);
		}],
		// OCPP 2.0.1 M04.FR.06
		['its own certificate is not deleted, and not told', async () => {
			const lane = await csms.lane('BOX-201');
			const ids = (await lane.ask('g3', 'GetInstalledCertificateIds', {}))[2].certificateHashDataChain.map((c) => c.certificateType);
			equal(ids, ['CSMSRootCertificate'], 'what is installed');
		}],
		['the ids of what is installed name it for deletion', async () => {
			const lane = await csms.lane('BOX-201');
			const ids = (await lane.ask('g2', 'GetInstalledCertificateIds', {}))[2];
			const hash = ids.certificateHashDataChain[0].certificateHashData;
			equal((await lane.ask('d', 'DeleteCertificate', { certificateHashData: hash }))[2].status, 'Accepted', 'it is deleted');
			equal((await lane.ask('d2', 'DeleteCertificate', { certificateHashData: hash }))[2].status, 'NotFound', 'it is gone');
			lane.ws.terminate();
			await until(20000, 'the CSMS is not believed any more', async () => /issuer/.test((await daemon.ask('uplink.list')).find((u) => u.id === 'box-201').fault));
			server.setSecureContext({ ...pair('server'), ca: pki.read('root.crt') });
			await until(20000, 'the security event comes when it is', () => events.some(([who, type]) => who === 'BOX-201' && type === 'InvalidCsmsCertificate'));
		}],
		// OCPP 2.0.1 A03.FR.02
		['a month before its end it asks by itself', async () => {
			const box = 'BOX-16';
			await trigger(box);
			const name = await answer(box, soon(20));
			await until(20000, 'the one with twenty days', () => last(box) === serialOf(name));
			const next = await answer(box); // without being asked
			await until(20000, 'the next one', () => last(box) === serialOf(next));
		}],
		['with a password first: the certificate that is issued then is what profile 3 needs', async () => {
			const box = 'NEW', yaml = (profile) => fs.readFileSync(path.join(dir, 'ampgate.yaml'), 'utf8').replace(/uplinks:\n[^]*?\nlog:/, `uplinks:
  cpo: {security_profile: ${profile}, own_identity: NEW, additional_root_check: true, ca: ${file('next-root.crt')}${profile === 2 ? ', password: a-password-of-some-length' : ''},
    endpoints: [{url: "wss://localhost:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}
log:`).replace(/stations: \{C-1.*/, 'stations: {C-1: {circuit: grid}}');
			await daemon.stop();
			boxes[box] = 'ocpp2.0.1';
			server.setSecureContext({ ...pair('next-server'), ca: pki.read('root.crt') });
			server.rejectUnauthorized = false; // as a CSMS that takes passwords too
			fs.writeFileSync(daemon.config, yaml(2));
			await daemon.start();
			const lane = await csms.lane(box, 20000);
			equal(last(box), undefined, 'it shows none');
			await trigger(box);
			const name = await answer(box);
			await daemon.stop();
			fs.writeFileSync(daemon.config, yaml(3));
			await daemon.start();
			await until(20000, 'it comes with it', () => last(box) === serialOf(name));
			await until(10000, 'it is kept', () => fs.existsSync(path.join(own(box), 'ChargingStationCertificate.pem')));
		}],
		// OCPP 2.0.1 M05.FR.09, OCPP 2.0.1 M05.FR.10
		['with AdditionalRootCertificateCheck a root has to be signed by the one before, whose place it takes once it is used', async () => {
			const lane = await csms.lane('NEW'), install = async (peer, name) => (await peer.ask(`i-${name}`, 'InstallCertificate', { certificateType: 'CSMSRootCertificate', certificate: String(pki.read(`${name}.crt`)) }))[2].status;
			const variable = { component: { name: 'SecurityCtrlr' }, variable: { name: 'AdditionalRootCertificateCheck' } };
			equal((await lane.ask('v', 'GetVariables', { getVariableData: [variable] }))[2].getVariableResult[0].attributeValue, 'true', 'what it says of itself');
			events.length = 0;
			equal(await install(lane, 'root'), 'Rejected', 'one of another hierarchy');
			await until(5000, 'the security event', () => events.some(([who, type]) => who === 'NEW' && type === 'InvalidCsmsCertificate'));
			equal(await install(lane, 'third'), 'Accepted', 'one that the first has signed');
			equal(await install(lane, 'fourth'), 'Rejected', 'another, before that one was used');
			const again = async (name) => {
				server.setSecureContext({ ...pair(name), ca: pki.read('root.crt') });
				const before = csms.lanes.get('NEW');
				before.ws.terminate();
				return () => csms.lanes.get('NEW') !== before;
			};
			await until(20000, 'the CSMS with the old root is still believed', await again('next-server'));
			await until(20000, 'and with the new one', await again('third-server'));
			await until(5000, 'that is the only one from then on', () => /is known by its new root now/.test(daemon.log));
			await again('next-server');
			await until(20000, 'the old one does not count', async () => /issuer/.test((await daemon.ask('uplink.list'))[0].fault));
			await daemon.stop();
			daemon.log = '';
			await daemon.start();
			await until(20000, 'nor after a restart', async () => /issuer/.test((await daemon.ask('uplink.list'))[0].fault));
			await daemon.stop();
			await csms.close();
		}],
	]);
}

main();
