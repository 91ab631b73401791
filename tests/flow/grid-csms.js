'use strict';
// What a CSMS allows all cars together is one of the grid's inputs: the lowest decides, it is told whose it is and until when, it ends with its
// profile, and a CSMS that is out of reach for too long is the fail-safe.
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const AMPS = 20, WATTS = AMPS * 3 * 230, LOWER = 10000, FAIL_SAFE = 9000, NEVER_W = 6900;
const max = (id, stackLevel, limit, more = {}) => ({ id, stackLevel, chargingProfilePurpose: 'ChargingStationMaxProfile', chargingProfileKind: 'Absolute', ...more,
	chargingSchedule: [{ id: 1, startSchedule: new Date(Date.now() - 60000).toISOString(), chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }] });

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6], max_current_a: 32, fallback_current_a: 6}
stations: {G-1: {circuit: grid}}
grid_operator:
  inputs:
    cpo: {kind: csms, uplink: cpo, stale_after: 2s, fail_safe_w: ${FAIL_SAFE}}
    cloud: {kind: command}
uplinks:
  cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 500ms, max: 1s, jitter: 50%}, own_identity: LC-1}
`);
	const csms = new Csms(csmsPort);
	const box = () => csms.clients.get('LC-1');
	let car;
	const offer = () => car.profiles.map((p) => p.params.csChargingProfiles).filter((p) => p.chargingProfilePurpose === 'TxProfile')
		.map((p) => p.chargingSchedule.chargingSchedulePeriod[0].limit).at(-1);
	const offered = (watts) => until(20000, `an offer of ${watts} W`, () => Math.abs(offer() - watts / 690) < 0.15);
	const decides = (state, by, limit) => until(20000, `${by} decides ${limit}`, async () => {
		const g = await daemon.ask('grid.show');
		return g.state === state && g.decided_by === by && g.limit_w === limit && g;
	});
	const input = (g) => g.inputs.find((i) => i.id === 'cpo');
	const log = (code) => daemon.ask('grid.log').then((l) => l.filter((e) => e.code === code && e.args.input === 'cpo').map((e) => e.args));

	async function set(profile) {
		equal((await box().call('SetChargingProfile', { evseId: 0, chargingProfile: profile })).status, 'Accepted', 'the profile');
	}

	await run([
		['a CSMS that has not spoken since the start counts with its fail-safe, then it is free', async () => {
			await daemon.start();
			equal(input(await decides('fail_safe', 'cpo', FAIL_SAFE)).by, undefined, 'nobody has said anything');
			await csms.listen();
			await decides('free', null, null);
			car = await station(port, 'G-1', 'ocpp1.6');
			await car.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			await car.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() });
			await offered(32 * 690);
		}],
		['its limit decides, by name, and reaches the car', async () => {
			await set(max(3, 0, AMPS));
			const g = await decides('limited', 'cpo', WATTS);
			equal([input(g).kind, input(g).state, input(g).by, input(g).until], ['csms', 'limited', 'LC-1/3', null], 'the input');
			await offered(WATTS);
			const chain = await until(10000, 'the cap by phase', async () => {
				const { chain: c } = await daemon.ask('why', { object: 'G-1' });
				return c.some((cap) => cap.reason === 'csms_group' && cap.ref === 'LC-1/3') && c;
			});
			ok(!chain.some((c) => c.reason === 'grid_operator'), 'and it is not taken for the grid operator');
			const shown = await daemon.cli('grid', 'show');
			ok(/^cpo +csms +limited +13800 .*LC-1\/3/m.test(shown.out), shown.out);
		}],
		['of two that limit the lowest holds, whoever it is', async () => {
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: LOWER });
			await decides('limited', 'cloud', LOWER);
			await offered(LOWER);
		}],
		['a profile that ends: the journal tells whose it was and until when, and the others hold again', async () => {
			const validTo = new Date(Date.now() + 5000).toISOString();
			await set(max(4, 1, NEVER_W / 690, { validTo }));
			const told = await until(5000, 'the limit in the journal', async () => (await log('grid.limit')).find((e) => e.limit_w === NEVER_W));
			equal([told.by, Date.parse(told.until)], ['LC-1/4', Date.parse(validTo)], 'whose, and until when');
			equal(input(await decides('limited', 'cloud', LOWER)).by, 'LC-1/3', 'what is left of the CSMS');
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
			await decides('limited', 'cpo', WATTS);
			ok((await log('grid.input')).some((e) => e.limit_w === WATTS && e.by === 'LC-1/3'), 'evidence of the input');
		}],
		['out of reach for too long it is the fail-safe, and back it is what it was', async () => {
			await csms.close();
			const g = await decides('fail_safe', 'cpo', FAIL_SAFE);
			equal(input(g).fault, 'its CSMS is not connected', 'why');
			await offered(FAIL_SAFE);
			await csms.listen();
			await decides('limited', 'cpo', WATTS);
			await offered(WATTS);
		}],
		['cleared, it is free', async () => {
			await until(10000, 'the box is back', () => box() && csms.boots.some((b) => b.station === 'LC-1'));
			equal((await box().call('ClearChargingProfile', { chargingProfileId: 3 })).status, 'Accepted', 'the CSMS hears');
			await decides('free', null, null);
			await offered(32 * 690);
			ok((await log('grid.input')).some((e) => e.was === 'limited' && e.state === 'free' && !e.by), 'evidence');
			await daemon.stop();
		}],
	]);
	process.exit(0);
}

main();
