'use strict';
// Fifty stations, a CSMS that sets and clears profiles at random, and a site whose limit moves: whatever the CSMS asks about profiles is answered
// with what is true. Checked against what the stations keep and were last told, with the rules as tests/vectors/reference.js reads them.
//
//   composite.js [CHECKS]       1,000 where nothing is said
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');
const { installAll, cleared, wanted, unpack, purposeOf } = require('../vectors/reference.js');

const CHECKS = Number(process.argv[2] || 1000), STATIONS = 50, OURS = 1800000000, MOST = 32;
let seed = 4711;
const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const int = (from, to) => from + Math.floor(chance() * (to - from + 1));
const pick = (list) => list[int(0, list.length - 1)];
const now = () => Date.now() / 1000;
const id = (k) => `S-${String(k).padStart(2, '0')}`;
const old = (k) => k % 2 === 0;

// A station of either version that keeps what it is sent, as the reference installs it, and remembers what it was told.
async function keeper(port, k) {
	const c = await station(port, id(k), old(k) ? 'ocpp1.6' : 'ocpp2.0.1');
	Object.assign(c, { k, old: old(k), messages: [], told: [] });
	c.handle('SetChargingProfile', ({ params }) => {
		const one = unpack(params);
		const list = installAll({ old: c.old, profiles: [...c.messages, params] });
		if (!list.some((i) => same(i, one))) return { status: 'Rejected', statusInfo: { reasonCode: 'DuplicateProfile' } };
		c.messages = [...c.messages, params].filter((m) => list.some((i) => same(i, unpack(m))));
		if (one.id >= OURS && purposeOf(one) === 'TxProfile') c.told.push({ at: now(), amps: one.s.chargingSchedulePeriod[0].limit });
		return { status: 'Accepted' };
	});
	c.handle('ClearChargingProfile', ({ params }) => {
		const criteria = c.old ? params : { id: params.chargingProfileId, ...params.chargingProfileCriteria };
		const before = c.messages.length;
		c.messages = c.messages.filter((m) => cleared([unpack(m)], plain(criteria)).length);
		return { status: c.messages.length < before ? 'Accepted' : 'Unknown' };
	});
	return c;
}
const same = (a, b) => a.id === b.id && a.p === b.p;
const plain = (c) => Object.fromEntries(Object.entries({ id: c.id, stackLevel: c.stackLevel, connectorOrEvse: c.connectorId ?? c.evseId,
	chargingProfilePurpose: c.chargingProfilePurpose }).filter(([, v]) => v !== undefined));

async function begin(c) {
	c.since = Math.floor(now());
	const timestamp = new Date(c.since * 1000).toISOString();
	if (c.old) {
		await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'Old' });
		c.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp })).transactionId;
	} else {
		await c.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'New' } });
		c.tx = `tx-${c.k}`;
		await c.call('TransactionEvent', { eventType: 'Started', timestamp, triggerReason: 'Authorized', seqNo: 0,
			transactionInfo: { transactionId: c.tx, chargingState: 'Charging' }, evse: { id: 1, connectorId: 1 }, idToken: { idToken: 'TAG1', type: 'ISO14443' } });
	}
}

// A profile of the CSMS, in the version of the station.
function theirs(c) {
	const max = c.old ? 'ChargePointMaxProfile' : 'ChargingStationMaxProfile';
	const purpose = pick([max, 'TxDefaultProfile', 'TxDefaultProfile', 'TxProfile', 'TxProfile']);
	const evse = purpose === max ? 0 : 1, kind = purpose !== max && chance() < 0.2 ? 'Relative' : 'Absolute';
	const periods = [{ startPeriod: 0, limit: int(0, 320) / 10 }];
	for (let at = int(20, 90); chance() < 0.6; at += int(20, 90)) periods.push({ startPeriod: at, limit: int(0, 320) / 10 });
	const s = { chargingRateUnit: 'A', chargingSchedulePeriod: periods };
	if (kind === 'Absolute') s.startSchedule = new Date(Date.now() - int(-30, 120) * 1000).toISOString().slice(0, 19) + 'Z';
	if (chance() < 0.5) s.duration = int(40, 400);
	const p = { stackLevel: int(0, 2), chargingProfilePurpose: purpose, chargingProfileKind: kind };
	if (purpose === 'TxProfile') p.transactionId = c.tx;
	const number = int(1, 9);
	if (c.old) return { connectorId: evse, csChargingProfiles: { chargingProfileId: number, ...p, chargingSchedule: s } };
	return { evseId: evse, chargingProfile: { id: number, ...p, chargingSchedule: [{ id: number, ...s }] } };
}

function criteria(c) {
	const some = { connectorId: [0, 1], evseId: [0, 1], stackLevel: [0, 1, 2], chargingProfilePurpose: ['TxDefaultProfile', 'TxProfile'] };
	const keys = [c.old ? 'connectorId' : 'evseId', 'stackLevel', 'chargingProfilePurpose'].filter(() => chance() < 0.5);
	const chosen = Object.fromEntries(keys.map((key) => [key, pick(some[key])]));
	if (c.old) return chance() < 0.4 ? { id: int(1, 9) } : chosen;
	return chance() < 0.4 || !keys.length ? { chargingProfileId: int(1, 9) } : { chargingProfileCriteria: chosen };
}

const setting = (c) => ({ old: c.old, evses: 1, evse: 1, phases: 3, hardware: MOST, from: now(), txEvses: 1, txStart: c.since, soc: 0 });

function perSecond(answer, length) {
	const periods = (answer.chargingSchedule || answer.schedule).chargingSchedulePeriod;
	return Array.from({ length }, (_, x) => periods.findLast((p) => p.startPeriod <= x).limit);
}

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const names = Array.from({ length: STATIONS }, (_, k) => id(k));
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 1000}
  hall: {parent: grid, limit_a: 1000}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1], fallback_current_a: 6, max_current_a: ${MOST}}
stations: {${names.map((n) => `${n}: {circuit: hall}`).join(', ')}}
uplinks:
  cpo: {mode: per-station, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}], reconnect: {min: 500ms, max: 2s, jitter: 50%}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const ask = (c, method, params) => csms.clients.get(id(c.k)).call(method, params);
	const stations = [];
	const theirIds = new Map(); // what the CSMS installed and did not clear, by its own book
	let checks = 0, again = 0;

	async function change(c) {
		const book = theirIds.get(c.k);
		if (chance() < 0.65) {
			const params = theirs(c);
			equal((await ask(c, 'SetChargingProfile', params)).status, 'Accepted', 'the CSMS hears');
			theirIds.set(c.k, installAll({ old: c.old, profiles: [...book, params] }).map((i) => [...book, params].findLast((m) => unpack(m).p === i.p)));
			return;
		}
		const params = criteria(c);
		const left = book.filter((m) => cleared([unpack(m)], plain(c.old ? params : { id: params.chargingProfileId, ...params.chargingProfileCriteria })).length);
		const status = (await ask(c, 'ClearChargingProfile', params)).status;
		equal(status, left.length < book.length ? 'Accepted' : 'Unknown', `the CSMS hears what of its own went (${JSON.stringify(params)})`);
		theirIds.set(c.k, left);
	}

	// The station's book, our answer, and what the station was last told. A limit that is on its way when we ask is waited for.
	async function check(c) {
		const length = int(30, 300);
		for (const end = Date.now() + 15000; ; again++) {
			const asked = now();
			const answer = await ask(c, 'GetCompositeSchedule', c.old ? { connectorId: 1, duration: length } : { evseId: 1, duration: length });
			equal(answer.status, 'Accepted', 'the question');
			const schedule = answer.chargingSchedule || answer.schedule, from = Date.parse(answer.scheduleStart || schedule.scheduleStart) / 1000;
			const list = installAll({ old: c.old, profiles: theirIds.get(c.k) }), where = { ...setting(c), from };
			const csmsAllows = Array.from({ length }, (_, x) => wanted(where, list, from + x).limit);
			const site = (await daemon.ask('station.show', { station: id(c.k) })).evses[0].limit.a[0];
			const told = c.told.at(-1);
			const want = csmsAllows.map((a) => Math.min(a, Math.max(told.amps, site)));
			const got = perSecond(answer, length);
			const wrong = got.findIndex((a, x) => Math.abs(a - want[x]) > 0.051);
			const inside = wanted(where, installAll({ old: c.old, profiles: c.messages }), from).limit;
			if (wrong < 0 && Math.abs(got[0] - inside) < 0.051 && told.at < asked) return;
			if (Date.now() > end) {
				throw new Error(`station ${id(c.k)}: second ${wrong} of ${length}: got ${got[wrong]}, want ${want[wrong]}; now ${got[0]}, inside the station ${inside}, ` +
					`last told ${told.amps}, the site's limit ${site}\n${JSON.stringify(c.messages)}`);
			}
			await new Promise((r) => setTimeout(r, 300));
		}
	}

	await run([
		['fifty stations charge', async () => {
			await csms.listen();
			await daemon.start();
			for (let k = 0; k < STATIONS; k++) {
				stations.push(await keeper(port, k));
				theirIds.set(k, []);
			}
			await Promise.all(stations.map(begin));
			await until(40000, 'live limits', () => stations.every((c) => c.told.length));
		}],
		[`${CHECKS} times what is asked is what is told, while profiles and the site's limit move`, async () => {
			let moving = true, limit;
			const site = (async () => {
				for (; moving; await new Promise((r) => setTimeout(r, 2500))) {
					const next = await daemon.ask('limit.set', { circuit: 'hall', limit_a: int(300, 1000), for: '1h', reason: 'test' });
					if (limit) await daemon.ask('limit.clear', { limit_id: limit.id ?? limit.limit_id });
					limit = next;
				}
			})();
			const worker = async () => {
				while (checks < CHECKS) {
					const c = stations.shift(); // each station in one pair of hands
					checks++;
					if (chance() < 0.5) await change(c);
					await check(c);
					stations.push(c);
				}
			};
			await Promise.all(Array.from({ length: 12 }, worker));
			moving = false;
			await site;
			console.log(`# ${checks} checks, ${again} of them asked again while a limit was on its way`);
		}],
		['what is installed is reported, and the site\'s limit with it', async () => {
			for (const c of stations.filter((s) => !s.old).slice(0, 10)) {
				const reports = [];
				csms.clients.get(id(c.k)).handle('ReportChargingProfiles', ({ params }) => {
					reports.push(params);
					return {};
				});
				equal((await ask(c, 'GetChargingProfiles', { requestId: 7, chargingProfile: {} })).status, 'Accepted', 'the question');
				await until(10000, 'the last report', () => reports.length && !reports.at(-1).tbc);
				const told = reports.filter((r) => r.chargingLimitSource === 'CSO').flatMap((r) => r.chargingProfile.map((p) => JSON.stringify(p))).sort();
				equal(told, theirIds.get(c.k).map((m) => JSON.stringify(m.chargingProfile)).sort(), 'as the CSMS sent them');
				const ours = reports.filter((r) => r.chargingLimitSource === 'EMS').flatMap((r) => r.chargingProfile);
				equal(ours.map((p) => p.chargingProfilePurpose), ['ChargingStationExternalConstraints'], 'the site\'s limit');
				ok(!c.violation && !csms.violation, `valid: ${c.violation} ${csms.violation}`);
			}
			const c = stations.find((s) => !s.old);
			equal((await ask(c, 'GetChargingProfiles', { requestId: 8, chargingProfile: { chargingProfileId: [12345] } })).status, 'NoProfiles', 'none of that id');
			equal((await ask(c, 'GetCompositeSchedule', { evseId: 9, duration: 60 })).status, 'Rejected', 'an EVSE that is not there');
		}],
		['ids of ours make room for those of the CSMS', async () => {
			const c = stations.find((s) => s.old), number = 1900000004;
			const p = { chargingProfileId: number, stackLevel: 0, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative', transactionId: c.tx,
				chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 9 }] } };
			equal((await ask(c, 'SetChargingProfile', { connectorId: 1, csChargingProfiles: p })).status, 'Accepted', 'the CSMS hears');
			const ours = await until(10000, 'ours under another id', () => c.messages.map(unpack).find((i) => i.id >= OURS && i.id < 1900000000 && purposeOf(i) === 'TxProfile'));
			ok(ours.id !== number && c.messages.map(unpack).some((i) => i.id === number), 'both stand side by side');
			equal((await ask(c, 'ClearChargingProfile', { id: number })).status, 'Accepted', 'and it is cleared as its own');
		}],
		['the daemon ends as it should', async () => {
			await daemon.stop();
			await csms.close();
		}],
	]);
}

main();
