'use strict';
// What people ask of stations, from the command line and over the control socket: a restart, an unlocked plug, a message, a session begun and ended,
// in the words of each station's version, and a stranger that is told to stay away.
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run } = require('./lib.js');
const { rawStation } = require('./raw.js');

async function main() {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 63}}
stations: {G-1: {circuit: grid, uplink: cpo, evses: 2}, G-2: {circuit: grid, uplink: cpo}, G-3: {circuit: grid, uplink: cpo}}
evses: {R-1: {circuit: grid, uplink: cpo, driver: sim, current_a: 16, authorize: [remote]}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}}
onboarding: manual
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const heard = { 'G-1': [], 'G-2': [] };
	let status = 'Accepted', one, two;
	const last = (id) => heard[id].at(-1);
	const fails = async (code, ...args) => {
		const got = await daemon.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		ok(got.err.length > 0 && got.out === '', `${args.join(' ')} says why, on stderr`);
	};
	const does = async (want, ...args) => {
		const { code, out, err } = await daemon.cli('--json', ...args);
		equal([code, err, code === 0 && JSON.parse(out)], [0, '', want], args.join(' '));
	};
	const join = async (id, protocol, more) => {
		const c = await station(port, id, protocol);
		for (const action of ['Reset', 'UnlockConnector', 'TriggerMessage', 'RemoteStartTransaction', 'RemoteStopTransaction', 'RequestStartTransaction', 'RequestStopTransaction'])
			c.handle(action, ({ params }) => {
				heard[id].push([action, params]);
				return { status: action === 'UnlockConnector' && status === 'Accepted' ? 'Unlocked' : status };
			});
		await c.call('BootNotification', more);
		return c;
	};
	const now = () => new Date().toISOString();

	await run([
		['reset, unlock and trigger reach a station of either version in its words', async () => {
			await csms.listen();
			await daemon.start();
			one = await join('G-1', 'ocpp1.6', { chargePointVendor: 'F', chargePointModel: 'M' });
			two = await join('G-2', 'ocpp2.0.1', { reason: 'PowerUp', chargingStation: { vendorName: 'F', model: 'M' } });
			await does({ status: 'Accepted' }, 'station', 'reset', 'G-1');
			equal(last('G-1'), ['Reset', { type: 'Soft' }], 'G-1');
			await does({ status: 'Accepted' }, 'station', 'reset', 'G-2', 'hard');
			equal(last('G-2'), ['Reset', { type: 'Immediate' }], 'G-2');
			await does({ status: 'Unlocked' }, 'station', 'unlock', 'G-1', '2');
			equal(last('G-1'), ['UnlockConnector', { connectorId: 2 }], 'G-1');
			await does({ status: 'Unlocked' }, 'station', 'unlock', 'G-2');
			equal(last('G-2'), ['UnlockConnector', { evseId: 1, connectorId: 1 }], 'G-2');
			await does({ status: 'Accepted' }, 'station', 'trigger', 'G-1', 'Heartbeat');
			equal(last('G-1'), ['TriggerMessage', { requestedMessage: 'Heartbeat' }], 'G-1');
			await does({ status: 'Accepted' }, 'station', 'trigger', 'G-2', 'StatusNotification', '1');
			equal(last('G-2'), ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } }], 'G-2');
		}],
		['a session is begun and ended', async () => {
			await does({ status: 'Accepted' }, 'evse', 'start', 'G-1/2', '--token', 'TAG');
			equal(last('G-1'), ['RemoteStartTransaction', { connectorId: 2, idTag: 'TAG' }], 'G-1');
			const { transactionId } = await one.call('StartTransaction', { connectorId: 2, idTag: 'TAG', meterStart: 0, timestamp: now() });
			await does({ status: 'Accepted' }, 'evse', 'stop', 'G-1');
			equal(last('G-1'), ['RemoteStopTransaction', { transactionId }], 'the only one that runs');
			await does({ status: 'Accepted' }, 'evse', 'start', 'G-2');
			const { remoteStartId, ...rest } = last('G-2')[1];
			equal(rest, { idToken: { idToken: '', type: 'NoAuthorization' } }, 'without a token');
			ok(remoteStartId > 0, `it has a number: ${remoteStartId}`);
			await two.call('TransactionEvent', { eventType: 'Started', timestamp: now(), triggerReason: 'RemoteStart', seqNo: 0, evse: { id: 1, connectorId: 1 },
				transactionInfo: { transactionId: 'T-9', remoteStartId } });
			await does({ status: 'Accepted' }, 'evse', 'stop', 'G-2/1');
			equal(last('G-2'), ['RequestStopTransaction', { transactionId: 'T-9' }], 'G-2');
		}],
		['what cannot be done is said, with its own exit status', async () => {
			status = 'Rejected';
			await fails(6, 'station', 'reset', 'G-1');
			await fails(6, 'evse', 'start', 'G-2');
			const n = heard['G-1'].length;
			await fails(6, 'evse', 'stop', 'G-1/1');      // nothing runs there
			await fails(2, 'evse', 'start', 'G-1/1');     // a token is needed
			await fails(2, 'station', 'unlock', 'G-1');   // which one
			await fails(2, 'station', 'reset', 'G-1', 'gently');
			await fails(2, 'station', 'trigger', 'G-1');
			await fails(5, 'evse', 'start', 'G-1/7', '--token', 'TAG');
			await fails(5, 'station', 'reset', 'G-9');
			await fails(6, 'station', 'reset', 'G-3');    // it is not here
			equal(heard['G-1'].length, n, 'none of these reached the station');
		}],
		['a session at an EVSE of the box itself', async () => {
			const state = async () => (await daemon.ask('station.show', { station: 'R-1' })).evses[0];
			await until(8000, 'it can be started', async () => (await state()) && (await state()).state === 'preparing');
			await does({ status: 'Accepted' }, 'evse', 'start', 'R-1', '--token', 'TAG');
			await until(8000, 'it charges', async () => (await state()).tx);
			await does({ status: 'Accepted' }, 'evse', 'stop', 'R-1');
			await until(8000, 'its session is over', async () => !(await state()).tx);
		}],
		['a token comes onto the local list and goes', async () => {
			await daemon.ask('token.add', { token: 'Mine' });
			equal((await daemon.ask('token.list')).filter((t) => t.source === 'list').length, 1, 'listed');
			await does(true, 'token', 'del', 'mine');
			equal((await daemon.ask('token.list')).filter((t) => t.source === 'list').length, 0, 'gone');
			await fails(5, 'token', 'del', 'mine');
		}],
		['a stranger is rejected, after a restart too, until the configuration names it', async () => {
			const boot = async () => {
				const s = await rawStation(port, 'X-1', ['ocpp1.6']);
				const answer = (await s.ask('b', 'BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }))[2].status;
				const shown = (await daemon.ask('station.show', { station: 'X-1' })).state;
				s.ws.terminate();
				return [answer, shown];
			};
			equal(await boot(), ['Pending', 'pending'], 'at first');
			await fails(6, 'station', 'reject', 'G-1');
			await does(true, 'station', 'reject', 'X-1');
			equal(await boot(), ['Rejected', 'rejected'], 'from now on');
			await daemon.stop();
			await daemon.start();
			equal(await boot(), ['Rejected', 'rejected'], 'after a restart');
			await daemon.ask('station.accept', { station: 'X-1', circuit: 'grid' });
			await until(8000, 'it is taken in', async () => (await boot())[0] === 'Accepted');
			await daemon.stop();
			await daemon.start();
			equal(await boot(), ['Accepted', 'online'], 'for good');
			await daemon.stop();
		}],
	]);
}

main();
