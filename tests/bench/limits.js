'use strict';
// From a meter's sample to the charging profile on the wire, with 200 stations of the npm implementation: the building takes more with a jump, and
// the time from the first reading of the new value to each station's first SetChargingProfile that lowers its limit is taken.
//
//   node tests/bench/limits.js [STATIONS [JUMPS]]
const { freePort, tempDir, until, Daemon, Csms, station } = require('../flow/lib.js');
const { SunSpecMeter } = require('../flow/modbus.js');

const STATIONS = Number(process.argv[2] || 200), JUMPS = Number(process.argv[3] || 6), EACH = 10;
const wait = (s) => new Promise((r) => setTimeout(r, s * 1000));
const at = (p, list) => list[Math.min(list.length - 1, Math.floor(list.length * p))];

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()], meter = new SunSpecMeter();
	await meter.start();
	const limit = 320;
	const daemon = new Daemon(dir, `
version: 1
site: {id: bench}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: ${limit * 10}, meter: main}, row: {parent: grid, limit_a: ${limit * 10}}}
meters: {main: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${meter.port}, unit: 1, ct_ratio: 10, poll: 100ms, stale_after: 5s}}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6], fallback_current_a: 6, max_current_a: 16}
stations: {"B-[001-${String(STATIONS).padStart(3, '0')}]": {circuit: row}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort), all = [], took = [];
	let read = 0n;
	await csms.listen();
	await daemon.start();
	for (let i = 1; i <= STATIONS; i++) {
		const c = await station(port, `B-${String(i).padStart(3, '0')}`, 'ocpp1.6');
		c.amps = 0;
		c.handle('SetChargingProfile', ({ params: { csChargingProfiles: p } }) => {
			const amps = p.chargingSchedule.chargingSchedulePeriod[0].limit;
			if (p.chargingProfilePurpose === 'TxProfile') {
				if (read && amps < c.amps && c.cut !== read) took.push(Number(process.hrtime.bigint() - read) / 1e6);
				if (read && amps < c.amps) c.cut = read;
				c.amps = amps;
			}
			return { status: 'Accepted' };
		});
		all.push(c);
	}
	const sum = () => all.reduce((a, c) => a + c.amps, 0);
	let mark = 0, jump = Infinity;
	meter.amps([5, 5, 5], ++mark);
	for (const c of all) {
		await c.call('BootNotification', { chargePointVendor: 'Bench', chargePointModel: 'One' });
		c.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() })).transactionId;
	}
	const report = () => all.forEach((c) => c.call('MeterValues', { connectorId: 1, transactionId: c.tx, meterValue: [{ timestamp: new Date().toISOString(),
		sampledValue: ['L1', 'L2', 'L3'].map((phase) => ({ value: String(c.amps), measurand: 'Current.Import', phase, unit: 'A' })) }] }).catch(() => {}));
	const reporting = setInterval(report, 5000);
	let base = 50;
	const feed = setInterval(() => meter.amps([0, 1, 2].map(() => (base + sum()) / 10), ++mark), 500);
	await until(120000, 'limits', () => all.every((c) => c.amps > 6));
	await wait(10);
	meter.on('read', (seen, said) => seen >= jump && !read && (read = BigInt(said.t)));
	for (let j = 0; j < JUMPS; j++) {
		read = 0n;
		base = limit * 10 - sum() + 60 * (j + 2);
		jump = mark + 1;
		meter.amps([0, 1, 2].map(() => (base + sum()) / 10), ++mark);
		await wait(EACH);
		base = 50;
		meter.amps([0, 1, 2].map(() => (base + sum()) / 10), ++mark);
		await wait(EACH / 2);
	}
	clearInterval(feed);
	clearInterval(reporting);
	took.sort((a, b) => a - b);
	console.log(`${STATIONS} stations, ${took.length} reductions: p50 ${at(0.5, took).toFixed(0)} ms, p99 ${at(0.99, took).toFixed(0)} ms, at most ${took.at(-1).toFixed(0)} ms`);
	const counts = [];
	for (const c of all) counts.push((await daemon.ask('station.show', { station: c.identity })).set_points);
	const total = (key) => counts.reduce((n, o) => n + o[key], 0);
	console.log(`${total('sent')} set-points, ${total('at_once')} of them did not wait for the station's second, ${total('unchanged')} were not sent because nothing changed`);
	process.exit(0);
}

main();
