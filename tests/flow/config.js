'use strict';
// Changes through the program itself: checked, told in differences, in force at once, taken back unless confirmed, whatever dies in between.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { conf } = require('./raw.js');

async function main() {
	const dir = tempDir();
	const yaml = conf({ port: await freePort(), csmsPort: await freePort(), circuits: '{grid: {kind: grid_connection, limit_a: 63}}',
		stations: '{G-01: {circuit: grid}}' });
	const daemon = new Daemon(dir, yaml);
	const managed = path.join(dir, 'state', 'managed.yaml');
	const limit = async () => (await daemon.ask('circuit.list'))[0].limit_a[0];
	const file = (name, text) => {
		fs.writeFileSync(path.join(dir, name), text);
		return path.join(dir, name);
	};
	const lower = file('lower.yaml', 'circuits: {grid: {limit_a: 40}}\n');
	const cli = async (code, ...args) => {
		const got = await daemon.cli('config', ...args);
		equal(got.code, code, `config ${args.join(' ')} ends with (${got.out}${got.err})`);
		return got.out + got.err;
	};

	await run([
		['diff and check say what would change, and change nothing', async () => {
			await daemon.start();
			equal(await cli(0, 'diff', lower), 'circuits.grid.limit_a: 63 -> 40 (at once)\n', 'diff');
			equal(await cli(0, 'check', lower), 'circuits.grid.limit_a: 63 -> 40 (at once)\n', 'check of a file');
			ok(/0 errors, 0 warnings: configuration usable/.test(await cli(0, 'check')), 'check of the files');
			equal(await limit(), 63, 'limit');
		}],
		['a mistake is named by line and column, with exit code 3', async () => {
			const said = await cli(3, 'apply', file('bad.yaml', 'circuits:\n  grid: {limit_a: 40, limti: 1}\n'));
			ok(/managed\.yaml:2:\d+: .*'limti'/.test(said) && fs.existsSync(managed) === false, said);
		}],
		['applied, confirmed: a generation with a name', async () => {
			ok(/in force until .* unless confirmed/.test(await cli(0, 'apply', lower)), 'told to confirm');
			equal(await limit(), 40, 'at once');
			ok(/another change waits/.test(await cli(6, 'apply', lower)), 'a second one has to wait');
			await cli(0, 'confirm');
			await cli(5, 'confirm');
			const history = await cli(0, 'history');
			ok(/^2 +\S+ +\S+ +config\.apply$/m.test(history) && /^1 +\S+ +start +files$/m.test(history), history);
			equal(await cli(0, 'show', '--managed'), 'circuits: {grid: {limit_a: 40}}\n', 'the layer');
			ok(/limit_a: 40 +# .*managed\.yaml:1/.test(await cli(0, 'show', '--origin')), 'its origin');
		}],
		['not confirmed: taken back by itself', async () => {
			await cli(0, 'apply', file('lowest.yaml', 'circuits: {grid: {limit_a: 20}}\n'), '--for', '1s');
			equal(await limit(), 20, 'at once');
			await until(10000, 'it is taken back', async () => (await limit()) === 40);
			equal(fs.readFileSync(managed, 'utf8'), 'circuits: {grid: {limit_a: 40}}\n', 'the file');
			ok(daemon.log.includes('nobody confirmed it in time'), 'the log');
		}],
		['taken back by hand; there is nothing to take back twice', async () => {
			await cli(0, 'apply', path.join(dir, 'lowest.yaml'));
			await cli(0, 'rollback');
			equal(await limit(), 40, 'limit');
			await cli(5, 'rollback');
		}],
		['killed while a change waits: it waits on after the start, and is taken back', async () => {
			await cli(0, 'apply', path.join(dir, 'lowest.yaml'), '--for', '3s');
			await daemon.kill();
			await daemon.start();
			await until(15000, 'it is taken back', async () => (await limit()) === 40);
			equal((await daemon.ask('status')).config.state, 'ok', 'state');
		}],
		['killed, and back when its time is over: as if it had never been', async () => {
			await cli(0, 'apply', path.join(dir, 'lowest.yaml'), '--for', '1h');
			await daemon.kill();
			const mark = path.join(dir, 'state', 'managed.pending');
			fs.writeFileSync(mark, fs.readFileSync(mark, 'utf8').replace(/"until":"[^"]*"/, '"until":"2026-01-01T00:00:00.000Z"'));
			await daemon.start();
			equal(await limit(), 40, 'limit');
		}],
		['back to a generation', async () => {
			await cli(0, 'rollback', '1');
			equal([await limit(), fs.readFileSync(managed, 'utf8')], [63, ''], 'limit, layer');
			await cli(5, 'rollback', '99');
		}],
		['looked at before it is applied: differences, or each mistake with the key it is about', async () => {
			const good = await daemon.ask('config.try', { over: { circuits: { grid: { limit_a: 30 } } } });
			equal([good.usable, good.changes.map((c) => [c.path, c.from, c.to])], [true, [['circuits.grid.limit_a', '63', '30']]], 'differences');
			const bad = await daemon.ask('config.try', { over: { circuits: { grid: { limit_a: 'much' } }, site: { voltage_v: 5 } } });
			equal([bad.usable, bad.errors.map((e) => e.path.join('.')).sort()], [false, ['circuits.grid.limit_a', 'site.voltage_v']], 'mistakes');
			equal(await limit(), 63, 'limit');
		}],
		['keys laid over the layer, and taken out of it again', async () => {
			const origin = async () => (await daemon.ask('config.origin')).values.find((v) => v.path.join('.') === 'circuits.grid.limit_a');
			await daemon.ask('config.apply', { over: { circuits: { grid: { limit_a: 30 } }, site: { name: 'Hof' } }, for: '0s' });
			equal([await limit(), (await origin()).file], [30, managed], 'limit, origin');
			await daemon.ask('config.apply', { drop: [['circuits', 'grid', 'limit_a']], for: '0s' });
			equal([await limit(), (await origin()).file, fs.readFileSync(managed, 'utf8')], [63, daemon.config, 'site:\n  name: Hof\n'], 'limit, origin, layer');
			await daemon.ask('config.apply', { drop: [['site', 'name']], for: '0s' });
			const { rows } = await daemon.ask('config.schema');
			equal(rows.find((r) => r.key === 'circuits').rows.find((r) => r.key === 'limit_a').required, true, 'schema');
		}],
		['made for another generation: refused', async () => {
			const { generation } = (await daemon.ask('status')).config;
			const refused = await daemon.ask('config.apply', { yaml: '', base: generation - 1 }).catch((e) => e);
			ok(/in force is/.test(refused.message) && refused.data.code === 'forbidden', refused.message);
		}],
		['what needs a restart is refused, unless a restart is allowed: then the process starts anew with it', async () => {
			const named = file('named.yaml', 'site: {id: renamed}\n');
			ok(/allow the restart/.test(await cli(6, 'apply', named)), 'refused');
			const { pid } = daemon.child;
			ok(/when the daemon is back/.test(await cli(0, 'apply', named, '--restart', '--for', '0s')), 'told');
			await until(10000, 'it is back with it', async () => (await daemon.ask('status').catch(() => ({}))).site === 'renamed');
			equal([daemon.child.pid, daemon.child.exitCode], [pid, null], 'the process');
		}],
		['locked by the administrator: nothing is changed from here', async () => {
			fs.writeFileSync(daemon.config, yaml.replace('site: {', 'site: {locked: true, '));
			daemon.child.kill('SIGTERM');
			await daemon.ended;
			await daemon.start();
			ok(/locked by site.locked/.test(await cli(6, 'apply', lower)), 'refused');
			await daemon.stop();
		}],
	]);
}

main();
