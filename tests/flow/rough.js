'use strict';
// Rough ways between here and the CSMS: middle boxes that cut what is silent, connections that are dead without a word, and answers that are none.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const { Relay } = require('../torture/relay.js');

const IDLE_MS = 500;
const T0 = Date.parse('2026-03-02T17:00:00Z');
const at = (s) => new Date(T0 + s * 1000).toISOString();

// As a proxy does that counts the time without a byte.
class IdleCut extends Relay {
	watch() {
		this.cuts = 0;
		const seen = new WeakMap();
		this.timer = setInterval(() => {
			for (const link of this.links) {
				const bytes = link.near.bytesRead + link.near.bytesWritten, was = seen.get(link);
				if (!was || was.bytes !== bytes) seen.set(link, { bytes, at: Date.now() });
				else if (Date.now() - was.at > IDLE_MS) {
					this.cuts++;
					link.cut();
				}
			}
		}, 50);
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort, relayPort] = [await freePort(), await freePort(), await freePort()];
	const file = (ping) => conf({ port, csmsPort, endpoints: `[{url: "ws://127.0.0.1:${relayPort}/{id}"}]`,
		uplink: `\n    ping: ${ping}\n    call_timeout: 1s\n    message_attempts: 50\n    message_retry_interval: 100ms`, more: 'offline: {authorize: [all]}' });
	const daemon = new Daemon(dir, file('300ms'));
	const cloud = new RawCsms(csmsPort), proxy = new IdleCut(relayPort, csmsPort);
	let heard = [], rough = [];
	cloud.answer = (identity, m) => {
		if (m[0] !== 2) return null;
		heard.push(m);
		if (m[2] === 'StartTransaction' && rough.length) return rough.shift()(m[1]);
		const currentTime = new Date().toISOString();
		return JSON.stringify([3, m[1], m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime }
			: m[2] === 'StartTransaction' ? { transactionId: 4711, idTagInfo: { status: 'Accepted' } } : {}]);
	};
	let s, n = 0;
	const say = async (action, payload) => {
		const answer = await s.ask(`m${++n}`, action, payload, 8000);
		ok(answer[0] === 3, `${action}: ${JSON.stringify(answer)}`);
		return answer[2];
	};
	const start = (k) => ({ connectorId: 1, idTag: 'T', meterStart: k, timestamp: at(k) });
	const lane = (want) => until(10000, `the lane is ${want}`, async () => (await daemon.ask('station.show', { station: 'S-01' })).lane === want);
	const drained = () => until(20000, 'all is delivered', async () => (await daemon.ask('status')).queue.messages === 0);
	const begin = async (ping) => {
		require('fs').writeFileSync(daemon.config, file(ping));
		await daemon.start();
		s = await rawStation(port, 'S-01', ['ocpp1.6']);
		await say('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
		await lane('up');
		heard = [];
	};

	await run([
		['a lane on which nobody has anything to say is pinged, so that no proxy takes it for dead', async () => {
			await cloud.listen();
			await proxy.listen();
			await begin('300ms');
			const opened = cloud.opened.length;
			let pings = 0;
			cloud.lanes.get('S-01').ws.on('ping', () => pings++);
			await until(10000, 'five pings', () => pings >= 5);
			equal([heard, cloud.opened.length], [[], opened], 'messages meanwhile, and new lanes');
		}],
		['a lane that is dead without a word is found by its pings, and what was on its way is sent again under the same id', async () => {
			rough = [() => null]; // noted, and no answer comes: the way back is gone
			for (const link of proxy.links) link.swallowUp = link.swallowDown = true;
			const opened = cloud.opened.length;
			const { transactionId } = await say('StartTransaction', start(1));
			await until(10000, 'there is a new lane', () => cloud.opened.length > opened);
			await drained();
			await say('StopTransaction', { transactionId, meterStop: 9, timestamp: at(2) });
			await drained();
			equal(new Set(heard.filter((m) => m[2] === 'StartTransaction').map((m) => m[1])).size, 1, 'message ids of the start');
			equal(heard.filter((m) => m[2] === 'StopTransaction').map((m) => m[3].transactionId), [4711], 'the stop');
			await daemon.stop();
		}],
		['without pings the proxy cuts, and the lane comes back', async () => {
			await begin('0s');
			proxy.watch();
			const cuts = proxy.cuts;
			await until(10000, 'it was cut', () => proxy.cuts > cuts);
			await until(10000, 'and is back', async () => (await daemon.ask('station.show', { station: 'S-01' })).lane === 'up');
			await say('Heartbeat', {});
			await daemon.stop();
			clearInterval(proxy.timer);
		}],
		['answers that are none: the station has ours, and the message is delivered when the CSMS comes to its senses', async () => {
			await begin('300ms');
			rough = [
				() => 'hello',
				(id) => `[3,"${id}"]`,
				(id) => `[3,"${id}",{}]`,
				(id) => `[3,"${id}",{"transactionId":"x","idTagInfo":{"status":"Accepted"}}]`,
				(id) => `[3,"${id}",[[[[[[1]]]]]]]`,
				(id) => `[3,"${id}",{"transactionId":1`,
				(id) => `[4,"${id}"]`,
				(id) => `[4,"${id}","GenericError","${'x'.repeat(3000)}",{}]`,
			];
			const { transactionId } = await say('StartTransaction', start(3));
			await say('StopTransaction', { transactionId, meterStop: 9, timestamp: at(4) });
			await until(60000, 'all is delivered', async () => rough.length === 0 && (await daemon.ask('status')).queue.messages === 0);
			const starts = heard.filter((m) => m[2] === 'StartTransaction');
			equal([new Set(starts.map((m) => m[1])).size, new Set(starts.map((m) => JSON.stringify(m[3]))).size], [1, 1], 'ids and contents of the start');
			equal(heard.filter((m) => m[2] === 'StopTransaction').map((m) => m[3].transactionId), [4711], 'the stop');
			equal((await daemon.ask('status')).queue.parked, 0, 'set aside');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
