'use strict';
// A second reading of the standard's rules for charging profiles, in the plainest way there is: for every second by itself, all profiles are
// gone through from the beginning. It shares nothing with the program but the messages. Used where the program's answers are compared with it.
//
// The case: old (1.6), evses, evse asked about, phases, hardware (A), from (when asked), watts; txEvses with transactions since txStart,
// priority, soc, offline (since when); seconds since 1970.
const VOLTS = 230, DAY = 86400;

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
	: { evse: m.evseId, p: m.chargingProfile, id: m.chargingProfile.id, s: m.chargingProfile.chargingSchedule[0], all: m.chargingProfile.chargingSchedule });
// One entry for each of its schedules: which of them the car takes is not known, so all of them bind.
const schedules = (i) => (i.all ? i.all.map((s) => ({ ...i, s })) : [i]);
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
			const now = schedules(i).map((one) => ({ one, q: periodNow(c, one, t) })).filter((x) => x.q);
			if (now.length) best = { i, now };
		}
	return best && best.now.map(({ one, q }) => says(c, one, q)).reduce(both);
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
	return both(a, { ...nothing(c), amps: c.hardware, limit: [c.hardware, c.hardware, c.hardware] });
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

module.exports = { installAll, cleared, wanted, unpack, purposeOf, seconds, offsetAt };
