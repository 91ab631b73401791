'use strict';
// Several ways to the CSMS: an interface that is not there, or leads nowhere, is passed over at once.
const { freePort, tempDir, until, Daemon, Csms, station, equal, run } = require('./lib.js');

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const file = (interfaces, more) => `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6]}
stations: {"S-[0-3]": {circuit: grid}}
uplinks:
  cpo:
    mode: per-station
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}]
    interfaces: ${interfaces}
    reconnect: {min: 1h, max: 1h, jitter: 0%}${more}
log: {level: debug, target: stderr}
`;
	const daemon = new Daemon(dir, file('[ampgate-none, lo]', ''));
	const csms = new Csms(csmsPort);
	const uplink = async () => (await daemon.ask('uplink.list'))[0];
	await run([
		['the first interface is not there: the second is taken without a pause, by all', async () => {
			await csms.listen();
			await daemon.start();
			for (let i = 0; i < 3; i++) await station(port, `S-${i}`, 'ocpp1.6');
			await until(10000, 'every lane is up', async () => (await uplink()).lanes_up === 3);
			equal((await uplink()).interface, 'lo', 'by which');
			equal(daemon.log.split('failed by one interface').length - 1 <= 3, true, 'attempts that failed');
			await daemon.stop();
		}],
		['none of them leads anywhere: the pause begins, as with a CSMS that is away', async () => {
			require('fs').writeFileSync(daemon.config, file('[ampgate-none, ampgate-neither]', ''));
			await daemon.start();
			await station(port, 'S-0', 'ocpp1.6');
			await until(10000, 'both were tried', () => daemon.log.includes('failed by one interface') && daemon.log.includes('served alone'));
			equal((await uplink()).state, 'down', 'the uplink');
			await daemon.stop();
		}],
	]);
}

main();
