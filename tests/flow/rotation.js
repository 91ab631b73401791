'use strict';
// Outlets of the box that are wired to other phases than the first, or with their phases turned: below a fuse of which L1 is full each gets what its own
// lines have left, every page shows lines of the grid, and the CSMS is told how the phases of the meter values lie.
const { freePort, tempDir, until, Daemon, Csms, equal, ok, run } = require('./lib.js');
const { SunSpecMeter } = require('./modbus.js');

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const meter = new SunSpecMeter();
	await meter.start();
	const outlet = (id, amps, more) => `  ${id}: {uplink: cpo, driver: sim, pilot: true, current_a: ${amps}, authorize: [free], ${more}}`;
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 250}
  row: {parent: grid, limit_a: 40}
  pair: {parent: grid, limit_a: 20, phases: [L2, L3]}
loads: {flat: {circuit: row, estimate_a: [40, 18, 26]}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 100}}
evses:
${outlet('ON-L2', 32, 'circuit: row, phases: 1, rotation: STR')}
${outlet('ON-L3', 32, 'circuit: row, phases: [L3], version: ocpp2.0.1')}
${outlet('TWO', 20, 'circuit: pair, rotation: TSR, version: ocpp2.0.1')}
${outlet('TURNED', 32, `circuit: grid, rotation: TRS, meter: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${meter.port}, poll: 200ms}`)}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`);
	const csms = new Csms(csmsPort);
	const evse = async (station) => (await daemon.ask('station.show', { station })).evses[0];
	const charges = (station, amps) => until(30000, `${station} charges with what its lines have left`, async () => {
		const e = await evse(station);
		return JSON.stringify(e.limit.a) === JSON.stringify(amps) && e.i_a.every((a, i) => Math.abs(a - amps[i]) < 0.5) && e;
	});
	const currents = (meterValue) => Object.fromEntries(meterValue.flatMap((m) => m.sampledValue).filter((v) => v.measurand === 'Current.Import').map((v) => [v.phase, Number(v.value)]));
	const told = async (station, component) => (await csms.clients.get(station).call('GetVariables', { getVariableData: [
		{ component: { name: component, ...(component === 'EVSE' ? { evse: { id: 1 } } : {}) }, variable: { name: component === 'EVSE' ? 'PhaseRotation' : 'SupplyPhases' } }] }))
		.getVariableResult[0].attributeValue;

	await run([
		['two outlets with one phase are limited by their own lines, not by L1', async () => {
			await csms.listen();
			await daemon.start();
			await until(15000, 'they boot', () => csms.boots.length === 4);
			await charges('ON-L2', [0, 22, 0]);
			await charges('ON-L3', [0, 0, 14]);
			for (const [id, line] of [['ON-L2', 'L2'], ['ON-L3', 'L3']]) {
				const { chain } = await daemon.ask('why', { object: id });
				equal([chain[0].reason, chain[0].ref, chain[0].phase], ['circuit', 'row', line], `what binds ${id}`);
			}
			const row = (await daemon.ask('circuit.list')).find((c) => c.id === 'row');
			equal(row.i_a.map(Math.round), [40, 40, 40], 'the row is full on all lines, and over on none');
		}],
		['one with two phases has the lines of its circuit', () => charges('TWO', [0, 20, 20])],
		['what the meter of a turned outlet says is shown by lines of the grid, and told to the CSMS by its terminals', async () => {
			await until(30000, 'its contactor closes', async () => (await evse('TURNED')).outlet?.state === 'charging');
			meter.amps([1, 2, 3]);
			const e = await until(30000, 'its currents', async () => { const e = await evse('TURNED'); return e.i_a[1] > 2.5 && e; });
			equal(e.i_a, [2, 3, 1], 'here by lines of the grid');
			const c = csms.clients.get('TURNED');
			equal((await c.call('TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 1 })).status, 'Accepted', 'asked for');
			const m = await until(10000, 'meter values', () => csms.meters.find((x) => x.station === 'TURNED' && currents(x.params.meterValue).L1 === 1));
			equal(currents(m.params.meterValue), { L1: 1, L2: 2, L3: 3 }, 'its terminals');
		}],
		['the CSMS is told the wiring', async () => {
			for (const [id, word] of [['TURNED', '1.TRS'], ['ON-L2', '1.STR']]) {
				const { configurationKey: [k] } = await csms.clients.get(id).call('GetConfiguration', { key: ['ConnectorPhaseRotation'] });
				equal([k.value, k.readonly], [word, true], id);
				equal((await csms.clients.get(id).call('ChangeConfiguration', { key: 'ConnectorPhaseRotation', value: '1.RST' })).status, 'Rejected', 'it is the box that knows');
			}
			equal([await told('ON-L3', 'EVSE'), await told('TWO', 'EVSE')], ['Txx', 'TSx'], 'in 2.0.1');
			equal([await told('ON-L3', 'ChargingStation'), await told('TWO', 'ChargingStation')], ['1', '2'], 'how many phases there are');
			const m = await until(30000, 'meter values of one phase', () => csms.meters.find((x) => x.station === 'ON-L2' && currents(x.params.meterValue).L1 > 20));
			equal(Object.keys(currents(m.params.meterValue)), ['L1'], 'its only one is its first');
			ok(!csms.violation, `valid: ${csms.violation}`);
		}],
		['the report names the wiring of each', async () => {
			const { report: { stations } } = await daemon.ask('commission.report');
			equal(stations.map((s) => [s.id, s.rotation]).sort(), [['ON-L2', 'STR'], ['ON-L3', 'TRS'], ['TURNED', 'TRS'], ['TWO', 'TSR']], 'rotations');
			await daemon.stop();
			await csms.close();
		}],
	]);
}

main();
