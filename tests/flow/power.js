'use strict';
// From a register of a real Modbus server to the limits on the wire of six real stations: when the building takes more, the cars get less, at
// once and on every phase. Prints how long it takes from the first reading of the new value to the last SetChargingProfile that it needs.
// Environment: JUMPS (20).
const { PATIENCE, freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');
const { SunSpecMeter } = require('./modbus.js');

const JUMPS = Number(process.env.JUMPS || 20);
const GRID = 100, ROW = 80, MAX = 16, FALLBACK = 6;
// What moved while nobody looked stays in the balancer's estimate of the building for 45 s, and small raises are gathered for 60 s: on a machine
// that is late with everything, the share is reached that much later, and it has to be reached then.
const SETTLES = 30000;
const now = () => new Date().toISOString();

// A car at a station: takes what the newest profile allows, and tells when the meter has shown it. A report that is older or newer than the
// current on the wire would be a lie about the building.
class Car {
	constructor(client, id, two) {
		Object.assign(this, { client, id, two, amps: 0, at: 0n });
		client.on('profile', (params) => this.limit(two ? params.chargingProfile : params.csChargingProfiles));
	}

	limit(profile) {
		if (profile.chargingProfilePurpose === 'TxDefaultProfile' && profile.stackLevel === 0) return; // what it would do without us
		const schedule = this.two ? profile.chargingSchedule[0] : profile.chargingSchedule;
		ok(schedule.chargingRateUnit === 'A', 'limits are in ampere');
		this.amps = Math.min(MAX, schedule.chargingSchedulePeriod[0].limit);
		this.at = process.hrtime.bigint();
		const turn = (this.turn = (this.turn || 0) + 1);
		this.onLimit().then(() => turn === this.turn && this.tell());
	}

	tell() {
		const { amps } = this;
		const sampledValue = ['L1', 'L2', 'L3'].map((phase) => ({ measurand: 'Current.Import', phase, ...(this.two
			? { value: this.amps, unitOfMeasure: { unit: 'A' } } : { unit: 'A', value: String(this.amps) }) }));
		const meterValue = [{ timestamp: now(), sampledValue }];
		const sent = this.two
			? this.client.call('TransactionEvent', { eventType: 'Updated', seqNo: ++this.seq, triggerReason: 'MeterValuePeriodic', timestamp: now(),
				transactionInfo: { transactionId: `${this.id}-1`, chargingState: 'Charging' }, meterValue })
			: this.client.call('MeterValues', { connectorId: 1, transactionId: this.tx, meterValue });
		this.told = sent.then(() => (this.toldAmps = amps), (e) => (this.error = e));
	}

	async start() {
		if (this.two) {
			this.seq = 0;
			await this.client.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } });
			await this.client.call('StatusNotification', { timestamp: now(), connectorStatus: 'Occupied', evseId: 1, connectorId: 1 });
			await this.client.call('TransactionEvent', { eventType: 'Started', seqNo: 0, triggerReason: 'Authorized', timestamp: now(), evse: { id: 1, connectorId: 1 },
				idToken: { idToken: 'TAG', type: 'Central' }, transactionInfo: { transactionId: `${this.id}-1`, chargingState: 'Charging' } });
		} else {
			await this.client.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			this.tx = (await this.client.call('StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: now() })).transactionId;
			await this.client.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
		}
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const meter = new SunSpecMeter();
	await meter.start();
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: ${GRID}, meter: main}
  row: {parent: grid, limit_a: ${ROW}}
meters:
  main: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${meter.port}, unit: 1, poll: 100ms, stale_after: 2s}
balancing: {interval: 200ms, rebalance_every: 0s, increase: {after: 0s, step_a: 100}, on_meter_lost: {after: 0s, limit: fallback}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1], max_current_a: ${MAX}, fallback_current_a: ${FALLBACK}}
stations: {"P-[1-6]": {circuit: row, rotation: [RST, STR, TRS]}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const cars = [];
	let base = [5, 20, 5];
	const drawn = () => cars.reduce((sum, c) => sum + c.amps, 0);
	let noise = 0;
	// Puts what flows into the registers; resolves with the time when that, or something newer, was first read.
	let shown = 0, unread = [];
	const show = () => new Promise((resolve) => {
		noise = (noise + 1) % 7;
		unread.push([++shown, resolve]);
		meter.amps(base.map((b) => b + drawn() + noise / 100), shown);
	});
	meter.on('read', (mark, said) => {
		unread.filter(([m]) => m <= mark).forEach(([, resolve]) => resolve(BigInt(said.t)));
		unread = unread.filter(([m]) => m > mark);
	});
	const alive = setInterval(show, 100);
	const inLimits = async () => {
		for (const c of await daemon.ask('circuit.list'))
			for (let p = 0; p < 3; p++) ok(c.planned_a[p] <= c.limit_a[p] + 0.05, `${c.id} L${p + 1}: planned ${c.planned_a[p]} A of ${c.limit_a[p]} A`);
	};
	const times = [];
	const follow = () => cars.forEach((c) => (c.onLimit = show));

	// The building takes so much on L2; resolves with the time to the last profile that this needed.
	const jump = (l2, which) => new Promise((resolve, reject) => {
		let from = 0n;
		const late = setTimeout(() => reject(new Error(`jump ${which} to ${l2} A is not answered (${from ? 'but read' : 'not even read'}): ${cars.map((c) => c.amps)}`)), 5000 * PATIENCE);
		const look = () => {
			if (!from || base[1] + drawn() > GRID + 0.1) return;
			clearTimeout(late);
			const last = cars.reduce((t, c) => (c.at > t ? c.at : t), 0n);
			resolve(Number(last - from) / 1e6);
		};
		cars.forEach((c) => (c.onLimit = () => { const read = show(); look(); return read; }));
		base = [base[0], l2, base[2]];
		show().then((t) => { from = t; look(); });
	});

	await run([
		['six cars of two versions share the row', async () => {
			await csms.listen();
			await daemon.start();
			for (let i = 1; i <= 6; i++) {
				const two = i % 2 === 0;
				const car = new Car(await station(port, `P-${i}`, two ? 'ocpp2.0.1' : 'ocpp1.6'), `P-${i}`, two);
				cars.push(car);
				follow();
				await car.start();
			}
			await until(SETTLES, 'they have their share', () => cars.every((c) => c.amps > 0) && Math.abs(drawn() - ROW) < 1.5);
			await inLimits();
		}],
		...['exception', 'silent'].map((mode) => [`the meter answers with ${mode}: fallback, and back`, async () => {
			await until(SETTLES, 'all charge', () => Math.abs(drawn() - ROW) < 1.5);
			meter.tell({ mode });
			await until(8000, 'the meter is stale', async () => (await daemon.ask('meter.list'))[0].state === 'stale');
			await until(5000, 'all go down to the fallback', () => cars.every((c) => c.amps <= FALLBACK));
			const [why] = (await daemon.ask('why', { object: 'P-2' })).chain;
			equal(why.reason, 'meter_lost', 'the reason');
			equal(why.detail, (await daemon.ask('meter.list'))[0].fault, 'and what is wrong with the meter');
			await inLimits();
			meter.tell({ mode: 'ok' });
			await until(8000, 'the meter is back', async () => (await daemon.ask('meter.list'))[0].state === 'ok');
			await until(SETTLES, 'and so is the current', () => Math.abs(drawn() - ROW) < 1.5);
		}]),
		[`${JUMPS} times the building takes more on L2, which is full`, async () => {
			for (let i = 1; i <= JUMPS; i++) {
				await until(5000, 'all have reported', () => cars.every((c) => c.amps === c.toldAmps));
				times.push(await jump(20 + (42 * i) / JUMPS, i));
				await inLimits();
			}
			ok(cars.every((c) => c.amps >= 6 - 0.01), `nobody is paused while there is the minimum for each: ${cars.map((c) => c.amps)}`);
			times.sort((a, b) => a - b);
			console.log(`# from the reading of the new value to the last limit on the wire: median ${times[times.length >> 1].toFixed(1)} ms, ` +
				`worst ${times[times.length - 1].toFixed(1)} ms, of ${times.length}`);
		}],
		['more than there is: some wait, nobody gets less than his minimum', async () => {
			await jump(75, JUMPS + 1);
			ok(cars.every((c) => c.amps === 0 || c.amps >= 6), `currents ${cars.map((c) => c.amps)}`);
			ok(cars.some((c) => c.amps === 0) && cars.some((c) => c.amps > 0), 'some wait, some charge');
			await inLimits();
		}],
		['ampgate why names what binds first', async () => {
			const why = await until(3000, 'the reason is the grid', async () => {
				const said = await daemon.cli('why', cars.find((c) => c.amps > 0).id);
				return /^ binding +circuit grid L2 /m.test(said.out) && said;
			});
			ok(why.code === 0 && /^ next +[a-z_]+ /m.test(why.out), `the chain goes on: ${why.out}`);
			ok(/binds \d EVSEs on L2/.test((await daemon.cli('why', 'grid')).out), 'and the circuit says so');
			const chain = (await daemon.ask('why', { object: cars.find((c) => c.amps > 0).id })).chain;
			for (let i = 1; i < chain.length; i++) ok(chain[i - 1].value_a <= chain[i].value_a, `ascending: ${JSON.stringify(chain)}`);
			equal((await daemon.ask('why', { object: cars.find((c) => c.amps === 0).id })).chain[0].reason, 'waiting', 'of one that waits');
		}],
		['nobody saw an invalid message, the daemon ends in order', async () => {
			clearInterval(alive);
			ok(!csms.violation, `the CSMS: ${csms.violation}`);
			cars.forEach((c) => ok(!c.client.violation && !c.error, `${c.id}: ${c.client.violation || c.error}`));
			await daemon.stop();
		}],
	]);
}

main();
