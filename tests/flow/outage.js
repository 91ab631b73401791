'use strict';
// The promise: nothing lost, nothing billed twice. Twenty stations of two versions and a CSMS, an outage in the middle, and the daemon killed
// once while the CSMS is away. Environment: TRANSACTIONS (100), OUTAGE_S (6).
const { freePort, tempDir, within, until, Daemon, Csms, station, insist, equal, ok, run } = require('./lib.js');

const STATIONS = 20;
const PER_STATION = Math.ceil(Number(process.env.TRANSACTIONS || 100) / STATIONS);
const OUTAGE_MS = Number(process.env.OUTAGE_S || 6) * 1000;

const name = (i) => `S-${String(i).padStart(2, '0')}`;
const isV2 = (i) => i % 2 === 1;
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

const truth = []; // what the stations know: {station, start params, stop params} or {station, transactionId, from, to}

async function charge16(c, id, n, round) {
	const start = { connectorId: 1, idTag: 'TAG1', meterStart: n * 1000, timestamp: new Date(1.8e12 + n * 7919).toISOString() };
	const { transactionId } = await insist(c, 'StartTransaction', start);
	ok(Number.isInteger(transactionId), 'a start is answered with an id');
	await pause(round);
	await insist(c, 'MeterValues', { connectorId: 1, transactionId,
		meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [{ value: String(n * 1000 + 5) }] }] });
	const stop = { transactionId, idTag: 'TAG1', meterStop: n * 1000 + 10, timestamp: new Date(1.8e12 + n * 7919 + 5000).toISOString(), reason: 'Local' };
	await insist(c, 'StopTransaction', stop);
	truth.push({ station: id, start, stop, told: transactionId });
}

async function charge2(c, id, n, round) {
	const transactionId = `${id}-tx-${n}`;
	const event = (eventType, seqNo, triggerReason, wh, more) => insist(c, 'TransactionEvent', { eventType, seqNo, triggerReason,
		timestamp: new Date(1.8e12 + n * 7919 + seqNo * 1000).toISOString(), transactionInfo: { transactionId, ...more },
		...(seqNo === 0 ? { evse: { id: 1, connectorId: 1 }, idToken: { idToken: 'TAG1', type: 'Central' } } : {}),
		meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [{ value: wh }] }] });
	await event('Started', 0, 'Authorized', n * 1000, {});
	await pause(round);
	await event('Updated', 1, 'MeterValuePeriodic', n * 1000 + 5, {});
	await event('Ended', 2, 'StopAuthorized', n * 1000 + 10, { stoppedReason: 'Local' });
	truth.push({ station: id, transactionId, from: n * 1000, to: n * 1000 + 10 });
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1]}
stations: {"S-[00-${STATIONS - 1}]": {circuit: grid}}
uplinks:
  cpo:
    mode: per-station
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}]
    reconnect: {min: 500ms, max: 2s, jitter: 50%}
    call_timeout: 5s
offline: {authorize: [local_list, cache]}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const clients = [];

	await run([
		['the daemon starts and twenty stations boot', async () => {
			await csms.listen();
			await daemon.start();
			for (let i = 0; i < STATIONS; i++) clients.push(await station(port, name(i), isV2(i) ? 'ocpp2.0.1' : 'ocpp1.6'));
			await Promise.all(clients.map((c, i) => c.call('BootNotification', isV2(i)
				? { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } }
				: { chargePointVendor: 'Flow', chargePointModel: 'One' })));
			await Promise.all(clients.map((c, i) => c.call('Authorize', isV2(i) ? { idToken: { idToken: 'TAG1', type: 'Central' } } : { idTag: 'TAG1' })));
			equal(csms.boots.length, STATIONS, 'boots at the CSMS');
		}],
		[`${STATIONS * PER_STATION} transactions, an outage of ${OUTAGE_MS} ms in the middle, and kill -9 once`, async () => {
			const round = OUTAGE_MS / 2;
			const all = Promise.all(clients.map(async (c, i) => {
				for (let k = 0; k < PER_STATION; k++) await (isV2(i) ? charge2 : charge16)(c, name(i), i * PER_STATION + k + 1, 20 + (round / PER_STATION) * Math.random() * 4);
			}));
			await until(60000, 'some transactions went up', () => csms.starts.length + csms.events.length > STATIONS);
			await csms.close();
			await until(20000, 'the queue grows', async () => (await daemon.ask('status')).queue.messages > 5);
			await pause(OUTAGE_MS / 3);
			await daemon.kill();
			await daemon.start();
			await pause(OUTAGE_MS * 2 / 3);
			await csms.listen();
			await within(120000, 'all transactions end', all);
			await until(120000, 'the queue is empty', async () => (await daemon.ask('status')).queue.messages === 0);
		}],
		['both ledgers are equal: 0 lost, 0 duplicates, in order', async () => {
			ok(!csms.violation, `the CSMS saw an invalid message: ${csms.violation}`);
			clients.forEach((c) => ok(!c.violation, `a station saw an invalid message: ${c.violation}`));
			const mine16 = truth.filter((t) => t.start), mine2 = truth.filter((t) => t.transactionId);
			equal(csms.starts.length, mine16.length, 'starts at the CSMS');
			equal(csms.stops.length, mine16.length, 'stops at the CSMS');
			for (const t of mine16) {
				const starts = csms.starts.filter((s) => s.station === t.station && s.params.timestamp === t.start.timestamp);
				equal(starts.map((s) => s.params), [t.start], `start of ${t.station}`);
				const stops = csms.stops.filter((s) => s.station === t.station && s.params.transactionId === starts[0].tx);
				equal(stops.map((s) => ({ ...s.params, transactionId: t.told })), [t.stop], `stop of ${t.station}`);
			}
			for (const t of mine2) {
				const events = csms.events.filter((e) => e.station === t.station && e.params.transactionInfo.transactionId === t.transactionId);
				equal(events.map((e) => [e.params.eventType, e.params.seqNo, e.params.meterValue[0].sampledValue[0].value]),
					[['Started', 0, t.from], ['Updated', 1, t.from + 5], ['Ended', 2, t.to]], `events of ${t.transactionId}`);
			}
			const ledger = await daemon.ask('tx.list');
			equal(ledger.filter((t) => t.stop).length, truth.length, 'transactions that ended, in our ledger');
			const late = csms.events.filter((e) => e.params.offline).length;
			console.log(`# ${truth.length} transactions: ${csms.starts.length} starts, ${csms.stops.length} stops, ${csms.events.length} events; ` +
				`${late} events marked offline, 0 lost, 0 duplicates`);
		}],
		['meter values carry the id that the CSMS knows', async () => {
			for (const m of csms.meters) {
				const own = csms.starts.filter((s) => s.station === m.station).map((s) => s.tx);
				ok(own.includes(m.params.transactionId), `${m.station} sent meter values for ${m.params.transactionId}, its starts are ${own}`);
			}
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
