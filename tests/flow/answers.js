'use strict';
// A station of this box in each state, asked everything that a CSMS can ask, by two CSMSs that have nothing in common: npm ocpp-rpc and npm
// ocpp-ws-io, both checking each message against schemas of their own. Nothing may go unanswered or break a schema, and both must hear the
// same. What they hear is docs/ANSWERS.md (`UPDATE=1` writes it).
const fs = require('fs');
const path = require('path');
const { rpc, freePort, tempDir, until, top, srcdir, Daemon, equal, ok, run } = require('./lib.js');
let ws = null;
try {
	ws = require('../node_modules/ocpp-ws-io');
} catch (e) {
	console.log('skipped: npm packages are not installed (cd tests && npm ci)');
	process.exit(77);
}

const now = () => new Date().toISOString();
const later = () => new Date(Date.now() + 3600e3).toISOString();
const FILE = { retrieveDateTime: '2020-01-01T00:00:00Z', location: 'http://127.0.0.1:9/f.bin' };
const HASH = { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber: '1' };
const token = (t) => ({ idToken: t, type: 'Central' });

/* What is asked, in this order: name, action, payload of a station `s`. What may change the state comes last, and is undone by the test. */
const ASKED = {
	'ocpp1.6': [
		['GetConfiguration', 'GetConfiguration', () => ({})],
		['ChangeConfiguration', 'ChangeConfiguration', () => ({ key: 'HeartbeatInterval', value: '300' })],
		['ChangeConfiguration, no such key', 'ChangeConfiguration', () => ({ key: 'Nothing', value: '1' })],
		['ClearCache', 'ClearCache', () => ({})],
		['DataTransfer', 'DataTransfer', () => ({ vendorId: 'x' })],
		['SendLocalList', 'SendLocalList', () => ({ listVersion: 1, updateType: 'Full', localAuthorizationList: [{ idTag: 'a', idTagInfo: { status: 'Accepted' } }] })],
		['GetLocalListVersion', 'GetLocalListVersion', () => ({})],
		['SetChargingProfile, default', 'SetChargingProfile', () => ({ connectorId: 1, csChargingProfiles: profile16('TxDefaultProfile') })],
		['SetChargingProfile, transaction', 'SetChargingProfile', () => ({ connectorId: 1, csChargingProfiles: profile16('TxProfile') })],
		['GetCompositeSchedule', 'GetCompositeSchedule', () => ({ connectorId: 1, duration: 60 })],
		['ClearChargingProfile', 'ClearChargingProfile', () => ({ id: 5 })],
		...['BootNotification', 'Heartbeat', 'MeterValues', 'StatusNotification', 'DiagnosticsStatusNotification', 'FirmwareStatusNotification']
			.map((m) => [`TriggerMessage, ${m}`, 'TriggerMessage', () => ({ requestedMessage: m })]),
		...['LogStatusNotification', 'SignChargePointCertificate'].map((m) => [`ExtendedTriggerMessage, ${m}`, 'ExtendedTriggerMessage', () => ({ requestedMessage: m })]),
		['GetDiagnostics', 'GetDiagnostics', () => ({ location: 'http://127.0.0.1:9/', retries: 0 })],
		['GetLog', 'GetLog', () => ({ logType: 'SecurityLog', requestId: 1, log: { remoteLocation: 'http://127.0.0.1:9/' } })],
		['UpdateFirmware', 'UpdateFirmware', () => ({ location: FILE.location, retrieveDate: later() })],
		['SignedUpdateFirmware', 'SignedUpdateFirmware', () => ({ requestId: 1, firmware: { ...FILE, signingCertificate: 'x', signature: 'x' } })],
		['GetInstalledCertificateIds', 'GetInstalledCertificateIds', () => ({ certificateType: 'CentralSystemRootCertificate' })],
		['InstallCertificate, none', 'InstallCertificate', () => ({ certificateType: 'CentralSystemRootCertificate', certificate: 'x' })],
		['DeleteCertificate', 'DeleteCertificate', () => ({ certificateHashData: HASH })],
		['CertificateSigned, none', 'CertificateSigned', () => ({ certificateChain: 'x' })],
		['CancelReservation, none', 'CancelReservation', () => ({ reservationId: 99 })],
		['RemoteStopTransaction, none', 'RemoteStopTransaction', () => ({ transactionId: 999999 })],
		['ChangeAvailability, Operative', 'ChangeAvailability', () => ({ connectorId: 1, type: 'Operative' }), true],
		['ChangeAvailability, Inoperative', 'ChangeAvailability', () => ({ connectorId: 1, type: 'Inoperative' }), true],
		['ReserveNow', 'ReserveNow', () => ({ connectorId: 1, expiryDate: later(), idTag: 'other', reservationId: 7 }), true],
		['RemoteStartTransaction', 'RemoteStartTransaction', () => ({ connectorId: 1, idTag: 'other' }), true],
		['RemoteStopTransaction', 'RemoteStopTransaction', (s) => ({ transactionId: Number(s.tx || 1) }), true],
		['UnlockConnector', 'UnlockConnector', () => ({ connectorId: 1 }), true],
		['Reset, Soft', 'Reset', () => ({ type: 'Soft' }), true],
		['Reset, Hard', 'Reset', () => ({ type: 'Hard' }), true],
	],
	'ocpp2.0.1': [
		['GetVariables', 'GetVariables', () => ({ getVariableData: [variable('OCPPCommCtrlr', 'OfflineThreshold'), variable('Nobody', 'Nothing')] })],
		['SetVariables', 'SetVariables', () => ({ setVariableData: [{ attributeValue: '60', ...variable('OCPPCommCtrlr', 'OfflineThreshold') }] })],
		['GetBaseReport', 'GetBaseReport', () => ({ requestId: 1, reportBase: 'FullInventory' })],
		['GetReport', 'GetReport', () => ({ requestId: 2, componentVariable: [variable('TxCtrlr', 'TxStartPoint')] })],
		['SetVariableMonitoring', 'SetVariableMonitoring', () => ({ setMonitoringData: [{ value: 9000, type: 'UpperThreshold', severity: 5,
			component: { name: 'EVSE', evse: { id: 1 } }, variable: { name: 'Power' } }] })],
		['GetMonitoringReport', 'GetMonitoringReport', () => ({ requestId: 3 })],
		['ClearVariableMonitoring', 'ClearVariableMonitoring', () => ({ id: [3] })],
		['SetMonitoringBase', 'SetMonitoringBase', () => ({ monitoringBase: 'All' })],
		['SetMonitoringLevel', 'SetMonitoringLevel', () => ({ severity: 9 })],
		['ClearCache', 'ClearCache', () => ({})],
		['DataTransfer', 'DataTransfer', () => ({ vendorId: 'x' })],
		['SendLocalList', 'SendLocalList', () => ({ versionNumber: 1, updateType: 'Full', localAuthorizationList: [{ idToken: token('a'), idTokenInfo: { status: 'Accepted' } }] })],
		['GetLocalListVersion', 'GetLocalListVersion', () => ({})],
		['SetChargingProfile, default', 'SetChargingProfile', () => ({ evseId: 1, chargingProfile: profile201('TxDefaultProfile') })],
		['SetChargingProfile, transaction', 'SetChargingProfile', (s) => ({ evseId: 1, chargingProfile: { ...profile201('TxProfile'), id: 6, transactionId: s.tx || 'x' } })],
		['GetChargingProfiles', 'GetChargingProfiles', () => ({ requestId: 4, chargingProfile: {} })],
		['GetCompositeSchedule', 'GetCompositeSchedule', () => ({ evseId: 1, duration: 60 })],
		['ClearChargingProfile', 'ClearChargingProfile', () => ({ chargingProfileId: 5 })],
		...['BootNotification', 'Heartbeat', 'MeterValues', 'StatusNotification', 'TransactionEvent', 'LogStatusNotification', 'FirmwareStatusNotification',
			'SignChargingStationCertificate', 'SignV2GCertificate', 'PublishFirmwareStatusNotification']
			.map((m) => [`TriggerMessage, ${m}`, 'TriggerMessage', () => ({ requestedMessage: m })]),
		['GetLog', 'GetLog', () => ({ logType: 'SecurityLog', requestId: 1, log: { remoteLocation: 'http://127.0.0.1:9/' } })],
		['UpdateFirmware', 'UpdateFirmware', () => ({ requestId: 1, firmware: { ...FILE, retrieveDateTime: later() } })],
		['PublishFirmware', 'PublishFirmware', () => ({ location: FILE.location, checksum: '0'.repeat(32), requestId: 1 })],
		['UnpublishFirmware', 'UnpublishFirmware', () => ({ checksum: '0'.repeat(32) })],
		['GetInstalledCertificateIds', 'GetInstalledCertificateIds', () => ({})],
		['InstallCertificate, none', 'InstallCertificate', () => ({ certificateType: 'CSMSRootCertificate', certificate: 'x' })],
		['DeleteCertificate', 'DeleteCertificate', () => ({ certificateHashData: HASH })],
		['CertificateSigned, none', 'CertificateSigned', () => ({ certificateChain: 'x' })],
		['SetNetworkProfile', 'SetNetworkProfile', () => ({ configurationSlot: 1, connectionData: { ocppVersion: 'OCPP20', ocppTransport: 'JSON',
			ocppCsmsUrl: 'ws://127.0.0.1:9/', messageTimeout: 30, securityProfile: 0, ocppInterface: 'Wired0' } })],
		['GetTransactionStatus', 'GetTransactionStatus', () => ({})],
		['CostUpdated', 'CostUpdated', (s) => ({ totalCost: 1, transactionId: s.tx || 'x' })],
		['CustomerInformation', 'CustomerInformation', () => ({ requestId: 5, report: true, clear: false, idToken: token('a') })],
		['SetDisplayMessage', 'SetDisplayMessage', () => ({ message: { id: 1, priority: 'NormalCycle', message: { format: 'UTF8', content: 'x' } } })],
		['GetDisplayMessages', 'GetDisplayMessages', () => ({ requestId: 6 })],
		['ClearDisplayMessage', 'ClearDisplayMessage', () => ({ id: 1 })],
		['CancelReservation, none', 'CancelReservation', () => ({ reservationId: 99 })],
		['RequestStopTransaction, none', 'RequestStopTransaction', () => ({ transactionId: 'none' })],
		['ChangeAvailability, Operative', 'ChangeAvailability', () => ({ operationalStatus: 'Operative', evse: { id: 1 } }), true],
		['ChangeAvailability, Inoperative', 'ChangeAvailability', () => ({ operationalStatus: 'Inoperative', evse: { id: 1 } }), true],
		['ReserveNow', 'ReserveNow', () => ({ id: 7, evseId: 1, expiryDateTime: later(), idToken: token('other') }), true],
		['RequestStartTransaction', 'RequestStartTransaction', () => ({ evseId: 1, remoteStartId: 2, idToken: token('other') }), true],
		['RequestStopTransaction', 'RequestStopTransaction', (s) => ({ transactionId: s.tx || 'x' }), true],
		['UnlockConnector', 'UnlockConnector', () => ({ evseId: 1, connectorId: 1 }), true],
		['Reset, OnIdle', 'Reset', () => ({ type: 'OnIdle' }), true],
		['Reset, Immediate', 'Reset', () => ({ type: 'Immediate' }), true],
	],
};

function profile16(purpose) {
	return { chargingProfileId: 5, stackLevel: 0, chargingProfilePurpose: purpose, chargingProfileKind: 'Relative',
		chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 14 }] } };
}

function profile201(purpose) {
	return { id: 5, stackLevel: 0, chargingProfilePurpose: purpose, chargingProfileKind: 'Relative',
		chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 14 }] }] };
}

function variable(component, name) {
	return { component: { name: component }, variable: { name } };
}

const STATES = ['pending', 'available', 'plugged', 'charging', 'suspended', 'finishing', 'reserved', 'unavailable', 'faulted'];
const SEEN_AS = { available: 'Available', plugged: ['Preparing', 'Occupied'], charging: 'Charging', suspended: 'SuspendedEV', finishing: ['Finishing', 'Occupied'],
	reserved: 'Reserved', unavailable: 'Unavailable', faulted: 'Faulted' };

class Station {
	constructor(csms, version, state, dir) {
		Object.assign(this, { csms, version, state, id: `${csms}-${version === 'ocpp1.6' ? 16 : 201}-${state}` });
		this.file = path.join(dir, `${this.id}.json`);
		this.old = version === 'ocpp1.6';
		this.answers = {};
		this.boots = 0;
		this.move({ plugged: false });
	}

	move(car) {
		const text = JSON.stringify({ wants: false, max_a: 16, phases: 3, ...car });
		fs.writeFileSync(`${this.file}.new`, text);
		fs.renameSync(`${this.file}.new`, this.file); // never half of it
	}

	// What the station says, for both peers.
	hear(action, p) {
		if (action === 'StatusNotification' && (!this.old || p.connectorId === 1)) this.cable = p.status || p.connectorStatus;
		if (action === 'StartTransaction') this.tx = String(++Station.numbers);
		if (action === 'StopTransaction') this.tx = null;
		if (action === 'TransactionEvent') {
			this.tx = p.eventType === 'Ended' ? null : p.transactionInfo.transactionId;
			this.does = this.tx ? p.transactionInfo.chargingState || this.does : null;
		}
		switch (action) {
		case 'BootNotification':
			this.boots++;
			return { status: this.state === 'pending' ? 'Pending' : 'Accepted', currentTime: now(), interval: 300 };
		case 'Heartbeat': return { currentTime: now() };
		case 'Authorize': return this.old ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } };
		case 'StartTransaction': return { transactionId: Number(this.tx), idTagInfo: { status: 'Accepted' } };
		case 'SignCertificate': return { status: 'Rejected' };
		case 'DataTransfer': return { status: 'UnknownVendorId' };
		default: return {};
		}
	}

	is() {
		return this.old ? this.cable : this.does === 'Charging' || this.does === 'SuspendedEV' ? this.does : this.cable;
	}

	async call(action, params) {
		try {
			const r = await this.link.call(action, params);
			const inner = r.getVariableResult || r.setVariableResult || r.setMonitoringResult || r.clearMonitoringResult;
			return r.status || (inner ? inner.map((x) => x.attributeStatus || x.status).join(', ') : 'answered');
		} catch (e) {
			const code = e.rpcErrorCode || e.code;
			if (!code || /timeout|closed|disconnect/i.test(`${code} ${e.message}`)) throw new Error(`${this.id} ${action}: ${e.message}`);
			return code;
		}
	}

	async enter() {
		const seen = (what) => until(6000, `${this.id}: ${what} (it is ${this.is()})`, () => [].concat(SEEN_AS[what]).includes(this.is()));
		const evse = this.old ? { connectorId: 1 } : { evse: { id: 1 } };
		await until(8000, `${this.id}: a link`, () => this.link && this.boots > 0);
		if (this.state === 'pending') {
			await this.call('ChangeAvailability', this.old ? { connectorId: 1, type: 'Operative' } : { operationalStatus: 'Operative', ...evse });
			return;
		}
		// Out of operation and back: a token that waits for a car is forgotten on the way.
		const operate = (how) => this.call('ChangeAvailability', this.old ? { connectorId: 1, type: how } : { operationalStatus: how, ...evse });
		await operate('Inoperative');
		await this.call('CancelReservation', { reservationId: 7 });
		this.move({ plugged: false });
		await until(6000, `${this.id}: out of operation`, () => this.is() === 'Unavailable' && !this.tx);
		await operate('Operative');
		await until(6000, `${this.id}: at rest`, () => this.is() === 'Available' && !this.tx);
		if (['plugged', 'charging', 'suspended', 'finishing'].includes(this.state)) {
			this.move({ plugged: true });
			await seen('plugged');
		}
		if (['charging', 'suspended', 'finishing'].includes(this.state)) {
			const begun = await this.call(this.old ? 'RemoteStartTransaction' : 'RequestStartTransaction',
				this.old ? { connectorId: 1, idTag: 'mine' } : { evseId: 1, remoteStartId: 1, idToken: token('mine') });
			equal(begun, 'Accepted', `${this.id}: the start`);
			await seen('suspended');
		}
		if (this.state === 'charging') {
			this.move({ plugged: true, wants: true });
			await seen('charging');
		} else if (this.state === 'finishing') {
			await this.call(this.old ? 'RemoteStopTransaction' : 'RequestStopTransaction', { transactionId: this.old ? Number(this.tx) : this.tx });
			await until(6000, `${this.id}: the end`, () => !this.tx);
			await seen('finishing');
		} else if (this.state === 'reserved') {
			await this.call('ReserveNow', this.old ? { connectorId: 1, expiryDate: later(), idTag: 'mine', reservationId: 7 }
				: { id: 7, evseId: 1, expiryDateTime: later(), idToken: token('mine') });
			await seen('reserved');
		} else if (this.state === 'unavailable') {
			await this.call('ChangeAvailability', this.old ? { connectorId: 1, type: 'Inoperative' } : { operationalStatus: 'Inoperative', ...evse });
			await seen('unavailable');
		} else if (this.state === 'faulted') {
			this.move({ plugged: false, broken: ['emergency'] });
			await seen('faulted');
		}
	}

	async askAll() {
		await this.enter();
		for (const [name, action, payload, disturbs] of ASKED[this.version]) {
			const boots = this.boots;
			let answer = await this.call(action, payload(this));
			// Whether the upload asked for before is still on its way is up to the network.
			if (answer === 'AcceptedCanceled') answer = 'Accepted';
			this.answers[name] = answer;
			if (!disturbs || !/^(Accepted|Scheduled|Unlocked)/.test(answer)) continue;
			if (name === 'ChangeAvailability, Operative' && this.state !== 'unavailable') continue;
			if (action === 'Reset') {
				if (answer === 'Scheduled') this.move({ plugged: false });
				await until(10000, `${this.id}: the boot after ${name}`, () => this.boots > boots);
			}
			if (name !== ASKED[this.version].at(-1)[0]) await this.enter();
		}
	}
}
Station.numbers = 0;

// Both libraries look alike from outside, but for how a handler for everything is registered.
async function listen(library, port, stations, failed) {
	const Server = library === 'rpc' ? rpc.RPCServer : ws.OCPPServer;
	const server = new Server({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true, logging: false, callTimeoutMs: 20000 });
	if (library === 'rpc') server.auth((accept) => accept({}));
	else server.auth((ctx) => ctx.accept());
	server.on('client', (c) => {
		const s = stations.find((x) => x.id === c.identity);
		if (!s) return;
		s.link = c;
		c.on('strictValidationFailure', (e) => failed.push(`${s.id}: ${e.error ? e.error.message : JSON.stringify(e)}`));
		if (library === 'rpc') {
			c.handle(({ method, params }) => s.hear(method, params));
		} else {
			c.handle((method, { params }) => s.hear(method, params));
		}
	});
	await server.listen(port, library === 'rpc' ? '127.0.0.1' : undefined);
	return server;
}

function page(tables) {
	let out = `# What a station of this box answers

Made by \`UPDATE=1 node tests/flow/answers.js\`; the test holds it against what two CSMSs hear that check every message (npm ocpp-rpc and
ocpp-ws-io): each action of the CSMS in each state of a station with a car simulator behind it. No answer was missing, none broke a schema, and
both heard the same. An answer without a status is "answered"; what is no status is the code of a CALLERROR.
`;
	for (const [version, table] of Object.entries(tables)) {
		out += `\n## ${version.replace('ocpp', 'OCPP ')}\n\n| asked | ${STATES.join(' | ')} |\n|${' --- |'.repeat(STATES.length + 1)}\n`;
		for (const [name, row] of Object.entries(table)) out += `| ${name} | ${STATES.map((s) => row[s]).join(' | ')} |\n`;
	}
	return out;
}

async function main() {
	const dir = tempDir();
	const ports = { rpc: await freePort(), wsio: await freePort() };
	const stations = [];
	for (const csms of Object.keys(ports))
		for (const version of Object.keys(ASKED))
			for (const state of STATES) stations.push(new Station(csms, version, state, dir));
	const evses = stations.map((s) => `  ${s.id}: {circuit: relays, uplink: ${s.csms}, version: ${s.version}, driver: sim, pilot: true, file: ${s.file}, current_a: 16}`);
	const uplinks = Object.entries(ports).map(([id, port]) => `  ${id}: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${port}/{id}"}], reconnect: {min: 100ms, max: 1s}}`);
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}, relays: {parent: grid, limit_a: 1000}}
evses:
${evses.join('\n')}
uplinks:
${uplinks.join('\n')}
log: {level: info, target: stderr}
`);
	const failed = [];
	const servers = [];
	await run([
		[`${stations.length} stations of two versions in ${STATES.length} states at two CSMSs`, async () => {
			for (const [library, port] of Object.entries(ports)) servers.push(await listen(library, port, stations.filter((s) => s.csms === library), failed));
			await daemon.start();
			await Promise.all(stations.map((s) => until(20000, `${s.id} boots`, () => s.boots > 0)));
		}],
		['everything is asked in every state, and answered', async () => {
			await Promise.all(stations.map((s) => s.askAll()));
			const n = stations.reduce((sum, s) => sum + Object.keys(s.answers).length, 0);
			console.log(`# ${n} calls, none unanswered`);
		}],
		['no message broke a schema', async () => equal(failed, [], 'violations')],
		['both CSMSs heard the same, as the page says', async () => {
			const tables = {};
			for (const version of Object.keys(ASKED)) {
				tables[version] = {};
				for (const [name] of ASKED[version]) {
					const row = tables[version][name] = {};
					for (const state of STATES) {
						const [a, b] = Object.keys(ports).map((csms) => stations.find((s) => s.csms === csms && s.version === version && s.state === state).answers[name]);
						equal(b, a, `${version} ${name} ${state}: the second CSMS`);
						row[state] = a;
					}
				}
			}
			const file = path.join(srcdir, 'docs', 'ANSWERS.md');
			// What needs libcurl is not offered by a build without it.
			if (!fs.readFileSync(path.join(top, 'config.h'), 'utf8').includes('#define HAVE_CURL 1')) return;
			if (process.env.UPDATE) fs.writeFileSync(file, page(tables));
			ok(fs.readFileSync(file, 'utf8') === page(tables), 'docs/ANSWERS.md is not what was heard: UPDATE=1 node tests/flow/answers.js');
		}],
		['the daemon ends in order', async () => {
			await daemon.stop();
			await Promise.all(servers.map((s) => s.close({ force: true })));
		}],
	]);
}

main();
