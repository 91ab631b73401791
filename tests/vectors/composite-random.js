'use strict';
// Random profile sets, 1,000 per version, in the messages of that version: what tests/tools/composite answers against reference.js, second by
// second.
//
//   composite-random.js [SEED [SETS]]
const { spawnSync } = require('child_process');
const path = require('path');

const tool = path.join(process.env.top_builddir || path.resolve(__dirname, '../..'), 'tests/tools/composite');
const seed = Number(process.argv[2] || 20261130);
const sets = Number(process.argv[3] || 1000);
const { installAll, cleared, wanted, unpack, purposeOf, seconds, offsetAt } = require('./reference.js');
const HARDWARE = 32, DAY = 86400;

// --- chance ---

let state;
const chance = () => {
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const int = (from, to) => from + Math.floor(chance() * (to - from + 1));
const pick = (list) => list[int(0, list.length - 1)];
const often = (p) => chance() < p;

// --- random sets ---

const iso = (t) => new Date(t * 1000).toISOString();

function randomPeriods(version, unit, purpose, n) {
	const periods = [];
	for (let k = 0, at = 0; k < n; k++, at += int(1, 100)) {
		const q = { startPeriod: at, limit: unit === 'W' ? int(0, 22000) : int(0, 320) / 10 };
		if (often(0.5)) q.numberPhases = int(1, 3);
		if (version !== '1.6' && q.numberPhases === 1 && often(0.5)) q.phaseToUse = int(1, 3);
		if (version === '2.1' && purpose.includes('External') && often(0.5)) Object.assign(q, { operationMode: 'ExternalLimits', dischargeLimit: -int(0, 12) });
		if (version === '2.1' && purpose.startsWith('Tx') && often(0.3)) {
			q.operationMode = pick(['CentralSetpoint', 'ExternalLimits', 'Idle', 'LocalLoadBalancing', 'CentralFrequency']);
			const scale = unit === 'W' ? 690 : 1;
			if (q.operationMode.startsWith('Central')) q.setpoint = int(-16, 32) * scale;
			if (often(0.5)) q.dischargeLimit = -int(0, 20) * scale;
			if (often(0.3)) delete q.limit;
		}
		if (version === '2.1' && q.limit !== undefined && often(0.15)) Object.assign(q, { limit_L2: unit === 'W' ? int(0, 7000) : int(0, 32) }, often(0.7) ? { limit_L3: unit === 'W' ? int(0, 7000) : int(0, 32) } : {});
		periods.push(q);
	}
	return periods;
}

const purposes = {
	'1.6': ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxDefaultProfile', 'TxProfile'],
	'2.0.1': ['ChargingStationMaxProfile', 'TxDefaultProfile', 'TxDefaultProfile', 'TxProfile', 'ChargingStationExternalConstraints'],
	2.1: ['ChargingStationMaxProfile', 'TxDefaultProfile', 'TxDefaultProfile', 'TxProfile', 'ChargingStationExternalConstraints', 'PriorityCharging', 'LocalGeneration'],
};

function randomProfile(version, c, id) {
	const purpose = pick(purposes[version]);
	const evse = purpose.includes('Max') ? 0 : purpose === 'TxProfile' || purpose === 'PriorityCharging' ? int(1, c.evses) : int(0, c.evses);
	const kinds = ['Absolute', 'Absolute', 'Recurring'];
	if (purpose.startsWith('Tx')) kinds.push('Relative');
	if (version === '2.1' && purpose !== 'PriorityCharging') kinds.push('Dynamic');
	const kind = pick(kinds), unit = pick(['A', 'A', 'W']);
	const s = { chargingRateUnit: unit, chargingSchedulePeriod: randomPeriods(version, unit, purpose, kind === 'Dynamic' ? 1 : int(1, 5)) };
	const p = { stackLevel: int(0, 3), chargingProfilePurpose: purpose, chargingProfileKind: kind };
	if (often(0.6)) s.duration = int(1, 450);
	if (kind === 'Absolute' || kind === 'Recurring') s.startSchedule = iso(c.from + int(-400, 250) - (kind === 'Recurring' ? DAY * int(0, 9) : 0));
	if (kind === 'Recurring') p.recurrencyKind = pick(['Daily', 'Daily', 'Weekly']);
	if (kind === 'Dynamic') p.dynUpdateTime = iso(c.from - int(0, 200));
	if (often(0.3)) p.validFrom = iso(c.from + int(-150, 150));
	if (often(0.3)) p.validTo = iso(c.from + int(-80, 400));
	if (often(0.2)) s.minChargingRate = 6;
	if (version === '2.1') {
		if (s.startSchedule && often(0.4)) {
			s.useLocalTime = true;
			s.startSchedule = iso(seconds(s.startSchedule) + offsetAt(c.from)).slice(0, 19) + 'Z';
		}
		if (often(0.15)) p.maxOfflineDuration = int(1, 300);
		if (often(0.15)) s.limitAtSoC = { soc: int(1, 100), limit: unit === 'W' ? int(0, 9000) : int(0, 16) };
	}
	if (version === '1.6') return { connectorId: evse, csChargingProfiles: { chargingProfileId: id, ...p, chargingSchedule: s } };
	const all = [{ id: 1, ...s }];
	// With ISO 15118 up to three, which a car chooses from.
	while (kind !== 'Dynamic' && all.length < 3 && often(0.15)) all.push({ ...s, id: all.length + 1, chargingSchedulePeriod: randomPeriods(version, unit, purpose, int(1, 5)), ...(often(0.5) ? { duration: int(1, 450) } : {}) });
	return { evseId: evse, chargingProfile: { id, ...p, chargingSchedule: all } };
}

// Windows lie anywhere, and often across a change of the clocks.
function randomCase(version) {
	const t0 = pick([Date.UTC(2026, 4, 11, 6), Date.UTC(2026, 2, 29, 0, 50), Date.UTC(2026, 9, 25, 0, 50), Date.UTC(2027, 2, 28, 22)]) / 1000 + int(0, 3600);
	const c = { hardware: HARDWARE, evses: int(1, 2), phases: pick([1, 3, 3]), from: t0, old: version === '1.6', watts: often(0.4), zone: 'Europe/Berlin' };
	c.evse = int(0, c.evses);
	c.txEvses = often(0.7) ? int(1, c.evses) : 0;
	c.txStart = t0 - int(0, 300);
	c.priority = version === '2.1' && often(0.3);
	c.soc = often(0.5) ? int(1, 100) : 0;
	if (version === '2.1' && often(0.4)) c.offline = t0 - int(0, 200);
	c.length = int(1, 350);
	// A TxProfile needs its transaction.
	c.profiles = Array.from({ length: int(0, 8) }, (_, k) => randomProfile(version, c, often(0.1) ? 1000 + k : k + 1))
		.filter((m) => purposeOf(unpack(m)) !== 'TxProfile' || c.txEvses > 0);
	c.steps = [{}];
	for (let k = int(0, 2); k > 0 && c.profiles.length; k--) {
		const i = unpack(pick(c.profiles)), all = { id: i.id, stackLevel: i.p.stackLevel, connectorOrEvse: i.evse, chargingProfilePurpose: i.p.chargingProfilePurpose };
		const keys = often(0.3) ? ['id'] : ['stackLevel', 'connectorOrEvse', 'chargingProfilePurpose'].filter(() => often(0.6));
		c.steps.push({ clear: Object.fromEntries(keys.map((key) => [key, all[key]])) });
	}
	return c;
}

const question = (c) => JSON.stringify({ t0: iso(c.from), profiles: c.profiles, requestDuration: c.length, evse: c.evse, evses: c.evses, phases: c.phases,
	localLimit: HARDWARE, zone: c.zone, transaction: c.txEvses > 0, txEvses: c.txEvses, txOffset: c.txStart - c.from, priority: c.priority, soc: c.soc,
	steps: c.steps, ...(c.watts ? { chargingRateUnit: 'W' } : {}), ...(c.offline !== undefined ? { offlineOffset: c.offline - c.from } : {}) });

// --- both side by side ---

function difference(c, list, answer) {
	const schedule = answer.chargingSchedule || answer.schedule;
	const periods = schedule.chargingSchedulePeriod;
	for (let x = 0, k = -1; x < c.length; x++) {
		while (k + 1 < periods.length && periods[k + 1].startPeriod <= x) k++;
		const want = wanted(c, list, c.from + x), { startPeriod, ...got } = periods[k];
		if (c.evse === 0) delete got.numberPhases;
		for (const key of new Set([...Object.keys(want), ...Object.keys(got)])) {
			const close = typeof want[key] === 'number' && typeof got[key] === 'number' && Math.abs(want[key] - got[key]) < 0.0501;
			if (!close && want[key] !== got[key]) return `second ${x} (period at ${startPeriod}): ${key} is ${got[key]}, should be ${want[key]}`;
		}
	}
}

let differences = 0, compared = 0, windows = 0;
for (const version of ['1.6', '2.0.1', '2.1']) {
	state = seed;
	const cases = Array.from({ length: sets }, () => randomCase(version));
	const ran = spawnSync(tool, ['--lines', version], { input: cases.map(question).join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28 });
	const answers = ran.stdout.trim().split('\n');
	if (ran.status !== 0 || answers.length !== cases.reduce((n, c) => n + c.steps.length, 0)) {
		console.log(`not ok - ${version}: the tool ended with ${ran.status}, ${answers.length} answers\n${ran.stderr.split('\n').slice(-3).join('\n')}`);
		process.exit(1);
	}
	let at = 0;
	for (const c of cases) {
		let list = installAll(c);
		for (const step of c.steps) {
			if (step.clear) list = cleared(list, step.clear);
			const why = difference(c, list, JSON.parse(answers[at++]));
			windows++;
			compared += c.length;
			if (!why) continue;
			if (differences++ < 3) console.log(`not ok - ${version}, seed ${seed}: ${why}\n${question(c)}\n${answers[at - 1]}`);
			break;
		}
	}
	console.log(`${version}: ${sets} profile sets`);
}
console.log(`${windows} answers, ${compared} seconds compared, ${differences} differences`);
process.exit(differences ? 1 : 0);
