'use strict';
// A station with direct current, beside one that takes whole amperes only: it is told powers, what it draws is what its power takes from the
// grid, and its own amperes and volts, which are those of the battery, are nobody's phase currents. Without this box it falls back to the power
// of its default profile; 0 is a profile, too.
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const EFFICIENCY = 0.9, LIMIT = 63, PER_AMP = 3 * 230 * EFFICIENCY;
const now = () => new Date().toISOString();
const near = (a, b, by = 0.2) => Math.abs(a - b) <= by;

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: ${LIMIT}}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 100}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6]}
stations:
  D-1: {circuit: grid, kind: dc, max_power_w: 50000, min_power_w: 5000, efficiency: ${EFFICIENCY}}
  G-1: {circuit: grid, step_a: 5, max_current_a: 32}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`);
	const csms = new Csms(csmsPort), cars = {};
	const node = async () => (await daemon.ask('circuit.list')).find((c) => c.id === 'grid');
	async function plug(id) {
		const c = (cars[id] = await station(port, id, 'ocpp1.6'));
		c.told = [];
		c.on('profile', ({ connectorId, csChargingProfiles: p }) => {
			const { chargingRateUnit: unit, chargingSchedulePeriod: [{ limit, numberPhases }] } = p.chargingSchedule;
			c.told.push({ purpose: p.chargingProfilePurpose, connectorId, unit, limit, numberPhases });
		});
		await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: id });
		return c;
	}
	const start = async (c) => {
		c.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: now() })).transactionId;
		await c.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
	};
	const tell = (c, values) => c.call('MeterValues', { connectorId: 1, transactionId: c.tx, meterValue: [{ timestamp: now(),
		sampledValue: values.map(([measurand, value, unit, phase]) => ({ measurand, value: String(value), unit, ...(phase && { phase }) })) }] });
	const live = (c) => c.told.filter((t) => t.purpose === 'TxProfile').at(-1);

	await run([
		['without this box it gives nothing: a default profile of 0 W', async () => {
			await csms.listen();
			await daemon.start();
			await plug('D-1');
			await until(8000, 'its default profile', () => cars['D-1'].told.some((t) => t.purpose === 'TxDefaultProfile'));
			const t = cars['D-1'].told.find((x) => x.purpose === 'TxDefaultProfile');
			equal([t.unit, t.limit, t.numberPhases], ['W', 0, undefined], 'the fallback');
		}],
		['it is told in watts at the car what the connection leaves beside the other\'s fallback', async () => {
			await start(cars['D-1']);
			await until(8000, 'its limit', () => live(cars['D-1']));
			ok(live(cars['D-1']).unit === 'W' && near(live(cars['D-1']).limit, (LIMIT - 6) * PER_AMP, 70), JSON.stringify(live(cars['D-1'])));
		}],
		['its power tells what it draws, not the amperes of the battery', async () => {
			await tell(cars['D-1'], [['Current.Import', 75, 'A'], ['Voltage', 400, 'V'], ['Power.Active.Import', 27, 'kW'], ['SoC', 40, 'Percent']]);
			const want = 27000 / PER_AMP;
			await until(8000, 'its draw', async () => near((await node()).i_a[0], want));
			ok((await node()).i_a.every((a) => near(a, want)), JSON.stringify((await node()).i_a));
		}],
		['where it does not say a power, the two of the battery are multiplied', async () => {
			await tell(cars['D-1'], [['Current.Import', 50, 'A'], ['Voltage', 380, 'V']]);
			await until(8000, 'its draw', async () => near((await node()).i_a[0], 19000 / PER_AMP));
		}],
		['a newcomer that takes steps of 5 A gets a multiple, and both fit', async () => {
			await start(await plug('G-1'));
			await until(8000, 'its limit', () => live(cars['G-1']) && live(cars['G-1']).limit > 0);
			equal([live(cars['G-1']).unit, live(cars['G-1']).limit % 5], ['A', 0], 'its limit');
			ok((await node()).planned_a.every((a) => a <= LIMIT), JSON.stringify((await node()).planned_a));
		}],
		['a limit of the CSMS is one at the car', async () => {
			const answer = await csms.clients.get('D-1').call('SetChargingProfile', { connectorId: 1, csChargingProfiles: { chargingProfileId: 7, stackLevel: 0,
				chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', chargingSchedule: { chargingRateUnit: 'W', startSchedule: now(),
					chargingSchedulePeriod: [{ startPeriod: 0, limit: 11000 }] } } });
			equal(answer.status, 'Accepted', 'the profile');
			await until(8000, 'its limit', () => near(live(cars['D-1']).limit, 11000, 70));
			const [cap] = (await daemon.ask('why', { object: 'D-1' })).chain;
			equal(cap.reason, 'csms_profile', 'why');
			ok(near(cap.value_a, 11000 / PER_AMP, 0.1), JSON.stringify(cap));
			ok(!cars['D-1'].violation && !cars['G-1'].violation, `valid: ${cars['D-1'].violation} ${cars['G-1'].violation}`);
			await daemon.stop();
		}],
	]);
}

main();
