'use strict';
// What 2.1 adds to charging profiles, where it meets the site's limit: values of a dynamic profile that are pushed or fetched, and priority charging,
// which ignores transaction profiles, so that the site's limit has to be the station's maximum as long as it lasts.
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { rpc, top, freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');

const SITE = 20;
const now = () => new Date().toISOString();

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const models = path.join(dir, 'models'); // raises need not wait for the flash of this one
	fs.mkdirSync(models);
	fs.writeFileSync(path.join(models, 'flow.yaml'), 'vendor: Flow\nmodels:\n  - {min_interval: 1s}\n');
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: ${SITE}}}
balancing: {interval: 200ms, increase: {after: 0s, step_a: 100}}
station_defaults: {uplink: cpo, subprotocols: [ocpp2.1], fallback_current_a: 6, max_current_a: 20}
stations: {P-1: {circuit: grid}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 500ms, max: 1s, jitter: 50%}}}
log: {level: info, target: stderr}
`);
	// The library's 2.1 shapes are not those of the standard, so nothing is checked by it; what the station gets goes through our own check below.
	let csms, heard = [], installed = [], pulled = 14;
	const server = new rpc.RPCServer({ protocols: ['ocpp2.1'], strictMode: false });
	server.auth((accept) => accept({}));
	server.on('client', (c) => {
		csms = c;
		c.handle('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: now() }));
		c.handle('TransactionEvent', ({ params }) => (params.idToken ? { idTokenInfo: { status: 'Accepted' } } : {}));
		c.handle('PullDynamicScheduleUpdate', () => ({ status: 'Accepted', scheduleUpdate: { limit: pulled } }));
		c.handle(() => ({}));
	});
	const c = new rpc.RPCClient({ endpoint: `ws://127.0.0.1:${port}`, identity: 'P-1', protocols: ['ocpp2.1'], strictMode: false, reconnect: true, maxReconnects: Infinity,
		backoff: { initialDelay: 200, maxDelay: 500, factor: 1.5, randomisation: 0.5 } });
	c.handle('SetChargingProfile', ({ params }) => {
		heard.push(params);
		installed = [...installed.filter((p) => p.id !== params.chargingProfile.id), params.chargingProfile];
		return { status: 'Accepted' };
	});
	c.handle('ClearChargingProfile', ({ params }) => {
		const before = installed.length;
		installed = installed.filter((p) => p.id !== params.chargingProfileId);
		return { status: installed.length < before ? 'Accepted' : 'Unknown' };
	});
	for (const method of ['UpdateDynamicSchedule', 'UsePriorityCharging']) c.handle(method, () => ({ status: 'Accepted' }));
	c.handle('GetVariables', ({ params }) => ({ getVariableResult: params.getVariableData.map((d) => ({ attributeStatus: 'UnknownVariable', component: d.component, variable: d.variable })) }));
	c.handle('SetVariables', ({ params }) => ({ setVariableResult: params.setVariableData.map((d) => ({ attributeStatus: 'Rejected', component: d.component, variable: d.variable })) }));
	const OURS = 1e9;
	const ours = (purpose) => installed.find((p) => p.id > OURS && p.chargingProfilePurpose === purpose && (purpose !== 'TxProfile' || p.chargingSchedule[0].duration));
	const amps = (purpose) => ours(purpose)?.chargingSchedule[0].chargingSchedulePeriod[0].limit;
	const cap = async () => (await daemon.ask('why', { object: 'P-1/1' })).chain.find((x) => x.reason === 'csms_profile');
	const profile = (id, purpose, kind, limit, more) => ({ evseId: 1, chargingProfile: { id, stackLevel: 0, chargingProfilePurpose: purpose, chargingProfileKind: kind, ...more,
		chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }], ...(kind === 'Absolute' ? { startSchedule: now() } : {}) }] } });

	await run([
		['a car charges with all that the site has', async () => {
			await server.listen(csmsPort, '127.0.0.1');
			await daemon.start('--stations', models);
			await c.connect();
			await c.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'New' } });
			await c.call('TransactionEvent', { eventType: 'Started', seqNo: 0, triggerReason: 'Authorized', timestamp: now(), evse: { id: 1, connectorId: 1 },
				idToken: { idToken: 'TAG', type: 'Central' }, transactionInfo: { transactionId: 'P-1-1', chargingState: 'Charging' } });
			await until(10000, 'a limit', () => amps('TxProfile') === SITE);
		}],
		['values of a dynamic profile bind as they come, pushed or fetched', async () => {
			equal((await csms.call('SetChargingProfile', profile(5, 'TxProfile', 'Dynamic', 12, { transactionId: 'P-1-1', dynUpdateInterval: 60 }))).status, 'Accepted', 'the CSMS hears');
			await until(10000, 'twelve', () => amps('TxProfile') === 12);
			equal((await csms.call('UpdateDynamicSchedule', { chargingProfileId: 5, scheduleUpdate: { limit: 8 } })).status, 'Accepted', 'the CSMS hears');
			await until(10000, 'eight', () => amps('TxProfile') === 8);
			equal((await c.call('PullDynamicScheduleUpdate', { chargingProfileId: 5 })).scheduleUpdate.limit, 14, 'the station hears');
			await until(20000, 'fourteen', () => amps('TxProfile') === 14);
			equal([(await cap()).value_a, (await cap()).ref], [14, 'TxProfile/0/5'], 'and why says so');
		}],
		['more than the site has lifts nothing, and values outlive a restart', async () => {
			pulled = 80;
			await c.call('PullDynamicScheduleUpdate', { chargingProfileId: 5 });
			await until(20000, 'all of the site', () => amps('TxProfile') === SITE);
			await csms.call('UpdateDynamicSchedule', { chargingProfileId: 5, scheduleUpdate: { limit: 10 } });
			await until(10000, 'ten', () => amps('TxProfile') === 10);
			await daemon.kill();
			installed = installed.filter((p) => p.id < OURS);
			await daemon.start('--stations', models);
			await until(20000, 'ten again', () => amps('TxProfile') === 10);
		}],
		['priority charging lifts the CSMS\'s own limit, and the site\'s becomes the maximum of the station', async () => {
			await until(20000, 'the CSMS is there', async () => (await daemon.ask('station.show', { station: 'P-1' })).lane?.state === 'up' || csms.state === 1);
			equal((await csms.call('SetChargingProfile', profile(6, 'PriorityCharging', 'Absolute', 32))).status, 'Accepted', 'the CSMS hears');
			equal((await csms.call('UsePriorityCharging', { transactionId: 'P-1-1', activate: true })).status, 'Accepted', 'the CSMS hears');
			await until(20000, 'the maximum of the station', () => amps('ChargingStationMaxProfile') === SITE);
			await daemon.ask('limit.set', { circuit: 'grid', limit_a: 9, for: '1h', reason: 'test' });
			await until(10000, 'it follows the site', () => amps('ChargingStationMaxProfile') === 9);
		}],
		['when the station switches it off, limits are those of the transaction again and the maximum is gone', async () => {
			await c.call('NotifyPriorityCharging', { transactionId: 'P-1-1', activated: false });
			await until(20000, 'the old form', () => !ours('ChargingStationMaxProfile') && amps('TxProfile') === 9);
		}],
		['what the station got is 2.1', async () => {
			const check = spawnSync(path.join(top, 'tests/tools/ocpp-check'), ['2.1', 'SetChargingProfile', 'request', '--lines'], { input: heard.map((m) => JSON.stringify(m)).join('\n') + '\n', encoding: 'utf8' });
			equal(check.status, 0, check.stdout.split('\n').filter((l) => !l.includes('"ok":true'))[0]);
			await daemon.stop();
		}],
	]);
}

main();
