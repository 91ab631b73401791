'use strict';
// What a CSMS asks of a group of stations beside charging: displays, customers, monitors, profiles, certificates, reports, its password. Stations refuse, come
// late, answer late or never, and the daemon is killed with jobs half done. The CSMS does not accept the group at once.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { rpc, freePort, tempDir, until, Daemon, Csms, station, insist, equal, ok, run } = require('./lib.js');

const is16 = (m) => m.version === 'ocpp1.6';
const TOLD = ['NotifyDisplayMessages', 'NotifyCustomerInformation', 'NotifyMonitoringReport', 'ReportChargingProfiles', 'NotifyEvent', 'SignCertificate'];

// A CSMS that accepts when the test says so, and looks at passwords.
class Careful extends Csms {
	constructor(port) {
		super(port);
		this.boot = { status: 'Accepted', interval: 300 };
		this.told = [];
		this.early = [];
		this.password = {};
	}

	async listen() {
		this.server = new rpc.RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true });
		this.server.auth((accept, reject, h) => {
			const shown = h.password && h.password.toString();
			this.shown = { ...this.shown, [h.identity]: shown };
			if (this.password[h.identity] && this.password[h.identity] !== shown) reject(401);
			else accept({});
		});
		this.server.on('client', (c) => this.serve(c));
		this.http = await this.server.listen(this.port, '127.0.0.1');
	}

	serve(c) {
		super.serve(c);
		c.handle('BootNotification', ({ params }) => {
			this.boots.push({ station: c.identity, params });
			return { ...this.boot, currentTime: new Date().toISOString() };
		});
		for (const method of ['StartTransaction', 'StatusNotification']) {
			const handle = c._handlers && c._handlers.get(method);
			if (!handle) continue;
			c.handle(method, (call) => {
				if (this.boot.status !== 'Accepted') {
					this.early.push(method);
					throw rpc.createRPCError('SecurityError', 'not accepted');
				}
				return handle(call);
			});
		}
		for (const method of TOLD)
			c.handle(method, ({ params }) => {
				this.told.push({ station: c.identity, method, params });
				return method === 'SignCertificate' ? { status: 'Accepted' } : {};
			});
	}

	all(method, requestId) {
		return this.told.filter((t) => t.method === method && (requestId === undefined || t.params.requestId === requestId)).map((t) => t.params);
	}
}

const boot = (m) => m.client.call('BootNotification', is16(m) ? { chargePointVendor: 'Flow', chargePointModel: 'One' } : { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } });

async function connect(m, port) {
	m.client = await station(port, m.id, m.version);
	m.asked = m.asked || [];
	const answer = (method, make) => m.client.handle(method, (call) => {
		m.asked.push({ method, params: call.params });
		return make(call.params);
	});
	answer('TriggerMessage', () => ({ status: 'Accepted' }));
	for (const [method, make] of Object.entries(m.does || {})) answer(method, make);
	m.answered = await boot(m);
	await m.client.call('StatusNotification', is16(m) ? { connectorId: 1, errorCode: 'NoError', status: 'Available' }
		: { timestamp: new Date().toISOString(), evseId: 1, connectorId: 1, connectorStatus: 'Available' });
}

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
	const yes = () => ({ status: 'Accepted' });
	const A = { id: 'A-16', group: 'new', version: 'ocpp1.6' }, B = { id: 'B-20', group: 'new', version: 'ocpp2.0.1' }, C = { id: 'C-20', group: 'new', version: 'ocpp2.0.1' };
	const D = { id: 'D-16', group: 'old', version: 'ocpp1.6' }, E = { id: 'E-20', group: 'old', version: 'ocpp2.0.1' };
	const F = { id: 'F-16', group: 'mute', version: 'ocpp1.6' }, G = { id: 'G-16', group: 'mute', version: 'ocpp1.6' }, L = { id: 'L-20', group: 'new', version: 'ocpp2.0.1' };
	const members = [A, B, C, D, E, F, G];
	const yaml = `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
stations:
${[...members, L].map((m) => `  ${m.id}: {circuit: grid, uplink: ${m.group}}`).join('\n')}
uplinks:
${['old', 'new', 'mute'].map((u) => `  ${u}: {mode: aggregate, version: ${u === 'new' ? 'ocpp2.0.1' : 'ocpp1.6'}, identity: SITE-${u}, security_profile: 1, password: "${u}-password-of-a-site",
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}, call_timeout: 5s}`).join('\n')}
log: {level: info, target: stderr}
`;
	const daemon = new Daemon(dir, yaml), csms = new Careful(csmsPort);
	const ask = (group, method, params) => csms.clients.get(`SITE-${group}`).call(method, params);
	let numbers;
	const number = (m) => numbers[m.group].find((p) => p.station === m.id).number;
	const told = (m, method) => m.asked.filter((a) => a.method === method).map((a) => a.params);
	const forget = () => members.forEach((m) => (m.asked.length = 0));
	let late;
	[B, C, L].forEach((m, i) => (m.last = 40 + 10 * i));
	const monitors = (m) => ({
		SetVariableMonitoring: ({ setMonitoringData: [d] }) => ({ setMonitoringResult: [{ ...(m.stubborn ? {} : { id: d.id || ++m.last }), status: m.stubborn ? 'Rejected' : 'Accepted',
			type: d.type, severity: d.severity, component: d.component, variable: d.variable }] }),
		ClearVariableMonitoring: ({ id }) => ({ clearMonitoringResult: id.map((one) => ({ id: one, status: 'Accepted' })) }),
		GetMonitoringReport: yes, SetMonitoringBase: yes, SetMonitoringLevel: yes,
	});
	for (const m of [B, C, L]) m.does = { ...monitors(m), SetDisplayMessage: yes, GetDisplayMessages: yes, CustomerInformation: yes, ClearDisplayMessage: yes, UpdateFirmware: yes, GetReport: yes };
	C.does.ClearDisplayMessage = () => ({ status: 'Unknown' });
	for (const m of [A, B, C, D, E, L]) m.does = { ...m.does, InstallCertificate: yes, CertificateSigned: yes, DeleteCertificate: () => ({ status: m === B ? 'Accepted' : 'NotFound' }) };
	A.does.UpdateFirmware = () => ({});
	A.does.ChangeConfiguration = D.does.ChangeConfiguration = E.does.SetVariables = yes;
	const hash = (serialNumber) => ({ hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber });
	for (const m of [A, D]) m.does.GetInstalledCertificateIds = ({ certificateType }) => certificateType === 'CentralSystemRootCertificate' ? { status: 'Accepted', certificateHashData: [hash('01')] } : { status: 'NotFound' };
	for (const m of [B, E]) m.does.GetInstalledCertificateIds = ({ certificateType }) => certificateType.includes('CSMSRootCertificate')
		? { status: 'Accepted', certificateHashDataChain: [{ certificateType: 'CSMSRootCertificate', certificateHashData: hash('01') }, { certificateType: 'CSMSRootCertificate', certificateHashData: hash('02') }] } : { status: 'NotFound' };
	C.does.GetInstalledCertificateIds = L.does.GetInstalledCertificateIds = () => ({ status: 'NotFound' });
	F.does = { ClearCache: yes };
	let answerLate;
	G.does = { ClearCache: () => (answerLate ? yes() : new Promise((resolve) => (answerLate = resolve))) };
	const variable = { component: { name: 'ChargingStation' }, variable: { name: 'Problem' } }, at = (n) => ({ component: { name: 'EVSE', evse: { id: n } }, variable: { name: 'Problem' } });
	const set = (...rows) => ask('new', 'SetVariableMonitoring', { setMonitoringData: rows.map((r) => ({ value: 1, type: 'Delta', severity: 3, ...r })) }).then((r) => r.setMonitoringResult);
	let whole, single;

	await run([
		['a CSMS that does not accept a group yet hears nothing of its stations, and they are told to wait', async () => {
			csms.boot = { status: 'Pending', interval: 1 };
			await csms.listen();
			await daemon.start();
			await until(5000, 'the groups ask', () => csms.boots.length >= 3);
			await until(5000, 'and ask again', () => csms.boots.length >= 6);
			await Promise.all(members.map((m) => connect(m, port)));
			equal(members.map((m) => m.answered.status), members.map(() => 'Pending'), 'their boots');
			csms.boot = { status: 'Rejected', interval: 1 };
			await until(5000, 'the groups ask again', () => csms.boots.length >= 12);
			equal((await boot(A)).status, 'Pending', 'a boot while the group is rejected');
			// A station that does not wait: what it has begun is not lost.
			const start = insist(D.client, 'StartTransaction', { connectorId: 1, idTag: 'T', meterStart: 5, timestamp: new Date().toISOString() });
			const before = csms.boots.length;
			await until(8000, 'two more boots', () => csms.boots.length >= before + 6);
			equal([csms.early, csms.statuses.length, csms.starts.length], [[], 0, 0], 'what the CSMS hears');
			csms.boot = { status: 'Accepted', interval: 300 };
			await until(8000, 'all states are told', () => csms.statuses.length >= members.length);
			await until(8000, 'the transaction is told', () => csms.starts.length === 1);
			const { transactionId } = await start;
			await D.client.call('StopTransaction', { transactionId, meterStop: 6, timestamp: new Date().toISOString() });
			await until(5000, 'and its end', () => csms.stops.length === 1);
			for (const m of members) equal((await boot(m)).status, 'Accepted', `a boot of ${m.id}`);
			numbers = {};
			for (const u of ['old', 'new', 'mute']) numbers[u] = await daemon.ask('uplink.map', { uplink: u });
		}],
		['display messages: to those with a display, told once', async () => {
			const message = (id, more) => ({ message: { id, priority: 'NormalCycle', message: { format: 'UTF8', content: 'Hello' }, ...more } });
			equal(await ask('new', 'SetDisplayMessage', message(1)), { status: 'Accepted' }, 'for all');
			equal([told(B, 'SetDisplayMessage').length, told(C, 'SetDisplayMessage').length], [1, 1], 'both hear it');
			forget();
			equal(await ask('new', 'SetDisplayMessage', message(2, { display: { name: 'Display', evse: { id: number(C) } } })), { status: 'Accepted' }, 'for one');
			equal([told(B, 'SetDisplayMessage').length, told(C, 'SetDisplayMessage')[0].message.display.evse.id], [0, 1], 'it goes to one, under its own number');
			equal(await ask('new', 'SetDisplayMessage', message(3, { transactionId: 'nobodys' })), { status: 'UnknownTransaction' }, 'for a transaction that nobody has');
			equal(await ask('new', 'GetDisplayMessages', { requestId: 5 }), { status: 'Accepted' }, 'which there are');
			const info = (id, evse) => ({ id, priority: 'NormalCycle', message: { format: 'UTF8', content: 'Hello' }, ...(evse ? { display: { name: 'Display', evse: { id: evse } } } : {}) });
			await B.client.call('NotifyDisplayMessages', { requestId: 5, messageInfo: [info(1)] });
			await C.client.call('NotifyDisplayMessages', { requestId: 5, tbc: true, messageInfo: [info(1)] });
			await C.client.call('NotifyDisplayMessages', { requestId: 5, messageInfo: [info(2, 1)] });
			await until(5000, 'they are told', () => csms.all('NotifyDisplayMessages', 5).some((p) => !p.tbc));
			const parts = csms.all('NotifyDisplayMessages', 5);
			equal(parts.map((p) => p.tbc), [true, false], 'the last says so');
			equal(parts.flatMap((p) => p.messageInfo.map((i) => [i.id, i.display && i.display.evse.id])), [[1, undefined], [2, number(C)]], 'each once, under the group\'s number');
			equal(await ask('new', 'ClearDisplayMessage', { id: 1 }), { status: 'Accepted' }, 'one station had it, one had not');
		}],
		['customer information of all as one account', async () => {
			equal(await ask('new', 'CustomerInformation', { requestId: 6, report: true, clear: false }), { status: 'Accepted' }, 'the question');
			const part = (m, seqNo, data, tbc) => m.client.call('NotifyCustomerInformation', { requestId: 6, seqNo, data, tbc, generatedAt: new Date().toISOString() });
			await part(C, 0, 'c0', false);
			await part(B, 0, 'b0', true);
			await part(B, 1, 'b1', false);
			await until(5000, 'it is told', () => csms.all('NotifyCustomerInformation', 6).length === 3);
			equal(csms.all('NotifyCustomerInformation', 6).map((p) => [p.seqNo, p.data, p.tbc]), [[0, 'c0', true], [1, 'b0', true], [2, 'b1', false]], 'its parts');
			equal((await ask('new', 'CustomerInformation', { requestId: 7, report: true, clear: false })).status, 'Accepted', 'one that a station answers and leaves');
			await part(B, 0, 'late', false);
		}],
		['monitors: one number for the CSMS, whatever stations call them', async () => {
			[whole, single] = await set(variable, at(number(C)));
			equal([whole.status, single.status], ['Accepted', 'Accepted'], 'set');
			equal(told(C, 'SetVariableMonitoring').filter((p) => p.setMonitoringData[0].component.evse).map((p) => p.setMonitoringData[0].component.evse.id), [1], 'under its own number');
			equal((await set(at(99)))[0].status, 'UnknownComponent', 'at no EVSE');
			equal((await set({ ...variable, id: 4711 }))[0].status, 'Rejected', 'a number that was never given');
			C.stubborn = true;
			forget();
			equal((await set({ component: { name: 'ChargingStation' }, variable: { name: 'Available' } }))[0].status, 'Rejected', 'one that a station refuses');
			await until(5000, 'it is taken back from the other', () => told(B, 'ClearVariableMonitoring').length === 1);
			C.stubborn = false;
			const event = (id) => ({ generatedAt: new Date().toISOString(), seqNo: 0, eventData: [{ eventId: 1, timestamp: new Date().toISOString(), trigger: 'Delta', actualValue: 'true',
				variableMonitoringId: id, eventNotificationType: 'CustomMonitor', ...variable }] });
			await B.client.call('NotifyEvent', event(41));
			await C.client.call('NotifyEvent', event(51));
			await until(5000, 'both events', () => csms.all('NotifyEvent').length === 2);
			const events = csms.all('NotifyEvent').map((p) => p.eventData[0]);
			equal(events.map((e) => e.variableMonitoringId), [whole.id, whole.id], 'of one monitor');
			ok(events[0].eventId !== events[1].eventId, 'two events are two numbers');
			equal([(await ask('new', 'SetMonitoringBase', { monitoringBase: 'All' })).status, (await ask('new', 'SetMonitoringLevel', { severity: 5 })).status], ['Accepted', 'Accepted'], 'base and level');
			equal((await ask('new', 'GetMonitoringReport', { requestId: 8 })).status, 'Accepted', 'a report');
			const report = (m, id, where) => m.client.call('NotifyMonitoringReport', { requestId: 8, seqNo: 0, generatedAt: new Date().toISOString(),
				monitor: [{ ...where, variableMonitoring: [{ id, transaction: false, value: 1, type: 'Delta', severity: 3 }] }] });
			await report(B, 41, variable);
			await report(C, 52, at(1));
			await until(5000, 'it comes', () => csms.all('NotifyMonitoringReport', 8).length === 2);
			const rows = csms.all('NotifyMonitoringReport', 8).flatMap((p) => p.monitor.map((m) => [m.component.evse && m.component.evse.id, m.variableMonitoring[0].id]));
			equal(rows, [[undefined, whole.id], [number(C), single.id]], 'by the group\'s numbers');
		}],
		['over kill -9: numbers of monitors, and a job half done', async () => {
			equal((await ask('new', 'UpdateFirmware', { requestId: 9, firmware: { location: 'ftp://x/f', retrieveDateTime: new Date().toISOString() } })).status, 'Accepted', 'a job');
			const say = (m, status) => m.client.call('FirmwareStatusNotification', is16(m) ? { status } : { status, requestId: 9 });
			for (const m of [A, B, C]) await say(m, 'Downloading');
			await say(B, 'Installed');
			await until(5000, 'it is under way', () => csms.jobs.some((j) => j.params.status === 'Downloading'));
			const mark = csms.jobs.length;
			const gone = members.map((m) => m.client.close({ force: true }));
			await daemon.kill();
			await Promise.all(gone);
			csms.clients.clear();
			await daemon.start();
			await Promise.all([...members, L].map((m) => connect(m, port)));
			await until(8000, 'the groups are back', () => csms.clients.size === 3);
			late = ask('mute', 'ClearCache', {}); // one station does not answer: looked at below
			await say(A, 'Installed');
			await say(C, 'InstallationFailed');
			await until(8000, 'its end is told', () => csms.jobs.slice(mark).length >= 1);
			equal(csms.jobs.slice(mark).map((j) => [j.params.status, j.params.requestId]), [['InstallationFailed', 9]], 'the end of the job');
			await until(8000, 'a station that came later gets the monitor of the whole', () => told(L, 'SetVariableMonitoring').length === 1);
			forget();
			const cleared = await ask('new', 'ClearVariableMonitoring', { id: [whole.id, single.id, 4711] });
			equal(cleared.clearMonitoringResult.map((r) => [r.id, r.status]), [[whole.id, 'Accepted'], [single.id, 'Accepted'], [4711, 'NotFound']], 'cleared');
			equal([told(B, 'ClearVariableMonitoring'), told(C, 'ClearVariableMonitoring').map((p) => p.id[0]).sort()], [[{ id: [41] }], [51, 52]], 'by their own numbers');
		}],
		['profiles: what was installed, also in a station of 1.6', async () => {
			const profile = (id, limit, more = {}) => ({ id, stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative',
				chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }], ...more });
			equal((await ask('new', 'SetChargingProfile', { evseId: number(A), chargingProfile: profile(21, 9) })).status, 'Accepted', 'at a station of 1.6');
			equal((await ask('new', 'SetChargingProfile', { evseId: number(B), chargingProfile: profile(22, 11) })).status, 'Accepted', 'at one of 2.0.1');
			equal((await ask('new', 'SetChargingProfile', { evseId: 0, chargingProfile: profile(23, 20, { stackLevel: 0 }) })).status, 'Accepted', 'a default for all');
			equal((await ask('new', 'GetChargingProfiles', { requestId: 10, chargingProfile: {} })).status, 'Accepted', 'the question');
			await until(5000, 'reports', () => csms.all('ReportChargingProfiles', 10).some((p) => !p.tbc));
			const all = csms.all('ReportChargingProfiles', 10).flatMap((p) => p.chargingProfile.map((c) => [p.evseId, c.id, c.chargingSchedule[0].chargingSchedulePeriod[0].limit]));
			equal(all, [[0, 23, 20], [number(A), 21, 9], [number(B), 22, 11]], 'all that there are');
			equal((await ask('new', 'GetChargingProfiles', { requestId: 11, chargingProfile: { chargingProfileId: [99] } })).status, 'NoProfiles', 'one that is not there');
		}],
		['what is asked of one connector is answered under the group\'s number, in the group\'s words', async () => {
			const first = (schedule) => schedule.chargingSchedulePeriod[0].limit;
			for (const [m, limit] of [[A, 9], [B, 11], [C, 20]]) {
				const { status, schedule } = await ask('new', 'GetCompositeSchedule', { evseId: number(m), duration: 300 });
				equal([status, schedule.evseId, schedule.duration], ['Accepted', number(m), 300], `the schedule of ${m.id}`);
				ok(first(schedule) > 0 && first(schedule) <= limit, `${m.id} may take ${first(schedule)} A by a profile of ${limit} A`);
			}
			for (const m of [D, E]) {
				const { status, connectorId, chargingSchedule } = await ask('old', 'GetCompositeSchedule', { connectorId: number(m), duration: 300 });
				equal([status, connectorId, chargingSchedule.duration], ['Accepted', number(m), 300], `the schedule of ${m.id}`);
			}
			forget();
			const trigger = async (group, requestedMessage, more) => (await ask(group, group === 'old' && requestedMessage.startsWith('Sign') ? 'ExtendedTriggerMessage' : 'TriggerMessage', { requestedMessage, ...more })).status;
			equal(await trigger('new', 'TransactionEvent', { evse: { id: number(A) } }), 'Accepted', 'a station of 1.6 tells of a transaction');
			equal(told(A, 'TriggerMessage').filter((p) => p.requestedMessage === 'MeterValues').map((p) => p.connectorId), [1], 'by its meter values');
			equal(await trigger('old', 'SignChargePointCertificate'), 'Accepted', 'a request to sign');
			equal(told(E, 'TriggerMessage').map((p) => p.requestedMessage).filter((w) => w.startsWith('Sign')), ['SignChargingStationCertificate'], 'in the words of 2.0.1');
			equal(await trigger('new', 'MeterValues', { evse: { id: 99 } }), 'Rejected', 'of no EVSE');
			equal(await trigger('new', 'BootNotification'), 'Rejected', 'a boot of what is accepted');
		}],
		['a no has a reason in 2.0.1', async () => {
			const token = { idToken: 'T', type: 'ISO14443' };
			const reason = async (method, params) => { const { status, statusInfo } = await ask('new', method, params); return [status, statusInfo && statusInfo.reasonCode]; };
			equal(await reason('RequestStartTransaction', { remoteStartId: 1, idToken: token, evseId: 99 }), ['Rejected', 'UnknownEvse'], 'no such EVSE');
			equal(await reason('RequestStopTransaction', { transactionId: 'nobodys' }), ['Rejected', 'UnknownTxId'], 'no such transaction');
			equal(await reason('UnlockConnector', { evseId: number(A), connectorId: 7 }), ['UnknownConnector', 'UnknownConnectorId'], 'no such connector');
			equal(await reason('CancelReservation', { reservationId: 4711 }), ['Rejected', 'NotFound'], 'no such reservation');
			equal(await reason('PublishFirmware', { location: 'http://x', checksum: 'c', requestId: 1 }), ['Rejected', 'UnsupportedRequest'], 'not for a group');
			B.client.handle('ClearCache', () => ({ status: 'Rejected', statusInfo: { reasonCode: 'NotEnabled' } }));
			const { status, statusInfo } = await ask('new', 'ClearCache', {});
			equal([status, statusInfo], ['Rejected', { reasonCode: 'NotEnabled', additionalInfo: 'B-20: Rejected' }], 'that of a station, and which it is');
		}],
		['certificates: roots to all, across versions; a signed one to the station whose key it is', async () => {
			equal((await ask('new', 'InstallCertificate', { certificateType: 'CSMSRootCertificate', certificate: 'pem' })).status, 'Accepted', 'a root');
			equal(told(A, 'InstallCertificate')[0].certificateType, 'CentralSystemRootCertificate', 'in the words of 1.6');
			equal((await ask('old', 'InstallCertificate', { certificateType: 'CentralSystemRootCertificate', certificate: 'pem' })).status, 'Accepted', 'and the other way');
			equal(told(E, 'InstallCertificate')[0].certificateType, 'CSMSRootCertificate', 'in the words of 2.0.1');
			const serials = (list) => list.map((c) => (c.certificateHashData || c).serialNumber).sort();
			equal(serials((await ask('new', 'GetInstalledCertificateIds', {})).certificateHashDataChain), ['01', '02'], 'each once');
			equal(serials((await ask('old', 'GetInstalledCertificateIds', { certificateType: 'CentralSystemRootCertificate' })).certificateHashData), ['01', '02'], 'each once');
			equal((await ask('new', 'GetInstalledCertificateIds', { certificateType: ['MORootCertificate'] })).status, 'NotFound', 'none');
			equal((await ask('new', 'DeleteCertificate', { certificateHashData: hash('01') })).status, 'Accepted', 'one station had it');
			for (const name of ['b', 'a', 'alien']) openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
			const pem = (name) => fs.readFileSync(path.join(dir, name), 'utf8');
			for (const name of ['a', 'b']) openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
			equal((await B.client.call('SignCertificate', { csr: pem('b.csr'), certificateType: 'ChargingStationCertificate' })).status, 'Accepted', 'a request of 2.0.1');
			equal((await A.client.call('SignCertificate', { csr: pem('a.csr') })).status, 'Accepted', 'a request of 1.6');
			equal(csms.all('SignCertificate').map((p) => p.csr), [pem('b.csr'), pem('a.csr')], 'the CSMS has them');
			forget();
			equal((await ask('new', 'CertificateSigned', { certificateChain: pem('a.crt') })).status, 'Accepted', 'a certificate');
			equal((await ask('new', 'CertificateSigned', { certificateChain: pem('b.crt'), certificateType: 'ChargingStationCertificate' })).status, 'Accepted', 'another');
			equal([A, B, C].map((m) => told(m, 'CertificateSigned').map((p) => p.certificateChain)), [[pem('a.crt')], [pem('b.crt')], []], 'each where its key is');
			equal((await ask('new', 'CertificateSigned', { certificateChain: pem('alien.crt') })).status, 'Rejected', 'one that nobody has asked for');
		}],
		['a report of some of it', async () => {
			const reports = (id) => csms.reports.filter((r) => r.params.requestId === id).flatMap((r) => r.params.reportData);
			equal((await ask('new', 'GetReport', { requestId: 12, componentVariable: [{ component: { name: 'Connector', evse: { id: number(B) } } }] })).status, 'Accepted', 'by component');
			await until(5000, 'it comes', () => reports(12).length);
			ok(reports(12).every((d) => d.component.name === 'Connector' && d.component.evse.id === number(B)), `only that: ${JSON.stringify(reports(12))}`);
			equal((await ask('new', 'GetReport', { requestId: 13, componentCriteria: ['Problem'] })).status, 'EmptyResultSet', 'nothing has a problem');
			await C.client.call('StatusNotification', { timestamp: new Date().toISOString(), evseId: 1, connectorId: 1, connectorStatus: 'Faulted' });
			equal((await ask('new', 'GetReport', { requestId: 14, componentCriteria: ['Problem'] })).status, 'Accepted', 'now one has');
			await until(5000, 'it comes', () => reports(14).length);
			ok(reports(14).every((d) => d.component.evse.id === number(C)), 'only that');
		}],
		['the password of a group is its own', async () => {
			forget();
			const fresh = 'a-new-password-0123';
			equal((await ask('old', 'ChangeConfiguration', { key: 'AuthorizationKey', value: 'short' })).status, 'Rejected', 'one that is none');
			equal((await ask('old', 'ChangeConfiguration', { key: 'SecurityProfile', value: '2' })).status, 'Rejected', 'another security profile is for the configuration');
			equal((await ask('old', 'ChangeConfiguration', { key: 'AuthorizationKey', value: fresh })).status, 'Accepted', 'a password');
			equal([told(D, 'ChangeConfiguration'), told(E, 'SetVariables')], [[], []], 'what its stations hear of it');
			equal((await ask('old', 'GetConfiguration', { key: ['AuthorizationKey', 'SecurityProfile'] })).configurationKey.map((k) => [k.key, k.value]), [['SecurityProfile', '1']], 'it is not told');
			csms.password['SITE-old'] = fresh;
			const before = csms.clients.get('SITE-old');
			await before.close({ force: true });
			await until(8000, 'it comes with the new one', () => csms.clients.get('SITE-old') !== before);
			equal(csms.shown['SITE-old'], fresh, 'shown');
		}],
		['one that does not answer is a no, in time for the CSMS; what it says later is nothing', async () => {
			equal((await late).status, 'Rejected', 'the answer');
			answerLate({ status: 'Accepted' });
			equal((await ask('mute', 'ClearCache', {})).status, 'Accepted', 'the next one');
			ok(!csms.violation, `strict validation at the CSMS: ${csms.violation}`);
			for (const m of [...members, L]) ok(!m.client.violation, `strict validation at ${m.id}: ${m.client.violation}`);
			await daemon.stop();
		}],
	]);
}

main();
