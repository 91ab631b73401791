'use strict';
// Everything a station may ask, in every version, while no CSMS has ever been reached: answered, in the form that the schemas of an independent
// package demand, and by none of it is the station sent away. What the CSMS has to hear reaches it later.
const fs = require('fs');
const path = require('path');
const { srcdir, freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

let Ajv, addFormats;
try {
	Ajv = require('../node_modules/ajv');
	addFormats = require('../node_modules/ajv-formats');
} catch (e) {
	console.log('skipped: npm packages are not installed (cd tests && npm ci)');
	process.exit(77);
}

const VERSIONS = { 'ocpp1.6': 'V16', 'ocpp2.0.1': 'V201', 'ocpp2.1': 'V21' };
const HOLDS = { V16: ['V16', 'V_ALL'], V201: ['V201', 'V_2X', 'V_ALL'], V21: ['V21', 'V_2X', 'V_ALL'] };
// There is no word of refusal in these; only a CALLERROR can say that the CSMS cannot be asked.
const NO_WORD = { 'ocpp2.1': ['GetCertificateChainStatus'] };
// Kept for the CSMS, whatever happens.
const OWED = /^(FirmwareStatusNotification|DiagnosticsStatusNotification|LogStatusNotification|SecurityEventNotification|NotifyEvent|ReservationStatusUpdate)$/;

// The rows of the catalogue: what stations call.
function actionsOf(version) {
	const text = fs.readFileSync(path.join(srcdir, 'ocpp/actions.def'), 'utf8');
	return [...text.matchAll(/^(?:ACTION|ACTION_2)\((\w+),\s*(\w[\w |]*?),\s*(STATION|EITHER),/gm)]
		.filter(([, , versions]) => versions.split('|').some((v) => HOLDS[VERSIONS[version]].includes(v.trim()))).map(([, name]) => name);
}

class Schemas {
	constructor(version) {
		const list = require(`../node_modules/ocpp-rpc/lib/schemas/${version.replace(/\./g, '_')}.json`);
		this.ajv = new Ajv({ strict: false, multipleOfPrecision: 6 });
		addFormats(this.ajv);
		this.byId = new Map();
		for (const s of list) this.byId.set(s.$id.replace(/^urn:/, '').replace(/(\.req|Request)$/, '?').replace(/(\.conf|Response)$/, '!'), s);
	}

	// The smallest instance that a schema allows.
	smallest(s, root) {
		if (s.$ref) return this.smallest(root.definitions[s.$ref.split('/').pop()], root);
		if (s.enum) return s.enum[0];
		switch (Array.isArray(s.type) ? s.type[0] : s.type) {
		case 'object': return Object.fromEntries((s.required || []).map((k) => [k, this.smallest(s.properties[k], root)]));
		case 'array': return Array.from({ length: Math.max(1, s.minItems || 0) }, () => this.smallest(s.items, root));
		case 'integer': return Math.max(1, s.minimum || 1);
		case 'number': return Math.max(1, s.minimum || 1);
		case 'boolean': return false;
		default: return s.format === 'date-time' ? '2026-03-02T17:00:00Z' : s.format === 'uri' ? 'http://x/' : 'x';
		}
	}

	request(action) {
		const s = this.byId.get(`${action}?`);
		return s && this.smallest(s, s);
	}

	fault(action, payload) {
		const s = this.byId.get(`${action}!`);
		if (!s) return null;
		const check = this.ajv.compile({ ...s, $id: undefined, $schema: undefined });
		return check(payload) ? null : this.ajv.errorsText(check.errors);
	}
}

// The security extension of 1.6 is not in the package.
const extension = {
	LogStatusNotification: { status: 'Uploaded', requestId: 1 },
	SecurityEventNotification: { type: 'SettingSystemTime', timestamp: '2026-03-02T17:00:00Z' },
	SignedFirmwareStatusNotification: { status: 'Installed', requestId: 1 },
	SignCertificate: { csr: 'x' },
};

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, more: 'offline: {authorize: [all], serve_time: always}' }));
	const cloud = new RawCsms(csmsPort);
	const heard = [];
	cloud.answer = (identity, m) => {
		if (m[0] !== 2) return null;
		heard.push([identity, m[2]]);
		const currentTime = new Date().toISOString();
		const payload = m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime }
			: m[2] === 'StartTransaction' ? { transactionId: 1, idTagInfo: { status: 'Accepted' } } : {};
		return JSON.stringify([3, m[1], payload]);
	};
	const cases = Object.keys(VERSIONS).map((version, i) => [`${version}: every message is answered`, async () => {
		const schemas = new Schemas(version), actions = actionsOf(version);
		const s = await rawStation(port, `S-0${i + 1}`, [version]);
		const refused = [];
		ok(actions.length > 10, `the catalogue is read: ${actions}`);
		for (const action of ['BootNotification', ...actions.filter((a) => a !== 'BootNotification')]) {
			const payload = schemas.request(action) || extension[action];
			ok(payload, `a payload for ${action}`);
			const answer = await s.ask(`${version} ${action}`, action, payload, 8000);
			if (answer[0] === 4) refused.push(action);
			else equal(schemas.fault(action, answer[2]), null, `the answer to ${action}, ${JSON.stringify(answer)}`);
		}
		equal(refused, NO_WORD[version] || [], 'answered with a CALLERROR');
		ok(s.ws.readyState === 1, 'the station is still connected');
		console.log(`# ${version}: ${actions.length} messages`);
	}]);

	await run([
		['no CSMS has ever been there', () => daemon.start()],
		...cases,
		['the CSMS hears later what it has to hear', async () => {
			await cloud.listen();
			await until(20000, 'all of it', async () => (await daemon.ask('status')).queue.messages === 0 && Object.keys(VERSIONS).every((version, i) =>
				actionsOf(version).filter((a) => OWED.test(a)).every((a) => heard.some(([id, b]) => id === `S-0${i + 1}` && a === b))));
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
