'use strict';
// Every message is looked at on its way, by the station's policy; what was seen can be asked for, the trace says what became of each frame,
// and no false alarm is raised by valid ones.
const fs = require('fs');
const path = require('path');
const { spawn, spawnSync } = require('child_process');
const { freePort, tempDir, within, until, top, srcdir, children, Daemon, equal, ok, run } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');

const stations = `{S-01: {circuit: grid}, S-02: {circuit: grid, validation: strict}, S-03: {circuit: grid, validation: "off"},
	S-04: {circuit: grid}, S-05: {circuit: grid}, S-21: {circuit: grid, validation: strict}}`.replace(/\n\t/g, ' ');
const parse = (t) => JSON.parse(t);
const status = (more) => JSON.stringify({ connectorId: 1, errorCode: 'NoError', status: 'Available', ...more });

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, stations }));
	const csms = new RawCsms(csmsPort);
	// What the gateway itself asks of a station (profiles with ids of ours) is answered at once and is nobody's business here.
	const ours = (m) => m[0] === 2 && ((m[2] === 'SetChargingProfile' && /"(chargingProfileId|id)":19\d{8}\b/.test(JSON.stringify(m[3]))) ||
		(m[2] === 'ChangeConfiguration' && m[3].key === 'MeterValueSampleInterval'));
	const pair = async (identity, protocol) => {
		const down = await rawStation(port, identity, [protocol]);
		down.answer = (m) => ours(m) && `[3,"${m[1]}",{"status":"Accepted"}]`;
		return { down, up: await csms.lane(identity) };
	};
	const deviations = (station) => daemon.ask('station.deviations', { station });
	let lenient, strict, off, two;

	await run([
		['four stations, each with its policy', async () => {
			await csms.listen();
			await daemon.start();
			lenient = await pair('S-01', 'ocpp1.6');
			strict = await pair('S-02', 'ocpp1.6');
			off = await pair('S-03', 'ocpp1.6');
			two = await pair('S-21', 'ocpp2.1');
		}],
		['lenient: what is known is put right, and nothing else changes', async () => {
			lenient.down.send('[2,"a1", "StatusNotification",{"connectorId":1,"errorCode":"Error","status":"Faulted" ,"timestamp":"2026-03-02T17:04:05"}]');
			equal(await lenient.up.action('StatusNotification'),
				'[2,"a1", "StatusNotification",{"connectorId":1,"errorCode":"OtherError","status":"Faulted" ,"timestamp":"2026-03-02T17:04:05Z"}]', 'at the CSMS');
			lenient.up.send('[3,"a1",{}]');
			equal(await lenient.down.answerTo('a1'), '[3,"a1",{}]', 'the answer');
			lenient.down.send('[2,"a2","StartTransaction",{"connectorId":1,"idTag":"TAG1","meterStart":10.4,"timestamp":"2026-03-02T17:04:06"}]');
			const start = parse(await lenient.up.action('StartTransaction'));
			equal([start[3].meterStart, start[3].timestamp], [10, '2026-03-02T17:04:06Z'], 'a start through the ledger');
			lenient.up.send('[3,"a2",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]');
			equal(await lenient.down.answerTo('a2'), '[3,"a2",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]', 'its answer');
		}],
		['lenient: what is not known, or not safe, passes as it came', async () => {
			const text = '[2,"a3","Authorize",{"idTag":"012345678901234567890123"}]';
			lenient.down.send(text);
			equal(await lenient.up.action('Authorize'), text, 'a token is not cut');
			lenient.up.send('[3,"a3",{"idTagInfo":{"status":"Accepted","extra":1}}]');
			equal(await lenient.down.answerTo('a3'), '[3,"a3",{"idTagInfo":{"status":"Accepted","extra":1}}]', 'what the CSMS sends is not changed');
		}],
		['a station answers what the CSMS asked, wrongly', async () => {
			lenient.up.send('[2,"c1","GetConfiguration",{}]');
			await lenient.down.action('GetConfiguration');
			lenient.down.send('[3,"c1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":300}]}]');
			equal(await lenient.up.answerTo('c1'), '[3,"c1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}]}]', 'at the CSMS');
			lenient.up.send('[2,"c2","GetConfiguration",{}]');
			await lenient.down.action('GetConfiguration');
			lenient.down.send('[4,"c2","NotSupported"]');
			equal(await lenient.up.answerTo('c2'), '[4,"c2","NotSupported","",{}]', 'an error answer gets its five elements');
			lenient.up.send('[2,"c3","GetConfiguration",{}]');
			await lenient.down.action('GetConfiguration');
			lenient.down.send('[3,"c3",{"configurationKey":[{"key":"A","readonly":true,"value":"f\u0000\u0000x"}]}]');
			equal(await lenient.up.answerTo('c3'), '[3,"c3",{"configurationKey":[{"key":"A","readonly":true,"value":"fx"}]}]', 'NUL bytes go');
		}],
		['what was seen is counted by place and rule, tokens not shown', async () => {
			for (let i = 0; i < 3; i++) {
				lenient.down.send(`[2,"b${i}","StatusNotification",${status({ errorCode: 'Bad' })}]`);
				await lenient.up.action('StatusNotification');
				lenient.up.send(`[3,"b${i}",{}]`);
				await lenient.down.answerTo(`b${i}`);
			}
			const seen = await deviations('S-01');
			const row = (action, p, from = 'station') => seen.find((d) => d.action === action && d.path === p && d.from === from);
			const error = row('StatusNotification', '$.errorCode');
			equal([error.rule, error.count, error.repaired, error.example, error.answer], ['enum', 4, 4, 'Error', false], 'the error code');
			ok(error.first <= error.last && error.note, 'since when, and what is known about it');
			const token = row('Authorize', '$.idTag');
			equal([token.rule, token.repaired], ['max-length', 0], 'the token');
			ok(/^sha256:[0-9a-f]{8}$/.test(token.example), `an example that hides the token: ${token.example}`);
			equal(row('GetConfiguration', '$.configurationKey[].value').answer, true, 'an answer');
			equal(row('Authorize', '$.idTagInfo.extra', 'csms').rule, 'unknown-field', 'the CSMS deviates too');
			const shown = await daemon.cli('station', 'deviations', 'S-01');
			ok(shown.code === 0 && /StatusNotification +\$\.errorCode +enum +4 +4/.test(shown.out), shown.out + shown.err);
		}],
		['strict: the standard\'s error to the sender, nothing on the other side', async () => {
			const cases16 = [
				[`[2,"s1","StatusNotification",${status({ errorCode: 'Error' })}]`, 's1', 'PropertyConstraintViolation'],
				['[2,"s2","StatusNotification",{"connectorId":"1","errorCode":"NoError","status":"Available"}]', 's2', 'TypeConstraintViolation'],
				['[2,"s3","StatusNotification",{"connectorId":1}]', 's3', 'ProtocolError'],
				[`[2,"s4","StatusNotification",${status({ extra: 1 })}]`, 's4', 'FormationViolation'],
				['[2,"s5","StartTransaction",{"connectorId":1,"idTag":"TAG1","meterStart":1.5,"timestamp":"2026-03-02T17:04:05Z"}]', 's5', 'TypeConstraintViolation'],
				['[2,"s6","NoSuchThing",{}]', 's6', 'NotImplemented'],
				['[2,"0123456789012345678901234567890123456","Heartbeat",{}]', '0123456789012345678901234567890123456', 'FormationViolation'],
			];
			for (const [text, id, code] of cases16) {
				strict.down.send(text);
				const answer = parse(await strict.down.answerTo(id));
				equal([answer[0], answer[2], answer.length], [4, code, 5], text);
			}
			const cases21 = [
				['[2,"t1","Heartbeat",{"x":1}]', 't1', 'FormatViolation'],
				['[2,"t2","StatusNotification",{"timestamp":"2026-03-02T17:04:05Z"}]', 't2', 'OccurrenceConstraintViolation'],
				['[2,"t3","Heartbeat"', '-1', null],
			];
			for (const [text, id, code] of cases21.slice(0, 2)) {
				two.down.send(text);
				const answer = parse(await two.down.answerTo(id));
				equal([answer[0], answer[2]], [4, code], text);
			}
			strict.up.send('[2,"u1","ChangeAvailability",{"connectorId":1}]');
			equal(parse(await strict.up.answerTo('u1')).slice(0, 3), [4, 'u1', 'ProtocolError'], 'the CSMS hears it too');
			equal([strict.up.texts, strict.down.texts, two.up.texts], [[], [], []], 'nothing passed');
		}],
		['strict: a wrong answer does not pass, who asked gets an error', async () => {
			strict.up.send('[2,"u2","GetLocalListVersion",{}]');
			await strict.down.action('GetLocalListVersion');
			strict.down.send('[3,"u2",{"listVersion":"7"}]');
			equal(parse(await strict.up.answerTo('u2')).slice(0, 3), [4, 'u2', 'GenericError'], 'at the CSMS');
			two.up.send('[2,"u3","GetLocalListVersion",{}]');
			await two.down.action('GetLocalListVersion');
			two.down.send('[3,"u3",{"versionNumber":"7"}]');
			equal(parse(await two.up.answerTo('u3')).slice(0, 3), [4, 'u3', 'GenericError'], 'at the CSMS');
			equal(parse(await two.down.next('a complaint')).slice(0, 3), [5, 'u3', 'TypeConstraintViolation'], 'in 2.1 the station hears of it');
			strict.down.send('[2,"s9","Heartbeat",{}]');
			await strict.up.action('Heartbeat');
			strict.up.send('[3,"s9",{"currentTime":"noon"}]');
			equal(parse(await strict.down.answerTo('s9')).slice(0, 3), [4, 's9', 'GenericError'], 'at the station');
		}],
		['off: nothing is looked at', async () => {
			const text = `[2,"o1","StatusNotification",${status({ errorCode: 'Error', more: null })}]`;
			off.down.send(text);
			equal(await off.up.action('StatusNotification'), text, 'at the CSMS');
			off.up.send('[3,"o1",{}]');
			await off.down.answerTo('o1');
			equal(await deviations('S-03'), [], 'nothing was seen');
		}],
		['unreadable: 1.6 is silent without an id, 2.x says -1', async () => {
			// OCPP 2.0.1 4.2.3, of Part 4
			two.down.send('{"hello":1}');
			equal(parse(await two.down.answerTo('-1')).slice(0, 3), [4, '-1', 'RpcFrameworkError'], '2.1');
			two.down.send('[2,"v1","Heartbeat",{');
			equal(parse(await two.down.answerTo('v1')).slice(0, 3), [4, 'v1', 'FormatViolation'], '2.1 with an id');
			off.down.send('{"hello":1}');
			off.down.send('[2,"v2","Heartbeat",{');
			equal(parse(await off.down.next('the only answer')).slice(0, 3), [4, 'v2', 'FormationViolation'], '1.6');
			off.down.send('[1,"v3","Heartbeat",{}]');
			off.down.send('[2,"v4","Heartbeat",{}]');
			// OCPP 1.6 4.1.3, of 1.6-J
			equal(await off.up.next('what follows'), '[2,"v4","Heartbeat",{}]', 'an unknown type is ignored');
			off.up.send('[3,"v4",{"currentTime":"2026-03-02T17:04:05Z"}]');
			await off.down.answerTo('v4');
		}],
		// OCPP 2.1 4.1.1, of Part 4
		['2.1: a SEND passes beside a CALL that waits; a long id is carried', async () => {
			two.down.send('[2,"w1","Heartbeat",{}]');
			await two.up.action('Heartbeat');
			const send = '[6,"w2","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-03-02T17:04:05Z","data":[{"t":0.5,"v":"1"}]}]';
			two.down.send(send);
			equal(await two.up.next('the SEND'), send, 'at the CSMS, before the answer');
			two.up.send('[3,"w1",{"currentTime":"2026-03-02T17:04:05Z"}]');
			await two.down.answerTo('w1');
			const id = 'x'.repeat(200);
			lenient.down.send(`[2,"${id}","Heartbeat",{}]`);
			equal(await lenient.up.action('Heartbeat'), `[2,"${id}","Heartbeat",{}]`, 'at the CSMS');
			lenient.up.send(`[3,"${id}",{"currentTime":"2026-03-02T17:04:05Z"}]`);
			await lenient.down.answerTo(id);
			equal((await deviations('S-01')).find((d) => d.path === 'id').rule, 'max-length', 'it was seen');
		}],
		['ten minutes of a charger raise no alarm', async () => {
			const p = await pair('S-04', 'ocpp1.6');
			const lines = fs.readFileSync(path.join(srcdir, 'tests/vectors/session-16.txt'), 'utf8').split('\n').filter((l) => /^[<>]/.test(l));
			for (const l of lines) {
				const [from, to] = l[0] === '>' ? [p.down, p.up] : [p.up, p.down];
				from.send(l.slice(2));
				const m = parse(l.slice(2));
				const got = parse(await to.next(l, (t) => parse(t)[1] === m[1]));
				if (m[2] !== 'StartTransaction') equal(got, m, l);
			}
			ok(lines.length >= 40, 'a session');
			equal(await deviations('S-04'), [], 'deviations');
		}],
		['the trace tells what became of each frame', async () => {
			const all = await daemon.ask('trace', { station: 'S-01', raw: true });
			const find = (f) => all.find((r) => Object.keys(f).every((k) => r[k] === f[k]));
			const changed = find({ id: 'a1', side: 'station', dir: 'rx', type: 2 });
			equal([changed.verdict, changed.diff.was.slice(0, 6)], ['modified', 'Error"'], 'a repair');
			equal(changed.raw.includes('"Error"'), true, 'the bytes as they came');
			equal(find({ id: 'a2', side: 'station', dir: 'rx' }).verdict, 'modified', 'a start that was repaired');
			const answer = find({ id: 'a3', side: 'station', dir: 'tx', type: 3 });
			equal([answer.action, answer.verdict, answer.pair], ['Authorize', 'forwarded', find({ id: 'a3', dir: 'rx', type: 2 }).seq], 'an answer and its CALL');
			ok(answer.rtt_ms >= 0 && answer.conn === 1, 'how long it took, on which connection');
			const blocked = await daemon.ask('trace', { station: 'S-02', verdict: 'blocked' });
			ok(blocked.length >= 9 && blocked.every((r) => r.why), 'what was refused says why');
			ok((await daemon.ask('trace', { station: 'S-04', verdict: 'queued' })).length >= 4, 'what goes through the outbox');
			equal((await daemon.ask('trace', { verdict: 'dropped' })).map((r) => r.why), ['a message type that this version does not have'], 'dropped');
			ok((await daemon.ask('trace', { verdict: 'malformed' })).every((r) => r.raw_base64 && r.why), 'malformed');
			equal((await daemon.ask('trace', { action: 'Authorize', since: '10m' })).length, 4, 'by action: two CALLs, two answers');
		}],
		['tokens are hidden unless an administrator asks', async () => {
			const hidden = JSON.stringify(await daemon.ask('trace', { most: 8000 }));
			ok(!hidden.includes('TAG1') && !hidden.includes('HOME0') && /sha256:[0-9a-f]{8}/.test(hidden), 'no token in the trace');
			const shown = await daemon.cli('trace', 'S-01', '--action', 'Authorize');
			ok(shown.code === 0 && shown.out.includes('sha256:') && !shown.out.includes('0123456789012345'), shown.out + shown.err);
			ok((await daemon.cli('trace', 'S-01', '--raw')).out.includes('TAG1'), 'with --raw they are there');
		}],
		['exports: JSON Lines and HAR', async () => {
			const lines = (await daemon.cli('trace', '--export', 'jsonl')).out.trim().split('\n').map(parse);
			equal(lines.map((l) => l.seq), lines.map((l, i) => lines[0].seq + i), 'all of them, in order');
			const file = path.join(dir, 'trace.har');
			equal((await daemon.cli('trace', '--export', 'har', '-o', file)).code, 0, 'har');
			const har = parse(fs.readFileSync(file, 'utf8'));
			equal([har.log.version, har.log.creator.name], ['1.2', 'ampgate'], 'HAR');
			const messages = har.log.entries.flatMap((e) => e._webSocketMessages);
			equal(messages.length, lines.length, 'all messages');
			const leg = har.log.entries.find((e) => e.request.url === 'ws://ampgate/S-01');
			equal([leg._resourceType, leg.response.status, leg._webSocketMessages[0].type, leg._webSocketMessages[0].opcode], ['websocket', 101, 'send', 1], 'a leg');
		}],
		['exports: pcapng, as tshark reads it', async () => {
			const file = path.join(dir, 'trace.pcapng');
			const least = (await daemon.ask('trace', { station: 'S-01', most: 8000 })).length; // more may pass meanwhile
			equal((await daemon.cli('trace', 'S-01', '--export', 'pcapng', '-o', file)).code, 0, 'pcapng');
			const fields = ['frame.protocols', 'frame.interface_name', 'json.value.string', 'frame.comment'];
			const tshark = spawnSync('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], { encoding: 'utf8' });
			if (tshark.error) {
				console.log('# tshark is not installed; the file is not read');
				return;
			}
			const rows = tshark.stdout.trim().split('\n').map((r) => r.split('\t'));
			ok(tshark.status === 0 && rows.length >= least, `${rows.length} packets of ${least}: ${tshark.stderr}`);
			ok(rows.every((r) => r[0].includes('json') && /^(station|csms)$/.test(r[1]) && r[3].startsWith('S-01 ')), 'each packet has its dissector and its leg');
			ok(rows[0][2].startsWith('a1,StatusNotification') && rows[0][3] === 'S-01 station rx StatusNotification modified', rows[0].join(' '));
		}],
		['the trace as it passes, filtered', async () => {
			const follow = spawn(path.join(top, 'ampgate'), ['--socket', daemon.socket, '--json', 'trace', '-f', 'S-05', '--action', 'Heartbeat', '--verdict', 'answered_locally']);
			children.add(follow);
			let text = '';
			const line = new Promise((resolve) => follow.stdout.on('data', (d) => (text += d).includes('\n') && resolve(text)));
			const p = await pair('S-05', 'ocpp2.0.1');
			const event = (seqNo) => `{"eventType":"Updated","timestamp":"2026-03-02T17:04:0${seqNo}Z","triggerReason":"Trigger","seqNo":${seqNo},` +
				'"transactionInfo":{"transactionId":"t-1"}}';
			await csms.close();
			await until(5000, 'no lane', async () => (await daemon.ask('station.show', { station: 'S-05' })).lane === 'down');
			p.down.send(`[2,"g1","TransactionEvent",${event(1)}]`);
			await p.down.answerTo('g1');
			for (let n = 0; !text; n++) { // the subscription is there some time
				p.down.send(`[2,"h${n}","Heartbeat",{}]`);
				await p.down.answerTo(`h${n}`);
			}
			const record = parse((await within(5000, 'a record', line)).split('\n')[0]);
			equal([record.station, record.action, record.verdict], ['S-05', 'Heartbeat', 'answered_locally'], 'a record');
			follow.kill();
			await csms.listen();
			const up = await csms.lane('S-05');
			const replayed = await up.action('TransactionEvent', 20000);
			ok(replayed.includes('"offline":true'), replayed);
			const seen = (await daemon.ask('trace', { station: 'S-05', verdict: 'replayed', action: 'TransactionEvent' }))[0];
			equal([seen.side, seen.dir, seen.diff.was, seen.diff.now.includes('offline":true')], ['csms', 'tx', '', true], 'what was changed of it');
			up.send(`[3,"${parse(replayed)[1]}",{}]`);
		}],
		['the table of deviations is bounded', async () => {
			for (let n = 0; n < 4; n++) {
				const fields = Array.from({ length: 30 }, (x, i) => `"x${n}_${i}":1`).join();
				lenient = n ? lenient : await pair('S-01', 'ocpp1.6');
				lenient.down.send(`[2,"m${n}","Heartbeat",{${fields}}]`);
				await lenient.up.action('Heartbeat');
				lenient.up.send(`[3,"m${n}",{"currentTime":"2026-03-02T17:04:05Z"}]`);
				await lenient.down.answerTo(`m${n}`);
			}
			const rows = await deviations('S-01');
			equal(rows.length, 64, 'rows');
			ok(rows.some((r) => r.path === '$.x3_29') && !rows.some((r) => r.path === '$.x0_0'), 'the newest are there');
		}],
		['what an action wants is told in the station\'s version', async () => {
			const help = await daemon.cli('call', 'S-21', 'Reset', '--help');
			ok(help.code === 0 && /type +required \w+: Immediate, OnIdle/.test(help.out) && help.out.includes('ocpp2.1'), help.out + help.err);
			const old = await daemon.cli('call', 'Reset', '--help', '--ocpp', '1.6');
			ok(old.code === 0 && /type +required \w+: Hard, Soft/.test(old.out), old.out + old.err);
			const list = await daemon.cli('call', 'S-01', '--help');
			ok(list.out.split('\n').includes('ChangeConfiguration') && !list.out.includes('SetVariables') && !list.out.includes('Heartbeat'), list.out);
			equal((await daemon.cli('call', 'S-01', 'SetVariables', '--help')).code, 5, 'no such action in 1.6');
		}],
		['the daemon ends in order', () => daemon.stop()],
	]);
}

main();
