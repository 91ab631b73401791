'use strict';
// A station that can charge on its first phase alone, where the building leaves next to nothing of the other two: it is told one phase instead of
// having to wait, and every limit says how many. One of 2.0.1 that selects the phase by itself is told which. Beside them two outlets of the box: one opens L2 and L3 by its second contactor, the other has none
// though its configuration says so.
const fs = require('fs');
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const now = () => new Date().toISOString();

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	fs.writeFileSync(`${dir}/B-1.json`, '{"second": false}');
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 110}}
loads: {flat: {circuit: grid, estimate_a: [0, 105, 105]}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 100}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6]}
stations: {S-1: {circuit: grid, switch_phases_after: 5m, fallback_current_a: 0, min_current_a: 12}, T-1: {circuit: grid, switch_phases_after: 5m, fallback_current_a: 0, subprotocols: [ocpp2.0.1], rotation: TRS}}
evses:
  O-1: {circuit: grid, driver: sim, pilot: true, current_a: 16, switch_phases_after: 5m, authorize: [free]}
  B-1: {circuit: grid, driver: sim, pilot: true, current_a: 16, switch_phases_after: 5m, authorize: [free], file: ${dir}/B-1.json}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`);
	const csms = new Csms(csmsPort), told = [];
	let c, amps = 0, phases = 3;
	const tell = () => c.call('MeterValues', { connectorId: 1, transactionId: c.tx, meterValue: [{ timestamp: now(), sampledValue: ['L1', 'L2', 'L3'].map((phase, i) =>
		({ measurand: 'Current.Import', phase, unit: 'A', value: String(i < phases ? amps : 0) })) }] }).catch(() => {});

	const choosing = async () => {
		const s = await station(port, 'T-1', 'ocpp2.0.1');
		s.asked = [];
		s.amps = 0;
		s.handle('GetVariables', ({ params }) => ({ getVariableResult: params.getVariableData.map((d) => {
			s.asked.push(d.variable.name);
			const known = d.variable.name === 'ACPhaseSwitchingSupported';
			return { attributeStatus: known ? 'Accepted' : 'UnknownVariable', ...(known ? { attributeValue: 'true' } : {}), component: d.component, variable: d.variable };
		}) }));
		await s.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } });
		await until(20000, 'it is asked', () => s.asked.includes('ACPhaseSwitchingSupported'));
		await s.call('TransactionEvent', { eventType: 'Started', seqNo: 0, triggerReason: 'Authorized', timestamp: now(), evse: { id: 1, connectorId: 1 },
			idToken: { idToken: 'TAG', type: 'Central' }, transactionInfo: { transactionId: 'T-1-1', chargingState: 'Charging' } });
		let seqNo = 0;
		s.tell = () => s.call('TransactionEvent', { eventType: 'Updated', seqNo: ++seqNo, triggerReason: 'MeterValuePeriodic', timestamp: now(), transactionInfo: { transactionId: 'T-1-1' },
			meterValue: [{ timestamp: now(), sampledValue: ['L1', 'L2', 'L3'].map((phase) => ({ measurand: 'Current.Import', phase, value: phase === 'L2' ? s.amps : 0 })) }] }).catch(() => {});
		return s;
	};
	let two; // its car has not noticed yet that it may charge

	await run([
		['with three phases it has to wait', async () => {
			await csms.listen();
			await daemon.start();
			c = await station(port, 'S-1', 'ocpp1.6');
			c.on('profile', ({ csChargingProfiles: p }) => {
				if (p.chargingProfilePurpose !== 'TxProfile') return;
				const { limit, numberPhases } = p.chargingSchedule.chargingSchedulePeriod[0];
				[amps, phases] = [limit, numberPhases];
				told.push({ limit, numberPhases });
				setTimeout(tell, 20);
			});
			await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
			c.tx = (await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: now() })).transactionId;
			await c.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			two = await choosing();
			await until(8000, 'its first limit', () => told.length);
			equal(told[0], { limit: 0, numberPhases: 3 }, 'the first limit');
			equal((await daemon.ask('why', { object: 'S-1' })).chain[0].reason, 'waiting', 'why');
		}],
		['soon it is told to charge on one', async () => {
			const timer = setInterval(() => [tell(), two.tell()], 2000);
			await until(90000, 'a limit', () => amps > 0);
			equal(told.at(-1), { limit: 12, numberPhases: 1 }, 'its minimum, until it is seen to use one alone');
			await until(60000, 'more', () => amps > 12);
			clearInterval(timer);
			equal(told.at(-1).numberPhases, 1, 'phases');
			ok(told.at(-1).limit >= 30, JSON.stringify(told.at(-1)));
			const shown = await daemon.cli('why', 'S-1');
			ok(/offered \d+\.\d A on one phase/.test(shown.out), shown.out);
			const { evses: [{ limit }] } = await daemon.ask('station.show', { station: 'S-1' });
			equal([limit.phases, limit.a.slice(1)], [1, [0, 0]], 'its limit by phase');
			ok(!c.violation, `valid: ${c.violation}`);
		}],
		['the one that selects the phase is told which of its own has room: its terminals are turned', async () => {
			const last = () => two.profiles.map((p) => p.params.chargingProfile).filter((p) => p.chargingProfilePurpose === 'TxProfile').at(-1)?.chargingSchedule[0].chargingSchedulePeriod[0];
			const timer = setInterval(two.tell, 2000);
			await until(60000, 'a limit', () => last()?.limit > 0);
			equal([last().limit, last().numberPhases, last().phaseToUse], [6, 1, 2], 'its minimum');
			two.amps = 6;
			await until(60000, 'more', () => last().limit > 6);
			clearInterval(timer);
			equal([last().limit, last().numberPhases, last().phaseToUse], [32, 1, 2], 'its limit');
			const { evses: [{ limit }] } = await daemon.ask('station.show', { station: 'T-1' });
			equal([limit.phases, limit.phase_to_use, limit.a], [1, 2, [32, 0, 0]], 'here: its L2 is the L1 of the grid');
			ok(!two.violation, `valid: ${two.violation}`);
			ok(/offered 32\.0 A on one phase, its L2 /.test((await daemon.cli('why', 'T-1')).out), 'why');
		}],
		['so is the outlet, which opens L2 and L3', async () => {
			const show = async () => (await daemon.ask('station.show', { station: 'O-1' })).evses[0];
			const e = await until(60000, 'it charges', async () => { const e = await show(); return e.i_a[0] > 10 && e; });
			equal([e.limit.phases, e.i_a.slice(1), e.outlet], [1, [0, 0], { state: 'charging', phases: 1, phase: 'L1' }], 'its limit, its current and its contactors');
			const shown = await daemon.cli('why', 'O-1');
			ok(/offered \d+\.\d A on one phase/.test(shown.out) && /outlet: charging, L1 alone/.test(shown.out), shown.out);
		}],
		['the one whose board has no contactor for that waits, and says why', async () => {
			const { evses: [e] } = await daemon.ask('station.show', { station: 'B-1' });
			equal([e.limit.phases, e.limit.a, e.chain[0].reason, e.outlet.phases], [3, [0, 0, 0], 'waiting', undefined], 'it waits with three');
			ok(/error.*EVSE B-1: switch_phases_after is refused, its hardware has no second contactor/.test(daemon.log), 'the log');
			const found = (await daemon.ask('doctor')).find((x) => x.check === 'devices.contactors');
			ok(/B-1/.test(found.detail) && !/O-1/.test(found.detail), JSON.stringify(found));
			fs.writeFileSync(`${dir}/B-1.json`, '{}');
			await until(8000, 'another board is seen', () => /EVSE B-1: its hardware has a second contactor now/.test(daemon.log));
			await daemon.stop();
		}],
	]);
}

main();
