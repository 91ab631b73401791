'use strict';
// Stations with the habits that are known from the field, one a circuit, each beside a station that behaves. For each: how long until the program
// saw what is wrong, what it did, and whether the current on any circuit was ever more than its fuse takes.
//
// Time is the real one, so models are told to respond within two seconds here instead of fifteen; what is waited for shrinks with it.
//
//   quirks.js [RESPONSE]       seconds, 2 where nothing is said
const { freePort, tempDir, until, Daemon, Csms, station, ok, run } = require('./lib.js');

const RESPONSE = Number(process.argv[2] || 2), LIMIT = 40, MOST = 32;
const seconds = (since) => (Date.now() - since) / 1000;
const wait = (s) => new Promise((r) => setTimeout(r, s * 1000));
const live = (p) => p.chargingSchedule.duration !== undefined || p.chargingSchedule.chargingSchedulePeriod.length > 1;
const first = (p) => p.chargingSchedule.chargingSchedulePeriod[0];

// What each refuses (of a profile on a connector), how it obeys, and what the program shall say of it.
const habits = {
	good: {},
	'level-0': { refuses: (p) => p.stackLevel > 0, levels: '5' },
	'default-only': { refuses: (p) => p.chargingProfilePurpose !== 'TxDefaultProfile' },
	'max-only': { refuses: (p) => p.chargingProfilePurpose !== 'ChargePointMaxProfile' },
	'watts-only': { refuses: (p) => p.chargingSchedule.chargingRateUnit !== 'W' },
	'relative-only': { refuses: (p) => p.chargingProfileKind !== 'Relative' },
	'whole-amps': { refuses: (p) => first(p).limit % 1 !== 0 },
	'no-connector-0': { refuses: (p, connector) => connector === 0 },
	'forgets-first': { forgets: 1, says: ['limit.late', 'limit.slow'] },
	stubborn: { deaf: () => true, says: ['limit.stubborn', 'limit.out_of_control'] },
	'deaf-to-tx': { deaf: (p) => p.chargingProfilePurpose === 'TxProfile', says: ['limit.default', 'limit.stubborn'] },
	slow: { late: 20, says: ['limit.slow', 'limit.late', 'limit.stubborn'] },
	'one-phase': { phases: 1, says: ['uses 1 of 3'] },
	sleeper: { sleeps: true, says: ['limit.asleep'] },
	overshoot: { factor: 1.1, says: ['limit.overshoot'] },
	silent: { silent: true, says: ['limit.no_meter_values'] },
};
const names = Object.keys(habits);

class Charger {
	constructor(name, habit) {
		Object.assign(this, { name, habit, installed: [], phases: habit.phases || 3, limit: MOST, sent: 0, refused: 0, wakes: 0 });
	}

	async connect(port) {
		const c = (this.c = await station(port, this.name, 'ocpp1.6'));
		c.handle('SetChargingProfile', ({ params }) => this.take(params));
		c.handle('GetConfiguration', ({ params }) => ({ configurationKey: params.key.filter((key) => this.value(key)).map((key) => ({ key, readonly: true, value: this.value(key) })),
			unknownKey: params.key.filter((key) => !this.value(key)) }));
		c.handle('ClearChargingProfile', ({ params }) => {
			this.installed = this.installed.filter((o) => o.p.chargingProfileId !== params.id);
			return { status: 'Accepted' };
		});
		c.handle('TriggerMessage', () => {
			setTimeout(() => this.report(true), 50);
			return { status: 'Accepted' };
		});
		await c.call('BootNotification', { chargePointVendor: 'Quirk', chargePointModel: this.name });
	}

	value(key) {
		return key === 'ChargeProfileMaxStackLevel' ? this.habit.levels : undefined;
	}

	async take({ connectorId, csChargingProfiles: p }) {
		const h = this.habit;
		if (live(p)) this.sent++;
		if (h.refuses && h.refuses(p, connectorId)) {
			this.refused++;
			this.refusedAt ??= Date.now();
			return { status: 'Rejected' };
		}
		if (live(p)) this.takenAt ??= Date.now();
		if (h.late && live(p)) await wait(h.late);
		if (h.deaf && h.deaf(p)) return { status: 'Accepted' };
		if (live(p) && h.forgets && this.running && this.reduced && h.forgets-- > 0) return { status: 'Accepted' };
		this.installed = this.installed.filter((o) => o.p.chargingProfileId !== p.chargingProfileId);
		this.installed.push({ connectorId, p });
		this.obey();
		return { status: 'Accepted' };
	}

	amps(p) {
		const { limit, numberPhases } = first(p);
		return p.chargingSchedule.chargingRateUnit === 'W' ? limit / 230 / (numberPhases || 3) : limit;
	}

	obey() {
		const top = (purpose) => this.installed.filter((o) => o.p.chargingProfilePurpose === purpose).sort((a, b) => b.p.stackLevel - a.p.stackLevel)[0];
		const one = top('TxProfile') || top('TxDefaultProfile'), max = top('ChargePointMaxProfile');
		const was = this.limit;
		this.limit = Math.min(MOST, one ? this.amps(one.p) : MOST, max ? this.amps(max.p) : MOST);
		if (this.habit.sleeps && this.limit < 6) {
			this.asleep = ++this.pauses || (this.pauses = 1);
		}
		// The second pause wakes it.
		if (this.habit.sleeps && was < 6 && this.limit >= 6 && this.pauses >= 2) this.asleep = 0;
	}

	// On each of its phases.
	current(phase) {
		if (!this.running || phase >= this.phases || this.asleep || this.limit < 6) return 0;
		return Math.min(MOST, this.limit * (this.habit.factor || 1));
	}

	async report(asked) {
		if (!this.running || (this.habit.silent && !asked)) return;
		const sampledValue = [0, 1, 2].map((i) => ({ value: this.current(i).toFixed(2), measurand: 'Current.Import', phase: `L${i + 1}`, unit: 'A' }));
		await this.c.call('MeterValues', { connectorId: 1, transactionId: this.tx, meterValue: [{ timestamp: new Date().toISOString(), sampledValue }] }).catch(() => {});
	}

	async start() {
		this.tx = (await this.c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() })).transactionId;
		this.running = true;
		await this.c.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
	}
}

// What a circuit breaker feels: warm above 1.13 of its current, cool below; 40 is far from where one of type B trips.
class Fuse {
	constructor() {
		Object.assign(this, { heat: [0, 0, 0], hottest: 0, over: 0, most: 0 });
	}

	feel(currents, s) {
		currents.forEach((i, l) => {
			const r = i / LIMIT;
			this.heat[l] = Math.max(0, this.heat[l] + (r * r - 1.13 * 1.13) * s);
			this.hottest = Math.max(this.hottest, this.heat[l]);
			this.most = Math.max(this.most, r);
			if (r > 1.02) this.over += s;
		});
	}
}

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const rows = names.map((n) => `  Q-${n}: {circuit: c-${n}}\n  N-${n}: {circuit: c-${n}}`).join('\n');
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 2000}
${names.map((n) => `  c-${n}: {parent: grid, limit_a: ${n === 'whole-amps' ? LIMIT + 0.6 : LIMIT}}`).join('\n')}
balancing: {increase: {after: 2s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6], fallback_current_a: 6, max_current_a: ${MOST}, meter_interval: 1s, limit_response: ${RESPONSE}s}
stations:
${rows}
uplinks:
  cpo: {mode: per-station, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}], reconnect: {min: 500ms, max: 2s, jitter: 50%}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort), fuses = {}, q = {}, n = {};
	let felt = Date.now(), timers;
	const said = (name, what) => daemon.log.split('\n').find((l) => l.includes(`station=Q-${name} `) && l.includes(what));
	const saidAt = (name, what) => Date.parse(said(name, what).slice(0, 24));
	const cap = (name, amps) => daemon.ask('limit.set', { station: `Q-${name}`, evse: 1, limit_a: amps, for: '1h', reason: 'test' });
	let reducedAt, startedAt, held;
	const table = [];

	await run([
		['sixteen stations and their neighbours charge', async () => {
			await csms.listen();
			await daemon.start();
			for (const name of names) {
				q[name] = new Charger(`Q-${name}`, habits[name]);
				n[name] = new Charger(`N-${name}`, {});
				fuses[name] = new Fuse();
				await Promise.all([q[name].connect(port), n[name].connect(port)]);
			}
			const all = [...Object.values(q), ...Object.values(n)];
			timers = [setInterval(() => all.forEach((c) => c.report()), 1000), setInterval(() => {
				const s = (Date.now() - felt) / 1000;
				felt = Date.now();
				for (const name of names) fuses[name].feel([0, 1, 2].map((i) => q[name].current(i) + n[name].current(i)), s);
			}, 100)];
			await wait(4); // fallbacks
			startedAt = Date.now();
			await Promise.all(all.map((c) => c.start()));
			await until(60000, 'everybody is told', () => Object.values(n).every((c) => c.sent > 0));
			await wait(4 * RESPONSE);
		}],
		['what takes limits only in its own way gets them so', async () => {
			for (const name of ['level-0', 'default-only', 'max-only', 'watts-only', 'relative-only', 'no-connector-0', 'whole-amps']) {
				await until(60000, `${name} takes a limit`, () => q[name].installed.some((o) => live(o.p)));
				const o = q[name].installed.findLast((x) => live(x.p));
				const cured = q[name].takenAt - q[name].refusedAt;
				table.push([name, '0.0', `by the answer; taken ${cured > 0 ? `${(cured / 1000).toFixed(1)} s later` : 'at once'}: ${q[name].refused} refused, then ${o.p.chargingProfilePurpose} in ${o.p.chargingSchedule.chargingRateUnit}, level ${o.p.stackLevel}, ${o.p.chargingProfileKind}`]);
			}
			ok(q['watts-only'].limit <= MOST && q['default-only'].limit < MOST + 1, 'and goes by it');
		}],
		['a reduction that is not followed is seen, named and acted upon', async () => {
			const one = ['forgets-first', 'stubborn', 'deaf-to-tx', 'slow', 'overshoot', 'good'];
			await until(90000, 'each has more than it will be told', () => one.every((name) => q[name].current(0) > 10.5));
			for (const name of one) q[name].reduced = true;
			reducedAt = Date.now();
			held = await cap('sleeper', 0);
			for (const name of one) await cap(name, 10);
			for (const name of ['forgets-first', 'stubborn', 'deaf-to-tx', 'overshoot', 'slow']) {
				const what = await until(90000, `${name} is seen`, () => habits[name].says.find((w) => said(name, w)));
				table.push([name, ((saidAt(name, what) - (saidAt(name, what) < reducedAt ? startedAt : reducedAt)) / 1000).toFixed(1), said(name, what).split('evse 1: ')[1].slice(0, 70)]);
			}
			await until(60000, 'the deaf one hears another form', () => q['deaf-to-tx'].current(0) > 9 && q['deaf-to-tx'].current(0) <= 10.1);
			await until(60000, 'the forgetful one is told again', () => q['forgets-first'].limit <= 10.1);
			await until(60000, 'the one that takes too much is told less', () => q.overshoot.current(0) <= 10.3);
			await until(60000, 'all forms were tried', () => said('stubborn', 'limit.out_of_control'));
			const why = JSON.stringify(await daemon.ask('why', { object: 'Q-stubborn' }));
			ok(why.includes('unconfirmed') && why.includes('stubborn'), `why says so: ${why}`);
		}],
		['a sleeper is woken, in few steps', async () => {
			await until(30000, 'a pause', () => q.sleeper.limit === 0);
			const from = Date.now();
			await daemon.ask('limit.clear', { limit_id: held.limit_id ?? held.id });
			await until(60000, 'it is seen', () => said('sleeper', 'limit.asleep'));
			await until(90000, 'it charges', () => q.sleeper.current(0) > 5);
			table.push(['sleeper', ((saidAt('sleeper', 'limit.asleep') - from) / 1000).toFixed(1), `woken after ${q.sleeper.pauses} pauses, ${seconds(from).toFixed(0)} s`]);
			ok(q.sleeper.pauses <= 3, 'few pauses');
		}],
		['phases and missing values are seen', async () => {
			await until(60000, 'one phase', () => said('one-phase', 'uses 1 of 3'));
			table.push(['one-phase', ((saidAt('one-phase', 'uses 1 of 3') - startedAt) / 1000).toFixed(1), 'the neighbour gets the other two']);
			await until(60000, 'silence', () => said('silent', 'limit.no_meter_values'));
			table.push(['silent', ((saidAt('silent', 'limit.no_meter_values') - startedAt) / 1000).toFixed(1), 'values are asked for']);
		}],
		['no circuit was ever more than its fuse takes', async () => {
			for (const t of timers) clearInterval(t);
			for (const row of table) console.log(`# ${row[0].padEnd(15)} seen after ${String(row[1]).padStart(5)} s   ${row[2]}`);
			for (const name of names) {
				const f = fuses[name];
				console.log(`# circuit ${name.padEnd(15)} at most ${(f.most * 100).toFixed(0)} % of its limit, over it for ${f.over.toFixed(1)} s; heat ${f.hottest.toFixed(2)} of 40`);
				ok(f.hottest < 40, `the fuse of ${name}`);
			}
			const sent = Object.values({ ...q, ...n }).reduce((a, c) => a + c.sent, 0);
			console.log(`# ${sent} set-points for ${2 * names.length} stations`);
			await daemon.stop();
		}],
	]);
}

main();
