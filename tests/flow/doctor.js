'use strict';
// The doctor: a site in order has nothing to say but about the machine it runs on; each thing that is brought about is found, with what to do next; and
// health has one line and a status for monitoring.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, within, rpc, Daemon, Csms, station, equal, ok, run, srcdir } = require('./lib.js');
const { SunSpecMeter } = require('./modbus.js');
const { rawStation } = require('./raw.js');

// What a busy machine that runs tests may say about itself.
const MACHINE = ['load', 'memory', 'heat', 'entropy', 'clock', 'clock.offset', 'disk.commits', 'disk.inodes', 'storage', 'files.credentials'];

async function main() {
	const dir = tempDir(), meter = new SunSpecMeter();
	await meter.start();
	const [port, csmsPort, consolePort, brokerPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
	const config = (more, stations) => `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}${more.listen || ''}}
circuits: {grid: {kind: grid_connection, limit_a: 63, meter: main}}
meters: {main: {driver: modbus-tcp, host: 127.0.0.1, port: ${meter.port}, model: sunspec, poll: 100ms, stale_after: 6s}}
${more.buses || ''}
stations: ${stations}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}, ping: 1s}}
onboarding: manual
${more.mqtt || ''}
log: {level: info, target: stderr}
`;
	const daemon = new Daemon(dir, config({}, '{G-1: {circuit: grid, uplink: cpo}}'));
	const csms = new Csms(csmsPort);
	const findings = async () => new Map((await daemon.ask('doctor')).map((c) => [c.check, c]));
	const finds = async (name, fits, state = 'warning') => {
		let last;
		await until(8000, `${name} says ${fits}`, async () => {
			last = (await findings()).get(name);
			return last.state === state && fits.test(last.detail) && (state === 'ok' || (last.advice && last.advice.length > 10));
		}).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(last)}`); });
	};
	const health = async (code, fits) => {
		const got = await daemon.cli('health');
		ok(got.code === code && fits.test(got.out), `health: ${got.code} ${got.out}${got.err}`);
	};
	let s;

	await run([
		['a site in order', async () => {
			await health(3, /^AMPGATE UNKNOWN - /);
			await csms.listen();
			await daemon.start();
			s = await station(port, 'G-1', 'ocpp1.6');
			await s.call('BootNotification', { chargePointVendor: 'F', chargePointModel: 'M' });
			meter.amps([10, 10, 10]);
			const all = await until(10000, 'nothing but the machine', async () => {
				const f = [...(await findings()).values()];
				return f.every((c) => c.state === 'ok' || MACHINE.includes(c.check)) && f;
			}).catch(async () => { throw new Error(JSON.stringify([...(await findings()).values()].filter((c) => c.state !== 'ok'))); });
			ok(all.length >= 45, `${all.length} checks`);
			equal(new Set(all.map((c) => c.check)).size, all.length, 'each has a name of its own');
			ok(all.every((c) => c.state !== 'ok' || c.advice === null), 'advice is for what is not ok');
		}],
		['circuits that are nearly full, and over', async () => {
			meter.amps([60, 10, 10]);
			await finds('circuits.full', /^grid L1 60\.0 of 63\.0 A$/);
			meter.amps([70, 10, 10]);
			await finds('circuits.full', /grid L1 70\.0/, 'critical');
			meter.amps([10, 10, 10]);
			await finds('uplinks.latency', /^cpo \d+ ms$/, 'ok');
		}],
		['stations: faulted, unreadable, unknown, refused, offline', async () => {
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'GroundFailure', status: 'Faulted' });
			await finds('stations.faulted', /^G-1\/1$/);
			const raw = await rawStation(port, 'X-7', ['ocpp1.6']);
			await raw.ask('b', 'BootNotification', { chargePointVendor: 'Acme', chargePointModel: 'One' });
			await finds('stations.waiting', /X-7 \(Acme One\) waits/);
			raw.send('no JSON at all');
			await finds('stations.unreadable', /X-7 sent 1/);
			raw.ws.terminate();
			await s.close();
			await finds('stations.offline', /^G-1$/);
			await daemon.stop();
			fs.writeFileSync(daemon.config, config({}, '{G-1: {circuit: grid, uplink: cpo, password: "a-password-of-16"}}'));
			await daemon.start();
			const wrong = new rpc.RPCClient({ endpoint: `ws://127.0.0.1:${port}`, identity: 'G-1', protocols: ['ocpp1.6'], password: 'another-password', reconnect: false });
			await wrong.connect().then(() => { throw new Error('let in'); }, () => {});
			await finds('stations.refused', /G-1: wrong user or password \(1 times\)/);
			s = await station(port, 'G-1', 'ocpp1.6', { password: 'a-password-of-16' });
			await until(5000, 'it is over when it was let in', async () => (await findings()).get('stations.refused').state === 'ok');
		}],
		['configuration: files that are not in force, a change that waits', async () => {
			fs.appendFileSync(daemon.config, 'balancing: {interval: 2s}\n');
			await finds('configuration.drift', /^balancing\.interval is in the files and not in force$/);
			fs.appendFileSync(daemon.config, 'nonsense: 1\n');
			await finds('configuration.drift', /cannot be used/);
			fs.writeFileSync(daemon.config, config({}, '{G-1: {circuit: grid, uplink: cpo, password: "a-password-of-16"}}'));
			await daemon.ask('config.apply', { yaml: 'site: {name: Hof}\n' });
			await finds('configuration.pending', /taken back in \d+ s/);
			await daemon.ask('config.confirm');
			await until(5000, 'nothing waits', async () => (await findings()).get('configuration.pending').state === 'ok');
			fs.chmodSync(path.join(dir, 'state/managed.yaml'), 0o644);
			await finds('files.state', /managed\.yaml has mode 644/);
			await daemon.ask('limit.set', { object: 'grid', limit_a: 40, for: '1h' });
			await finds('circuits.lowered', /^grid lowered to 40\.0 A by /, 'ok');
			await daemon.ask('log.level', { component: 'session', level: 'debug' });
			await finds('log.levels', /session logs debug/, 'ok');
		}],
		['devices, the broker, people, the CSMS', async () => {
			await daemon.stop();
			await csms.close();
			fs.writeFileSync(daemon.config, config({ listen: `, console: {address: 127.0.0.1, port: ${consolePort}, tls: none}`, buses: 'buses: {line: {device: /dev/ampgate-none}}',
				mqtt: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}"}` }, '{G-1: {circuit: grid, uplink: cpo}}'));
			await daemon.start();
			await finds('devices.serial', /\/dev\/ampgate-none: is not there/);
			await finds('broker', /not connected/);
			await finds('console.people', /nobody can log in/);
			s = await station(port, 'G-1', 'ocpp1.6');
			await finds('uplinks', /cpo is down/);
			await finds('plugins', /1 of 1 of mqtt/);
		}],
		['as people see it, and as monitoring does', async () => {
			const got = await daemon.cli('doctor');
			equal(got.code, 1, 'something is not ok');
			ok(/warning +broker: [^\n]+\n +-> look at mqtt\.url/.test(got.out) && /\d+ of \d+ checks are ok/.test(got.out) && !/^ok +memory$/m.test(got.out), got.out);
			ok(/^ok +devices\.gpio$/m.test((await daemon.cli('doctor', '--all')).out), 'all of them');
			equal((await daemon.cli('doctor', 'now')).code, 2, 'no other words');
			await health(1, /^AMPGATE WARNING - .*uplinks: uplink cpo is down.* \| stations=1;;;0;1 pending=0 queue=\d+;;;0 uptime=\d+s\n$/);
			meter.stop();
			await until(20000, 'a meter that is lost is critical', async () => (await daemon.cli('health')).code === 2);
			await health(2, /^AMPGATE CRITICAL - .*meter main is lost/);
			await daemon.stop();
		}],
		['each check has advice', async () => {
			const rows = ['doctor-box.c', 'doctor-site.c'].flatMap((f) => [...fs.readFileSync(path.join(srcdir, 'gateway/manage', f), 'utf8').matchAll(/^\t\{ "([a-z.]+)", look_\w+, "([^"]{10,})" \},$/gm)]);
			ok(rows.length >= 40, `${rows.length} rows`);
		}],
	]);
}

main();
