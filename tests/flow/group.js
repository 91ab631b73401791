'use strict';
// Many stations as one: members of three versions behind a group that speaks 1.6 and one that speaks 2.0.1, at a CSMS with strict validation.
// The CSMS goes away in the middle, the daemon is killed, and one station is replaced by another; then everything a CSMS can ask is asked.
// Environment: STATIONS (12), TRANSACTIONS (48), OUTAGE_S (2). STATIONS=40 TRANSACTIONS=500 OUTAGE_S=20 is the long form.
const fs = require('fs');
const { freePort, tempDir, until, Daemon, Csms, station, insist, equal, ok, run } = require('./lib.js');

const STATIONS = Number(process.env.STATIONS || 12);
const PER_STATION = Math.ceil(Number(process.env.TRANSACTIONS || 48) / STATIONS);
const OUTAGE_MS = Number(process.env.OUTAGE_S || 2) * 1000;
const VERSIONS = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'];

const members = []; // {id, group, version, client, ledger: [[from, to]]}
for (let i = 0; i < STATIONS; i++)
	members.push({ id: `M-${String(i).padStart(2, '0')}`, group: i % 2 ? 'new' : 'old', version: VERSIONS[Math.floor(i / 2) % 3], ledger: [] });
const is16 = (m) => m.version === 'ocpp1.6';
const pause = (ms) => new Promise((r) => setTimeout(r, ms));
let clock = 1.8e12; // times of transactions, so that no two have the same

async function charge16(m, from, rest) {
	const at = new Date((clock += 60000)).toISOString();
	const { transactionId } = await insist(m.client, 'StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: from, timestamp: at });
	ok(Number.isInteger(transactionId), 'a start is answered with an id');
	await pause(rest);
	await insist(m.client, 'MeterValues', { connectorId: 1, transactionId, meterValue: [{ timestamp: at, sampledValue: [{ value: String(from + 5) }] }] });
	await insist(m.client, 'StopTransaction', { transactionId, idTag: 'TAG1', meterStop: from + 10, timestamp: new Date((clock += 1000)).toISOString(), reason: 'Local' });
}

// Names count from 1 at every station, as some do; every other transaction begins with the cable and gets its token later.
async function charge2(m, from, rest, n) {
	const token = { idToken: 'TAG1', type: 'Central' }, evse = { id: 1, connectorId: 1 };
	const late = n % 2 === 1;
	const event = (eventType, seqNo, triggerReason, wh, info, more) => insist(m.client, 'TransactionEvent', { eventType, seqNo, triggerReason,
		timestamp: new Date((clock += 1000)).toISOString(), transactionInfo: { transactionId: String(n + 1), ...info }, ...more,
		meterValue: [{ timestamp: new Date(clock).toISOString(), sampledValue: [{ value: wh }] }] });
	await event('Started', 0, late ? 'CablePluggedIn' : 'Authorized', from, { chargingState: 'EVConnected' }, { evse, ...(late ? {} : { idToken: token }) });
	if (late) await event('Updated', 1, 'Authorized', from, { chargingState: 'Charging' }, { evse, idToken: token });
	await pause(rest);
	await event('Updated', 2, 'MeterValuePeriodic', from + 5, {});
	await event('Ended', 3, 'StopAuthorized', from + 10, { stoppedReason: 'Local' }, { idToken: token });
}

// What a member was asked by this name; the box has questions of its own beside it.
const heard = (m, ...names) => m.asked.filter((p) => names.includes(p.method));

let nth = 0;
async function charge(m, rest) {
	const from = ++nth * 1000;
	m.ledger.push([from, from + 10]);
	await (is16(m) ? charge16 : charge2)(m, from, rest, m.ledger.length - 1);
}

function answers(m) {
	const done = (words) => ({ method, params }) => {
		m.asked.push({ method, ...params });
		return words;
	};
	m.asked = [];
	const yes = { status: 'Accepted' };
	for (const method of ['RemoteStartTransaction', 'RemoteStopTransaction', 'RequestStartTransaction', 'RequestStopTransaction', 'ReserveNow', 'CancelReservation',
		'ChangeAvailability', 'Reset', 'ClearChargingProfile', 'SendLocalList', 'ClearCache', 'DataTransfer', 'GetLog'])
		m.client.handle(method, done(yes));
	m.client.handle('TriggerMessage', () => yes); // the box triggers too, so these do not count
	m.client.handle('UnlockConnector', done({ status: 'Unlocked' }));
	m.client.handle('ChangeConfiguration', done(m.stubborn ? { status: 'Rejected' } : yes));
	m.client.handle('UpdateFirmware', done(is16(m) ? {} : yes));
	m.client.handle('GetDiagnostics', done({ fileName: `${m.id}.log` }));
	m.client.handle('GetCompositeSchedule', done({ status: 'Rejected' }));
	m.client.handle('GetConfiguration', ({ params }) => {
		const all = [{ key: 'MeterValueSampleInterval', readonly: false, value: m.interval || '60' }, { key: 'ConnectionTimeOut', readonly: false, value: '90' }];
		const keys = params.key || all.map((k) => k.key);
		return { configurationKey: all.filter((k) => keys.includes(k.key)), unknownKey: keys.filter((k) => !all.some((a) => a.key === k)) };
	});
	m.client.handle('GetVariables', ({ params }) => ({ getVariableResult: params.getVariableData.map((v) => {
		const known = v.component.name === 'SampledDataCtrlr' && v.variable.name === 'TxUpdatedInterval' ? m.interval || '60'
			: v.component.name === 'TxCtrlr' && v.variable.name === 'EVConnectionTimeOut' ? '90' : null;
		return { ...v, attributeStatus: known ? 'Accepted' : 'UnknownVariable', ...(known ? { attributeValue: known } : {}) };
	}) }));
	m.client.handle('SetVariables', ({ params }) => ({ setVariableResult: params.setVariableData.map((v) => {
		m.asked.push(v);
		return { component: v.component, variable: v.variable, attributeStatus: m.stubborn ? 'Rejected' : 'Accepted' };
	}) }));
}

async function connect(m, port) {
	m.client = await station(port, m.id, m.version, { strictMode: ['ocpp1.6', 'ocpp2.0.1'] });
	answers(m);
	const boot = await m.client.call('BootNotification', is16(m) ? { chargePointVendor: 'Flow', chargePointModel: 'One' }
		: { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } });
	equal(boot.status, 'Accepted', 'a boot');
	await m.client.call('StatusNotification', is16(m) ? { connectorId: 1, errorCode: 'NoError', status: 'Available' }
		: { timestamp: new Date().toISOString(), evseId: 1, connectorId: 1, connectorStatus: 'Available' });
}

// What the CSMS knows of each number: [[from, to]].
function ledgerOf(csms, identity) {
	const at = {}, put = (n, row) => (at[n] = at[n] || []).push(row);
	for (const s of csms.starts.filter((x) => x.station === identity)) {
		const stops = csms.stops.filter((x) => x.station === identity && x.params.transactionId === s.tx);
		put(s.params.connectorId, [s.params.meterStart, ...stops.map((x) => x.params.meterStop)]);
	}
	const txs = new Map();
	for (const { params } of csms.events.filter((x) => x.station === identity)) {
		const id = params.transactionInfo.transactionId;
		if (!txs.has(id)) txs.set(id, []);
		txs.get(id).push(params);
	}
	for (const [id, events] of txs) {
		const started = events.filter((e) => e.eventType === 'Started'), ended = events.filter((e) => e.eventType === 'Ended');
		const wh = (e) => e.meterValue[0].sampledValue[0].value;
		equal([started.length, ended.length], [1, 1], `starts and ends of ${id}`);
		const seqs = events.map((e) => e.seqNo);
		equal(seqs, [...seqs].sort((a, b) => a - b), `order of ${id}`);
		equal(new Set(seqs).size, seqs.length, `each event of ${id} once: ${seqs}`);
		put(started[0].evse.id, [wh(started[0]), ...ended.map(wh)]);
	}
	return at;
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const yaml = (stations) => `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 2000}
  old: {parent: grid, limit_a: 1000}
  new: {parent: grid, limit_a: 1000}
station_defaults: {subprotocols: [ocpp2.1, ocpp2.0.1, ocpp1.6]}
stations:
${stations}
uplinks:
  old: {mode: aggregate, version: ocpp1.6, identity: SITE-OLD, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}],
    reconnect: {min: 300ms, max: 1s}, call_timeout: 5s}
  new: {mode: aggregate, version: ocpp2.0.1, identity: SITE-NEW, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}],
    reconnect: {min: 300ms, max: 1s}, call_timeout: 5s}
offline: {authorize: [local_list, cache]}
log: {level: info, target: stderr}
`;
	const rows = (list) => list.map((m) => `  ${m.id}: {circuit: ${m.group}, uplink: ${m.group}${m.replaces ? `, replaces: ${m.replaces}` : ''}}`).join('\n');
	let daemon = new Daemon(dir, yaml(rows(members)));
	const csms = new Csms(csmsPort);
	const refused = members[0], gone = members[2];
	let maps, statuses = {};
	const readMaps = async () => ({ old: await daemon.ask('uplink.map', { uplink: 'old' }), new: await daemon.ask('uplink.map', { uplink: 'new' }) });
	const numbers = (map) => map.map((p) => `${p.number} ${p.station} ${p.evse}`);
	const numberOf = (m) => maps[m.group].find((p) => p.station === m.id).number;
	const byVersion = (group, version) => members.find((m) => m.group === group && m.version === version && m !== gone);
	const ask = (group, method, params) => csms.clients.get(group === 'old' ? 'SITE-OLD' : 'SITE-NEW').call(method, params);
	const lastState = (group, n) => {
		const all = csms.statuses.filter((s) => s.station === (group === 'old' ? 'SITE-OLD' : 'SITE-NEW') && (s.params.connectorId === n && group === 'old' || s.params.evseId === n));
		const last = all[all.length - 1];
		return last && (last.params.status || last.params.connectorStatus);
	};

	await run([
		[`${STATIONS} stations of three versions are two stations to the CSMS`, async () => {
			await csms.listen();
			await daemon.start();
			await Promise.all(members.map((m) => connect(m, port)));
			await until(5000, 'both groups boot', () => csms.boots.length >= 2);
			equal([...csms.clients.keys()].sort(), ['SITE-NEW', 'SITE-OLD'], 'who the CSMS sees');
			maps = await readMaps();
			equal([maps.old.length, maps.new.length], [STATIONS / 2, STATIONS / 2], 'numbers');
			await until(5000, 'all connectors are told as available', () => members.every((m) => lastState(m.group, numberOf(m)) === 'Available'));
			const auth = await members[0].client.call('Authorize', { idTag: 'TAG1' });
			equal(auth, { idTagInfo: { status: 'Accepted' } }, 'an authorisation passes');
			const of2 = byVersion('old', 'ocpp2.0.1');
			equal(await of2.client.call('Authorize', { idToken: { idToken: 'TAG1', type: 'Central' } }), { idTokenInfo: { status: 'Accepted' } }, 'also of another version');
			const printed = await daemon.cli('uplink', 'map', 'old');
			ok(printed.code === 0 && printed.out.includes('M-00'), `uplink map prints:\n${printed.out}${printed.err}`);
		}],
		['a station that leaves makes its connectors unavailable, and nothing else', async () => {
			const m = members[1], boots = csms.boots.length;
			await m.client.close({ force: true });
			await until(8000, 'it is shown as unavailable', () => lastState(m.group, numberOf(m)) === 'Unavailable');
			await connect(m, port);
			await until(5000, 'it is back', () => lastState(m.group, numberOf(m)) === 'Available');
			equal(csms.boots.length, boots, 'boots at the CSMS');
			const one = members[0];
			await one.client.call('StatusNotification', { connectorId: 0, errorCode: 'NoError', status: 'Unavailable' });
			await until(5000, 'a station that says it is unavailable is so with all it has', () => lastState(one.group, numberOf(one)) === 'Unavailable');
			await one.client.call('StatusNotification', { connectorId: 0, errorCode: 'NoError', status: 'Available' });
			await until(5000, 'and comes back', () => lastState(one.group, numberOf(one)) === 'Available');
		}],
		[`${STATIONS * PER_STATION} transactions, the CSMS away for ${OUTAGE_MS} ms, kill -9, one station replaced`, async () => {
			const half = Math.ceil(PER_STATION / 2);
			const work = async (m, n) => {
				for (let k = 0; k < n; k++) await charge(m, 20 + Math.random() * 50);
			};
			const first = Promise.all(members.map((m) => work(m, half)));
			await until(20000, 'some went up', () => csms.starts.length && csms.events.length);
			await csms.close();
			await pause(OUTAGE_MS / 2);
			await daemon.kill();
			await daemon.start();
			await first;
			await gone.client.close({ force: true });
			await daemon.stop();
			const next = { id: 'N-99', group: gone.group, version: 'ocpp2.0.1', replaces: gone.id, ledger: [], was: gone };
			members[members.indexOf(gone)] = next;
			fs.writeFileSync(daemon.config, yaml(rows(members)));
			await daemon.start();
			equal(numbers((await readMaps())[gone.group]), numbers(maps[gone.group]).map((s) => s.replace(gone.id, 'N-99')), 'numbers after the replacement');
			maps = await readMaps();
			await connect(next, port);
			const second = Promise.all(members.map((m) => work(m, PER_STATION - half)));
			await pause(OUTAGE_MS / 2);
			csms.clients.clear();
			await csms.listen();
			await second;
			await until(120000, 'all is delivered', async () => (await daemon.ask('status')).queue.messages === 0);
		}],
		['the ledger of the CSMS is that of the stations, connector by connector', async () => {
			for (const group of ['old', 'new']) {
				const at = ledgerOf(csms, group === 'old' ? 'SITE-OLD' : 'SITE-NEW');
				for (const m of members.filter((x) => x.group === group)) {
					const sort = (list) => [...list].sort((a, b) => a[0] - b[0]);
					equal(sort(at[numberOf(m)] || []), sort([...(m.was ? m.was.ledger : []), ...m.ledger]), `${group} ${numberOf(m)} ${m.id} ${m.version}`);
				}
			}
			ok(!csms.violation, `strict validation at the CSMS: ${csms.violation}`);
		}],
		['remote start and stop, unlock, reserve reach the member that is meant', async () => {
			for (const group of ['old', 'new']) for (const version of VERSIONS) {
				const m = byVersion(group, version);
				if (!m) continue;
				const n = numberOf(m), old = group === 'old';
				m.asked = [];
				const started = await (old ? ask(group, 'RemoteStartTransaction', { connectorId: n, idTag: 'TAG9' })
					: ask(group, 'RequestStartTransaction', { evseId: n, remoteStartId: 77, idToken: { idToken: 'TAG9', type: 'Central' } }));
				equal(started.status, 'Accepted', `remote start at ${m.id}`);
				const [start] = heard(m, 'RemoteStartTransaction', 'RequestStartTransaction');
				equal(start.connectorId || start.evseId, 1, 'the member hears its own number');
				const running = charge(m, 300), mine = () => old ? csms.starts.filter((s) => s.params.connectorId === n).pop()
					: csms.events.filter((s) => s.params.eventType === 'Started' && s.params.evse && s.params.evse.id === n).pop();
				const from = m.ledger[m.ledger.length - 1][0];
				const tx = await until(5000, `the start of ${m.id} is there`, () => {
					const s = mine();
					return s && (old ? s.params.meterStart === from && s.tx : s.params.meterValue[0].sampledValue[0].value === from && s.params.transactionInfo.transactionId);
				});
				m.asked = [];
				const stopped = await (old ? ask(group, 'RemoteStopTransaction', { transactionId: tx }) : ask(group, 'RequestStopTransaction', { transactionId: tx }));
				equal(stopped.status, 'Accepted', `remote stop at ${m.id}`);
				equal(heard(m, 'RemoteStopTransaction', 'RequestStopTransaction').length, 1, 'the member hears it');
				await running;
				equal((await ask(group, 'UnlockConnector', old ? { connectorId: n } : { evseId: n, connectorId: 1 })).status, 'Unlocked', 'unlock');
				const expiry = new Date(Date.now() + 3600000).toISOString();
				equal((await ask(group, 'ReserveNow', old ? { connectorId: n, expiryDate: expiry, idTag: 'TAG9', reservationId: 5 }
					: { id: 5, expiryDateTime: expiry, idToken: { idToken: 'TAG9', type: 'Central' }, evseId: n })).status, 'Accepted', 'reserve');
				equal((await ask(group, 'CancelReservation', { reservationId: 5 })).status, 'Accepted', 'cancel');
				equal((await ask(group, 'CancelReservation', { reservationId: 5 })).status, 'Rejected', 'cancel what is not there');
			}
			equal((await ask('old', 'RemoteStopTransaction', { transactionId: 987654 })).status, 'Rejected', 'a stop of what nobody has');
			equal((await ask('old', 'RemoteStartTransaction', { connectorId: 999, idTag: 'TAG9' })).status, 'Rejected', 'a start where nothing is');
			const anywhere = await ask('new', 'RequestStartTransaction', { remoteStartId: 78, idToken: { idToken: 'TAG9', type: 'Central' } });
			equal(anywhere.status, 'Accepted', 'a start anywhere');
		}],
		['what is meant for the whole goes to all, and has one honest answer', async () => {
			const clear = () => members.forEach((m) => (m.asked = []));
			for (const group of ['old', 'new']) {
				const old = group === 'old', of = members.filter((m) => m.group === group);
				clear();
				equal((await ask(group, 'ChangeAvailability', old ? { connectorId: 0, type: 'Inoperative' } : { operationalStatus: 'Inoperative' })).status, 'Accepted', 'availability');
				ok(of.every((m) => heard(m, 'ChangeAvailability').length === 1), 'all are told');
				clear();
				equal((await ask(group, 'ChangeAvailability', old ? { connectorId: numberOf(of[0]), type: 'Operative' }
					: { operationalStatus: 'Operative', evse: { id: numberOf(of[0]) } })).status, 'Accepted', 'availability of one');
				equal(of.map((m) => heard(m, 'ChangeAvailability').length), of.map((m) => (m === of[0] ? 1 : 0)), 'only it is told');
				clear();
				equal((await ask(group, 'ClearCache', {})).status, 'Accepted', 'cache');
				ok(of.every((m) => heard(m, 'ClearCache').length === 1), 'all clear');
				clear();
				const list = old ? { listVersion: 7, updateType: 'Full', localAuthorizationList: [{ idTag: 'LISTED', idTagInfo: { status: 'Accepted' } }] }
					: { versionNumber: 7, updateType: 'Full', localAuthorizationList: [{ idToken: { idToken: 'LISTED', type: 'Central' }, idTokenInfo: { status: 'Accepted' } }] };
				equal((await ask(group, 'SendLocalList', list)).status, 'Accepted', 'list');
				for (const m of of) {
					const entry = heard(m, 'SendLocalList')[0].localAuthorizationList[0];
					equal(is16(m) ? entry.idTag : entry.idToken.idToken, 'LISTED', `the entry at ${m.id}`);
				}
				equal(Object.values(await ask(group, 'GetLocalListVersion', {})), [7], 'version of the list');
				clear();
				equal((await ask(group, 'DataTransfer', { vendorId: 'flow', messageId: 'x' })).status, 'Accepted', 'data');
				clear();
				equal((await ask(group, 'TriggerMessage', { requestedMessage: 'MeterValues' })).status, 'Accepted', 'trigger');
				const beats = csms.statuses.length;
				equal((await ask(group, 'TriggerMessage', { requestedMessage: 'StatusNotification' })).status, 'Accepted', 'trigger of states');
				await until(5000, 'states come', () => csms.statuses.length >= beats + of.length);
				clear();
				const boots = csms.boots.length;
				equal((await ask(group, 'Reset', { type: old ? 'Soft' : 'OnIdle' })).status, 'Accepted', 'reset');
				ok(of.every((m) => heard(m, 'Reset').length === 1), 'all reset');
				await until(8000, 'the group boots again', () => csms.boots.length > boots);
			}
		}],
		['settings: written to all with one answer, read as one, differences shown', async () => {
			const [m16, m2] = [byVersion('old', 'ocpp1.6'), byVersion('old', 'ocpp2.0.1')];
			equal(await ask('old', 'ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '30' }), { status: 'Accepted' }, 'a key');
			ok(m16.asked.some((p) => p.key === 'MeterValueSampleInterval' && p.value === '30'), 'at a 1.6 station');
			ok(m2.asked.some((p) => p.variable && p.variable.name === 'TxUpdatedInterval' && p.attributeValue === '30'), 'at a 2.0.1 station, by its own name');
			refused.stubborn = true;
			answers(refused);
			equal(await ask('old', 'ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '40' }), { status: 'Rejected' }, 'one that one station refuses');
			refused.stubborn = false;
			refused.interval = '15';
			answers(refused);
			const { configurationKey, unknownKey } = await ask('old', 'GetConfiguration', { key: ['ConnectionTimeOut', 'MeterValueSampleInterval', 'NumberOfConnectors', 'NoSuchKey'] });
			const value = (key) => configurationKey.find((k) => k.key === key).value;
			equal(value('ConnectionTimeOut'), '90', 'a value that all share');
			ok(/^differs: .*15 \(M-00\)/.test(value('MeterValueSampleInterval')), `a value that differs: ${value('MeterValueSampleInterval')}`);
			equal(value('NumberOfConnectors'), String(STATIONS / 2), 'the group knows how many it has');
			equal(unknownKey, ['NoSuchKey'], 'what nobody has');
			ok((await ask('old', 'GetConfiguration', {})).configurationKey.length >= 4, 'all of them');
			const name = { component: { name: 'SampledDataCtrlr' }, variable: { name: 'TxUpdatedInterval' } };
			const set = await ask('new', 'SetVariables', { setVariableData: [{ ...name, attributeValue: '30' },
				{ component: { name: 'Nobody' }, variable: { name: 'Knows' }, attributeValue: '1' }] });
			equal(set.setVariableResult.map((r) => r.attributeStatus).slice(0, 1), ['Accepted'], 'a variable');
			const got = await ask('new', 'GetVariables', { getVariableData: [name, { component: { name: 'Nobody' }, variable: { name: 'Knows' } }] });
			equal(got.getVariableResult.map((r) => [r.attributeStatus, r.attributeValue]), [['Accepted', '60'], ['UnknownVariable', undefined]], 'variables');
			const reports = csms.reports.length;
			equal((await ask('new', 'GetBaseReport', { requestId: 3, reportBase: 'FullInventory' })).status, 'Accepted', 'a report is promised');
			await until(5000, 'and comes', () => csms.reports.slice(reports).some((r) => r.params.requestId === 3 && !r.params.tbc));
		}],
		['a limit for the whole is a cap on the circuit, one for a connector goes to its station', async () => {
			const schedule = (limit) => ({ chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }], startSchedule: new Date(Date.now() - 1000).toISOString() });
			const whole = (limit) => ({ old: { connectorId: 0, csChargingProfiles: { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'ChargePointMaxProfile',
				chargingProfileKind: 'Absolute', chargingSchedule: schedule(limit) } }, new: { evseId: 0, chargingProfile: { id: 1, stackLevel: 0,
				chargingProfilePurpose: 'ChargingStationMaxProfile', chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, ...schedule(limit) }] } } });
			for (const group of ['old', 'new']) {
				equal((await ask(group, 'SetChargingProfile', whole(80)[group])).status, 'Accepted', 'a limit for the whole');
				await until(5000, 'the circuit is capped', async () => (await daemon.ask('circuit.list')).find((c) => c.id === group).limit_a[0] === 80);
				const composite = await ask(group, 'GetCompositeSchedule', group === 'old' ? { connectorId: 0, duration: 600 } : { evseId: 0, duration: 600 });
				equal((composite.chargingSchedule || composite.schedule).chargingSchedulePeriod[0].limit, 80, 'its schedule');
				equal((await ask(group, 'ClearChargingProfile', group === 'old' ? { id: 1 } : { chargingProfileId: 1 })).status, 'Accepted', 'cleared');
				await until(5000, 'the circuit is free', async () => (await daemon.ask('circuit.list')).find((c) => c.id === group).limit_a[0] === 1000);
				for (const version of VERSIONS) {
					const m = byVersion(group, version);
					if (!m) continue;
					m.client.profiles.length = 0;
					const one = { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }, { startPeriod: 60, limit: 8 }] };
					equal((await ask(group, 'SetChargingProfile', group === 'old'
						? { connectorId: numberOf(m), csChargingProfiles: { chargingProfileId: 2, stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile',
							chargingProfileKind: 'Relative', chargingSchedule: one } }
						: { evseId: numberOf(m), chargingProfile: { id: 2, stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative',
							chargingSchedule: [{ id: 1, ...one }] } })).status, 'Accepted', `a profile for ${m.id}`);
					const seen = m.client.profiles.map((p) => p.params).find((p) => (p.csChargingProfiles || p.chargingProfile).stackLevel === 1);
					ok(seen && (seen.connectorId === 1 || seen.evseId === 1), `it arrives under the station's own number: ${JSON.stringify(seen)}`);
					const sent = seen.csChargingProfiles ? seen.csChargingProfiles.chargingSchedule : seen.chargingProfile.chargingSchedule[0];
					equal(sent.chargingSchedulePeriod, one.chargingSchedulePeriod, 'with all its periods');
				}
			}
		}],
		['firmware and logs: one job at all, one state to the CSMS', async () => {
			for (const group of ['old', 'new']) {
				const old = group === 'old', of = members.filter((m) => m.group === group);
				const when = new Date().toISOString(), mark = csms.jobs.length;
				const told = () => csms.jobs.slice(mark).map((j) => j.params.status);
				const say = (m, status, log) => m.client.call(log ? (is16(m) ? 'DiagnosticsStatusNotification' : 'LogStatusNotification') : 'FirmwareStatusNotification',
					is16(m) ? { status } : { status, requestId: 9 });
				const answer = await ask(group, 'UpdateFirmware', old ? { location: 'ftp://x/f', retrieveDate: when } : { requestId: 9, firmware: { location: 'ftp://x/f', retrieveDateTime: when } });
				equal(answer.status, old ? undefined : 'Accepted', 'the job is taken');
				for (const m of of) await say(m, 'Downloading');
				for (const m of of.slice(1)) await say(m, 'Installed');
				equal(told(), ['Downloading'], 'one is not through');
				await say(of[0], 'Installed');
				await until(5000, 'now all are', () => told().length === 2);
				equal(told(), ['Downloading', 'Installed'], 'states');
				const log = csms.jobs.length;
				await ask(group, old ? 'GetDiagnostics' : 'GetLog', old ? { location: 'ftp://x/d' } : { logType: 'DiagnosticsLog', requestId: 4, log: { remoteLocation: 'ftp://x/d' } });
				for (const m of of) await say(m, 'Uploading', true);
				for (const m of of.slice(1)) await say(m, 'Uploaded', true);
				await say(of[0], is16(of[0]) ? 'UploadFailed' : 'UploadFailure', true);
				await until(5000, 'the log failed at one', () => csms.jobs.slice(log).length === 2);
				equal(csms.jobs.slice(log).map((j) => j.params.status), ['Uploading', old ? 'UploadFailed' : 'UploadFailure'], 'states of the log');
			}
			ok(!csms.violation, `strict validation at the CSMS: ${csms.violation}`);
		}],
		['every action that a CSMS has gets an answer that is valid', async () => {
			const when = new Date(Date.now() + 3600000).toISOString(), token = { idToken: 'TAG9', type: 'Central' };
			const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'a', issuerKeyHash: 'b', serialNumber: '1' };
			const v = { component: { name: 'OCPPCommCtrlr' }, variable: { name: 'HeartbeatInterval' } };
			const all = { old: {
				CancelReservation: { reservationId: 1 }, ChangeAvailability: { connectorId: 1, type: 'Operative' }, ChangeConfiguration: { key: 'HeartbeatInterval', value: '200' },
				ClearCache: {}, ClearChargingProfile: {}, DataTransfer: { vendorId: 'v' }, GetCompositeSchedule: { connectorId: 1, duration: 60 }, GetConfiguration: {},
				GetDiagnostics: { location: 'ftp://x/' }, GetLocalListVersion: {}, RemoteStartTransaction: { idTag: 'T' }, RemoteStopTransaction: { transactionId: 1 },
				ReserveNow: { connectorId: 0, expiryDate: when, idTag: 'T', reservationId: 2 }, Reset: { type: 'Hard' }, SendLocalList: { listVersion: 8, updateType: 'Differential' },
				SetChargingProfile: { connectorId: 1, csChargingProfiles: { chargingProfileId: 9, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile',
					chargingProfileKind: 'Relative', chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] } } },
				TriggerMessage: { requestedMessage: 'BootNotification' }, UnlockConnector: { connectorId: 1 }, UpdateFirmware: { location: 'ftp://x/', retrieveDate: when },
				ExtendedTriggerMessage: { requestedMessage: 'SignChargePointCertificate' }, CertificateSigned: { certificateChain: 'x' },
				InstallCertificate: { certificateType: 'CentralSystemRootCertificate', certificate: 'x' }, DeleteCertificate: { certificateHashData: hash },
				GetInstalledCertificateIds: { certificateType: 'CentralSystemRootCertificate' }, GetLog: { logType: 'SecurityLog', requestId: 1, log: { remoteLocation: 'ftp://x/' } },
				SignedUpdateFirmware: { requestId: 1, firmware: { location: 'ftp://x/', retrieveDateTime: when, signingCertificate: 'c', signature: 's' } },
			}, new: {
				CancelReservation: { reservationId: 1 }, CertificateSigned: { certificateChain: 'x' }, ChangeAvailability: { operationalStatus: 'Operative', evse: { id: 1 } },
				ClearCache: {}, ClearChargingProfile: { chargingProfileId: 7 }, ClearDisplayMessage: { id: 1 }, ClearVariableMonitoring: { id: [1] },
				CostUpdated: { totalCost: 1, transactionId: 'x' }, CustomerInformation: { requestId: 1, report: true, clear: false }, DataTransfer: { vendorId: 'v' },
				DeleteCertificate: { certificateHashData: hash }, GetBaseReport: { requestId: 1, reportBase: 'ConfigurationInventory' },
				GetChargingProfiles: { requestId: 1, chargingProfile: { stackLevel: 1 } }, GetCompositeSchedule: { evseId: 1, duration: 60 }, GetDisplayMessages: { requestId: 1 },
				GetInstalledCertificateIds: {}, GetLocalListVersion: {}, GetLog: { logType: 'DiagnosticsLog', requestId: 2, log: { remoteLocation: 'ftp://x/' } },
				GetMonitoringReport: { requestId: 1 }, GetReport: { requestId: 1 }, GetTransactionStatus: { transactionId: 'x' }, GetVariables: { getVariableData: [v] },
				InstallCertificate: { certificateType: 'CSMSRootCertificate', certificate: 'x' }, PublishFirmware: { location: 'x', checksum: 'a', requestId: 1 },
				RequestStartTransaction: { remoteStartId: 4, idToken: token }, RequestStopTransaction: { transactionId: 'x' }, ReserveNow: { id: 2, expiryDateTime: when, idToken: token },
				Reset: { type: 'Immediate', evseId: 1 }, SendLocalList: { versionNumber: 8, updateType: 'Differential' },
				SetChargingProfile: { evseId: 1, chargingProfile: { id: 9, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative',
					chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] }] } },
				SetDisplayMessage: { message: { id: 1, priority: 'NormalCycle', message: { format: 'UTF8', content: 'x' } } }, SetMonitoringBase: { monitoringBase: 'All' },
				SetMonitoringLevel: { severity: 5 }, SetNetworkProfile: { configurationSlot: 1, connectionData: { ocppVersion: 'OCPP20', ocppTransport: 'JSON', ocppCsmsUrl: 'x',
					messageTimeout: 1, securityProfile: 1, ocppInterface: 'Wired0' } },
				SetVariableMonitoring: { setMonitoringData: [{ value: 1, type: 'Delta', severity: 1, ...v }] }, SetVariables: { setVariableData: [{ ...v, attributeValue: '200' }] },
				TriggerMessage: { requestedMessage: 'TransactionEvent' }, UnlockConnector: { evseId: 1, connectorId: 1 }, UnpublishFirmware: { checksum: 'a' },
				UpdateFirmware: { requestId: 1, firmware: { location: 'ftp://x/', retrieveDateTime: when } },
			} };
			let answered = 0;
			for (const group of ['old', 'new']) for (const [action, params] of Object.entries(all[group])) {
				try {
					await ask(group, action, params);
				} catch (e) {
					throw new Error(`${group} ${action}: ${e.message}`);
				}
				answered++;
			}
			console.log(`# ${answered} actions of a CSMS answered`);
			const nothing = await ask('new', 'GetTransactionStatus', { transactionId: 'x' });
			equal(nothing.ongoingIndicator, false, 'a transaction that nobody has');
		}],
		['who was away is told when it is back', async () => {
			const m = byVersion('old', 'ocpp1.6');
			await m.client.close({ force: true });
			await until(5000, 'it is away', async () => !(await daemon.ask('uplink.map', { uplink: 'old' })).find((p) => p.station === m.id).connected);
			equal((await ask('old', 'ChangeAvailability', { connectorId: numberOf(m), type: 'Inoperative' })).status, 'Scheduled', 'availability of an absent one');
			equal((await ask('old', 'UnlockConnector', { connectorId: numberOf(m) })).status, 'UnlockFailed', 'unlock of an absent one');
			await connect(m, port);
			await until(8000, 'it hears it', () => m.asked.some((p) => p.type === 'Inoperative') && m.asked.some((p) => p.key === 'MeterValueSampleInterval') &&
				m.asked.some((p) => p.listVersion === 8));
			await daemon.stop();
		}],
		['an EVSE of the box itself is a number like the others', async () => {
			for (const m of members) await m.client.close({ force: true });
			fs.writeFileSync(daemon.config, `
version: 1
site: {id: flow}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
evses: {R-01: {circuit: grid, uplink: own, driver: sim, current_a: 16, authorize: [remote]}}
uplinks:
  own: {mode: aggregate, version: ocpp1.6, identity: SITE-OWN, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}
log: {level: info, target: stderr}
`);
			daemon.listeners = 0;
			await daemon.start();
			await until(10000, 'it is there', () => csms.clients.has('SITE-OWN') && csms.boots.some((b) => b.station === 'SITE-OWN'));
			const own = () => csms.clients.get('SITE-OWN'), of = (list) => list.filter((x) => x.station === 'SITE-OWN');
			await until(10000, 'its state is told', () => of(csms.statuses).some((s) => s.params.connectorId === 1 && s.params.status !== 'Unavailable'));
			equal((await own().call('RemoteStartTransaction', { connectorId: 1, idTag: 'TAG1' })).status, 'Accepted', 'a remote start');
			const start = await until(20000, 'it charges', () => of(csms.starts)[0]);
			equal(start.params.connectorId, 1, 'under its number');
			equal((await own().call('RemoteStopTransaction', { transactionId: start.tx })).status, 'Accepted', 'a remote stop');
			await until(20000, 'it ends', () => of(csms.stops).some((x) => x.params.transactionId === start.tx));
			ok(!csms.violation, `strict validation at the CSMS: ${csms.violation}`);
			fs.writeFileSync(daemon.config, fs.readFileSync(daemon.config, 'utf8').replace('uplinks:', `stations: {M-77: {circuit: grid, uplink: own}}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, min_security_profile: 0}}}
uplinks:`));
			daemon.child.kill('SIGHUP');
			await until(10000, 'a station that the configuration gets while all runs has the next number', async () =>
				numbers(await daemon.ask('uplink.map', { uplink: 'own' })).join() === '1 R-01 1,2 M-77 1');
			const late = { id: 'M-77', group: 'own', version: 'ocpp1.6', ledger: [] };
			await connect(late, port);
			await until(10000, 'and is seen', () => of(csms.statuses).some((x) => x.params.connectorId === 2 && x.params.status === 'Available'));
			await late.client.close({ force: true });
			await daemon.stop();
		}],
	]);
}

main();
