'use strict';
// While the CSMS is away stations are served here, and when it is back it hears everything once, in order, under its own ids.
const { freePort, tempDir, within, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const T0 = Date.parse('2026-03-02T17:00:00Z');
const at = (s) => new Date(T0 + s * 1000).toISOString();
const boot16 = { chargePointVendor: 'Flow', chargePointModel: 'One' };
const boot2 = { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } };
const start = (connectorId, idTag, s) => ({ connectorId, idTag, meterStart: 100, timestamp: at(s) });
const stop = (transactionId, s) => ({ transactionId, meterStop: 200, timestamp: at(s), reason: 'Local' });
const meter = (transactionId, s) => ({ connectorId: 1, transactionId, meterValue: [{ timestamp: at(s), sampledValue: [{ value: '150' }] }] });

// Answers as a CSMS does and keeps what it was told, per station.
class Cloud extends RawCsms {
	constructor(port, firstTx) {
		super(port);
		this.heard = [];
		this.tx = firstTx;
		this.instead = () => null; // (identity, message) => text of another answer, 'silence', or null
		this.answer = (identity, m) => {
			if (m[0] !== 2) return null;
			const other = this.instead(identity, m);
			this.heard.push({ identity, id: m[1], action: m[2], payload: m[3], answered: other !== 'silence' });
			return other === 'silence' ? null : other || JSON.stringify([3, m[1], this.reply(m[2], m[3])]);
		};
	}

	reply(action, payload) {
		const status = { TAGB: 'Blocked' }[payload.idTag] || 'Accepted';
		switch (action) {
		case 'BootNotification': return { status: 'Accepted', interval: 77, currentTime: new Date().toISOString() };
		case 'Heartbeat': return { currentTime: new Date().toISOString() };
		case 'Authorize': return payload.idTag ? { idTagInfo: { status } } : { idTokenInfo: { status } };
		case 'StartTransaction': return { transactionId: this.tx++, idTagInfo: { status } };
		case 'TransactionEvent': return payload.idToken ? { idTokenInfo: { status } } : {};
		default: return {};
		}
	}

	of(identity) {
		return this.heard.filter((h) => h.identity === identity);
	}

	actions(identity) {
		return this.of(identity).map((h) => h.action);
	}
}

async function main() {
	const dir = tempDir();
	const ports = [];
	for (let i = 0; i < 4; i++) ports.push(await freePort());
	const [port, cloudPort, secondPort, errorPort] = ports;
	const daemon = new Daemon(dir, conf({ port, csmsPort: cloudPort, uplink: '\n    call_timeout: 1s',
		stations: `
  "S-[01-09]": {circuit: grid}
  "M-01": {circuit: grid, uplink: mirror}
  "F-01": {circuit: grid, uplink: pair}
  "E-01": {circuit: grid, uplink: errors}`,
		more: 'offline: {authorize: [local_list, cache], serve_time: always}' }).replace('uplinks:', `uplinks:
  mirror: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${secondPort}/{id}"}], reconnect: {min: 100ms, max: 1s}, on_loss: mirror}
  pair: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${cloudPort}/{id}", priority: 1}, {url: "ws://127.0.0.1:${secondPort}/{id}", priority: 2}],
    reconnect: {min: 100ms, max: 1s}, failback_after: 1s}
  errors: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${errorPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}`));
	const cloud = new Cloud(cloudPort, 4711), second = new Cloud(secondPort, 1), errors = new Cloud(errorPort, 900);
	const n = { of: 0 };
	const say = async (s, action, payload, id = `m${++n.of}`) => {
		const answer = await s.ask(id, action, payload, 8000);
		ok(answer[0] === 3, `${action} of ${s.identity}: ${JSON.stringify(answer)}`);
		return answer[2];
	};
	const event = (eventType, seqNo, s, more = {}) => ({ eventType, timestamp: at(s), triggerReason: 'CablePluggedIn', seqNo, transactionInfo: { transactionId: 'X-1' }, ...more });
	const queue = async () => (await daemon.ask('status')).queue.messages;
	const needs = (evseId, energyAmount) => ({ evseId, chargingNeeds: { requestedEnergyTransfer: 'AC_three_phase',
		acChargingParameters: { energyAmount, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 230 } } });
	let a, b, own;

	await run([
		['no CSMS from the start: boot is Accepted for a station of the file, heartbeat has the time', async () => {
			await daemon.start();
			await daemon.ask('token.add', { token: 'TAGL' });
			a = await rawStation(port, 'S-01', ['ocpp1.6']);
			b = await rawStation(port, 'S-02', ['ocpp2.0.1']);
			for (const [s, payload] of [[a, boot16], [b, boot2]]) {
				const answer = await say(s, 'BootNotification', payload);
				equal([answer.status, answer.interval > 0], ['Accepted', true], 'boot');
				ok(Math.abs(Date.parse((await say(s, 'Heartbeat', {})).currentTime) - Date.now()) < 5000, 'the time');
			}
		}],
		['who may charge: the local list, nobody else', async () => {
			equal((await say(a, 'Authorize', { idTag: 'TAGL' })).idTagInfo.status, 'Accepted', '1.6');
			equal((await say(a, 'Authorize', { idTag: 'NONE' })).idTagInfo.status, 'Invalid', '1.6');
			equal((await say(b, 'Authorize', { idToken: { idToken: 'TAGL', type: 'Central' } })).idTokenInfo.status, 'Accepted', '2.0.1');
			equal((await say(b, 'Authorize', { idToken: { idToken: 'NONE', type: 'Central' } })).idTokenInfo.status, 'Invalid', '2.0.1');
		}],
		['a start gets an id, and the same start gets the same answer: again, after a reconnect, after kill -9', async () => {
			const first = await say(a, 'StartTransaction', start(1, 'TAGL', 0), 'start-1');
			equal([Number.isInteger(first.transactionId), first.idTagInfo.status], [true, 'Accepted'], 'the start');
			own = first.transactionId;
			const again = async (what) => equal(await say(a, 'StartTransaction', start(1, 'TAGL', 0)), first, what);
			await again('again');
			a.ws.terminate();
			a = await rawStation(port, 'S-01', ['ocpp1.6']);
			await again('after a reconnect');
			await daemon.kill();
			await daemon.start();
			a = await rawStation(port, 'S-01', ['ocpp1.6']);
			b = await rawStation(port, 'S-02', ['ocpp2.0.1']);
			await again('after kill -9');
			equal((await say(a, 'StartTransaction', start(2, 'NONE', 1))).idTagInfo.status, 'Invalid', 'a start with a token that is not known');
			equal(await queue(), 2, 'two starts wait');
		}],
		['the rest of a station\'s life', async () => {
			for (const status of ['Preparing', 'Charging', 'SuspendedEV', 'Charging'])
				equal(await say(a, 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status }), {}, status);
			equal(await say(a, 'MeterValues', meter(own, 60)), {}, 'meter values');
			equal((await say(a, 'DataTransfer', { vendorId: 'v' })).status, 'UnknownVendorId', 'data');
			equal(await say(a, 'FirmwareStatusNotification', { status: 'Installed' }), {}, 'firmware');
			equal(await say(a, 'SecurityEventNotification', { type: 'SettingSystemTime', timestamp: at(5) }), {}, 'security event');
			equal((await a.ask('u', 'X-Unknown', {}))[2], 'NotImplemented', 'an action that nobody here knows');
			equal((await say(b, 'SignCertificate', { csr: 'x' })).status, 'Rejected', 'certificate');
			equal((await say(b, 'TransactionEvent', event('Started', 0, 0, { evse: { id: 1 }, idToken: { idToken: 'TAGL', type: 'Central' } }))).idTokenInfo.status, 'Accepted', 'started');
			for (const wish of [needs(1, 5000), needs(2, 7000), needs(2, 9000)])
				equal((await say(b, 'NotifyEVChargingNeeds', wish)).status, 'Processing', 'what a car wants');
			equal(await say(b, 'TransactionEvent', event('Updated', 1, 10, { customData: { vendorId: 'v', n: 7 } })), {}, 'updated');
			equal(await say(b, 'TransactionEvent', event('Updated', 1, 10, { customData: { vendorId: 'v', n: 7 } })), {}, 'the same again');
			equal(await say(b, 'TransactionEvent', event('Ended', 2, 20, { offline: false })), {}, 'ended');
			equal(await say(b, 'TransactionEvent', event('Ended', 2, 20, { offline: false })), {}, 'the same again');
		}],
		['on return: the boot, the newest status, notices, then the transactions in order; nothing before the boot is accepted', async () => {
			let boots = 0;
			cloud.instead = (identity, m) => identity === 'S-01' && m[2] === 'BootNotification' && !boots++ &&
				JSON.stringify([3, m[1], { status: 'Pending', interval: 1, currentTime: new Date().toISOString() }]);
			await cloud.listen();
			await until(10000, 'the queue is empty', async () => (await queue()) === 0);
			const told = cloud.of('S-01');
			equal(told.map((h) => h.action), ['BootNotification', 'BootNotification', 'StatusNotification', 'FirmwareStatusNotification', 'SecurityEventNotification',
				'StartTransaction', 'StartTransaction', 'MeterValues'], 'what S-01 had to say');
			equal(told.slice(1).map((h) => h.payload), [boot16, { connectorId: 1, errorCode: 'NoError', status: 'Charging' }, { status: 'Installed' },
				{ type: 'SettingSystemTime', timestamp: at(5) }, start(1, 'TAGL', 0), start(2, 'NONE', 1), meter(4711, 60)], 'in these words');
			equal(told.find((h) => h.action === 'StartTransaction').id, 'start-1', 'under the id of the station');
		}],
		['2.x events are marked as offline, once each', async () => {
			const [wish] = cloud.heard.splice(cloud.heard.findIndex((h) => h.action === 'NotifyEVChargingNeeds'), 1);
			equal(wish.payload, needs(2, 9000), 'what the car that is still there wanted last');
			equal(cloud.of('S-02').map((h) => [h.action, h.payload.eventType, h.payload.seqNo, h.payload.offline]), [['BootNotification', undefined, undefined, undefined],
				['TransactionEvent', 'Started', 0, true], ['TransactionEvent', 'Updated', 1, true], ['TransactionEvent', 'Ended', 2, true]], 'what S-02 had to say');
			equal(cloud.of('S-02')[2].payload.customData, { vendorId: 'v', n: 7 }, 'the rest of it');
		}],
		['ids are mapped both ways from then on', async () => {
			const lane = cloud.lanes.get('S-01');
			lane.send('[2,"rs","RemoteStopTransaction",{"transactionId":4711}]');
			equal(JSON.parse(await a.action('RemoteStopTransaction'))[3], { transactionId: own }, 'the station\'s own id');
			a.send('[3,"rs",{"status":"Accepted"}]');
			await lane.answerTo('rs');
			equal(await say(a, 'MeterValues', meter(own, 120)), {}, 'meter values');
			equal(await say(a, 'StopTransaction', stop(own, 130)), {}, 'stop');
			equal(cloud.of('S-01').slice(-2).map((h) => h.payload), [meter(4711, 120), stop(4711, 130)], 'the CSMS\'s id');
			equal(await say(a, 'StopTransaction', stop(own, 130)), {}, 'the stop again');
			equal(cloud.actions('S-01').filter((x) => x === 'StopTransaction').length, 1, 'stops at the CSMS');
		}],
		['the next absence: the list and the cache that the CSMS gave decide', async () => {
			const lane = cloud.lanes.get('S-01');
			lane.send('[2,"sl","SendLocalList",{"listVersion":2,"updateType":"Full","localAuthorizationList":[{"idTag":"TAGS","idTagInfo":{"status":"Accepted"}}]}]');
			await a.action('SendLocalList');
			a.send('[3,"sl",{"status":"Accepted"}]');
			await lane.answerTo('sl');
			for (const [tag, status] of [['TAGC', 'Accepted'], ['TAGB', 'Blocked']])
				equal((await say(a, 'Authorize', { idTag: tag })).idTagInfo.status, status, `${tag} at the CSMS`);
			await cloud.close();
			for (const [tag, status] of [['TAGS', 'Accepted'], ['TAGC', 'Accepted'], ['TAGB', 'Blocked'], ['TAGX', 'Invalid']]) // when they are on disk
				await until(3000, `${tag} alone: ${status}`, async () => (await say(a, 'Authorize', { idTag: tag })).idTagInfo.status === status);
		}],
		['a station leaves with a backlog, kill -9, and nobody there: the lane opens, drains and closes', async () => {
			const s = await rawStation(port, 'S-03', ['ocpp1.6']);
			await say(s, 'BootNotification', boot16);
			const { transactionId } = await say(s, 'StartTransaction', start(1, 'TAGS', 0));
			await say(s, 'StopTransaction', stop(transactionId, 9));
			await s.close();
			a.ws.terminate();
			b.ws.terminate();
			await daemon.kill();
			await daemon.start();
			equal(await queue(), 2, 'it waits');
			await cloud.listen();
			const lane = await cloud.lane('S-03');
			await within(8000, 'the lane closes behind the last record', lane.ended);
			equal(cloud.of('S-03').map((h) => h.action), ['BootNotification', 'StartTransaction', 'StopTransaction'], 'what went up');
			equal(cloud.of('S-03')[2].payload.transactionId, cloud.tx - 1, 'under the CSMS\'s id');
			equal(await queue(), 0, 'queue');
		}],
		['a CSMS that takes and never answers: our answer after the timeout, delivered later, once', async () => {
			const s = await rawStation(port, 'S-04', ['ocpp1.6']);
			await say(s, 'BootNotification', boot16);
			let silent = true;
			cloud.instead = (identity, m) => (identity === 'S-04' && silent ? 'silence' : null);
			const mine = await say(s, 'StartTransaction', start(1, 'TAGS', 50), 'quiet');
			ok(Number.isInteger(mine.transactionId), 'a start is answered');
			equal((await say(s, 'Authorize', { idTag: 'TAGS' })).idTagInfo.status, 'Accepted', 'so is Authorize');
			equal(await say(s, 'StartTransaction', start(1, 'TAGS', 50)), mine, 'the start again');
			silent = false;
			cloud.lanes.get('S-04').ws.terminate(); // a new lane delivers at once, the old one would after its pause
			await until(8000, 'it is delivered', async () => (await queue()) === 0);
			const starts = cloud.of('S-04').filter((h) => h.action === 'StartTransaction');
			equal(starts.map((h) => [h.id, h.answered]), [['quiet', false], ['quiet', true]], 'the same message, answered once');
			equal(await say(s, 'StopTransaction', stop(mine.transactionId, 60)), {}, 'the stop');
			equal(cloud.of('S-04').pop().payload.transactionId, cloud.tx - 1, 'under the CSMS\'s id');
			await s.close();
		}],
		['silence for long never sets a message aside', async () => {
			const s = await rawStation(port, 'S-05', ['ocpp1.6']);
			await say(s, 'BootNotification', boot16);
			cloud.instead = (identity) => (identity === 'S-05' ? 'silence' : null);
			await say(s, 'StartTransaction', start(1, 'TAGS', 70), 'long');
			for (let i = 0; i < 4; i++) {
				const lane = cloud.lanes.get('S-05'), heard = cloud.of('S-05').length;
				lane.ws.terminate();
				await cloud.lane('S-05');
				await until(5000, 'it is sent again', () => cloud.of('S-05').length > heard);
				await new Promise((r) => setTimeout(r, 1100)); // over the timeout of the call
			}
			equal((await daemon.ask('queue.list', { station: 'S-05' })).map((r) => r.state), ['sent-unconfirmed'], 'it waits');
			cloud.instead = () => null;
			cloud.lanes.get('S-05').ws.terminate();
			await until(8000, 'it is delivered', async () => (await queue()) === 0);
			await s.close();
		}],
		['a CSMS that refuses a start: three times, then it is set aside and seen, and the rest goes on', async () => {
			errors.instead = (identity, m) => (m[2] === 'StartTransaction' && m[3].idTag === 'BAD' ? `[4,"${m[1]}","InternalError","no",{}]` : null);
			await errors.listen();
			const s = await rawStation(port, 'E-01', ['ocpp1.6']);
			const bad = start(1, 'BAD', 0), tries = () => errors.actions('E-01').filter((x) => x === 'StartTransaction').length;
			const { transactionId } = await say(s, 'StartTransaction', bad, 'bad');
			for (let i = 2; i <= 3; i++) {
				errors.lanes.get('E-01').ws.terminate(); // instead of waiting for the pause
				await until(8000, `attempt ${i}`, () => tries() === i);
			}
			const parked = () => daemon.ask('queue.list', { station: 'E-01' }).then((l) => l.filter((r) => r.state === 'parked'));
			await until(3000, 'it is set aside', async () => (await parked()).length === 1);
			const shown = await daemon.cli('queue', 'list');
			ok(/parked/.test(shown.out) && /InternalError/.test(shown.out), `ampgate queue list shows it: ${shown.out}`);
			await say(s, 'StopTransaction', stop(transactionId, 9));
			await say(s, 'StartTransaction', start(1, 'GOOD', 10));
			equal(errors.of('E-01').slice(-1).map((h) => [h.action, h.payload.idTag]), [['StartTransaction', 'GOOD']], 'the rest goes on');
			equal((await parked()).map((r) => r.action), ['StartTransaction', 'StopTransaction'], 'a stop that the CSMS could not place waits with its start');
			errors.instead = () => null;
			await daemon.ask('queue.retry');
			await until(8000, 'retried by hand', async () => (await queue()) === 0 && (await parked()).length === 0);
			equal(errors.actions('E-01').slice(-2), ['StartTransaction', 'StopTransaction'], 'both, in order');
			equal(errors.of('E-01').pop().payload.transactionId, errors.tx - 1, 'under the CSMS\'s id');
			await s.close();
			await errors.close();
		}],
		['on_loss mirror: the station is closed with the CSMS and let in with it', async () => {
			await second.listen();
			let s = await rawStation(port, 'M-01', ['ocpp1.6']);
			await say(s, 'Heartbeat', {});
			await second.close();
			equal((await within(5000, 'the station is closed', s.ended)).code, 1001, 'code');
			s = await rawStation(port, 'M-01', ['ocpp1.6']);
			equal((await within(5000, 'the station is closed', s.ended)).code, 1001, 'code while it is away');
			await second.listen();
			s = await rawStation(port, 'M-01', ['ocpp1.6']);
			await say(s, 'Heartbeat', {});
			await s.close();
		}],
		['failover to the second endpoint, and back when the first returns, without a missing answer', async () => {
			const s = await rawStation(port, 'F-01', ['ocpp1.6']);
			await say(s, 'BootNotification', boot16);
			equal([cloud.of('F-01').length, second.of('F-01').length], [1, 0], 'on the first');
			await cloud.close();
			await second.lane('F-01');
			await until(5000, 'the lane is up', async () => { await say(s, 'Heartbeat', {}); return second.of('F-01').length > 0; });
			const { transactionId } = await say(s, 'StartTransaction', start(1, 'TAGS', 100));
			equal(second.actions('F-01').pop(), 'StartTransaction', 'on the second');
			await cloud.listen();
			await until(8000, 'back on the first', async () => { await say(s, 'Heartbeat', {}); return cloud.of('F-01').length > 1; });
			await until(3000, 'the lane to the second is closed', () => second.lanes.get('F-01').ws.readyState === 3);
			await say(s, 'StopTransaction', stop(transactionId, 110));
			equal(cloud.actions('F-01').pop(), 'StopTransaction', 'on the first again');
			await s.close();
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
