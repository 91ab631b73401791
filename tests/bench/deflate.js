'use strict';
// What permessage-deflate costs in memory per station: resident memory of the daemon with STATIONS stations beside that with none, after each has had messages in
// both directions, with and without compression on either leg, and with stations and a CSMS that want to keep their context. The bytes on the wire
// of the stations' leg are beside it.
//
//   node tests/bench/deflate.js [STATIONS [MESSAGES]]
const fs = require('fs');
const { freePort, tempDir, until, Daemon } = require('../flow/lib.js');
const { RawCsms, rawStation, conf } = require('../flow/raw.js');

const STATIONS = Number(process.argv[2] || 300), MESSAGES = Number(process.argv[3] || 20);
const keeps = { threshold: 0 }, drops = { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 };
const cases = [
	['no compression', false, false],
	['stations only, no context', drops, false],
	['CSMS only, no context', false, drops],
	['both, no context', drops, drops],
	['both, peers offer to keep theirs', keeps, keeps],
];
const rss = (daemon) => Number(fs.readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8').match(/VmRSS:\s*(\d+)/)[1]);
const samples = ['L1', 'L2', 'L3'].flatMap((phase) => ['Current.Import', 'Voltage', 'Power.Active.Import'].map((measurand) => ({ value: '16.25', context: 'Sample.Periodic', measurand, phase, unit: 'A' })));

async function one([name, down, up]) {
	const dir = tempDir(), [port, csmsPort] = [await freePort(), await freePort()];
	const csms = new RawCsms(csmsPort, { ws: { perMessageDeflate: up } });
	const now = new Date().toISOString();
	csms.answer = (identity, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime: now } : {}]);
	const daemon = new Daemon(dir, conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 10000}}', uplink: '\n    compress: always', stations: `{"S-[001-${String(STATIONS).padStart(3, '0')}]": {circuit: grid}}` }));
	await csms.listen();
	await daemon.start();
	const empty = rss(daemon), all = [];
	for (let i = 1; i <= STATIONS; i++) all.push(await rawStation(port, `S-${String(i).padStart(3, '0')}`, ['ocpp1.6'], { perMessageDeflate: down }));
	await until(60000, 'all lanes', () => csms.lanes.size === STATIONS);
	const agreed = (ws) => (/deflate/.test(ws.extensions) ? 'deflate' : '-');
	await Promise.all(all.map((s) => s.ask('boot', 'BootNotification', { chargePointVendor: 'Bench', chargePointModel: 'One' }, 60000)));
	for (let k = 0; k < MESSAGES; k++)
		await Promise.all(all.map((s) => s.ask(`m${k}`, 'MeterValues', { connectorId: 1, meterValue: [{ timestamp: now, sampledValue: samples }] }, 60000)));
	const full = rss(daemon), wire = all.reduce((a, s) => a + s.ws._socket.bytesWritten, 0) / STATIONS / MESSAGES;
	console.log(`| ${name} | ${agreed(all[0].ws)} | ${agreed([...csms.lanes.values()][0].ws)} | ${(empty / 1024).toFixed(1)} | ${(full / 1024).toFixed(1)} | ${((full - empty) / STATIONS).toFixed(1)} | ${wire.toFixed(0)} |`);
	all.forEach((s) => s.ws.terminate());
	await daemon.stop();
	await csms.close();
}

(async () => {
	console.log(`${STATIONS} stations, ${MESSAGES} MeterValues of 1 kB each\n`);
	console.log('| case | agreed below | agreed above | MiB with none | MiB with all | KiB per station | bytes up per message |\n| --- | --- | --- | ---: | ---: | ---: | ---: |');
	for (const c of cases) await one(c);
	process.exit(0);
})();
