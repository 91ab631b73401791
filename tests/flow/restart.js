'use strict';
// Both ends are killed and come back at any moment while cars charge: each station has its limit again within five seconds of being back, and at no
// time do the limits in force add up to more than the circuit has. A station keeps its profiles over a restart, as the standard asks, and a car
// takes all that it may.
//
//   restart.js [ROUNDS]        5 where nothing is said
const { freePort, tempDir, until, Daemon, Csms, station, ok, run } = require('./lib.js');

const ROUNDS = Number(process.argv[2] || 5), STATIONS = 6, LIMIT = 60, MOST = 32, WITHIN = 5000;
let seed = 99;
const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const wait = (ms) => new Promise((r) => setTimeout(r, ms));

class Charger {
	constructor(name, port) {
		Object.assign(this, { name, port, installed: [], liveAt: 0, backAt: 0 });
	}

	async connect() {
		this.backAt = 0;
		const c = (this.c = await station(this.port, this.name, 'ocpp1.6'));
		c.handle('SetChargingProfile', ({ params: { csChargingProfiles: p } }) => {
			this.installed = this.installed.filter((o) => o.chargingProfileId !== p.chargingProfileId);
			this.installed.push({ ...p, at: Date.now() });
			if (p.chargingProfilePurpose === 'TxProfile') this.liveAt = Date.now();
			return { status: 'Accepted' };
		});
		await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'Again' });
		this.backAt = Date.now();
		c.on('open', () => (this.backAt = Date.now()));
	}

	// What its car takes: all that the profiles in force allow.
	amps() {
		if (!this.tx) return 0;
		const lasts = (p) => !p.chargingSchedule.duration || Date.now() < p.at + p.chargingSchedule.duration * 1000;
		const top = (purpose) => this.installed.filter((p) => p.chargingProfilePurpose === purpose && lasts(p)).sort((a, b) => b.stackLevel - a.stackLevel)[0];
		const p = top('TxProfile') || top('TxDefaultProfile');
		const limit = p ? p.chargingSchedule.chargingSchedulePeriod[0].limit : MOST;
		return limit < 6 ? 0 : Math.min(MOST, limit);
	}

	async start() {
		this.tx = (await this.c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() })).transactionId;
	}

	report() {
		if (!this.tx || this.c.state !== 1) return;
		const sampledValue = ['L1', 'L2', 'L3'].map((phase) => ({ value: this.amps().toFixed(1), measurand: 'Current.Import', phase, unit: 'A' }));
		this.c.call('MeterValues', { connectorId: 1, transactionId: this.tx, meterValue: [{ timestamp: new Date().toISOString(), sampledValue }] }).catch(() => {});
	}
}

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: ${LIMIT}}}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6], fallback_current_a: 6, max_current_a: ${MOST}, meter_interval: 1s, limit_response: 2s}
stations: {"S-[1-${STATIONS}]": {circuit: grid}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}], reconnect: {min: 500ms, max: 2s, jitter: 50%}}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort), all = [];
	let most = 0, slowest = 0, overSince = 0, longest = 0, timers;
	const look = () => {
		const sum = all.reduce((a, c) => a + c.amps(), 0), over = sum > LIMIT + 0.11;
		most = Math.max(most, sum);
		overSince = over ? overSince || Date.now() : 0;
		longest = Math.max(longest, over ? Date.now() - overSince : 0);
	};

	await run([
		['six stations share sixty amperes', async () => {
			await csms.listen();
			await daemon.start();
			for (let i = 1; i <= STATIONS; i++) all.push(new Charger(`S-${i}`, port));
			for (const c of all) await c.connect();
			await until(15000, 'fallbacks', () => all.every((c) => c.installed.length));
			timers = [setInterval(() => all.forEach((c) => c.report()), 1000),
				setInterval(look, 20)];
			for (const c of all) await c.start();
			await until(30000, 'the circuit is used', () => all.reduce((a, c) => a + c.amps(), 0) > LIMIT - 12);
			// These cars take their fallback in the moment of their start, faster than any real one; the others make room when the box hears of it, and
			// not with its next tick, after which stations would have another second.
			await until(30000, 'a limit of its own for each', () => !overSince && all.every((c) => c.liveAt));
			console.log(`# newcomers: at most ${most.toFixed(1)} A of ${LIMIT}, above it for ${longest} ms`);
			ok(longest < 1000, `above the limit for ${longest} ms`);
			most = 0;
		}],
		[`${ROUNDS} times one end or both are gone, and limits are back within five seconds`, async () => {
			for (let round = 0; round < ROUNDS; round++) {
				await wait(200 + 1500 * chance());
				const what = round % 3, c = all[Math.floor(chance() * STATIONS)];
				if (what !== 0) await c.c.close({ code: 1001, force: true }).catch(() => {});
				if (what !== 1) {
					await daemon.kill();
					await wait(500 * chance());
					await daemon.start();
				}
				if (what !== 0) await c.connect();
				const due = what === 1 ? [c] : all;
				await until(30000, 'they are here', () => due.every((s) => s.c.state === 1));
				const from = Date.now();
				for (const s of due) s.liveAt = 0;
				await until(WITHIN * 4, 'limits', () => due.every((s) => s.liveAt));
				slowest = Math.max(slowest, ...due.map((s) => s.liveAt - from));
			}
		}],
		['who stays away is counted with what it was last told', async () => {
			const [one, two, ...rest] = all;
			for (const c of rest) {
				await c.c.call('StopTransaction', { transactionId: c.tx, meterStop: 9, timestamp: new Date().toISOString() });
				c.tx = 0;
			}
			await until(90000, 'more for those two', () => one.amps() + two.amps() > LIMIT - 3);
			await daemon.kill();
			await one.c.close({ code: 1001, force: true }).catch(() => {});
			await daemon.start();
			two.liveAt = 0;
			await until(30000, 'the other one has a limit', () => two.liveAt);
			await wait(8000);
			ok(one.amps() + two.amps() <= LIMIT + 0.11, `${one.amps()} and ${two.amps()} A`);
		}],
		['no phase was above its limit meanwhile', async () => {
			timers.forEach(clearInterval);
			console.log(`# slowest limit ${slowest} ms after both ends were there; at most ${most.toFixed(1)} A of ${LIMIT}`);
			ok(most <= LIMIT + 0.11, `the circuit carried ${most} A`);
			ok(slowest <= WITHIN, `a limit came after ${slowest} ms`);
			await daemon.stop();
		}],
	]);
}

main();
