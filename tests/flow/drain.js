'use strict';
// The CSMS is back and many stations have much to tell: so many messages of all of them are under way at once and no more, each station's in its
// order, while what happens now is answered at once. And a queue that gets full thins out meter values before it refuses anything.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const STATIONS = 24, VALUES = 8, PARALLEL = 4, THINK_MS = 15;
const T0 = Date.parse('2026-03-02T17:00:00Z');
const at = (s) => new Date(T0 + s * 1000).toISOString();
const boot = { chargePointVendor: 'Flow', chargePointModel: 'One' };
const name = (i) => `S-${String(i).padStart(2, '0')}`;

// Thinks for a while about transaction messages, as long as it is told to, and counts how many it has on its desk.
class Cloud extends RawCsms {
	constructor(port) {
		super(port);
		this.desk = this.most = 0;
		this.heard = new Map();
		this.tx = 100;
		this.answer = (identity, m) => {
			if (m[0] !== 2) return null;
			if (!/Transaction|MeterValues/.test(m[2])) return JSON.stringify([3, m[1], this.reply(m[2])]);
			if (!this.heard.has(identity)) this.heard.set(identity, []);
			this.heard.get(identity).push(m[3]);
			this.most = Math.max(this.most, ++this.desk);
			setTimeout(async () => {
				await this.thinking;
				this.desk--;
				const lane = this.lanes.get(identity);
				if (lane && lane.ws.readyState === 1) lane.send(JSON.stringify([3, m[1], this.reply(m[2])]));
			}, THINK_MS);
			return null; // later
		};
	}

	reply(action) {
		const currentTime = new Date().toISOString();
		if (action === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime };
		if (action === 'Heartbeat') return { currentTime };
		if (action === 'Authorize') return { idTagInfo: { status: 'Accepted' } };
		return action === 'StartTransaction' ? { transactionId: this.tx++, idTagInfo: { status: 'Accepted' } } : {};
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, stations: '{"S-[00-40]": {circuit: grid}}', uplink: `\n    drain_parallel: ${PARALLEL}`,
		more: 'offline: {authorize: [all], queue: {max_size: 1MiB}}' }));
	const cloud = new Cloud(csmsPort);
	let n = 0;
	const say = async (s, action, payload) => {
		const answer = await s.ask(`m${++n}`, action, payload, 20000);
		ok(answer[0] === 3, `${action} of ${s.identity}: ${JSON.stringify(answer)}`);
		return answer[2];
	};
	const values = (transactionId, s, more = {}) => ({ connectorId: 1, transactionId, meterValue: [{ timestamp: at(s), sampledValue: [{ value: String(s), ...more }] }] });
	const queue = async () => (await daemon.ask('status')).queue.messages;
	const stations = [];

	await run([
		[`${STATIONS} stations charge while the CSMS is away`, async () => {
			await daemon.start();
			for (let i = 0; i < STATIONS; i++) {
				const s = await rawStation(port, name(i), ['ocpp1.6']);
				stations.push(s);
				await say(s, 'BootNotification', boot);
				const { transactionId } = await say(s, 'StartTransaction', { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: at(0) });
				for (let v = 1; v <= VALUES; v++) await say(s, 'MeterValues', values(transactionId, v));
			}
			equal(await queue(), STATIONS * (VALUES + 1), 'messages that wait');
		}],
		[`when it is back it has at most ${PARALLEL} of them on its desk, and answers what happens now at once`, async () => {
			await cloud.listen();
			const live = await rawStation(port, name(30), ['ocpp1.6']);
			await until(20000, 'it drains', () => cloud.heard.size > PARALLEL);
			let done;
			cloud.thinking = new Promise((resolve) => (done = resolve));
			await until(20000, 'its desk is full', () => cloud.desk === PARALLEL);
			await say(live, 'BootNotification', boot);
			equal((await say(live, 'Authorize', { idTag: 'NOW' })).idTagInfo.status, 'Accepted', 'an Authorize of another station');
			ok(await queue() > 0 && cloud.desk === PARALLEL, 'all the others still waited');
			done();
			await until(60000, 'all is delivered', async () => (await queue()) === 0);
			ok(cloud.most <= PARALLEL, `on its desk: ${cloud.most}`);
			ok(cloud.most >= 2, `and not one by one: ${cloud.most}`);
			for (let i = 0; i < STATIONS; i++)
				equal(cloud.heard.get(name(i)).map((p) => (p.meterValue ? p.meterValue[0].timestamp : p.timestamp)), Array.from({ length: VALUES + 1 }, (x, v) => at(v)), `order of ${name(i)}`);
			console.log(`# ${STATIONS * (VALUES + 1)} messages, at most ${cloud.most} at once`);
		}],
		['a queue that gets full leaves out every second meter value, never a signed one, a start or a stop', async () => {
			const s = await rawStation(port, name(31), ['ocpp1.6']);
			await say(s, 'BootNotification', boot);
			await cloud.close();
			await until(8000, 'it is alone', async () => (await daemon.ask('station.show', { station: name(31) })).lane === 'down');
			const { transactionId } = await say(s, 'StartTransaction', { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: at(1000) });
			let sent = 0;
			const wide = { measurand: 'Energy.Active.Import.Register', location: 'x'.repeat(3000) };
			for (; !daemon.log.includes('from the middle of transactions are left out'); sent++) {
				ok(sent < 400, 'values are thinned out');
				await say(s, 'MeterValues', values(transactionId, 2000 + sent, sent % 10 === 5 ? { format: 'SignedData', ...wide } : wide));
			}
			await say(s, 'StartTransaction', { connectorId: 2, idTag: 'T', meterStart: 0, timestamp: at(5000) }); // there is room for a start again
			await say(s, 'StopTransaction', { transactionId, meterStop: 9, timestamp: at(6000) });
			cloud.heard.delete(name(31));
			await cloud.listen();
			await until(60000, 'all is delivered', async () => (await queue()) === 0);
			const came = cloud.heard.get(name(31)), came2 = came.filter((p) => p.meterValue);
			equal([came.length - came2.length, came.filter((p) => p.meterStop === 9).length], [3, 1], 'starts and stops');
			const signed = came2.filter((p) => p.meterValue[0].sampledValue[0].format === 'SignedData').length;
			equal(signed, Math.floor((sent + 4) / 10), 'signed values');
			const plain = came2.length - signed, all = sent - signed;
			ok(plain < all && plain >= Math.floor(all / 2), `${plain} of ${all} others came`);
			const times = came2.map((p) => p.meterValue[0].timestamp);
			equal(times, [...times].sort(), 'their order');
			equal(times[0], at(2000), 'the first of them');
			console.log(`# ${plain} of ${all} plain and all ${signed} signed values`);
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
