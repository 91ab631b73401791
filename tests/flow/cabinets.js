'use strict';
// Several stations of the box's own, each with several EVSEs, of two versions, beside a station on the network and a load that runs by the
// hour, under one circuit: started free, from afar and by schedule. The outlets are simulated and moved by files.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const scene = (id, what) => {
		const file = path.join(dir, `${id}.json`);
		fs.writeFileSync(`${file}.new`, JSON.stringify(what));
		fs.renameSync(`${file}.new`, file);
	};
	const outlet = (id, station, more) =>
		`  ${id}: {circuit: grid, uplink: cpo, driver: sim, pilot: true, current_a: 16, station: ${station}, file: ${dir}/${id}.json, ${more}}`;
	['A1', 'A2', 'B1', 'B2', 'H'].forEach((id) => scene(id, { plugged: false }));
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 40}}
balancing: {increase: {after: 1s, step_a: 32}}
evses:
${outlet('A1', 'CAB-2', 'version: ocpp2.0.1')}
${outlet('A2', 'CAB-2', 'version: ocpp2.0.1')}
${outlet('B1', 'CAB-1', 'authorize: [free]')}
${outlet('B2', 'CAB-1', 'authorize: [free]')}
  H: {circuit: grid, uplink: cpo, driver: sim, phases: [L2], current_a: 10, file: ${dir}/H.json, authorize: [schedule], hours: ["00:00-24:00"], token: NIGHT}
stations:
  N-01: {circuit: grid, uplink: cpo}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const state = (id, connector) => {
		const s = csms.statuses.filter((x) => x.station === id && (x.params.evseId || x.params.connectorId) === connector).pop();
		return s && (s.params.status || s.params.connectorStatus);
	};
	const amps = async () => (await daemon.ask('circuit.list'))[0].i_a;

	await run([
		['each station boots once, in its version, with all its EVSEs', async () => {
			await csms.listen();
			await daemon.start();
			const n = await station(port, 'N-01', 'ocpp1.6');
			await n.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
			await until(8000, 'all boot', () => csms.boots.length === 4);
			equal(csms.boots.map((b) => b.station).sort(), ['CAB-1', 'CAB-2', 'H', 'N-01'], 'who');
			ok(csms.boots.find((b) => b.station === 'CAB-2').params.chargingStation, 'in the form of 2.0.1');
			for (const [id, e] of [['CAB-1', 1], ['CAB-1', 2], ['CAB-2', 1], ['CAB-2', 2], ['H', 1]])
				await until(5000, `${id}/${e} is Available`, () => state(id, e) === 'Available');
		}],
		['a free EVSE starts when a car comes, and only that one', async () => {
			scene('B2', { plugged: true, need_wh: 20000 });
			await until(8000, 'it charges', () => state('CAB-1', 2) === 'Charging');
			equal(csms.starts.map((s) => [s.station, s.params.connectorId, s.params.idTag]), [['CAB-1', 2, 'FREE']], 'the start');
			equal(state('CAB-1', 1), 'Available', 'the other one');
		}],
		['one of 2.0.1 starts from afar', async () => {
			scene('A2', { plugged: true, need_wh: 20000 });
			await until(5000, 'occupied', () => state('CAB-2', 2) === 'Occupied');
			const answer = await csms.clients.get('CAB-2').call('RequestStartTransaction',
				{ idToken: { idToken: 'REMOTE', type: 'Central' }, remoteStartId: 7, evseId: 2 });
			equal(answer.status, 'Accepted', 'answer');
			const begun = await until(8000, 'it begins', () => csms.events.find((e) => e.station === 'CAB-2' && e.params.eventType === 'Started'));
			equal(begun.params.evse, { id: 2, connectorId: 1 }, 'where');
			await until(10000, 'it charges', () => csms.events.some((e) => e.params.transactionInfo.chargingState === 'Charging'));
		}],
		['a load starts by the hour', async () => {
			scene('H', { plugged: true });
			await until(8000, 'it runs', () => csms.starts.some((s) => s.station === 'H' && s.params.idTag === 'NIGHT'));
			await until(8000, 'it draws', () => state('H', 1) === 'Charging');
		}],
		['all of them stay within the circuit', async () => {
			scene('B1', { plugged: true, need_wh: 20000 });
			scene('A1', { plugged: true, need_wh: 20000 });
			await until(8000, 'three charge', () => state('CAB-1', 1) === 'Charging');
			let most = 0;
			await until(15000, 'their meter values arrive', async () => {
				const i = await amps();
				most = Math.max(most, ...i.filter((x) => x !== null));
				return i[0] > 18;
			});
			ok(most <= 40.5, `never more than 40 A: ${most}`);
		}],
		['a fault is that of one EVSE', async () => {
			scene('B1', { plugged: true, need_wh: 20000, broken: ['residual'] });
			await until(8000, 'Faulted', () => state('CAB-1', 1) === 'Faulted');
			const told = csms.statuses.filter((s) => s.station === 'CAB-1' && s.params.connectorId === 1).pop();
			equal(told.params.errorCode, 'GroundFailure', 'its code');
			await until(5000, 'the other one charges', () => state('CAB-1', 2) === 'Charging');
			await until(5000, 'an event with our code', async () => {
				const events = JSON.stringify(await daemon.ask('event.list'));
				return events.includes('ResidualCurrent') && events.includes('evse.fault');
			});
			scene('B1', { plugged: false });
			await until(8000, 'the car left, and so did the fault', () => state('CAB-1', 1) === 'Available');
			const stop = await until(5000, 'the transaction ended', () => csms.stops.find((s) => s.station === 'CAB-1'));
			equal(stop.params.reason, 'EVDisconnected', 'why');
		}],
		['the end', async () => {
			await daemon.stop();
			ok(!csms.violation, csms.violation);
			process.exitCode = 0;
		}],
	]);
	process.exit(0);
}

main();
