'use strict';
// Random profile sets, 1,000 per version, in the messages of that version: what tests/tools/composite answers against a second reading of the
// standard, written below in the plainest way there is: every second of the window is looked at by itself, and each time all profiles are
// gone through from the beginning. Nothing is shared with the program but the question.
//
//   composite-random.js [SEED [SETS]]
const { spawnSync } = require('child_process');
const path = require('path');

const tool = path.join(process.env.top_builddir || path.resolve(__dirname, '../..'), 'tests/tools/composite');
const seed = Number(process.argv[2] || 20261130);
const sets = Number(process.argv[3] || 1000);
const VOLTS = 230, HARDWARE = 32, DAY = 86400;

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

// --- local time, by the rule of central Europe: summer from the last Sunday of March to that of October, both at 01:00 UTC ---

function lastSunday(year, month) {
	const d = new Date(Date.UTC(year, month + 1, 0));
	return Date.UTC(year, month, d.getUTCDate() - d.getUTCDay(), 1) / 1000;
}

function offsetAt(utc) {
	const year = new Date(utc * 1000).getUTCFullYear();
	return utc >= lastSunday(year, 2) && utc < lastSunday(year, 9) ? 7200 : 3600;
}

// The moment at which the wall's clock shows this: the first one of two; where the hour is left out, as the clock before the change goes on.
function fromLocal(local) {
	const possible = [7200, 3600].map((o) => local - o).filter((utc) => local - utc === offsetAt(utc));
	return possible.length ? Math.min(...possible) : local - 3600;
}

// --- the reference ---

const remember = (f) => {
	const known = new Map();
	return (x) => {
		if (!known.has(x)) known.set(x, f(x));
		return known.get(x);
	};
};
const seconds = remember((iso) => Date.parse(iso) / 1000);
const unpack = (m) => (m.csChargingProfiles ? { evse: m.connectorId, p: m.csChargingProfiles, id: m.csChargingProfiles.chargingProfileId, s: m.csChargingProfiles.chargingSchedule }
	: { evse: m.evseId, p: m.chargingProfile, id: m.chargingProfile.id, s: m.chargingProfile.chargingSchedule[0] });
const purposeOf = (i) => i.p.chargingProfilePurpose.replace('ChargePointMax', 'ChargingStationMax');
const overlap = (a, b) => {
	const from = (i) => (i.p.validFrom ? seconds(i.p.validFrom) : -Infinity), to = (i) => (i.p.validTo ? seconds(i.p.validTo) : Infinity);
	return from(a) < to(b) && from(b) < to(a);
};

const localMoment = remember(fromLocal);

function installAll(c) {
	let list = [];
	for (const m of c.profiles) {
		const one = unpack(m);
		const same = (o) => purposeOf(o) === purposeOf(one) && o.p.stackLevel === one.p.stackLevel && (c.old || overlap(o, one));
		const duplicate = !c.old && purposeOf(one) === 'TxDefaultProfile' &&
			list.some((o) => o.id !== one.id && same(o) && (o.evse === 0) !== (one.evse === 0));
		if (duplicate) continue;
		list = list.filter((o) => o.id !== one.id && !(same(o) && o.evse === one.evse));
		list.push(one);
	}
	return list;
}

function cleared(list, criteria) {
	return list.filter((i) => !Object.entries(criteria).every(([key, value]) => ({
		id: i.id, stackLevel: i.p.stackLevel, connectorOrEvse: i.evse, chargingProfilePurpose: i.p.chargingProfilePurpose }[key] === value)));
}

// The period that a profile has at a second, or nothing.
function periodNow(c, i, t) {
	if (i.p.validFrom && t < seconds(i.p.validFrom)) return;
	if (i.p.validTo && t >= seconds(i.p.validTo)) return;
	if (i.p.maxOfflineDuration && c.offline !== undefined && t >= c.offline + i.p.maxOfflineDuration) return;
	let start;
	const written = i.s.startSchedule ? seconds(i.s.startSchedule) : undefined;
	const moment = (local) => (i.s.useLocalTime ? localMoment(local) : local);
	if (i.p.chargingProfileKind === 'Relative') start = c.tx.relative;
	else if (i.p.chargingProfileKind === 'Dynamic') start = seconds(i.p.dynUpdateTime);
	else start = moment(written);
	if (t < start) return;
	if (i.p.chargingProfileKind === 'Recurring') {
		const cycle = i.p.recurrencyKind === 'Weekly' ? 7 * DAY : DAY;
		for (let k = 0, next = start; next <= t; next = moment(written + ++k * cycle)) start = next;
	}
	if (i.s.duration !== undefined && t >= start + i.s.duration) return;
	return i.s.chargingSchedulePeriod.findLast((q) => start + q.startPeriod <= t);
}

const nothing = (c) => ({ amps: Infinity, phases: c.phases, phase: 0, limit: [Infinity, Infinity, Infinity], low: [NaN, NaN, NaN], point: [NaN, NaN, NaN], mode: 'ChargingOnly' });

function says(c, i, q) {
	const phases = Math.min(q.numberPhases || 3, c.phases);
	const three = (name, none) => {
		const values = ['', '_L2', '_L3'].map((end) => q[name + end]);
		const apart = values[1] !== undefined || values[2] !== undefined;
		return [0, 1, 2].map((n) => {
			const v = apart ? values[n] : values[0];
			return v === undefined ? none : i.s.chargingRateUnit === 'W' ? v / VOLTS / (apart ? 1 : phases) : v;
		});
	};
	const out = { phases, phase: q.phaseToUse || 0, limit: three('limit', Infinity), low: three('dischargeLimit', NaN), point: three('setpoint', NaN), mode: q.operationMode || 'ChargingOnly' };
	if (i.s.limitAtSoC && c.tx.running && c.soc >= i.s.limitAtSoC.soc) {
		const beyond = i.s.chargingRateUnit === 'W' ? i.s.limitAtSoC.limit / VOLTS / phases : i.s.limitAtSoC.limit;
		out.limit = out.limit.map((v) => Math.min(v, beyond));
	}
	const lines = phases === 1 && out.phase ? [out.phase - 1] : [0, 1, 2].slice(0, phases);
	out.amps = Math.min(...lines.map((n) => {
		const follows = (out.mode === 'CentralSetpoint' || out.mode === 'CentralFrequency') && !isNaN(out.point[n]);
		return follows ? Math.min(out.limit[n], Math.max(out.point[n], 0)) : out.limit[n];
	}));
	if (out.mode === 'Idle') out.amps = 0;
	return out;
}

function highest(c, list, purpose, evses, t) {
	let best;
	for (const evse of evses)
		for (const i of list) {
			if (i.evse !== evse || purposeOf(i) !== purpose || (best && i.p.stackLevel <= best.i.p.stackLevel)) continue;
			const q = periodNow(c, i, t);
			if (q) best = { i, q };
		}
	return best && says(c, best.i, best.q);
}

function both(a, b) {
	const least = b.amps < a.amps ? b : a;
	const limit = a.limit.map((v, n) => Math.min(v, b.limit[n]));
	const low = a.low.map((v, n) => (isNaN(v) ? b.low[n] : isNaN(b.low[n]) ? v : Math.max(v, b.low[n])));
	const point = a.point.map((v, n) => (isNaN(v) ? NaN : isNaN(low[n]) ? Math.min(v, limit[n]) : Math.max(Math.min(v, limit[n]), low[n])));
	return { amps: least.amps, phases: least.phases, phase: least.phase, limit, low, point, mode: a.mode };
}

const plus = (a, made) => (made && isFinite(made.amps) ? { ...a, amps: a.amps + made.amps, limit: a.limit.map((v) => v + made.amps) } : a);

function onEvse(c, list, e, t) {
	const where = (purpose) => (c.old ? (list.some((i) => i.evse === e && purposeOf(i) === purpose) ? [e] : [0]) : [e, 0]);
	let a;
	c.tx = e <= c.txEvses ? { running: true, relative: c.txStart } : { running: false, relative: c.from };
	if (c.tx.running && c.priority) a = highest(c, list, 'PriorityCharging', where('PriorityCharging'), t);
	if (c.tx.running && !a) a = highest(c, list, 'TxProfile', [e], t);
	if (!a) a = highest(c, list, 'TxDefaultProfile', where('TxDefaultProfile'), t);
	a = both(a || nothing(c), highest(c, list, 'ChargingStationExternalConstraints', [e], t) || nothing(c));
	return both(a, { ...nothing(c), amps: HARDWARE, limit: [HARDWARE, HARDWARE, HARDWARE] });
}

function onStation(c, list, t) {
	c.tx = { running: false, relative: t };
	return both(highest(c, list, 'ChargingStationMaxProfile', [0], t) || nothing(c), highest(c, list, 'ChargingStationExternalConstraints', [0], t) || nothing(c));
}

const generated = (c, list, e, t) => {
	c.tx = { running: false, relative: t };
	return highest(c, list, 'LocalGeneration', [e], t);
};
const watts = (a) => a.amps * VOLTS * a.phases;

// What the answer should say for this second.
function wanted(c, list, t) {
	if (c.evse === 0) {
		let sum = 0;
		for (let e = 1; e <= c.evses; e++) sum += c.watts ? watts(onEvse(c, list, e, t)) : onEvse(c, list, e, t).amps;
		const whole = onStation(c, list, t), made = generated(c, list, 0, t);
		sum = Math.min(sum, c.watts ? watts(whole) : whole.amps);
		if (made && isFinite(made.amps)) sum += c.watts ? watts(made) : made.amps;
		return { limit: sum };
	}
	let a = both(onEvse(c, list, c.evse, t), onStation(c, list, t));
	a = plus(plus(a, generated(c, list, c.evse, t)), generated(c, list, 0, t));
	const apart = a.phases === 3 && (a.limit[1] !== a.limit[0] || a.limit[2] !== a.limit[0]);
	const more = apart || a.mode !== 'ChargingOnly' || !isNaN(a.low[0]) || !isNaN(a.point[0]);
	const unit = !c.watts ? 1 : apart ? VOLTS : VOLTS * a.phases;
	const out = { limit: more ? a.limit[0] * unit : c.watts ? watts(a) : a.amps, numberPhases: a.phases };
	if (a.phase) out.phaseToUse = a.phase;
	if (!more) return out;
	const put = (name, v) => [0, 1, 2].forEach((n) => (n === 0 || apart) && !isNaN(v[n]) && (out[name + ['', '_L2', '_L3'][n]] = v[n] * unit));
	put('limit', a.limit);
	put('dischargeLimit', a.low);
	put('setpoint', a.point);
	if (a.mode !== 'ChargingOnly') out.operationMode = a.mode;
	return out;
}

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
	return { evseId: evse, chargingProfile: { id, ...p, chargingSchedule: [{ id: 1, ...s }] } };
}

// Windows lie anywhere, and often across a change of the clocks.
function randomCase(version) {
	const t0 = pick([Date.UTC(2026, 4, 11, 6), Date.UTC(2026, 2, 29, 0, 50), Date.UTC(2026, 9, 25, 0, 50), Date.UTC(2027, 2, 28, 22)]) / 1000 + int(0, 3600);
	const c = { evses: int(1, 2), phases: pick([1, 3, 3]), from: t0, old: version === '1.6', watts: often(0.4), zone: 'Europe/Berlin' };
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
