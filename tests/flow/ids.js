'use strict';
// Transaction ids as the field has them: zero, negative, larger than any double holds, given twice, and numbers that this program would have
// given itself. Texts, not values: a number that went through a double would not be the same.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const T0 = Date.parse('2026-03-02T17:00:00Z');
const at = (s) => new Date(T0 + s * 1000).toISOString();
const idIn = (text) => /"transactionId": *("[^"]*"|[^,}\s]*)/.exec(text)[1];

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, more: 'offline: {authorize: [all]}' }));
	const cloud = new RawCsms(csmsPort);
	const heard = [];
	let give = '1';
	cloud.answer = (identity, m, text) => {
		if (m[0] !== 2) return null;
		heard.push([m[2], text]);
		if (m[2] === 'StartTransaction') return `[3,"${m[1]}",{"transactionId":${give},"idTagInfo":{"status":"Accepted"}}]`;
		const currentTime = new Date().toISOString();
		return JSON.stringify([3, m[1], m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime } : {}]);
	};
	let s, n = 0;
	const ask = (action, text) => {
		s.send(`[2,"i${++n}","${action}",${text}]`);
		return s.answerTo(`i${n}`, 8000);
	};
	const start = () => ask('StartTransaction', `{"connectorId":1,"idTag":"T","meterStart":${++n},"timestamp":"${at(n)}"}`);
	const stop = (id) => ask('StopTransaction', `{"transactionId":${id},"meterStop":${++n},"timestamp":"${at(n)}"}`);
	const value = (id) => ask('MeterValues', `{"connectorId":1,"transactionId":${id},"meterValue":[{"timestamp":"${at(++n)}","sampledValue":[{"value":"7"}]}]}`);
	const last = (action) => idIn(heard.filter((h) => h[0] === action).pop()[1]);
	const drained = () => until(20000, 'all is delivered', async () => (await daemon.ask('status')).queue.messages === 0);
	const alone = () => until(8000, 'it is alone', async () => (await daemon.ask('station.show', { station: 'S-01' })).lane === 'down');
	const lane = () => until(8000, 'the lane is up', async () => (await daemon.ask('station.show', { station: 'S-01' })).lane === 'up');

	await run([
		['whatever a CSMS gives goes to the station and comes back as it was', async () => {
			await cloud.listen();
			await daemon.start();
			s = await rawStation(port, 'S-01', ['ocpp1.6']);
			// What the gateway wants to know for itself, else the CSMS's question would wait behind it.
			s.answer = (m) => m[0] === 2 && !/^Remote/.test(m[2]) && `[3,"${m[1]}",${/Configuration$/.test(m[2]) ? '{}' : '{"status":"Accepted"}'}]`;
			await ask('BootNotification', '{"chargePointVendor":"Flow","chargePointModel":"One"}');
			for (give of ['0', '-5', '2147483648', '9007199254740993', '9223372036854775807', '-9223372036854775808', '123456789012345678901234567890']) {
				equal(idIn(await start()), give, 'the id that the station is told');
				await value(give);
				await stop(give);
				equal([last('MeterValues'), last('StopTransaction')], [give, give], 'the id that the CSMS hears');
			}
		}],
		['started alone, such an id is mapped both ways', async () => {
			for (give of ['0', '-7', '9223372036854775806']) {
				await cloud.close();
				await alone();
				const ours = idIn(await start());
				ok(/^15\d{8}$/.test(ours), `ours: ${ours}`);
				await value(ours);
				await cloud.listen();
				await drained();
				equal(last('MeterValues'), give, 'the id that the CSMS hears');
				cloud.lanes.get('S-01').send(`[2,"r${n}","RemoteStopTransaction",{"transactionId":${give}}]`);
				const asked = await s.action('RemoteStopTransaction');
				equal(idIn(asked), ours, 'the id that the station hears');
				s.send(`[3,"r${n}",{"status":"Accepted"}]`);
				await stop(ours);
				await drained();
				equal(last('StopTransaction'), give, 'the id of the stop');
			}
		}],
		['a CSMS that gives every transaction the same id, and one that gives numbers of ours', async () => {
			for (give of ['0', '0']) {
				const told = idIn(await start());
				await stop(told);
				equal(last('StopTransaction'), '0', 'the id that the CSMS hears');
			}
			await cloud.close();
			await alone();
			const ours = idIn(await start());
			const next = String(BigInt(ours) + 1n);
			give = ours; // the CSMS calls the next one what we called this one
			await cloud.listen();
			await drained(); // this one is `ours` at both ends now
			give = next;
			equal(idIn(await start()), next, 'a number that we have not given yet');
			await cloud.close();
			await alone();
			const another = idIn(await start());
			ok(another !== next && another !== ours, `one that the CSMS has given is not given again: ${another}`);
			give = '4711';
			await cloud.listen();
			await drained();
			for (const [told, theirs] of [[another, '4711'], [next, next], [ours, ours]]) {
				await stop(told);
				equal(last('StopTransaction'), theirs, `the stop of ${told}`);
			}
		}],
		['what stations say without an id: -1, null, nothing, and ids that nobody gave', async () => {
			await lane();
			for (const id of ['-1', 'null', '99999', '"12"']) {
				const answer = JSON.parse(await stop(id));
				ok(answer[0] === 3, `a stop of ${id} is answered: ${JSON.stringify(answer)}`);
			}
			ok(JSON.parse(await ask('StopTransaction', `{"meterStop":${++n},"timestamp":"${at(n)}"}`))[0] === 3, 'a stop of nothing');
			ok(JSON.parse(await value('9223372036854775807'))[0] === 3, 'values of an id of no transaction');
			await drained();
		}],
		['a reservation keeps its number, online and delivered late', async () => {
			const reserved = () => ask('StartTransaction', `{"connectorId":1,"idTag":"T","meterStart":${++n},"timestamp":"${at(n)}","reservationId":-2147483648}`);
			const said = () => /"reservationId":(-?\d+)/.exec(heard.filter((h) => h[0] === 'StartTransaction').pop()[1])[1];
			give = '801';
			await reserved();
			equal(said(), '-2147483648', 'online');
			await cloud.close();
			await alone();
			await reserved();
			heard.length = 0;
			await cloud.listen();
			await drained();
			equal(said(), '-2147483648', 'late');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
