'use strict';
// Who may charge: in which order the lists of this box and the CSMS are asked, and what happens when the CSMS says no to what was let in here.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const T0 = Date.parse('2026-03-02T17:00:00Z');
const at = (s) => new Date(T0 + s * 1000).toISOString();
const boot16 = { chargePointVendor: 'Flow', chargePointModel: 'One' };
const boot2 = { reason: 'PowerUp', chargingStation: { vendorName: 'Flow', model: 'Two' } };
const start = (connectorId, idTag, s) => ({ connectorId, idTag, meterStart: 100, timestamp: at(s) });

class Cloud extends RawCsms {
	constructor(port) {
		super(port);
		this.heard = [];
		this.tx = 1;
		this.refuses = new Set(); // tokens
		this.answer = (identity, m) => {
			if (m[0] !== 2) return null;
			this.heard.push([identity, m[2], m[3]]);
			return JSON.stringify([3, m[1], this.reply(m[2], m[3])]);
		};
	}

	reply(action, payload) {
		const token = payload.idTag || (payload.idToken && payload.idToken.idToken);
		const status = this.refuses.has(token) ? 'Blocked' : 'Accepted';
		switch (action) {
		case 'BootNotification': return { status: 'Accepted', interval: 77, currentTime: new Date().toISOString() };
		case 'Heartbeat': return { currentTime: new Date().toISOString() };
		case 'Authorize': return payload.idTag ? { idTagInfo: { status } } : { idTokenInfo: { status } };
		case 'StartTransaction': return { transactionId: this.tx++, idTagInfo: { status } };
		case 'TransactionEvent': return token ? { idTokenInfo: { status } } : {};
		default: return {};
		}
	}

	asked(action) {
		return this.heard.filter((h) => h[1] === action).map((h) => h[2].idTag || (h[2].idToken && h[2].idToken.idToken));
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const cloud = new Cloud(csmsPort);
	const file = (order, more = '') => conf({ port, csmsPort, more: `offline: {authorize: [local_list, cache]}\nauthorization: {order: ${order}${more}}` });
	const daemon = new Daemon(dir, file('csms_first'));
	let n = 0, a, b;
	const say = async (s, action, payload, id = `m${++n}`) => {
		const answer = await s.ask(id, action, payload, 8000);
		ok(answer[0] === 3, `${action} of ${s.identity}: ${JSON.stringify(answer)}`);
		return answer[2];
	};
	const tag = async (idTag) => (await say(a, 'Authorize', { idTag })).idTagInfo.status;
	const event = (tx, eventType, seqNo, s, more = {}) => ({ eventType, timestamp: at(s), triggerReason: 'Authorized', seqNo, transactionInfo: { transactionId: tx }, ...more });
	const lane = async (id) => until(8000, `the lane of ${id} is up`, async () => (await daemon.ask('station.show', { station: id })).lane === 'up');
	const alone = async (id) => until(8000, `${id} is alone`, async () => (await daemon.ask('station.show', { station: id })).lane === 'down');
	const again = async (order, more) => {
		if (daemon.child) await daemon.stop();
		require('fs').writeFileSync(daemon.config, file(order, more));
		await daemon.start();
		a = await rawStation(port, 'S-01', ['ocpp1.6']);
		await say(a, 'BootNotification', boot16);
		await lane('S-01');
		cloud.heard = [];
	};
	// Sends a list from the CSMS, which the station accepts.
	const send = async (s, id, version, list, updateType = 'Full') => {
		cloud.lanes.get(s.identity).send(JSON.stringify([2, id, 'SendLocalList', { listVersion: version, updateType, localAuthorizationList: list }]));
		await s.action('SendLocalList');
		s.send(`[3,"${id}",{"status":"Accepted"}]`);
		await cloud.lanes.get(s.identity).answerTo(id);
	};
	const entry = (idTag, status, more) => ({ idTag, ...(status ? { idTagInfo: { status, ...more } } : {}) });

	await run([
		['csms_first: the CSMS is asked whatever the list says', async () => {
			await cloud.listen();
			await again('csms_first');
			await daemon.ask('token.add', { token: 'LIST' });
			cloud.refuses = new Set(['LIST']);
			equal([await tag('LIST'), await tag('OTHER')], ['Blocked', 'Accepted'], 'answers');
			equal(cloud.asked('Authorize'), ['LIST', 'OTHER'], 'asked at the CSMS');
		}],
		['list_first: who is in the list is answered at once, the CSMS is asked about the rest', async () => {
			await again('list_first');
			cloud.refuses = new Set(['LIST', 'BAD']);
			await daemon.ask('token.add', { token: 'BARRED', status: 'Blocked' });
			equal([await tag('LIST'), await tag('BAD'), await tag('BARRED')], ['Accepted', 'Blocked', 'Accepted'], 'answers');
			equal(cloud.asked('Authorize'), ['BAD', 'BARRED'], 'asked at the CSMS');
		}],
		['both: answered at once, the CSMS is asked all the same, and its no stops what runs', async () => {
			await again('both');
			cloud.refuses = new Set();
			const { transactionId } = await say(a, 'StartTransaction', start(1, 'LIST', 0));
			cloud.refuses = new Set(['LIST']);
			equal(await tag('LIST'), 'Accepted', 'the answer');
			const stop = JSON.parse(await a.action('RemoteStopTransaction'));
			equal(stop[3], { transactionId }, 'what is stopped');
			a.send(`[3,"${stop[1]}",{"status":"Accepted"}]`);
			equal(cloud.asked('Authorize'), ['LIST'], 'asked at the CSMS');
			await say(a, 'StopTransaction', { transactionId, meterStop: 200, timestamp: at(9) });
		}],
		['list_only: the CSMS is never asked', async () => {
			await again('list_only');
			equal([await tag('LIST'), await tag('NEVER')], ['Accepted', 'Invalid'], 'answers');
			equal(cloud.asked('Authorize'), [], 'asked at the CSMS');
		}],
		['the list that the CSMS sends a station is that station\'s: full, differential, with its version', async () => {
			await again('csms_first');
			b = await rawStation(port, 'S-02', ['ocpp1.6']);
			await say(b, 'BootNotification', boot16);
			await lane('S-02');
			await send(a, 'l1', 7, [entry('ONE', 'Accepted', { parentIdTag: 'FLEET' }), entry('TWO', 'Accepted')]);
			await send(b, 'l2', 3, [entry('THREE', 'Accepted')]);
			await send(a, 'l3', 8, [entry('TWO'), entry('FOUR', 'Blocked')], 'Differential');
			await until(5000, 'the versions are kept', async () => (await daemon.ask('station.show', { station: 'S-01' })).local_list.version === 8 &&
				(await daemon.ask('station.show', { station: 'S-02' })).local_list.version === 3);
			equal((await daemon.ask('station.show', { station: 'S-01' })).local_list, { version: 8, entries: 2 }, 'of S-01');
			await cloud.close();
			await alone('S-01');
			await alone('S-02');
			equal((await say(a, 'Authorize', { idTag: 'one' })).idTagInfo, { status: 'Accepted', parentIdTag: 'FLEET' }, 'with its group');
			equal([await tag('TWO'), await tag('FOUR'), await tag('THREE')], ['Invalid', 'Blocked', 'Invalid'], 'the others at S-01');
			equal((await say(b, 'Authorize', { idTag: 'THREE' })).idTagInfo.status, 'Accepted', 'at S-02');
		}],
		['refused when it is delivered: the transaction that still runs is stopped, in 1.6 and in 2.0.1', async () => {
			b.close();
			b = await rawStation(port, 'S-03', ['ocpp2.0.1']);
			await say(b, 'BootNotification', boot2);
			const { transactionId } = await say(a, 'StartTransaction', start(1, 'ONE', 20));
			const over = await say(a, 'StartTransaction', start(2, 'ONE', 21));
			await say(a, 'StopTransaction', { transactionId: over.transactionId, meterStop: 200, timestamp: at(22) });
			equal((await say(b, 'TransactionEvent', event('X', 'Started', 0, 20, { evse: { id: 1 }, idToken: { idToken: 'LIST', type: 'ISO14443' } }))).idTokenInfo.status, 'Accepted', 'ours');
			cloud.refuses = new Set(['ONE', 'LIST']);
			await cloud.listen();
			const [of16, of2] = [JSON.parse(await a.action('RemoteStopTransaction', 15000)), JSON.parse(await b.action('RequestStopTransaction', 15000))];
			equal([of16[3], of2[3]], [{ transactionId }, { transactionId: 'X' }], 'what is stopped');
			a.send(`[3,"${of16[1]}",{"status":"Accepted"}]`);
			b.send(`[3,"${of2[1]}",{"status":"Accepted"}]`);
			await say(a, 'StopTransaction', { transactionId, meterStop: 300, timestamp: at(30) });
			await say(b, 'TransactionEvent', event('X', 'Ended', 1, 30));
			await until(8000, 'all is delivered', async () => (await daemon.ask('status')).queue.messages === 0);
			ok(daemon.log.includes('the CSMS answered Blocked to a StartTransaction that was accepted here; its transaction is stopped'), 'the event');
			equal(a.texts.filter((t) => t.includes('RemoteStop')), [], 'other stops');
		}],
		['a station that is away when the CSMS refuses is stopped when it is back, also after a kill -9', async () => {
			await cloud.close();
			await alone('S-01');
			const { transactionId } = await say(a, 'StartTransaction', start(1, 'ONE', 40));
			await a.close();
			await cloud.listen();
			await until(15000, 'the refusal is known', () => daemon.log.includes('its transaction is stopped') && cloud.asked('StartTransaction').includes('ONE'));
			await until(8000, 'all is delivered', async () => (await daemon.ask('status')).queue.messages === 0);
			await daemon.kill();
			await daemon.start();
			a = await rawStation(port, 'S-01', ['ocpp1.6']);
			const stop = JSON.parse(await a.action('RemoteStopTransaction', 8000));
			equal(stop[3], { transactionId }, 'what is stopped');
			a.send(`[3,"${stop[1]}",{"status":"Accepted"}]`);
			await say(a, 'StopTransaction', { transactionId, meterStop: 300, timestamp: at(50) });
		}],
		['on_refused: report only tells', async () => {
			await again('csms_first', ', on_refused: report');
			await cloud.close();
			await alone('S-01');
			const { transactionId } = await say(a, 'StartTransaction', start(1, 'ONE', 60));
			await cloud.listen();
			await until(15000, 'the refusal is known', () => /the CSMS answered Blocked to a StartTransaction that was accepted here$/m.test(daemon.log));
			await say(a, 'StopTransaction', { transactionId, meterStop: 300, timestamp: at(70) });
			equal(a.texts.filter((t) => t.includes('RemoteStop')), [], 'stops');
		}],
		['a remote start of the CSMS vouches for its token when the CSMS is gone before the car is plugged in', async () => {
			cloud.lanes.get('S-01').send('[2,"rs","RemoteStartTransaction",{"connectorId":1,"idTag":"APP"}]');
			await a.action('RemoteStartTransaction');
			a.send('[3,"rs",{"status":"Accepted"}]');
			await cloud.lanes.get('S-01').answerTo('rs');
			await cloud.close();
			await alone('S-01');
			equal((await say(a, 'StartTransaction', start(1, 'APP', 80))).idTagInfo.status, 'Accepted', 'the start');
			equal((await say(a, 'StartTransaction', start(1, 'APP2', 81))).idTagInfo.status, 'Invalid', 'of another');
		}],
		['the time is told only by a clock that somebody vouches for', async () => {
			const { clock_trusted } = await daemon.ask('status');
			ok(clock_trusted, 'the CSMS told it');
			equal(Math.abs(Date.parse((await say(a, 'Heartbeat', {})).currentTime) - Date.now()) < 5000, true, 'heartbeat');
			await daemon.kill();
			await daemon.start();
			a = await rawStation(port, 'S-01', ['ocpp1.6']);
			const kernel = (await daemon.ask('status')).clock_trusted; // no CSMS so far: does the kernel know?
			equal((await a.ask('hb', 'Heartbeat', {}))[0], kernel ? 3 : 4, 'heartbeat');
			equal((await say(a, 'BootNotification', boot16)).status, 'Accepted', 'the boot is accepted all the same');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
