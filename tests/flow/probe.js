'use strict';
// What an installer learns by `ampgate commission probe`: each form of a limit is tried on a station while its car charges, and the current tells
// which of them it follows. Stations of both versions; what was found is there, and in use, after a restart.
const { freePort, tempDir, until, Daemon, station, ok, run } = require('./lib.js');

const MOST = 16;
const schedule = (p) => (Array.isArray(p.chargingSchedule) ? p.chargingSchedule[0] : p.chargingSchedule);
const first = (p) => schedule(p).chargingSchedulePeriod[0];
const id = (p) => p.chargingProfileId ?? p.id;
const now = () => new Date().toISOString();
const habits = {
	plain: {},
	deaf: { deaf: (p) => p.chargingProfilePurpose === 'ChargePointMaxProfile' },
	picky: { refuses: (p, connector) => schedule(p).chargingRateUnit === 'W' || first(p).limit % 1 !== 0 || (connector === 0 && p.chargingProfilePurpose === 'TxDefaultProfile') },
	modern: { two: true },
	watts: { two: true, refuses: (p) => schedule(p).chargingRateUnit === 'A' },
};

class Charger {
	constructor(name) {
		Object.assign(this, { name, habit: habits[name], two: habits[name].two, installed: [], refused: 0 });
	}

	async connect(port) {
		const c = (this.c = await station(port, this.name, this.two ? 'ocpp2.0.1' : 'ocpp1.6'));
		c.handle('SetChargingProfile', ({ params }) => {
			const [connectorId, p] = this.two ? [params.evseId, params.chargingProfile] : [params.connectorId, params.csChargingProfiles];
			if (this.habit.refuses && this.habit.refuses(p, connectorId)) {
				this.refused++;
				return { status: 'Rejected' };
			}
			if (this.habit.deaf && this.habit.deaf(p)) return { status: 'Accepted' };
			this.installed = this.installed.filter((o) => id(o.p) !== id(p) &&
				!(o.connectorId === connectorId && o.p.stackLevel === p.stackLevel && o.p.chargingProfilePurpose === p.chargingProfilePurpose));
			this.installed.push({ connectorId, p });
			return { status: 'Accepted' };
		});
		c.handle('GetConfiguration', ({ params }) => ({ unknownKey: params.key }));
		c.handle('GetVariables', ({ params }) => ({ getVariableResult: params.getVariableData.map((d) => ({ attributeStatus: 'UnknownVariable', component: d.component, variable: d.variable })) }));
		c.handle('TriggerMessage', () => ({ status: 'Accepted' }));
		c.handle('ClearChargingProfile', ({ params }) => {
			this.installed = this.installed.filter((o) => id(o.p) !== (params.id ?? params.chargingProfileId));
			return { status: 'Accepted' };
		});
		await this.boot();
		if (this.two) await this.event('Started', { triggerReason: 'Authorized', evse: { id: 1, connectorId: 1 }, idToken: { idToken: 'TAG', type: 'Central' } });
		else {
			this.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: now() })).transactionId;
			await c.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
		}
		this.timer = setInterval(() => this.report().catch(() => {}), 250);
	}

	boot() {
		return this.c.call('BootNotification', this.two ? { reason: 'PowerUp', chargingStation: { vendorName: 'Probe', model: this.name } } : { chargePointVendor: 'Probe', chargePointModel: this.name });
	}

	event(eventType, more) {
		this.seq = (this.seq ?? -1) + 1;
		return this.c.call('TransactionEvent', { eventType, seqNo: this.seq, timestamp: now(), transactionInfo: { transactionId: `${this.name}-1`, chargingState: 'Charging' }, ...more });
	}

	current() {
		const top = (purpose) => this.installed.filter((o) => o.p.chargingProfilePurpose === purpose).sort((a, b) => b.p.stackLevel - a.p.stackLevel)[0];
		const amps = ({ p }) => (schedule(p).chargingRateUnit === 'W' ? first(p).limit / 230 / (first(p).numberPhases || 3) : first(p).limit);
		const one = top('TxProfile') || top('TxDefaultProfile'), max = top('ChargePointMaxProfile') || top('ChargingStationMaxProfile');
		return Math.min(MOST, one ? amps(one) : MOST, max ? amps(max) : MOST);
	}

	report() {
		if (this.two) {
			const sampledValue = [1, 2, 3].map((i) => ({ value: this.current(), measurand: 'Current.Import', phase: `L${i}`, unitOfMeasure: { unit: 'A' } }));
			return this.event('Updated', { triggerReason: 'MeterValuePeriodic', meterValue: [{ timestamp: now(), sampledValue }] });
		}
		const sampledValue = [1, 2, 3].map((i) => ({ value: this.current().toFixed(2), measurand: 'Current.Import', phase: `L${i}`, unit: 'A' }));
		return this.c.call('MeterValues', { connectorId: 1, transactionId: this.tx, meterValue: [{ timestamp: new Date().toISOString(), sampledValue }] });
	}
}

async function main() {
	const dir = tempDir(), port = await freePort(), names = Object.keys(habits);
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 200}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {subprotocols: [ocpp2.0.1, ocpp1.6], fallback_current_a: 6, max_current_a: ${MOST}, meter_interval: 1s, limit_response: 2s}
stations:
${names.map((n) => `  ${n}: {circuit: grid}`).join('\n')}
log: {level: info, target: stderr}
`);
	const q = {}, seen = {};
	let evidence;
	const find = (name, want) => seen[name].find((r) => Object.entries(want).every(([k, v]) => r[k] === v));
	await run([
		['cars charge', async () => {
			await daemon.start();
			const nobody = await daemon.cli('commission', 'probe', 'plain');
			ok(nobody.code === 6 && nobody.err.includes('no car charges'), `without a car it says so: ${nobody.code} ${nobody.err}`);
			for (const n of names) {
				q[n] = new Charger(n);
				await q[n].connect(port);
			}
			await until(60000, 'the plain ones charge with all there is', () => names.every((n) => q[n].current() === MOST && q[n].installed.some(({ p }) => p.chargingProfilePurpose === 'TxProfile')));
		}],
		['each form is tried, and a table shows what came of it', async () => {
			const others = ['picky', 'deaf', 'modern', 'watts'];
			const [plain, ...rest] = await Promise.all([daemon.cli('commission', 'probe', 'plain'), ...others.map((n) => daemon.cli('--json', 'commission', 'probe', n))]);
			console.log(plain.out.split('\n').map((l) => `# ${l}`).join('\n'));
			ok(plain.code === 0, plain.err);
			ok(/TxProfile +1 .* accepted +followed/.test(plain.out), 'a TxProfile is followed');
			ok(/ChargePointMaxProfile +0 .* accepted +followed/.test(plain.out), 'and the maximum of the station');
			ok(plain.out.includes('limits go out as TxProfile'), 'the form in use');
			for (const [n, r] of others.map((o, i) => [o, rest[i]])) {
				ok(r.code === 0, `${n}: ${r.err}${r.out}`);
				seen[n] = JSON.parse(r.out).result.forms;
			}
			console.log(`# ${JSON.stringify(seen)}`);
			ok(find('picky', { unit: 'W' }).answer === 'refused', 'watts');
			ok(find('picky', { limit_a: 6.5 }).answer === 'refused', 'half amperes');
			ok(find('picky', { purpose: 'TxDefaultProfile', connector: 0 }).answer === 'refused', 'connector 0');
			ok(find('picky', { purpose: 'TxDefaultProfile', connector: 1 }).answer === 'accepted', 'connector 1');
			const unheard = find('deaf', { purpose: 'ChargePointMaxProfile' });
			ok(unheard.answer === 'accepted' && unheard.current === 'not followed', 'what is accepted and not followed');
			ok(find('picky', { purpose: 'TxProfile', unit: 'A', limit_a: 6 }).current === 'followed', 'a TxProfile in amperes');
			ok(find('modern', { purpose: 'TxProfile', unit: 'A', connector: 1 }).current === 'followed', 'a TxProfile of 2.0.1');
			ok(find('modern', { purpose: 'ChargingStationMaxProfile', connector: 0 }).current === 'followed', 'and its maximum');
			ok(find('modern', { phases: 3 }).answer === 'accepted', 'with its phases');
			ok(find('watts', { unit: 'A' }).answer === 'refused' && find('watts', { unit: 'W' }).answer === 'accepted', 'one that takes watts');
		}],
		['nothing of it stays, and the cars charge as before', async () => {
			await until(60000, 'they do', () => q.plain.current() === MOST && q.picky.current() === MOST);
			for (const n of names) ok(!q[n].installed.some((o) => o.p.chargingProfileId % 1000 === 999), `${n} keeps nothing`);
			ok((await daemon.ask('job.list')).filter((j) => j.kind === 'probe' && j.state === 'done').length === names.length, 'all jobs are done');
		}],
		['the report of the commissioning has what was found of each of them, although they ended together and nobody wrote it down', async () => {
			evidence = (await daemon.ask('commission.report')).report.steps.probe;
			ok(evidence.state === 'passed' && evidence.by, JSON.stringify(evidence));
			ok(evidence.data.stations.map((s) => s.station).sort().join() === [...names].sort().join(), `of ${evidence.data.stations.map((s) => s.station)}`);
			ok(JSON.stringify(evidence.data.stations.find((s) => s.station === 'picky').forms) === JSON.stringify(seen.picky), 'each form');
		}],
		['after a restart it is there, and limits go out in the form that was found', async () => {
			await daemon.stop();
			for (const n of names) Object.assign(q[n], { refused: 0, installed: [] });
			await daemon.start();
			const [kept] = await daemon.ask('commission.probed', { station: 'picky' });
			ok(JSON.stringify(kept.forms) === JSON.stringify(seen.picky) && kept.at, 'the table with its time');
			ok(JSON.stringify((await daemon.ask('commission.report')).report.steps.probe) === JSON.stringify(evidence), 'and the evidence in the report');
			ok((await daemon.cli('commission', 'probed', 'modern')).out.includes('limits go out as TxProfile'), 'for people');
			await until(60000, 'they are told again', () => names.every((n) => q[n].installed.some(({ p }) => /^Tx(Default)?Profile$/.test(p.chargingProfilePurpose) && schedule(p).duration)));
			for (const n of ['picky', 'watts']) ok(q[n].refused === 0, `${n} refuses ${q[n].refused}`);
			for (const n of names) clearInterval(q[n].timer);
			await daemon.stop();
		}],
	]);
}

main();
