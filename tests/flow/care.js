'use strict';
// What keeps a box in service: a look at it, advice, a bundle for those who help that holds no secret, and a backup that comes back.
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { freePort, tempDir, Daemon, equal, ok, run } = require('./lib.js');
const { rawStation, conf } = require('./raw.js');

const PASSWORD = 'hunter2hunter2hunter2';

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const daemon = new Daemon(path.join(dir, '.'), conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 63}, row: {parent: grid, limit_a: 32}}',
		stations: `{G-01: {circuit: row}, G-09: {circuit: row, password: "${PASSWORD}"}}` }));
	const [bundle, backup, etc, state] = ['bundle.tar.gz', 'backup.tar.gz', 'etc', 'state'].map((n) => path.join(dir, n));
	const places = ['--config-dir', etc, '--state-dir', state];
	const said = async (code, fits, ...args) => {
		const got = await daemon.cli(...args);
		equal(got.code, code, `${args.join(' ')} ends with (${got.out}${got.err})`);
		ok(fits.test(got.out + got.err), `${args.join(' ')} says ${fits}:\n${got.out}${got.err}`);
	};
	const tar = (...args) => execFileSync('tar', args, { encoding: 'utf8' });

	await run([
		['without a daemon: 4, and no bundle is begun', async () => {
			await said(4, /no daemon/, 'top', '-n', '1');
			await said(4, /no daemon/, 'doctor');
			await said(4, /no daemon/, 'support-bundle', '-o', bundle);
			ok(!fs.existsSync(bundle), 'no file');
		}],
		['top shows site, circuits and stations', async () => {
			await daemon.start();
			const s = await rawStation(port, 'G-01', ['ocpp1.6']);
			await s.ask('1', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'AC22' });
			await s.ask('2', 'StartTransaction', { connectorId: 1, idTag: 'SECRETTAG', meterStart: 5, timestamp: '2026-03-02T17:04:05Z' });
			await said(0, /1\/2 online[\s\S]*row[\s\S]*G-01 +online/, 'top', '-n', '1');
			await said(2, /top \[-n/, 'top', 'now');
		}],
		['doctor: what is wrong comes with advice, and the status says that something is', () =>
			said(1, /ok +storage[\s\S]*uplinks: uplink cpo is down[\s\S]*-> ampgate uplink test[\s\S]*stations\.offline: G-09/, 'doctor', '--all')],
		['a support bundle that any tar reads, without secrets', async () => {
			await said(0, /status\.json[\s\S]*trace\.json[\s\S]*system\.txt/, 'support-bundle', '--with-traces', '1h', '-o', bundle);
			const names = tar('-tzf', bundle).trim().split('\n');
			for (const n of ['health.json', 'config.json', 'stations.json', 'events.json', 'trace.json', 'system.txt']) ok(names.includes(n), `${n} in ${names}`);
			const all = tar('-xzOf', bundle);
			ok(all.includes('G-01') && all.includes('StartTransaction'), 'it says something');
			for (const secret of [PASSWORD, 'SECRETTAG']) ok(!all.includes(secret), `${secret} stays in the house`);
			equal(fs.statSync(bundle).mode & 0o777, 0o600, 'for its owner');
			await said(1, /exists/, 'support-bundle', '-o', bundle);
		}],
		['a backup of a running box', async () => {
			fs.mkdirSync(path.join(etc, 'conf.d'), { recursive: true });
			fs.copyFileSync(daemon.config, path.join(etc, 'ampgate.yaml'));
			fs.writeFileSync(path.join(etc, 'conf.d', '10-site.yaml'), 'site: {id: here}\n', { mode: 0o640 });
			await said(0, /config\/conf\.d\/10-site\.yaml/, 'backup', 'create', backup, ...places);
			const names = tar('-tzf', backup);
			ok(/state\/\S+\.db\n/.test(names) && !/-wal|-shm/.test(names), `books and no scraps: ${names}`);
			equal(fs.statSync(backup).mode & 0o777, 0o600, 'for its owner');
		}],
		['restoring says what it would do, and waits for the daemon to be stopped', async () => {
			fs.writeFileSync(path.join(etc, 'ampgate.yaml'), 'version: 1\n');
			fs.unlinkSync(path.join(etc, 'conf.d', '10-site.yaml'));
			await said(0, /replace +\S+etc\/ampgate\.yaml[\s\S]*create +\S+10-site\.yaml[\s\S]*nothing was changed/, 'backup', 'restore', backup, ...places);
			equal(fs.readFileSync(path.join(etc, 'ampgate.yaml'), 'utf8'), 'version: 1\n', 'nothing was');
			await said(6, /stop it first/, 'backup', 'restore', backup, '--yes', ...places);
		}],
		['what is no whole backup changes nothing', async () => {
			await daemon.stop();
			const cut = path.join(dir, 'cut.tar.gz'), evil = path.join(dir, 'evil.tar.gz');
			fs.writeFileSync(cut, fs.readFileSync(backup).subarray(0, fs.statSync(backup).size - 200));
			await said(1, /not a whole one/, 'backup', 'restore', cut, '--yes', ...places);
			fs.writeFileSync(path.join(dir, 'passwd'), 'x');
			tar('-czf', evil, '--format=ustar', '-C', dir, '-P', '--transform=s,passwd,config/../../passwd-evil,', 'passwd');
			await said(1, /no backup/, 'backup', 'restore', evil, '--yes', ...places);
			ok(!fs.existsSync(path.join(dir, 'passwd-evil')) && !fs.existsSync(path.join(dir, '..', 'passwd-evil')), 'it stays in its place');
			equal(fs.readFileSync(path.join(etc, 'ampgate.yaml'), 'utf8'), 'version: 1\n', 'nothing was changed');
		}],
		['with --yes it is as it was, and a box starts on it', async () => {
			fs.rmSync(state, { recursive: true });
			await said(0, /as they were/, 'backup', 'restore', backup, '--yes', ...places);
			equal(fs.readFileSync(path.join(etc, 'ampgate.yaml'), 'utf8'), fs.readFileSync(daemon.config, 'utf8'), 'the configuration');
			equal(fs.statSync(path.join(etc, 'conf.d', '10-site.yaml')).mode & 0o777, 0o640, 'with its mode');
			await daemon.start();
			await said(0, /G-01 +1/, 'tx', 'list');
			await daemon.stop();
		}],
	]);
}

main();
