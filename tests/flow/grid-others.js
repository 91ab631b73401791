'use strict';
// A heat pump shares the grid operator's limit (section 14a EnWG): it makes what all may take together larger, and what it takes by its meter cars do
// not get, at once where it takes more. Without a living meter what it may take is set aside. Obeyed is what both take together.
const fs = require('fs');
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');
const { SunSpecMeter } = require('./modbus.js');

const MAX = 32, KEEPS = 0.4 * 20000 + 0.8 * 4200, now = () => new Date().toISOString();

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()], pump = new SunSpecMeter();
	await pump.start();
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
meters: {pump: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${pump.port}, poll: 100ms, stale_after: 2s}}
grid_operator:
  others: {heat: {kind: heat_pump, rated_w: 20000, dimmed_w: 6000, meter: pump}}
  inputs: {cloud: {kind: command}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 32}}
station_defaults: {uplink: cpo, max_current_a: ${MAX}, fallback_current_a: 0}
stations: {G-1: {circuit: grid}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`);
	const csms = new Csms(csmsPort);
	const car = { amps: 0 };
	const gets = (watts) => until(8000, `the car gets ${watts} W`, () => car.amps <= watts / 690 && car.amps > watts / 690 - 0.15);
	const takes = (amps) => until(8000, `the heat pump takes ${amps} A`, async () => Math.abs((await daemon.ask('grid.show')).others_w - amps * 690) < 3);

	await run([
		['a car charges freely, whatever the heat pump takes', async () => {
			await csms.listen();
			pump.amps([5, 5, 5]);
			await daemon.start();
			const s = await station(port, 'G-1', 'ocpp1.6');
			s.on('profile', ({ csChargingProfiles: p }) => {
				if (p.chargingProfilePurpose === 'TxDefaultProfile' && p.stackLevel === 0) return;
				car.amps = Math.min(MAX, p.chargingSchedule.chargingSchedulePeriod[0].limit);
				const sampledValue = ['L1', 'L2', 'L3'].map((phase) => ({ measurand: 'Current.Import', phase, unit: 'A', value: String(car.amps) }));
				s.call('MeterValues', { connectorId: 1, transactionId: car.tx, meterValue: [{ timestamp: now(), sampledValue }] }).catch(() => {});
			});
			await s.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			car.tx = (await s.call('StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: now() })).transactionId;
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await until(8000, 'it charges', () => car.amps === MAX);
			await takes(5);
			const { devices, dimmed_keeps_w: keeps } = await daemon.ask('grid.show');
			equal([devices, keeps], [2, KEEPS], 'what two keep');
		}],
		['dimmed it gets what the heat pump leaves, and both together are what is measured', async () => {
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: KEEPS });
			await gets(KEEPS - 3500); // it takes 3450
			const obeyed = await until(8000, 'the limit is obeyed', async () => (await daemon.ask('grid.log')).find((e) => e.code === 'grid.obeyed'));
			ok(obeyed.args.others_w === 3450 && obeyed.args.charging_w + 3450 <= KEEPS && obeyed.args.charging_w > 7000, JSON.stringify(obeyed.args));
		}],
		['it takes more: the car less, and the other way round', async () => {
			pump.amps([8, 8, 8]);
			await gets(KEEPS - 5600);
			pump.amps([0, 0, 0]);
			await gets(KEEPS);
		}],
		['its meter is lost: what it may take is set aside', async () => {
			pump.tell({ mode: 'exception' });
			await gets(KEEPS - 6000);
			equal((await daemon.ask('grid.show')).others_w, 6000, 'what is set aside');
		}],
		['the heat pump goes out of the file: the car has the limit alone', async () => {
			fs.writeFileSync(daemon.config, fs.readFileSync(daemon.config, 'utf8').replace(/^  others: .*\n/m, ''));
			daemon.child.kill('SIGHUP');
			await gets(KEEPS);
			equal((await daemon.ask('grid.show')).dimmed_keeps_w, 4200, 'what one keeps');
			await daemon.stop();
		}],
	]);
	process.exit(0);
}

main();
