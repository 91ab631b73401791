'use strict';
// Many stations come and go at once, three times, some without a word. Everyone is served, every lane follows its station, and nothing is left
// behind: built with --enable-sanitizers, the daemon's end says so. Environment: STATIONS (200).
const { freePort, tempDir, until, Daemon, equal, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const STATIONS = Number(process.env.STATIONS || 200);

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, stations: `{"C-[000-${STATIONS - 1}]": {circuit: grid}}`, circuits: '{grid: {kind: grid_connection, limit_a: 5000}}' }));
	const csms = new RawCsms(csmsPort);
	let tx = 0;
	csms.answer = (identity, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'StartTransaction' ? { transactionId: ++tx, idTagInfo: { status: 'Accepted' } }
		: m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() } : {}]);
	const name = (i) => `C-${String(i).padStart(3, '0')}`;

	const visit = async (i, round) => {
		const two = i % 2;
		const s = await rawStation(port, name(i), [two ? 'ocpp2.0.1' : 'ocpp1.6']);
		const say = async (id, action, payload) => equal((await s.ask(`${id}-${round}`, action, payload, 30000))[0], 3, `${name(i)} ${action}`);
		const timestamp = new Date(1.8e12 + round * 1e6).toISOString();
		await say('b', 'BootNotification', two ? { reason: 'PowerUp', chargingStation: { vendorName: 'F', model: 'M' } } : { chargePointVendor: 'F', chargePointModel: 'M' });
		if (two) await say('t', 'TransactionEvent', { eventType: 'Started', timestamp, triggerReason: 'Authorized', seqNo: 0, transactionInfo: { transactionId: `x${round}` }, evse: { id: 1 } });
		else await say('t', 'StartTransaction', { connectorId: 1, idTag: 'T', meterStart: round, timestamp });
		return s;
	};

	await run([
		...[1, 2, 3].map((round) => [`${STATIONS} stations come, are served and leave (${round})`, async () => {
			if (round === 1) {
				await csms.listen();
				await daemon.start();
			}
			const all = await Promise.all(Array.from({ length: STATIONS }, (_, i) => visit(i, round)));
			equal((await daemon.ask('status')).stations.online, STATIONS, 'all are here');
			await Promise.all(all.map((s, i) => (i % 3 ? s.close() : void s.ws.terminate() || s.ended)));
			await until(10000, 'all are gone, and their lanes', async () => (await daemon.ask('status')).stations.online === 0 &&
				[...csms.lanes.values()].every((l) => l.ws.readyState === 3));
		}]),
		['everything was delivered', async () => {
			equal((await daemon.ask('status')).queue.messages, 0, 'queue');
			equal(tx, 3 * Math.ceil(STATIONS / 2), 'starts at the CSMS');
		}],
		['some are here when the daemon stops, and it leaves nothing behind', async () => {
			await Promise.all(Array.from({ length: 10 }, (_, i) => rawStation(port, name(i), ['ocpp1.6', 'ocpp2.0.1'])));
			await daemon.stop();
		}],
	]);
}

main();
