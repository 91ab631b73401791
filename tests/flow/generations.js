'use strict';
// A mistake in a file never takes the box away: the last good configuration runs and says what is wrong, and without one there is still a
// client to ask. What the program itself writes lies over the administrator's files, unless those lock it.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, Daemon, equal, ok, run } = require('./lib.js');
const { conf } = require('./raw.js');

async function main() {
	const dir = tempDir();
	const good = conf({ port: await freePort(), csmsPort: await freePort(), circuits: '{grid: {kind: grid_connection, limit_a: 63}}', stations: '{G-01: {circuit: grid}}' });
	const bad = good.replace('circuit: grid}', 'circuit: gird}');
	const daemon = new Daemon(dir, good);
	const write = (yaml) => fs.writeFileSync(daemon.config, yaml);
	const state = (name) => path.join(dir, 'state', name);
	const limit = async () => (await daemon.ask('circuit.list'))[0].limit_a[0];
	const status = async () => (await daemon.ask('status')).config;

	await run([
		['without an earlier one: safe mode, and the client tells where the mistake is', async () => {
			write(bad);
			await daemon.start();
			const said = await daemon.cli('status');
			ok(said.code === 0 && /SAFE MODE/.test(said.out) && /ampgate\.yaml:\d+:\d+: error: circuit 'gird' is not defined/.test(said.out), said.out + said.err);
			equal((await status()).generation, null, 'no generation');
			await daemon.stop();
			ok(!fs.existsSync(state('generations/1')), 'what is not usable is not kept');
		}],
		['a usable one becomes a generation, once', async () => {
			write(good);
			await daemon.start();
			equal(await status(), { generation: 1, state: 'ok', fault: null, restart: null }, 'first start');
			await daemon.stop();
			await daemon.start();
			equal((await status()).generation, 1, 'nothing has changed');
			await daemon.stop();
			equal(fs.statSync(state('generations')).mode & 0o777, 0o700, 'nobody else looks into it');
		}],
		['broken later: the last good one runs, stations are served, the fault is on the first page', async () => {
			write(bad);
			await daemon.start();
			const said = await daemon.cli('status');
			ok(/generation 1 runs/.test(said.out) && /did you mean 'grid'/.test(said.out), said.out);
			equal(await limit(), 63, 'the limit of the good one');
			equal((await status()).state, 'last_good', 'state');
			await daemon.stop();
		}],
		['mended: it runs, and only then counts as the next', async () => {
			write(good.replace('limit_a: 63', 'limit_a: 50'));
			await daemon.start();
			equal([await limit(), (await status()).generation], [50, 2], 'limit, generation');
			await daemon.stop();
		}],
		['the layer that the program writes is laid over the files, and is kept with them', async () => {
			fs.writeFileSync(state('managed.yaml'), 'circuits: {grid: {limit_a: 40}}\n');
			await daemon.start();
			equal([await limit(), (await status()).generation], [40, 3], 'limit, generation');
			equal(fs.readFileSync(state('generations/3/managed.yaml'), 'utf8'), 'circuits: {grid: {limit_a: 40}}\n', 'its copy');
			await daemon.stop();
		}],
		['site.locked: it does not count', async () => {
			write(good.replace('site: {', 'site: {locked: true, '));
			await daemon.start();
			equal(await limit(), 63, 'the limit of the file');
			await daemon.stop();
		}],
		['a layer that is damaged is a mistake like any other', async () => {
			write(good);
			fs.writeFileSync(state('managed.yaml'), 'circuits: {grid: {limit_a: \n');
			await daemon.start();
			const now = await status();
			ok(now.state === 'last_good' && now.fault.includes('managed.yaml:'), JSON.stringify(now));
			await daemon.stop();
		}],
	]);
}

main();
