'use strict';
// Limits that come from elsewhere, in both directions. A station that an energy manager limits says so: that is a cap here, with its reason, kept
// over a restart and forgotten when it is taken back. A limit on the site is told to the CSMS: over the box's own lane, or in the name of each
// station, once when it comes, when it has clearly changed, and when it is gone; also when the CSMS was away meanwhile.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const now = () => new Date().toISOString();
const schedule = (unit, ...periods) => [{ id: 1, startSchedule: now(), chargingRateUnit: unit, chargingSchedulePeriod: periods.map(([startPeriod, limit]) => ({ startPeriod, limit })) }];

async function main() {
	const dir = tempDir(), [port, onePort, twoPort] = [await freePort(), await freePort(), await freePort()];
	const uplink = (p) => `{security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${p}/{id}"}], reconnect: {min: 500ms, max: 1s, jitter: 50%}`;
	const models = path.join(dir, 'models'); // raises need not wait for the flash of this one
	fs.mkdirSync(models);
	fs.writeFileSync(path.join(models, 'flow.yaml'), 'vendor: Flow\nmodels:\n  - {min_interval: 1s}\n');
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 400}, row: {parent: grid, limit_a: 200}}
grid_operator: {dim_to_w: 6000, devices: 2, inputs: {cloud: {kind: command}}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 100}}
station_defaults: {subprotocols: [ocpp2.0.1, ocpp1.6], fallback_current_a: 6, max_current_a: 32}
stations:
  S-1: {circuit: row, uplink: one}
  S-2: {circuit: row, uplink: one}
  D-1: {circuit: row, uplink: two}
  D-2: {circuit: grid, uplink: two}
uplinks:
  one: ${uplink(onePort)}, own_identity: LC-1}
  two: ${uplink(twoPort)}}
log: {level: info, target: stderr}
`);
	const one = new Csms(onePort), two = new Csms(twoPort), cars = {}, told = [], reports = [];
	for (const csms of [one, two]) {
		const serve = csms.serve.bind(csms);
		csms.serve = (c) => {
			serve(c);
			for (const method of ['NotifyChargingLimit', 'ClearedChargingLimit'])
				c.handle(method, ({ params }) => (told.push({ who: c.identity, method, ...params }), {}));
			c.handle('ReportChargingProfiles', ({ params }) => (reports.push(params), {}));
			c.handle('NotifyEVChargingSchedule', () => ({ status: 'Accepted' }));
			c.handle('SecurityEventNotification', () => ({}));
		};
	}
	const by = (who) => told.filter((m) => m.who === who);
	const last = (who) => by(who).at(-1);

	async function charge(id) {
		const c = (cars[id] = await station(port, id, 'ocpp2.0.1'));
		c.handle('GetVariables', ({ params }) => ({ getVariableResult: params.getVariableData.map((d) => ({ attributeStatus: 'UnknownVariable', component: d.component, variable: d.variable })) }));
		c.handle('SetVariables', ({ params }) => ({ setVariableResult: params.setVariableData.map((d) => ({ attributeStatus: 'Rejected', component: d.component, variable: d.variable })) }));
		c.on('profile', ({ chargingProfile: p }) => p.chargingProfilePurpose === 'TxProfile' && (c.amps = p.chargingSchedule[0].chargingSchedulePeriod[0].limit));
		await boot(c);
		await c.call('TransactionEvent', { eventType: 'Started', seqNo: 0, triggerReason: 'Authorized', timestamp: now(), evse: { id: 1, connectorId: 1 },
			idToken: { idToken: 'TAG', type: 'Central' }, transactionInfo: { transactionId: `${id}-1`, chargingState: 'Charging' } });
	}
	const boot = (c) => c.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } });
	const why = (id) => daemon.ask('why', { object: `${id}/1` });
	const cap = async (id) => (await why(id)).chain.find((c) => c.reason === 'station_limit');
	const composite = async (csms, id) => (await csms.clients.get(id).call('GetCompositeSchedule', { evseId: 1, duration: 600 })).schedule.chargingSchedulePeriod.map((p) => [p.startPeriod, p.limit]);

	await run([
		['cars charge', async () => {
			await one.listen();
			await two.listen();
			await daemon.start('--stations', models);
			for (const id of ['S-1', 'S-2', 'D-1', 'D-2']) await charge(id);
			await until(20000, 'limits', () => Object.values(cars).every((c) => c.amps === 32));
			await until(20000, 'the box has a lane of its own', () => one.boots.some((b) => b.station === 'LC-1'));
			equal(told, [], 'nothing is limited');
		}],
		['what a station reports is a cap by its source, and nothing is planned for it beyond', async () => {
			await cars['S-1'].call('NotifyChargingLimit', { evseId: 1, chargingLimit: { chargingLimitSource: 'EMS' }, chargingSchedule: schedule('A', [0, 16], [300, 20]) });
			await until(10000, 'a lower limit', () => cars['S-1'].amps === 16);
			const c = await cap('S-1');
			equal([c.value_a, c.ref], [16, 'EMS'], 'the reason');
			ok(c.until, 'and until when');
			ok((await daemon.cli('why', 'S-1')).out.includes('station_limit'), 'people see it');
			await until(10000, 'and nothing is planned for it beyond', async () => {
				const row = (await daemon.ask('circuit.list')).find((x) => x.id === 'row');
				return row.planned_a[0] <= 2 * 32 + 16.1;
			});
			equal(last('S-1').chargingLimit.chargingLimitSource, 'EMS', 'the CSMS hears it from the station');
		}],
		['several sources bind by minimum, watts and all', async () => {
			await cars['S-1'].call('NotifyChargingLimit', { chargingLimit: { chargingLimitSource: 'SO', isGridCritical: true }, chargingSchedule: schedule('W', [0, 690 * 8], [120, 690 * 12]) });
			await until(10000, 'the lower of two', () => cars['S-1'].amps === 8);
			equal((await cap('S-1')).ref, 'SO', 'its source');
		}],
		['the composite schedule tells of it as time goes on, and profiles that are asked for show it', async () => {
			equal(await composite(one, 'S-1'), [[0, 8]], 'what it is told now is the least');
			equal((await one.clients.get('S-1').call('GetChargingProfiles', { requestId: 4, chargingProfile: { chargingProfilePurpose: 'ChargingStationExternalConstraints' } })).status, 'Accepted', 'there are some');
			await until(10000, 'reports', () => reports.length && !reports.at(-1).tbc);
			equal([...new Set(reports.map((r) => `${r.chargingLimitSource} ${r.evseId}`))].sort(), ['EMS 1', 'SO 0'], 'who');
			const ems = reports.filter((r) => r.chargingLimitSource === 'EMS').flatMap((r) => r.chargingProfile).find((p) => p.id < 0);
			equal(ems.chargingSchedule[0].chargingSchedulePeriod.map((p) => p.limit), [16, 20], 'as it told');
		}],
		['it is there after a restart', async () => {
			await daemon.stop();
			cars['S-1'].amps = 0;
			await daemon.start('--stations', models);
			await until(30000, 'a limit', () => cars['S-1'].amps > 0);
			ok(cars['S-1'].amps <= 8, `${cars['S-1'].amps} A`);
			equal((await cap('S-1')).ref, 'SO', 'its source');
		}],
		['what is taken back is gone, what the station does not repeat after a boot too', async () => {
			await cars['S-1'].call('ClearedChargingLimit', { chargingLimitSource: 'SO' });
			await until(10000, 'the other one holds', () => cars['S-1'].amps === 16);
			await boot(cars['S-1']);
			await until(10000, 'more', () => cars['S-1'].amps > 20);
			equal(await cap('S-1'), undefined, 'no reason');
		}],
		['a limit of which it does not say how much changes nothing', async () => {
			await cars['S-1'].call('NotifyChargingLimit', { chargingLimit: { chargingLimitSource: 'Other' } });
			equal(await cap('S-1'), undefined, 'no cap');
			await until(10000, 'an event', async () => (await daemon.ask('event.list')).some((e) => e.code === 'station.limit' && e.args.source === 'Other'));
		}],
		['of several schedules the least counts until the car has chosen', async () => {
			const some = [14, 10, 12].map((limit, i) => ({ ...schedule('A', [0, limit])[0], id: i + 1 }));
			equal((await one.clients.get('S-2').call('SetChargingProfile', { evseId: 1, chargingProfile: { id: 7, stackLevel: 0, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Absolute',
				transactionId: 'S-2-1', chargingSchedule: some } })).status, 'Accepted', 'the CSMS hears');
			await until(10000, 'the least', () => cars['S-2'].amps === 10);
			await cars['S-2'].call('NotifyEVChargingSchedule', { timeBase: now(), evseId: 1, chargingSchedule: { ...some[2] } });
			await until(10000, 'what the car has chosen', () => cars['S-2'].amps === 12);
			equal((await why('S-2')).chain.find((c) => c.reason === 'csms_profile').value_a, 12, 'the cap');
		}],
		['a car that feeds back draws less than nothing', async () => {
			await cars['S-2'].call('TransactionEvent', { eventType: 'Updated', seqNo: 1, triggerReason: 'MeterValuePeriodic', timestamp: now(), transactionInfo: { transactionId: 'S-2-1', chargingState: 'Charging' },
				meterValue: [{ timestamp: now(), sampledValue: ['L1', 'L2', 'L3'].flatMap((phase) => [{ value: 0, measurand: 'Current.Import', phase }, { value: 8, measurand: 'Current.Export', phase }]) }] });
			equal((await daemon.ask('station.show', { station: 'S-2' })).evses[0].i_a, [-8, -8, -8], 'what is shown');
		}],
		['power by phase tells the currents too; what the car measures behind its charger does not', async () => {
			const say = (seqNo, sampledValue) => cars['S-2'].call('TransactionEvent', { eventType: 'Updated', seqNo, triggerReason: 'MeterValuePeriodic', timestamp: now(),
				transactionInfo: { transactionId: 'S-2-1', chargingState: 'Charging' }, meterValue: [{ timestamp: now(), sampledValue }] });
			const amps = async () => (await daemon.ask('station.show', { station: 'S-2' })).evses[0].i_a;
			await say(2, [[1, 1380], [2, 690], [3, 0]].map(([l, value]) => ({ value, measurand: 'Power.Active.Import', phase: `L${l}-N` })));
			equal(await amps(), [6, 3, 0], 'by phase');
			await say(3, [{ value: 5, measurand: 'Current.Import', location: 'Outlet' }, { value: 90, measurand: 'Current.Import', location: 'EV' }]);
			equal(await amps(), [5, 5, 5], 'at the outlet');
		}],
		['a limit on the site is told: by the box with its amount, by stations that have no such lane without', async () => {
			told.length = 0;
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 34500 });
			await until(10000, 'they are told', () => last('LC-1') && last('D-1') && last('D-2'));
			const { chargingLimit, chargingSchedule } = last('LC-1');
			equal([chargingLimit, chargingSchedule[0].chargingSchedulePeriod], [{ chargingLimitSource: 'SO', isGridCritical: true }, [{ startPeriod: 0, limit: 50 }]], 'the box');
			equal([last('D-1').chargingLimit, last('D-1').chargingSchedule], [{ chargingLimitSource: 'SO', isGridCritical: true }, undefined], 'a station');
			equal([by('S-1').length, by('S-2').length], [0, 0], 'those behind the box say nothing');
		}],
		['and the box reports it as a profile of its surroundings', async () => {
			const reported = async (requestId, chargingProfile) => {
				const { status } = await one.clients.get('LC-1').call('GetChargingProfiles', { requestId, chargingProfile });
				if (status !== 'Accepted') return status;
				return until(5000, 'the report', () => { const all = reports.filter((r) => r.requestId === requestId); return all.some((r) => !r.tbc) && all; });
			};
			const [report, more] = await reported(31, { chargingProfilePurpose: 'ChargingStationExternalConstraints' });
			equal([report.chargingLimitSource, report.evseId, report.chargingProfile[0].chargingProfilePurpose, report.chargingProfile[0].chargingSchedule[0].chargingSchedulePeriod, more],
				['SO', 0, 'ChargingStationExternalConstraints', [{ startPeriod: 0, limit: 50 }], undefined], 'the limit');
			equal(await reported(32, { chargingLimitSource: ['CSO'] }), 'NoProfiles', 'the CSMS has set none');
			equal((await reported(33, { chargingLimitSource: ['SO'] })).length, 1, 'by its source');
		}],
		['a small change is not told, and one on a circuit only below it', async () => {
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 33000 });
			const set = await daemon.ask('limit.set', { circuit: 'row', limit_a: 20, for: '1h', reason: 'test' });
			await until(10000, 'another source for that one', () => last('D-1').chargingLimit?.chargingLimitSource === 'EMS');
			equal(by('D-1').map((m) => m.method), ['NotifyChargingLimit', 'ClearedChargingLimit', 'NotifyChargingLimit'], 'the first one ended');
			equal([by('LC-1').length, by('D-2').length], [1, 1], 'and nothing for the others');
			await daemon.ask('limit.clear', { limit_id: set.limit_id ?? set.id });
			await until(10000, 'the first one again', () => last('D-1').chargingLimit?.chargingLimitSource === 'SO');
		}],
		['what ends while the CSMS is away and the box restarts is told when both are back', async () => {
			told.length = 0;
			await one.close();
			await daemon.kill();
			await daemon.start('--stations', models);
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' }).catch(() => {});
			await until(20000, 'the CSMS that is there hears it', () => last('D-1')?.method === 'ClearedChargingLimit');
			equal(last('D-1').chargingLimitSource, 'SO', 'whose it was');
			await one.listen();
			await until(30000, 'the other one too', () => last('LC-1')?.method === 'ClearedChargingLimit');
		}],
		['the device model says how much is worth telling', async () => {
			const variable = { component: { name: 'SmartChargingCtrlr' }, variable: { name: 'LimitChangeSignificance' } };
			const set = async (attributeValue) => (await one.clients.get('LC-1').call('SetVariables', { setVariableData: [{ ...variable, attributeValue }] })).setVariableResult[0].attributeStatus;
			equal([await set('120'), await set('60')], ['Rejected', 'Accepted'], 'percent');
			equal((await one.clients.get('LC-1').call('GetVariables', { getVariableData: [variable] })).getVariableResult[0].attributeValue, '60', 'it is kept');
			ok(!one.violation && !two.violation && Object.values(cars).every((c) => !c.violation), `valid: ${one.violation} ${two.violation} ${Object.values(cars).map((c) => c.violation)}`);
			await daemon.stop();
		}],
	]);
}

main();
