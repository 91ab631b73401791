'use strict';
// Same version on both sides: the bytes go through untouched, both ways, whatever is in them; and the rule of one outstanding CALL holds on
// each leg and in each direction, our own CALLs included, which the CSMS never sees.
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const wild = [
	'{"a":1}',
	'{}',
	' { "b" : [ 1 , 2.50 , -0.0 , 1E+2 , 0.10 ] , "a" : null }\t',
	'{"n":1234567890123456789,"m":-9223372036854775808,"d":0.1000000000000000000001}',
	'{"z":1,"a":2,"z":3}',
	'{"t":"\\u00e9\\ud83d\\ude00 \\/ \\" \\\\ \\b\\f\\n\\r\\t"}',
	'{"t":"é 😀 ∮ \u2028 \u007f"}',
	'{"customData":{"vendorId":"com.example","x":{"y":[[[{}]]]},"q":0.10}}',
	'{"meterValue":[{"timestamp":"2026-03-02T17:04:05+01:00","sampledValue":[{"value":"0.10","format":"SignedData"}]}]}',
	`{"long":"${'x'.repeat(70000)}"}`,
];

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, listen: ', max_message: 1MiB' }));
	const csms = new RawCsms(csmsPort);
	const pair = async (identity, protocol) => {
		const down = await rawStation(port, identity, [protocol]);
		const up = await csms.lane(identity);
		equal([down.protocol, up.protocol], [protocol, protocol], 'the version on both legs');
		return { down, up };
	};
	let a, b, c;

	await run([
		['each station has a lane of its own version', async () => {
			await csms.listen();
			await daemon.start();
			a = await pair('S-01', 'ocpp1.6');
			b = await pair('S-02', 'ocpp2.0.1');
			c = await pair('S-03', 'ocpp2.1');
		}],
		['bytes of CALLs and answers are the same, both ways', async () => {
			let n = 0;
			for (const p of [a, b, c]) {
				for (const [from, to] of [[p.down, p.up], [p.up, p.down]]) {
					for (const action of ['X-Vendor.Thing', 'DataTransfer', from === p.down ? 'Heartbeat' : 'GetLocalListVersion']) {
						for (const payload of wild) {
							const id = `id/${n++}\\u00e9`;
							const call = `\n[ 2 ,"${id}" , "${action}",${payload}]  `;
							from.send(call);
							equal(await to.next(action), call, 'the CALL on the other side');
							const answer = n % 3 ? `[3, "${id}",\t${payload} ]` : `[4,"${id}","GenericError","so ${n}",${payload}]`;
							to.send(answer);
							equal(await from.next('the answer'), answer, 'the answer on the other side');
						}
					}
				}
			}
			console.log(`# ${n} calls and answers byte for byte`);
		}],
		['an error answer of five elements passes as it is, one of fewer gets all five', async () => {
			for (const [tail, becomes] of [['"NotSupported"]', '"NotSupported","",{}]'], ['"NotSupported",""]', '"NotSupported","",{}]'],
				['"NotSupported","no",null]', '"NotSupported","no",{}]'], ['"VendorSpecial","ü",{"a":1}]', '"VendorSpecial","ü",{"a":1}]']]) {
				b.up.send('[2,"e1","Reset",{"type":"Immediate"}]');
				await b.down.action('Reset');
				b.down.send('[4,"e1",' + tail);
				equal(await b.up.next('the error'), '[4,"e1",' + becomes, 'the error');
			}
		}],
		['transaction messages keep their bytes, white space and all', async () => {
			const start = '{ "timestamp":"2026-03-02T17:04:05.10Z","connectorId":1, "meterStart":1234567890123456789,"idTag":"T\\u00e91", "x":0.10 }';
			a.down.send(`[2, "tx-1", "StartTransaction", ${start} ]`);
			equal(await a.up.next('start'), `[2, "tx-1", "StartTransaction", ${start} ]`, 'the start');
			a.up.send('[3,"tx-1",{"idTagInfo":{"status":"Accepted", "x":[0.10]},"transactionId":1234567890123456789}]');
			equal(await a.down.next('answer'), '[3,"tx-1",{"idTagInfo":{"status":"Accepted", "x":[0.10]},"transactionId":1234567890123456789}]', 'its answer');
			const stop = '{"transactionId":1234567890123456789,"meterStop":5, "timestamp":"2026-03-02T18:04:05Z" }';
			a.down.send(`[2,"tx-2","StopTransaction",${stop}]`);
			equal(await a.up.next('stop'), `[2,"tx-2","StopTransaction",${stop}]`, 'the stop');
			a.up.send('[3,"tx-2",{}]');
			await a.down.answerTo('tx-2');
			const event = '{"eventType":"Started","timestamp":"2026-03-02T17:04:05Z","triggerReason":"CablePluggedIn","seqNo":0,"customData":{"vendorId":"v","n":0.10},' +
				' "transactionInfo":{"transactionId":"t-1"}}';
			c.down.send(`[2,"ev-1",\t"TransactionEvent",${event}]`);
			equal(await c.up.next('event'), `[2,"ev-1",\t"TransactionEvent",${event}]`, 'the event');
			c.up.send('[3,"ev-1",{"totalCost":0.10}]');
			equal(await c.down.next('answer'), '[3,"ev-1",{"totalCost":0.10}]', 'its answer');
		}],
		['CALLRESULTERROR and SEND pass on 2.1 and are ignored on older links', async () => {
			const send = '[6, "s1","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-03-02T17:04:05Z","data":[{"t":0.10,"v":"x"}]}]';
			c.down.send(send);
			equal(await c.up.next('SEND'), send, 'SEND upwards');
			const error = '[5,"r1","FormatViolation","tariff",{"a":0.10}]';
			c.up.send(error);
			equal(await c.down.next('CALLRESULTERROR'), error, 'CALLRESULTERROR downwards');
			c.down.send(error);
			equal(await c.up.next('CALLRESULTERROR'), error, 'CALLRESULTERROR upwards');
			b.down.send(send);
			b.down.send('[9,"x"]');
			b.down.send('[2,"after","Heartbeat",{}]');
			equal(JSON.parse(await b.up.next('the heartbeat'))[1], 'after', 'nothing came before it');
			b.up.send('[3,"after",{}]');
			await b.down.answerTo('after');
		}],
		['frames up to the limit pass, one byte more is refused with 1009', async () => {
			const limit = 1 << 20;
			const frame = (n) => { const head = '[2,"big","DataTransfer",{"vendorId":"v","data":"'; return head + 'y'.repeat(n - head.length - 3) + '"}]'; };
			for (const [from, to] of [[a.down, a.up], [a.up, a.down]]) {
				const big = frame(limit);
				from.send(big);
				ok((await to.next('the big frame')) === big, 'the big frame arrives as it is');
				to.send('[3,"big",{"status":"Accepted"}]');
				await from.answerTo('big');
			}
			a.down.send(frame(limit + 1));
			equal((await a.down.ended).code, 1009, 'close code');
			await a.up.ended;
			a = await pair('S-01', 'ocpp1.6');
		}],
		['CALLs that cross are served while the other waits', async () => {
			a.down.send('[2,"same","Heartbeat",{}]');
			await a.up.action('Heartbeat');
			a.up.send('[2,"same","GetConfiguration",{}]');
			await a.down.action('GetConfiguration');
			a.down.send('[3,"same",{"configurationKey":[]}]');
			equal(await a.up.answerTo('same'), '[3,"same",{"configurationKey":[]}]', 'the station answered');
			a.up.send('[3,"same",{"currentTime":"2026-03-02T17:04:05Z"}]');
			equal(await a.down.answerTo('same'), '[3,"same",{"currentTime":"2026-03-02T17:04:05Z"}]', 'the CSMS answered');
		}],
		['overlapping CALLs of either side are passed one by one, in order, and ids may be used again', async () => {
			for (const [from, to, action] of [[a.down, a.up, 'DataTransfer'], [a.up, a.down, 'DataTransfer']]) {
				for (let i = 0; i < 20; i++) from.send(`[2,"o${i % 3}","${action}",{"vendorId":"v","messageId":"${i}"}]`);
				for (let i = 0; i < 20; i++) {
					const call = JSON.parse(await to.action(action));
					equal([call[1], call[3].messageId], [`o${i % 3}`, String(i)], 'the next CALL');
					await new Promise((r) => setImmediate(r));
					equal(to.texts.length, 0, 'only one is outstanding');
					to.send(`[3,"${call[1]}",{"status":"Accepted","data":"${i}"}]`);
					equal(JSON.parse(await from.answerTo(call[1]))[2].data, String(i), 'its answer');
				}
			}
		}],
		['our own CALL waits behind the CSMS\'s, the CSMS\'s next behind ours, and nothing of ours goes up', async () => {
			a.up.send('[2,"c1","GetConfiguration",{}]');
			await a.down.action('GetConfiguration');
			const ours = daemon.cli('call', 'S-01', 'GetLocalListVersion', '{}');
			await until(5000, 'our CALL is noted', async () => (await daemon.ask('trace', { station: 'S-01', action: 'GetLocalListVersion' })).some((r) => r.verdict === 'originated'));
			a.up.send('[2,"c2","ClearCache",{}]');
			a.down.send('[3,"c1",{}]');
			await a.up.answerTo('c1');
			const mine = JSON.parse(await a.down.next('our CALL'));
			equal(mine[2], 'GetLocalListVersion', 'ours comes next');
			equal(a.down.texts, [], 'and alone');
			a.down.send(`[3,"${mine[1]}",{"listVersion":7}]`);
			equal(JSON.parse(await a.down.next('the CSMS\'s next'))[2], 'ClearCache', 'then the CSMS\'s');
			a.down.send('[3,"c2",{"status":"Accepted"}]');
			await a.up.answerTo('c2');
			const { code, out } = await ours;
			equal([code, /listVersion/.test(out)], [0, true], 'ampgate call');
			equal(a.up.texts, [], 'nothing of it went up');
		}],
		['late and unknown answers are dropped on both legs', async () => {
			a.down.send('[3,"nobody",{}]');
			a.up.send('[3,"nobody",{}]');
			a.up.send('[4,"-1","GenericError","",{}]');
			a.down.send('[2,"after-late","Heartbeat",{}]');
			equal(JSON.parse(await a.up.next('the heartbeat'))[1], 'after-late', 'only the heartbeat went up');
			a.up.send('[3,"after-late",{"currentTime":"2026-03-02T17:04:05Z"}]');
			equal(JSON.parse(await a.down.next('its answer'))[1], 'after-late', 'only its answer came down');
		}],
		['an unanswered CALL is told to its sender when the station leaves', async () => {
			b.up.send('[2,"gone","Reset",{"type":"OnIdle"}]');
			await b.down.action('Reset');
			b.down.ws.terminate();
			const said = await Promise.race([b.up.next('an error'), b.up.ended]);
			ok(said.code || JSON.parse(said)[0] === 4, 'a CALLERROR, or the lane closes');
			b = await pair('S-02', 'ocpp2.0.1');
		}],
		['two stations whose transactions have the same ids do not mix', async () => {
			const d = await pair('S-04', 'ocpp1.6');
			for (const [p, id] of [[a, 'one'], [d, 'two']]) {
				p.down.send(`[2,"${id}","StartTransaction",{"connectorId":1,"idTag":"${id}","meterStart":0,"timestamp":"2026-03-02T17:04:05Z"}]`);
				equal(JSON.parse(await p.up.action('StartTransaction'))[3].idTag, id, 'the start on its own lane');
				p.up.send(`[3,"${id}",{"transactionId":1,"idTagInfo":{"status":"Accepted"}}]`);
				equal(JSON.parse(await p.down.answerTo(id))[2].transactionId, 1, 'its answer');
			}
			d.up.send('[2,"rs","RemoteStopTransaction",{"transactionId":1}]');
			equal(await d.down.action('RemoteStopTransaction'), '[2,"rs","RemoteStopTransaction",{"transactionId":1}]', 'the stop of the second');
			equal(a.down.texts, [], 'the first hears nothing');
			d.down.send('[3,"rs",{"status":"Accepted"}]');
			await d.up.answerTo('rs');
			d.down.send('[2,"st","StopTransaction",{"transactionId":1,"meterStop":9,"timestamp":"2026-03-02T17:05:05Z"}]');
			await d.up.action('StopTransaction');
			d.up.send('[3,"st",{}]');
			await d.down.answerTo('st');
			const running = await until(3000, 'the ledger has it', async () => {
				const list = await daemon.ask('tx.list');
				return list.filter((t) => t.station === 'S-04' && t.stop).length === 1 && list;
			});
			equal(running.filter((t) => t.station === 'S-01' && !t.stop).length, 1, 'the first one runs on');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
