'use strict';
// What an installer learns by `ampgate commission probe`: each form of a limit is tried on a station while its car charges, and the current tells
// which of them it follows.
const { freePort, tempDir, until, Daemon, station, ok, run } = require('./lib.js');

const MOST = 16;
const first = (p) => p.chargingSchedule.chargingSchedulePeriod[0];
const habits = {
	plain: {},
	deaf: { deaf: (p) => p.chargingProfilePurpose === 'ChargePointMaxProfile' },
	picky: { refuses: (p, connector) => p.chargingSchedule.chargingRateUnit === 'W' || first(p).limit % 1 !== 0 || (connector === 0 && p.chargingProfilePurpose === 'TxDefaultProfile') },
};

class Charger {
	constructor(name) {
		Object.assign(this, { name, habit: habits[name], installed: [], most: 0 });
	}

	async connect(port) {
		const c = (this.c = await station(port, this.name, 'ocpp1.6'));
		c.handle('SetChargingProfile', ({ params: { connectorId, csChargingProfiles: p } }) => {
			if (this.habit.refuses && this.habit.refuses(p, connectorId)) return { status: 'Rejected' };
			if (this.habit.deaf && this.habit.deaf(p)) return { status: 'Accepted' };
			this.installed = this.installed.filter((o) => o.p.chargingProfileId !== p.chargingProfileId &&
				!(o.connectorId === connectorId && o.p.stackLevel === p.stackLevel && o.p.chargingProfilePurpose === p.chargingProfilePurpose));
			this.installed.push({ connectorId, p });
			return { status: 'Accepted' };
		});
		c.handle('GetConfiguration', ({ params }) => ({ unknownKey: params.key }));
		c.handle('TriggerMessage', () => ({ status: 'Accepted' }));
		c.handle('ClearChargingProfile', ({ params }) => {
			this.installed = this.installed.filter((o) => o.p.chargingProfileId !== params.id);
			return { status: 'Accepted' };
		});
		await c.call('BootNotification', { chargePointVendor: 'Probe', chargePointModel: this.name });
		this.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() })).transactionId;
		await c.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
		this.timer = setInterval(() => this.report().catch(() => {}), 250);
	}

	current() {
		const top = (purpose) => this.installed.filter((o) => o.p.chargingProfilePurpose === purpose).sort((a, b) => b.p.stackLevel - a.p.stackLevel)[0];
		const amps = ({ p }) => (p.chargingSchedule.chargingRateUnit === 'W' ? first(p).limit / 690 : first(p).limit);
		const one = top('TxProfile') || top('TxDefaultProfile'), max = top('ChargePointMaxProfile');
		return Math.min(MOST, one ? amps(one) : MOST, max ? amps(max) : MOST);
	}

	report() {
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
station_defaults: {subprotocols: [ocpp1.6], fallback_current_a: 6, max_current_a: ${MOST}, meter_interval: 1s, limit_response: 2s}
stations:
${names.map((n) => `  ${n}: {circuit: grid}`).join('\n')}
log: {level: info, target: stderr}
`);
	const q = {}, seen = {};
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
			const [plain, picky, deaf] = await Promise.all([daemon.cli('commission', 'probe', 'plain'), ...['picky', 'deaf'].map((n) => daemon.cli('--json', 'commission', 'probe', n))]);
			console.log(plain.out.split('\n').map((l) => `# ${l}`).join('\n'));
			ok(plain.code === 0, plain.err);
			ok(/TxProfile +1 .* accepted +followed/.test(plain.out), 'a TxProfile is followed');
			ok(/ChargePointMaxProfile +0 .* accepted +followed/.test(plain.out), 'and the maximum of the station');
			ok(plain.out.includes('limits go out as TxProfile'), 'the form in use');
			for (const [n, r] of [['picky', picky], ['deaf', deaf]]) {
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
		}],
		['nothing of it stays, and the cars charge as before', async () => {
			await until(60000, 'they do', () => q.plain.current() === MOST && q.picky.current() === MOST);
			for (const n of names) ok(!q[n].installed.some((o) => o.p.chargingProfileId % 1000 === 999), `${n} keeps nothing`);
			ok((await daemon.ask('job.list')).filter((j) => j.kind === 'probe' && j.state === 'done').length === 3, 'three jobs are done');
			for (const n of names) clearInterval(q[n].timer);
			await daemon.stop();
		}],
	]);
}

main();
