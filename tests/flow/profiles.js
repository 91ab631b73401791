'use strict';
// Charging profiles from two sides: the site's limit by us, the CSMS's own through us. Stations keep what they are sent as a station does, by
// id and by purpose, level and connector, so the test can look at what is in force inside them.
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');

const OURS = 1900000000;

// What a 1.6 station does with profiles; `refuses` says which it does not take.
function keeper(c, refuses = () => false) {
	c.installed = [];
	c.sent = []; // since the case cleared it
	c.all = [];
	const matches = (p, f) => (f.id === undefined || f.id === p.id) && (f.connectorId === undefined || f.connectorId === p.connectorId) &&
		(f.chargingProfilePurpose === undefined || f.chargingProfilePurpose === p.purpose) && (f.stackLevel === undefined || f.stackLevel === p.level);
	c.handle('SetChargingProfile', ({ params }) => {
		const { connectorId, csChargingProfiles: full } = params;
		const p = { id: full.chargingProfileId, connectorId, purpose: full.chargingProfilePurpose, level: full.stackLevel, full,
			limit: full.chargingSchedule.chargingSchedulePeriod[0].limit, unit: full.chargingSchedule.chargingRateUnit };
		c.sent.push(p);
		c.all.push(p);
		if (refuses(p)) return { status: 'Rejected' };
		c.installed = c.installed.filter((o) => o.id !== p.id && !(o.purpose === p.purpose && o.level === p.level && o.connectorId === connectorId));
		c.installed.push(p);
		return { status: 'Accepted' };
	});
	c.handle('ClearChargingProfile', ({ params }) => {
		const before = c.installed.length;
		c.installed = c.installed.filter((p) => !matches(p, params));
		return { status: c.installed.length < before ? 'Accepted' : 'Unknown' };
	});
	c.handle('RemoteStartTransaction', () => ({ status: 'Accepted' }));
	return c;
}

// The limit in force on connector 1 while a transaction runs: the standard's rules, for profiles of a single period.
function inForce(c) {
	const top = (purpose, connectors) => c.installed.filter((p) => p.purpose === purpose && connectors.includes(p.connectorId))
		.sort((a, b) => b.level - a.level)[0];
	const max = top('ChargePointMaxProfile', [0]);
	const tx = top('TxProfile', [1]) || top('TxDefaultProfile', [1]) || top('TxDefaultProfile', [0]);
	return Math.min(max ? max.limit : 32, tx ? tx.limit : 32);
}

const theirs = (id, purpose, level, limit, more = {}) => ({ chargingProfileId: id, stackLevel: level, chargingProfilePurpose: purpose,
	chargingProfileKind: 'Absolute', ...more, chargingSchedule: { startSchedule: new Date(Date.now() - 60000).toISOString(), chargingRateUnit: 'A',
		chargingSchedulePeriod: [{ startPeriod: 0, limit }] } });

async function boot(c, model) {
	await c.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: model });
}

function start(c) {
	return c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() });
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits:
  grid: {kind: grid_connection, limit_a: 100}
  hall: {parent: grid, limit_a: 20}
  wing: {parent: grid, limit_a: 20}
balancing: {increase: {after: 1s, step_a: 32}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1], fallback_current_a: 6}
stations:
  G-1: {circuit: hall}
  G-2: {circuit: wing, phases: [L1]}
  G-3: {circuit: grid}
  G-4: {circuit: grid}
  G-5: {circuit: grid}
uplinks:
  cpo:
    mode: per-station
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}]
    reconnect: {min: 500ms, max: 2s, jitter: 50%}
log: {level: debug, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const ask = (id, method, params) => csms.clients.get(id).call(method, params);
	const set = (id, connectorId, csChargingProfiles) => ask(id, 'SetChargingProfile', { connectorId, csChargingProfiles });
	let one, two, three, tx;

	await run([
		['a station gets its fallback after its boot', async () => {
			await csms.listen();
			await daemon.start();
			one = keeper(await station(port, 'G-1', 'ocpp1.6'));
			await boot(one, 'One');
			const p = await until(10000, 'a default profile', () => one.installed.find((q) => q.purpose === 'TxDefaultProfile'));
			equal([p.connectorId, p.limit], [0, 6], 'the fallback');
			ok(p.id >= OURS && p.full.chargingSchedule.duration === undefined, 'it is ours and has no end');
		}],
		['a transaction gets the site limit, with an end if we should die', async () => {
			tx = (await start(one)).transactionId;
			const p = await until(10000, 'a live limit', () => one.installed.find((q) => q.purpose === 'TxProfile'));
			equal([p.limit, p.full.transactionId], [20, tx], 'the live limit');
		}],
		['a limit of the CSMS below ours wins, and why says so', async () => {
			equal((await set('G-1', 1, theirs(771, 'TxProfile', 3, 9, { transactionId: tx }))).status, 'Accepted', 'the CSMS hears');
			const p = await until(5000, 'ours above theirs, and no more than theirs', () => one.installed.find((q) => q.purpose === 'TxProfile' && q.id >= OURS && q.level > 3 && q.limit === 9));
			equal([p.limit, inForce(one)], [9, 9], 'ours, and what is in force');
			await until(10000, 'csms_profile binds', async () => {
				const answer = JSON.stringify(await daemon.ask('why', { object: "G-1" }));
				return answer.includes('csms_profile') && answer.includes('TxProfile/3/771');
			});
		}],
		['what the CSMS means for one phase is not hidden by ours, which would be for three', async () => {
			const told = () => one.installed.find((q) => q.purpose === 'TxProfile' && q.id >= OURS).full.chargingSchedule.chargingSchedulePeriod[0];
			const meant = (numberPhases) => {
				const p = theirs(771, 'TxProfile', 3, 9, { transactionId: tx });
				Object.assign(p.chargingSchedule.chargingSchedulePeriod[0], numberPhases ? { numberPhases } : {});
				return set('G-1', 1, p);
			};
			equal(told(), { startPeriod: 0, limit: 9 }, 'as long as nothing is said');
			await meant(1);
			await until(5000, 'one', () => told().numberPhases === 1 && told().limit === 9);
			await meant();
			await until(5000, 'any again', () => told().numberPhases === undefined && told().limit === 9);
		}],
		['the CSMS has it still after a restart of ours', async () => {
			await daemon.stop();
			await daemon.start();
			await until(20000, 'it is here again', async () => one.state === 1);
			await boot(one, 'One');
			one.sent = [];
			await until(15000, 'a live limit', () => one.sent.find((q) => q.purpose === 'TxProfile'));
			equal(one.sent.filter((q) => q.purpose === 'TxProfile').map((q) => q.limit > 9), [false], 'never above the CSMS');
		}],
		['one above ours does not lift the fuse', async () => {
			equal((await set('G-1', 1, theirs(771, 'TxProfile', 5, 32, { transactionId: tx }))).status, 'Accepted', 'the CSMS hears');
			await until(20000, 'the fuse', () => inForce(one) === 20);
			ok(one.installed.find((q) => q.id >= OURS && q.purpose === 'TxProfile').level > 5, 'ours stands above theirs');
		}],
		['a default of the CSMS does not stand above the fallback', async () => {
			equal((await set('G-1', 0, theirs(5, 'TxDefaultProfile', 2, 32))).status, 'Accepted', 'the CSMS hears');
			const p = await until(5000, 'the fallback above it', () => one.installed.find((q) => q.id >= OURS && q.purpose === 'TxDefaultProfile' && q.level > 2));
			equal(p.limit, 6, 'the fallback');
		}],
		['nor does the fallback draw on three phases what the CSMS means for one', async () => {
			const told = () => one.installed.find((q) => q.id >= OURS && q.purpose === 'TxDefaultProfile' && q.connectorId === 0).full.chargingSchedule.chargingSchedulePeriod[0];
			const meant = (numberPhases) => {
				const p = theirs(5, 'TxDefaultProfile', 2, 32);
				Object.assign(p.chargingSchedule.chargingSchedulePeriod[0], numberPhases ? { numberPhases } : {});
				return set('G-1', 0, p);
			};
			equal(told(), { startPeriod: 0, limit: 6 }, 'as long as nothing is said');
			await meant(1);
			await until(5000, 'one', () => told().numberPhases === 1 && told().limit === 6);
			await meant();
			await until(5000, 'any again', () => told().numberPhases === undefined && told().limit === 6);
		}],
		['clearing all brings ours back at once', async () => {
			equal((await ask('G-1', 'ClearChargingProfile', {})).status, 'Accepted', 'the CSMS hears');
			await until(3000, 'both of ours', () => ['TxProfile', 'TxDefaultProfile'].every((w) => one.installed.some((q) => q.id >= OURS && q.purpose === w)));
			equal(one.installed.filter((q) => q.id < OURS), [], 'theirs are gone');
			equal(inForce(one), 20, 'the limit in force');
			await one.call('StopTransaction', { transactionId: tx, meterStop: 10, timestamp: new Date().toISOString() });
		}],
		['a refused TxProfile falls to the next form, in the unit and up to the level the station told', async () => {
			two = keeper(await station(port, 'G-2', 'ocpp1.6'), (p) => p.purpose === 'TxProfile' || p.unit !== 'W' || p.level > 4);
			two.handle('GetConfiguration', ({ params }) => ({ configurationKey: params.key.map((key) => ({ key, readonly: true,
				value: { ChargeProfileMaxStackLevel: '4', ChargingScheduleAllowedChargingRateUnit: 'Power' }[key] })) }));
			await boot(two, 'Two');
			await until(10000, 'a fallback in watts', () => two.installed.some((q) => q.purpose === 'TxDefaultProfile' && q.limit === 1380));
			tx = (await start(two)).transactionId;
			const p = await until(10000, 'a live limit', () => two.installed.find((q) => q.full.chargingSchedule.duration));
			equal([p.purpose, p.connectorId, p.level, p.limit], ['TxDefaultProfile', 1, 4, 4600], 'the live limit');
			equal(p.full.chargingSchedule.chargingSchedulePeriod[0].numberPhases, 1, 'for one phase');
			await two.call('StopTransaction', { transactionId: tx, meterStop: 10, timestamp: new Date().toISOString() });
		}],
		['what the model refuses is remembered', async () => {
			two.sent = [];
			await daemon.stop();
			await daemon.start();
			await until(20000, 'it is here again', async () => two.state === 1);
			await boot(two, 'Two');
			tx = (await start(two)).transactionId;
			await until(10000, 'a live limit', () => two.sent.some((q) => q.full.chargingSchedule.duration));
			ok(!two.sent.some((q) => q.purpose === 'TxProfile' || q.unit === 'A'), 'nothing is tried that was refused');
		}],
		['a profile in a remote start counts from the start', async () => {
			await boot(one, 'One');
			equal((await ask('G-1', 'RemoteStartTransaction', { idTag: 'TAG1', connectorId: 1, chargingProfile: theirs(9, 'TxProfile', 0, 7) })).status,
				'Accepted', 'the remote start');
			one.sent = [];
			await start(one);
			await until(10000, 'a live limit', () => one.sent.find((q) => q.purpose === 'TxProfile'));
			equal(one.sent.filter((q) => q.purpose === 'TxProfile').map((q) => q.limit), [7], 'the live limit');
		}],
		['a station that counts its levels, where the highest is asked for, gets its limit lower', async () => {
			const four = keeper(await station(port, 'G-4', 'ocpp1.6'), (p) => p.level >= 3);
			four.handle('GetConfiguration', ({ params }) => ({ configurationKey: params.key.map((key) => ({ key, readonly: true,
				value: { ChargeProfileMaxStackLevel: '3', ChargingScheduleAllowedChargingRateUnit: 'Current' }[key] })) }));
			await boot(four, 'Four');
			await until(10000, 'a fallback', () => four.installed.length > 0);
			await start(four);
			const p = await until(10000, 'a live limit', () => four.installed.find((q) => q.full.chargingSchedule.duration));
			equal([p.purpose, p.level < 3], ['TxProfile', true], 'the live limit');
		}],
		['a report of profiles tells the CSMS of its own, not of ours', async () => {
			const reports = [];
			three = await station(port, 'G-3', 'ocpp2.0.1');
			await three.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Three' } });
			csms.clients.get('G-3').handle('ReportChargingProfiles', ({ params }) => {
				reports.push(params);
				return {};
			});
			const p = await until(10000, 'a fallback', () => three.profiles.find((q) => q.params.chargingProfile.chargingProfilePurpose === 'TxDefaultProfile'));
			ok(p.params.chargingProfile.id >= OURS, 'it is ours');
			const own = { id: 4, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative',
				chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.5 }] }] };
			const report = (chargingProfile) => three.call('ReportChargingProfiles', { requestId: 1, chargingLimitSource: 'CSO', evseId: 0, chargingProfile });
			await report([p.params.chargingProfile]);
			await report([p.params.chargingProfile, own]);
			await report([own]);
			equal(reports.map((r) => r.chargingProfile), [[own], [own]], 'what the CSMS is told');
			ok(!three.violation, `valid: ${three.violation}`);
		}],
		['in one stack the fallback of the whole station is no more than what the CSMS said of an EVSE', async () => {
			const told = () => three.profiles.map((q) => q.params).filter((q) => q.evseId === 0 && q.chargingProfile.id >= OURS).at(-1).chargingProfile.chargingSchedule[0].chargingSchedulePeriod[0];
			const meant = async (limit, more) => equal((await ask('G-3', 'SetChargingProfile', { evseId: 1, chargingProfile: { id: 20, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile',
				chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, startSchedule: new Date(Date.now() - 60000).toISOString(), chargingRateUnit: 'A',
					chargingSchedulePeriod: [{ startPeriod: 0, limit, ...more }] }] } })).status, 'Accepted', 'the CSMS hears');
			equal(told(), { startPeriod: 0, limit: 6 }, 'as long as nothing is said');
			await meant(4, { numberPhases: 1, phaseToUse: 2 });
			await until(5000, 'theirs', () => JSON.stringify(told()) === JSON.stringify({ startPeriod: 0, limit: 4, numberPhases: 1, phaseToUse: 2 }));
			await meant(16, {});
			await until(5000, 'ours', () => JSON.stringify(told()) === JSON.stringify({ startPeriod: 0, limit: 6 }));
			ok(!three.violation, `valid: ${three.violation}`);
		}],
		['nor is it where a live limit goes over into it', async () => {
			const five = keeper(await station(port, 'G-5', 'ocpp1.6'), (p) => p.purpose === 'TxProfile');
			five.handle('GetConfiguration', ({ params }) => ({ configurationKey: params.key.map((key) => ({ key, readonly: true,
				value: { ChargeProfileMaxStackLevel: '0', ChargingScheduleAllowedChargingRateUnit: 'Current' }[key] })) }));
			await boot(five, 'Five');
			await until(10000, 'a fallback', () => five.installed.length > 0);
			const p = theirs(6, 'TxDefaultProfile', 0, 4);
			p.chargingSchedule.chargingSchedulePeriod[0].numberPhases = 1;
			equal((await set('G-5', 1, p)).status, 'Accepted', 'the CSMS hears');
			await start(five);
			const live = await until(10000, 'a live limit', () => five.installed.find((q) => q.id >= OURS && q.full.chargingSchedule.chargingSchedulePeriod.length === 2));
			const { limit, numberPhases } = live.full.chargingSchedule.chargingSchedulePeriod[1];
			equal([live.purpose, limit, numberPhases], ['TxDefaultProfile', 4, 1], 'and then');
			ok(!five.violation, `valid: ${five.violation}`);
		}],
		['every live limit has an end, and messages were valid', async () => {
			const live = [...one.all, ...two.all].filter((q) => q.id >= OURS && q.id % 4 !== 3);
			ok(live.length > 8 && live.every((q) => q.full.chargingSchedule.duration >= 30), 'a duration in each');
			ok(!csms.violation && !one.violation && !two.violation, `valid: ${csms.violation} ${one.violation} ${two.violation}`);
			await daemon.stop();
		}],
	]);
}

main();
