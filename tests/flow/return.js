'use strict';
// A CSMS that is back is told by one lane to all: pauses that have grown long are not waited out.
const { freePort, tempDir, until, Daemon, Csms, station, run } = require('./lib.js');

const STATIONS = 5;

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 1000}}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6]}
stations: {"S-[0-${STATIONS}]": {circuit: grid}}
uplinks:
  cpo:
    mode: per-station
    security_profile: 0
    endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}", priority: 1}]
    reconnect: {min: 1h, max: 1h, jitter: 0%}
log: {level: debug, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const failures = () => daemon.log.split('endpoint 1 failed').length - 1;
	await run([
		['stations come while there is no CSMS, and each lane waits an hour', async () => {
			await daemon.start();
			for (let i = 0; i < STATIONS; i++) await station(port, `S-${i}`, 'ocpp1.6');
			await until(10000, 'every lane has failed', () => failures() === STATIONS);
		}],
		['one more station finds the CSMS, and the others follow', async () => {
			await csms.listen();
			await station(port, `S-${STATIONS}`, 'ocpp1.6');
			await until(10000, 'every lane is up', () => csms.clients.size === STATIONS + 1);
		}],
		['the daemon stops in order', () => daemon.stop()],
	]);
}

main();
