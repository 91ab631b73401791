'use strict';
// The crash windows one by one, each entered on purpose: what the CSMS sees and what the station is told is compared message by message.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('../flow/lib.js');
const { Peer, ScriptedCsms, starts, values, stops, boots } = require('./peer.js');

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: windows}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1]}
stations: {"W-[0-9]": {circuit: grid}}
uplinks:
  cpo:
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]
    reconnect: {min: 100ms, max: 1s}
    call_timeout: 1s
    message_attempts: 2
    message_retry_interval: 200ms
offline: {authorize: [all]}
log: {level: debug, target: stderr}
`);
	const csms = new ScriptedCsms(csmsPort);
	const queue = async () => (await daemon.ask('status')).queue;
	const drained = () => until(20000, 'the queue is empty', async () => (await queue()).messages === 0);
	const laneUp = (id) => until(20000, `the lane of ${id} is up`, async () => (await daemon.ask('station.show', { station: id })).lane === 'up');
	const alone = (id) => until(20000, `${id} is alone`, async () => (await daemon.ask('station.show', { station: id })).lane === 'down');
	let s;

	await run([
		['a station that repeats under a new id while its first is being answered: one message at the CSMS, one answer', async () => {
			await csms.listen();
			await daemon.start();
			s = await Peer.connect(port, 'W-0', 'ocpp1.6');
			await s.call('BootNotification', boots['1.6']);
			await laneUp('W-0');
			let release;
			csms.answers.StartTransaction = (p, id, ws) => {
				release = () => ws.send(JSON.stringify([3, id, { transactionId: 70, idTagInfo: { status: 'Accepted' } }]));
				return null;
			};
			s.send([2, 'first', 'StartTransaction', starts(1)]);
			await until(5000, 'the start is at the CSMS', () => csms.of('StartTransaction').length);
			const second = s.call('StartTransaction', starts(1), 'second');
			await s.unreadable(); // the daemon has read what came before it
			release();
			equal((await second).transactionId, 70, 'the id under the new message id');
			equal(csms.of('StartTransaction').map((h) => h[4]), ['first'], 'starts at the CSMS');
		}],
		['what the CSMS sends behind its answer to a start reaches the station behind it, under the id that the station knows', async () => {
			const stopped = () => s.inbox.filter((m) => m[0] === 2 && m[2] === 'RemoteStopTransaction');
			csms.answers.StartTransaction = (p, id, ws) => {
				ws.send(JSON.stringify([3, id, { transactionId: 75, idTagInfo: { status: 'Accepted' } }]));
				ws.send(JSON.stringify([2, 'at once', 'RemoteStopTransaction', { transactionId: 75 }]));
				return null;
			};
			s.inbox = [];
			await s.call('StartTransaction', starts(20), 'told 75');
			await until(5000, 'the remote stop is here', () => stopped().length);
			equal(s.inbox.filter((m) => m[0] === 3 || m[2] === 'RemoteStopTransaction').map((m) => m[1]), ['told 75', 'at once'], 'the order');
			// The same when the answer comes so late that the station has another id.
			csms.answers.StartTransaction = (p, id, ws) => {
				setTimeout(() => {
					ws.send(JSON.stringify([3, id, { transactionId: 76, idTagInfo: { status: 'Accepted' } }]));
					ws.send(JSON.stringify([2, 'late', 'RemoteStopTransaction', { transactionId: 76 }]));
				}, 1100);
				return null;
			};
			s.inbox = [];
			const { transactionId } = await s.call('StartTransaction', starts(21));
			ok(transactionId > 1e9, 'the answer in time was ours');
			await until(5000, 'the remote stop is here', () => stopped().length);
			equal(stopped()[0][3], { transactionId }, 'what the station is to stop');
			await s.call('StopTransaction', stops(75, 20));
			await s.call('StopTransaction', stops(transactionId, 21));
			await drained();
		}],
		['an update answered before a crash and repeated after it does not reach the CSMS again', async () => {
			csms.reset();
			await s.call('MeterValues', values(70, 1), 'values');
			await drained();
			await daemon.kill();
			await daemon.start();
			s = await Peer.connect(port, 'W-0', 'ocpp1.6');
			await s.call('MeterValues', values(70, 1), 'values again');
			await s.call('StopTransaction', stops(70, 1));
			await s.call('StopTransaction', stops(70, 1));
			await drained();
			equal(csms.actions().filter((a) => a !== 'StatusNotification'), ['MeterValues', 'StopTransaction'], 'what the CSMS heard');
		}],
		['an answer that comes after its time counts: nothing is sent twice', async () => {
			csms.reset();
			csms.answers.StartTransaction = (p, id, ws) => {
				setTimeout(() => ws.send(JSON.stringify([3, id, { transactionId: 71, idTagInfo: { status: 'Accepted' } }])), 1100);
				return null;
			};
			const { transactionId } = await s.call('StartTransaction', starts(2));
			ok(transactionId > 1e9, 'the answer in time was ours');
			await s.call('StopTransaction', stops(transactionId, 2));
			await drained();
			equal(csms.heard.map((h) => [h[2], h[3].transactionId]), [['StartTransaction', undefined], ['StopTransaction', 71]], 'what the CSMS heard');
		}],
		['a start that is refused is set aside with the rest of its transaction; queue.retry delivers all of it', async () => {
			csms.reset();
			csms.answers.StartTransaction = () => 'InternalError';
			const { transactionId } = await s.call('StartTransaction', starts(3));
			await until(20000, 'the start is set aside', async () => (await queue()).parked === 1);
			await s.call('MeterValues', values(transactionId, 3));
			await s.call('StopTransaction', stops(transactionId, 3));
			await until(20000, 'its stop is too', async () => (await queue()).parked === 3);
			equal(csms.actions(), ['StartTransaction', 'StartTransaction'], 'what the CSMS heard');
			equal(new Set(csms.heard.map((h) => h[4])).size, 1, 'message ids of the start');
			const shown = await daemon.ask('tx.show', { station: 'W-0', tx: String(transactionId) });
			equal([shown.start_wh, shown.stop_wh, shown.confirmed, shown.queue.map((r) => r.state)], [3000, 3010, false, ['parked', 'parked', 'parked']], 'tx show');
			csms.reset();
			const next = await s.call('StartTransaction', starts(4));
			equal(csms.of('StartTransaction').length, 1, 'the next transaction is not held up');
			await s.call('StopTransaction', stops(next.transactionId, 4));
			csms.reset();
			csms.answers.StartTransaction = () => ({ transactionId: 72, idTagInfo: { status: 'Accepted' } });
			await daemon.ask('queue.retry', {});
			await until(20000, 'nothing is set aside any more', async () => (await queue()).parked === 0);
			await drained();
			equal(csms.heard.map((h) => [h[2], h[3].transactionId]), [['StartTransaction', undefined], ['MeterValues', 72], ['StopTransaction', 72]], 'what the CSMS heard');
		}],
		['a CSMS that goes away is no failure: nothing is set aside, however often', async () => {
			csms.reset();
			csms.answers.StartTransaction = (p, id, ws) => {
				setImmediate(() => ws._socket && ws._socket.resetAndDestroy());
				return null;
			};
			const { transactionId } = await s.call('StartTransaction', starts(5));
			await until(20000, 'it was tried five times', () => csms.of('StartTransaction').length >= 5);
			delete csms.answers.StartTransaction;
			await s.call('StopTransaction', stops(transactionId, 5));
			await drained();
			equal((await queue()).parked, 0, 'set aside');
			equal(new Set(csms.of('StartTransaction').map((h) => h[4])).size, 1, 'message ids of the start');
		}],
		['back from an outage the CSMS hears boot, states, and then the transactions', async () => {
			await csms.close();
			await alone('W-0');
			await s.cut();
			s = await Peer.connect(port, 'W-0', 'ocpp1.6');
			await s.call('BootNotification', boots['1.6']);
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' });
			const { transactionId } = await s.call('StartTransaction', starts(6));
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await s.call('StopTransaction', stops(transactionId, 6));
			csms.reset();
			await csms.listen();
			await until(20000, 'the stop is at the CSMS', () => csms.of('StopTransaction').length);
			equal(csms.actions(), ['BootNotification', 'StatusNotification', 'StartTransaction', 'StopTransaction'], 'what the CSMS heard');
			equal(csms.of('StatusNotification')[0][3].status, 'Charging', 'the state, which is the newest');
			await drained();
		}],
		['a security event is on disk before it is answered, and no flood of other notices takes its place', async () => {
			await csms.close();
			await alone('W-0');
			for (let i = 0; i < 105; i++) s.send([2, `f${i}`, 'FirmwareStatusNotification', { status: 'Downloading' }]);
			await s.call('SecurityEventNotification', { type: 'TamperDetectionActivated', timestamp: new Date(1.8e12).toISOString() });
			await daemon.kill();
			csms.reset();
			await csms.listen();
			await daemon.start();
			s = await Peer.connect(port, 'W-0', 'ocpp1.6');
			await until(20000, 'the security event is at the CSMS', () => csms.of('SecurityEventNotification').length);
		}],
		['what is owed stays owed when the next lane dies before the answer', async () => {
			await csms.close();
			await alone('W-0');
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Faulted' });
			csms.reset();
			csms.answers.StatusNotification = (p, id, ws) => {
				ws._socket.resetAndDestroy();
				delete csms.answers.StatusNotification;
				return null;
			};
			await csms.listen();
			await until(20000, 'the state came again', () => csms.of('StatusNotification').length === 2);
		}],
		['a start let in while the CSMS was away and refused by it: told to the operator, delivered once', async () => {
			await laneUp('W-0');
			await csms.close();
			await alone('W-0');
			const { transactionId, idTagInfo } = await s.call('StartTransaction', starts(7));
			equal(idTagInfo.status, 'Accepted', 'our answer');
			csms.reset();
			csms.answers.StartTransaction = () => ({ transactionId: 77, idTagInfo: { status: 'Blocked' } });
			await csms.listen();
			await until(20000, 'the refusal is noted', () => daemon.log.includes('the CSMS answered Blocked to a StartTransaction'));
			await s.call('StopTransaction', stops(transactionId, 7));
			await drained();
			equal(csms.of('StopTransaction')[0][3].transactionId, 77, 'the id of its stop');
		}],
		['a CSMS that asks whether messages of a transaction wait hears of those that wait here', async () => {
			const two = await Peer.connect(port, 'W-2', 'ocpp2.0.1');
			await two.call('BootNotification', boots['2.0.1']);
			await laneUp('W-2');
			csms.reset();
			csms.answers.TransactionEvent = () => 'InternalError'; // tried again in a moment
			const event = (tx) => ({ eventType: 'Updated', seqNo: 1, triggerReason: 'MeterValuePeriodic', timestamp: new Date(1.8e12).toISOString(), transactionInfo: { transactionId: tx } });
			await two.call('TransactionEvent', event('tx-a'));
			const asked = [];
			csms.ws.on('message', (d) => { const m = JSON.parse(d); if (m[0] === 3 && /^status/.test(m[1])) asked.push(m[2]); });
			two.answers.GetTransactionStatus = () => ({ messagesInQueue: false });
			['tx-a', 'tx-b', undefined].forEach((transactionId, i) => csms.ws.send(JSON.stringify([2, `status ${i}`, 'GetTransactionStatus', { transactionId }])));
			await until(5000, 'three answers', () => asked.length === 3);
			equal(asked, [true, false, true].map((messagesInQueue) => ({ messagesInQueue })), 'the answers');
			csms.reset();
			await daemon.ask('queue.retry', {});
			await drained();
			await two.cut();
		}],
		['a station that comes back with another version: its old messages go up first, on a lane of that version', async () => {
			await csms.close();
			await alone('W-0');
			const { transactionId } = await s.call('StartTransaction', starts(8));
			await s.call('StopTransaction', stops(transactionId, 8));
			await s.cut();
			s = await Peer.connect(port, 'W-0', 'ocpp2.0.1');
			await s.call('BootNotification', boots['2.0.1']);
			csms.reset();
			await csms.listen();
			await until(20000, 'the boot is at the CSMS', () => csms.of('BootNotification').length);
			equal(csms.heard.map((h) => [h[1], h[2]]), [['ocpp1.6', 'StartTransaction'], ['ocpp1.6', 'StopTransaction'], ['ocpp2.0.1', 'BootNotification']],
				'what the CSMS heard');
			equal((await queue()).parked, 0, 'set aside');
			await s.call('Heartbeat', {});
			equal(csms.of('Heartbeat').length, 1, 'heartbeats at the CSMS');
		}],
		['the same with a CSMS that does not take the old version any more: set aside, and the station goes on', async () => {
			s.cut();
			s = await Peer.connect(port, 'W-1', 'ocpp1.6');
			await s.call('BootNotification', boots['1.6']);
			await csms.close();
			await alone('W-1');
			await s.call('StartTransaction', starts(9));
			await s.cut();
			s = await Peer.connect(port, 'W-1', 'ocpp2.0.1');
			await s.call('BootNotification', boots['2.0.1']);
			csms.reset();
			csms.protocols = ['ocpp2.0.1'];
			await csms.listen();
			await until(20000, 'the boot is at the CSMS', () => csms.of('BootNotification').length);
			equal(csms.of('StartTransaction'), [], 'starts at the CSMS');
			equal((await queue()).parked, 1, 'set aside');
		}],
		['the operator sees, exports and sets aside what waits', async () => {
			const lines = (text) => text.trim().split('\n');
			const [kept] = lines((await daemon.cli('queue', 'export')).out).map((l) => JSON.parse(l));
			equal([kept.station, kept.state, kept.payload], ['W-1', 'parked', starts(9)], 'queue export');
			equal((await daemon.ask('queue.show', { seq: kept.seq })).payload, starts(9), 'queue show');
			equal((await daemon.cli('queue', 'show', '999999')).code, 5, 'exit status for a message that does not wait');
			const csv = lines((await daemon.cli('tx', 'export', '--csv')).out).map((l) => l.trim().split(','));
			const rows = lines((await daemon.cli('tx', 'export')).out).map((l) => JSON.parse(l));
			equal(csv.length, rows.length + 1, 'rows of the CSV');
			const of = (name) => csv.slice(1).map((r) => r[csv[0].indexOf(name)]);
			equal(of('energy_wh').slice(0, 8), Array(8).fill('10'), 'energies');
			equal(rows[0].csms_tx, '70', 'the first transaction');
			await csms.close();
			await alone('W-1');
			await s.cut();
			s = await Peer.connect(port, 'W-0', 'ocpp1.6');
			await s.call('StartTransaction', starts(10));
			const waiting = (await daemon.ask('queue.list')).find((r) => r.state !== 'parked');
			equal((await daemon.cli('queue', 'park', String(waiting.seq), 'a try')).code, 0, 'exit status of queue park');
			equal((await daemon.ask('queue.show', { seq: waiting.seq })).why, 'a try', 'the reason');
			equal((await queue()).messages, 0, 'the queue');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
