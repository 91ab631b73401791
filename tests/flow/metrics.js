'use strict';
// What is counted and measured: every family of the contract is there, moves when its thing happens, and is the same as text and as JSON; Prometheus'
// own checker is content; alerts, recording rules and the dashboard speak of nothing else.
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { freePort, tempDir, until, Daemon, Csms, station, equal, ok, run, srcdir, children } = require('./lib.js');

const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));

// name: label names, in any order
const CONTRACT = `
build_info version revision openssl|start_time_seconds|ready|check check|config_generation|config_last_reload_success|clock_synchronized|clock_offset_seconds source
loop_lag_seconds|db_size_bytes|db_commit_duration_seconds|db_errors_total|plugin_up plugin version|login_attempts_total result
stations state|station_up station|station_info station vendor model firmware subprotocol|station_connects_total station|station_limit_unconfirmed station
evse_state station evse state|evse_current_amperes station evse phase|evse_limit_amperes station evse phase|evse_offered_amperes station evse
evse_limit_reason station evse reason|evse_power_watts station evse|evse_energy_joules_total station evse|evse_waiting_seconds_total station evse
circuit_current_amperes circuit phase|circuit_limit_amperes circuit phase|circuit_headroom_amperes circuit phase
circuit_over_limit_seconds_total circuit phase|circuit_binding_seconds_total circuit
balancing_cycle_duration_seconds|balancing_reaction_seconds
grid_limit_watts|grid_limited|grid_input_limit_watts input|grid_input_limited input|grid_input_failed input
meter_up meter|meter_age_seconds meter|meter_power_watts meter phase|meter_energy_joules_total meter direction|meter_requests_total meter result
uplink_up uplink endpoint|uplink_sessions uplink state|uplink_connects_total uplink endpoint result|uplink_rtt_seconds uplink
queue_messages kind|queue_oldest_age_seconds|queue_delivered_total kind result|transactions_active|transactions_total outcome|authorizations_total source result
ocpp_messages_total side direction type action|ocpp_errors_total side code|ocpp_call_duration_seconds side
mqtt_up|mqtt_messages_total direction result|mqtt_backlog_messages|tls_certificate_expiry_timestamp_seconds use subject`
	.trim().split(/[|\n]/).map((l) => l.trim().split(' ')).map(([name, ...labels]) => [`ampgate_${name}`, labels]);
const PROCESS = ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_open_fds'];
// What this stage does not bring about: nobody waits, nothing is overloaded, no certificate is shown, no source says how far the clock is off.
const IDLE = ['ampgate_evse_waiting_seconds_total', 'ampgate_balancing_reaction_seconds', 'ampgate_ocpp_errors_total', 'ampgate_tls_certificate_expiry_timestamp_seconds',
	'ampgate_login_attempts_total'];

async function main() {
	const dir = tempDir(), [port, csmsPort, metricsPort, consolePort, brokerPort, nobody] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}
  metrics: {port: ${metricsPort}}
  console: {address: 127.0.0.1, port: ${consolePort}, tls: none}
console: {login: none}
circuits: {grid: {kind: grid_connection, limit_a: 63, meter: main}}
meters: {main: {driver: sim, poll: 200ms}}
stations: {G-1: {circuit: grid, uplink: cpo}}
grid_operator: {inputs: {cloud: {kind: command}, box: {kind: contact, host: 127.0.0.1, port: ${nobody}, input: 1, stale_after: 1s, fail_safe_w: 50000}}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], ping: 1s, reconnect: {min: 100ms, max: 1s}}}
mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", commands: [refresh]}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const get = (at, target, headers = {}) => new Promise((resolve, reject) => http.get({ host: '127.0.0.1', port: at, path: target, headers, agent: false }, (res) => {
		let text = '';
		res.on('data', (d) => (text += d));
		res.on('end', () => resolve(text));
	}).on('error', reject));
	const families = async () => new Map(JSON.parse(await get(consolePort, '/api/v1/metrics.json')).families.map((f) => [f.name, f]));
	const value = async (name, labels = {}) => {
		const f = (await families()).get(`ampgate_${name}`);
		const s = f.samples.find((x) => Object.entries(labels).every(([k, v]) => x.labels?.[k] === v) && (!x.part || x.part === 'count'));
		return s?.value;
	};
	const reaches = (least, name, labels) => until(8000, `${name} ${JSON.stringify(labels || '')} >= ${least}`, async () => (await value(name, labels)) >= least);
	const now = () => new Date().toISOString();
	let s;

	await run([
		['every family of the contract is known', async () => {
			if (BROKER) {
				fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`);
				children.add(spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' }));
			}
			await csms.listen();
			await daemon.start();
			const all = await families();
			for (const name of [...CONTRACT.map(([n]) => n), ...PROCESS]) ok(all.has(name), `${name} is missing`);
		}],
		['what happens is counted', async () => {
			s = await station(port, 'G-1', 'ocpp1.6');
			await s.call('BootNotification', { chargePointVendor: 'F"\\', chargePointModel: 'M', firmwareVersion: '1.2' });
			await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
			await s.call('Authorize', { idTag: 'SECRETTAG' });
			const { transactionId } = await s.call('StartTransaction', { connectorId: 1, idTag: 'SECRETTAG', meterStart: 0, timestamp: now() });
			await s.call('MeterValues', { connectorId: 1, transactionId, meterValue: [{ timestamp: now(), sampledValue: [{ value: '10', measurand: 'Current.Import', unit: 'A' },
				{ value: '2300', measurand: 'Power.Active.Import', unit: 'W' }, { value: '1500', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }] }] });
			await reaches(1, 'transactions_active');
			await s.call('StopTransaction', { transactionId, meterStop: 1000, timestamp: now(), reason: 'EVDisconnected' });
			await reaches(1, 'transactions_total', { outcome: 'completed' });
			await reaches(1, 'queue_delivered_total', { kind: 'start', result: 'ok' });
			await reaches(1, 'queue_delivered_total', { kind: 'end', result: 'ok' });
			await reaches(2, 'authorizations_total', { source: 'csms', result: 'accepted' });
			await reaches(1, 'uplink_connects_total', { uplink: 'cpo', endpoint: '1', result: 'ok' });
			await reaches(1, 'db_commit_duration_seconds');
			await reaches(1, 'meter_requests_total', { meter: 'main', result: 'ok' });
			await reaches(1, 'config_generation');
			equal([await value('config_last_reload_success'), await value('plugin_up', { plugin: 'sim' }), await value('station_connects_total', { station: 'G-1' })], [1, 1, 1], 'states');
			await reaches(1, 'ocpp_call_duration_seconds', { side: 'csms' });
			ok(Math.abs(await value('clock_offset_seconds', { source: 'csms' })) < 5, 'the CSMS tells the time');
			await until(10000, 'a ping came back', async () => (await value('uplink_rtt_seconds', { uplink: 'cpo' })) > 0);
			if (BROKER) await reaches(1, 'mqtt_messages_total', { direction: 'tx', result: 'ok' });
			else ok((await value('mqtt_up')) === 0 && (await value('mqtt_backlog_messages')) > 0, 'events wait for the broker');
		}],
		['limits of the grid operator, and an input that is not heard', async () => {
			const grid = async () => [await value('grid_limited'), await value('grid_limit_watts')];
			const input = async (id) => [await value('grid_input_limited', { input: id }), await value('grid_input_limit_watts', { input: id }), await value('grid_input_failed', { input: id })];
			await until(8000, 'the box is not heard', async () => (await value('grid_input_failed', { input: 'box' })) === 1);
			equal([await grid(), await input('box'), await input('cloud')], [[1, 50000], [1, 50000, 1], [0, undefined, 0]], 'a fail-safe');
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 7000 });
			equal([await grid(), await input('box'), await input('cloud')], [[1, 7000], [1, 50000, 1], [1, 7000, 0]], 'a limit below it');
		}],
		['answers that the box gives itself, and a connection that fails', async () => {
			await csms.close();
			await reaches(1, 'uplink_connects_total', { uplink: 'cpo', result: 'failed' });
			await s.call('Authorize', { idTag: 'SECRETTAG' });
			const { transactionId } = await s.call('StartTransaction', { connectorId: 1, idTag: 'SECRETTAG', meterStart: 0, timestamp: now() });
			await s.call('StopTransaction', { transactionId, meterStop: 1000, timestamp: now(), reason: 'PowerLoss' });
			await reaches(1, 'authorizations_total', { source: 'box' });
			await reaches(1, 'transactions_total', { outcome: 'interrupted' });
			await reaches(2, 'queue_messages', { kind: 'waiting' });
			fs.appendFileSync(daemon.config, 'nonsense: 1\n');
			daemon.child.kill('SIGHUP');
			await until(5000, 'a reload that fails shows', async () => (await value('config_last_reload_success')) === 0);
		}],
		['each family has the labels of the contract and no token', async () => {
			const all = await families();
			for (const [name, labels] of CONTRACT) {
				const { samples } = all.get(name);
				if (!samples.length) {
					ok(IDLE.includes(name) || (/mqtt_messages/.test(name) && !BROKER) || /power_watts|evse_current|evse_energy|offered|uplink_rtt/.test(name), `${name} has no sample`);
					continue;
				}
				const got = Object.keys(samples[0].labels || {}).filter((l) => l !== 'le').sort();
				for (const l of labels) ok(got.includes(l), `${name} has ${got}, wants ${labels}`);
			}
			const text = await get(metricsPort, '/metrics');
			ok(!text.includes('SECRETTAG'), 'no token in the text');
			ok(text.includes('vendor="F\\"\\\\"'), 'a quote in a label');
			equal(all.get('ampgate_station_info').samples[0].labels.vendor, 'F"\\', 'and in JSON');
		}],
		['promtool has nothing against metrics and rules', async () => {
			const tool = spawnSync('promtool', ['check', 'metrics'], { input: await get(metricsPort, '/metrics') });
			if (tool.error) return console.log('# promtool is not installed: its part is left out');
			equal([tool.status, `${tool.stdout}${tool.stderr}`], [0, ''], 'metrics');
			const rules = spawnSync('promtool', ['check', 'rules', path.join(srcdir, 'etc/prometheus/ampgate.rules.yml')]);
			equal(rules.status, 0, `${rules.stdout}${rules.stderr}`);
		}],
		['alerts, rules and the dashboard speak of families that there are', async () => {
			const all = await families();
			for (const file of ['etc/prometheus/ampgate.rules.yml', 'etc/grafana/ampgate.json']) {
				const text = fs.readFileSync(path.join(srcdir, file), 'utf8');
				const recorded = [...text.matchAll(/record: (\S+)/g)].map((m) => m[1]);
				for (const name of text.match(/\bampgate_[a-z_]+/g)) {
					const base = name.replace(/_(bucket|sum|count)$/, '');
					ok(recorded.includes(name) || all.has(name) || all.get(base)?.type === 'histogram' || /_kwh$/.test(name), `${file}: ${name}`);
				}
			}
			await daemon.stop();
		}],
	]);
}

main();
