'use strict';
// The box as a station without EVSEs: it boots at its CSMS, tells its device model, takes settings, resets, and what the CSMS limits it to is the
// limit of all cars together.
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const max = (limit, more = {}) => ({ id: 3, stackLevel: 0, chargingProfilePurpose: 'ChargingStationMaxProfile', chargingProfileKind: 'Absolute', ...more,
	chargingSchedule: [{ id: 1, startSchedule: new Date(Date.now() - 60000).toISOString(), chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }] });

async function main() {
	const dir = tempDir(), [port, newPort, oldPort] = [await freePort(), await freePort(), await freePort()];
	const uplink = (p) => `{mode: per-station, security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${p}/{id}", priority: 1}], reconnect: {min: 500ms, max: 2s, jitter: 50%}`;
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6], fallback_current_a: 6}
stations: {G-1: {circuit: grid}, G-2: {circuit: grid}}
uplinks:
  cpo: ${uplink(newPort)}, own_identity: LC-1}
  other: ${uplink(oldPort)}, own_identity: LC-2, own_version: ocpp1.6}
log: {level: info, target: stderr}
`);
	const csms = new Csms(newPort), old = new Csms(oldPort);
	const box = () => csms.clients.get('LC-1');
	const stations = [];
	const told = (c) => c.profiles.map((p) => p.params).filter((p) => p.csChargingProfiles.chargingProfilePurpose === 'TxProfile')
		.map((p) => p.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit);
	const sum = () => stations.reduce((a, c) => a + told(c).at(-1), 0);
	const reports = [], events = [];

	async function boots(server, id, n) {
		await until(20000, `${id} boots`, () => server.boots.filter((b) => b.station === id).length >= n);
	}

	// The CSMS's own listeners for what a box says.
	const listenTo = (c) => {
		c.handle('NotifyReport', ({ params }) => (reports.push(params), {}));
		c.handle('SecurityEventNotification', ({ params }) => (events.push(params), {}));
	};
	const serve = csms.serve.bind(csms);
	csms.serve = (c) => {
		serve(c);
		if (c.identity === 'LC-1') listenTo(c);
	};

	await run([
		['it boots, and tells that it started', async () => {
			await csms.listen();
			await old.listen();
			await daemon.start();
			await boots(csms, 'LC-1', 1);
			await boots(old, 'LC-2', 1);
			await until(10000, 'a security event', () => events.length);
			ok(events.some((e) => e.type === 'StartupOfTheDevice'), JSON.stringify(events));
			ok(!csms.statuses.some((s) => s.station === 'LC-1'), 'it has no EVSE to tell of');
		}],
		['cars charge', async () => {
			for (const id of ['G-1', 'G-2']) {
				const c = await station(port, id, 'ocpp1.6');
				stations.push(c);
				await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
				await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() });
			}
			await until(20000, 'limits', () => stations.every((c) => told(c).at(-1) > 16));
		}],
		['its device model has a local controller, and no charging station', async () => {
			equal((await box().call('GetBaseReport', { requestId: 5, reportBase: 'FullInventory' })).status, 'Accepted', 'the question');
			await until(10000, 'the last part', () => reports.length && !reports.at(-1).tbc);
			const rows = reports.flatMap((r) => r.reportData), components = new Set(rows.map((r) => r.component.name));
			ok(components.has('LocalController') && !components.has('ChargingStation') && !components.has('EVSE'), [...components].join());
			const value = (name) => rows.find((r) => r.component.name === 'LocalController' && r.variable.name === name).variableAttribute[0].value;
			equal([value('Identity'), value('ChargingStation').split(',').sort()], ['LC-1', ['G-1', 'G-2', 'LC-2']], 'what it says');
		}],
		['settings are taken and told', async () => {
			const beat = { component: { name: 'OCPPCommCtrlr' }, variable: { name: 'HeartbeatInterval' } };
			const set = await box().call('SetVariables', { setVariableData: [{ ...beat, attributeValue: '77' }, { component: { name: 'LocalController' }, variable: { name: 'Identity' }, attributeValue: 'X' }] });
			equal(set.setVariableResult.map((r) => r.attributeStatus), ['Accepted', 'Rejected'], 'what can be set');
			const got = await box().call('GetVariables', { getVariableData: [beat, { component: { name: 'EVSE' }, variable: { name: 'Power' } }] });
			equal(got.getVariableResult.map((r) => [r.attributeStatus, r.attributeValue]), [['Accepted', '77'], ['UnknownComponent', undefined]], 'what is told');
		}],
		['its maximum is that of all cars together, by name', async () => {
			equal((await box().call('SetChargingProfile', { evseId: 0, chargingProfile: max(20) })).status, 'Accepted', 'the CSMS hears');
			await until(10000, 'twenty amperes for both', () => sum() <= 20);
			const why = JSON.stringify(await daemon.ask('why', { object: 'G-1' }));
			ok(why.includes('csms_group') && why.includes('LC-1/3'), why);
			const composite = await box().call('GetCompositeSchedule', { evseId: 0, duration: 60 });
			ok(composite.status === 'Accepted' || composite.status === 'Rejected', 'an answer');
		}],
		['a purpose that is not the group\'s is not taken for it', async () => {
			const tx = { ...max(5), id: 4, chargingProfilePurpose: 'TxProfile' };
			equal((await box().call('SetChargingProfile', { evseId: 1, chargingProfile: tx })).status, 'Rejected', 'no such EVSE');
		}],
		['after a restart it holds before the CSMS is there', async () => {
			await daemon.stop();
			await csms.close();
			for (const c of stations) c.profiles.length = 0;
			await daemon.start();
			await until(30000, 'limits', () => stations.every((c) => told(c).length));
			ok(sum() <= 20, `${sum()} A`);
		}],
		['it is lifted when the profile is cleared', async () => {
			await csms.listen();
			await boots(csms, 'LC-1', 2);
			equal((await box().call('ClearChargingProfile', { chargingProfileId: 3 })).status, 'Accepted', 'the CSMS hears');
			await until(30000, 'more', () => sum() > 40);
		}],
		['in 1.6 the same by connector 0', async () => {
			const { id, chargingSchedule, ...p } = max(16);
			const { id: _, ...schedule } = chargingSchedule[0];
			const answer = await old.clients.get('LC-2').call('SetChargingProfile', { connectorId: 0, csChargingProfiles: { ...p, chargingProfileId: id,
				chargingProfilePurpose: 'ChargePointMaxProfile', chargingSchedule: schedule } });
			equal(answer.status, 'Accepted', 'the CSMS hears');
			await until(10000, 'sixteen amperes for both', () => sum() <= 16);
			const keys = await old.clients.get('LC-2').call('GetConfiguration', { key: ['NumberOfConnectors', 'HeartbeatInterval'] });
			equal(keys.configurationKey.find((k) => k.key === 'NumberOfConnectors').value, '0', 'its connectors');
		}],
		['a reset is a new boot', async () => {
			const before = csms.boots.filter((b) => b.station === 'LC-1').length;
			equal((await box().call('Reset', { type: 'Immediate' })).status, 'Accepted', 'the CSMS hears');
			await boots(csms, 'LC-1', before + 1);
			equal(csms.boots.filter((b) => b.station === 'LC-1').at(-1).params.reason, 'RemoteReset', 'why');
			ok(!csms.violation && !old.violation, `valid: ${csms.violation} ${old.violation}`);
			await daemon.stop();
		}],
	]);
}

main();
