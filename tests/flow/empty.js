'use strict';
// An empty box becomes a site by the console alone: its name, its fuse, circuits from a table and by hand, a meter found on the wire, stations that
// are accepted and one that is not, and at the end a lock. Every change is looked at before it is applied.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { tempDir, Daemon, freePort, until, top, srcdir } = require('./lib.js');
const { assert, browser, visitor } = require('./browser.js');

function program(...args) {
	const child = spawn(path.join(top, 'ampgate'), args, { stdio: ['pipe', 'pipe', 'ignore'] });
	process.on('exit', () => child.kill('SIGKILL'));
	return child;
}

async function main() {
	const dir = tempDir(), ocpp = await freePort(), port = await freePort(), meterPort = await freePort();
	const d = new Daemon(dir, `
version: 1
site: {id: empty}
circuits: {grid: {kind: grid_connection, limit_a: 63}}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${ocpp}, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${port}}
console: {login: none}
`);
	await d.start('--models', path.join(srcdir, 'etc/models'));
	program('sim', 'meter', '--model', 'eastron-sdm630', '--port', String(meterPort), '--amps', '10,11,12');
	const base = `http://127.0.0.1:${port}`, b = await browser(), v = await visitor(b, base, { viewport: { width: 360, height: 780 } }), p = global.page = v.page;
	const dialog = p.locator('dialog'), button = (name, within_ = p) => within_.getByRole('button', { name, exact: true });
	const step = async (name) => {
		await v.go(`commissioning/${name}`);
		await p.locator(`.steps a[aria-current=step][href="#/commissioning/${name}"]`).waitFor(); // not the page before it
	};
	// What was filled in is looked at and put in force, for good.
	const apply = async (within_, ...differences) => {
		await button('Check and apply …', within_).click();
		for (const text of differences) await dialog.getByText(text).first().waitFor();
		await dialog.getByLabel(/^Confirm within/).selectOption('0s');
		await button('Apply', dialog).click();
		await dialog.waitFor({ state: 'detached' });
	};
	// New circuits and meters need a start of the program: then it is away for a moment.
	const circuits = () => d.ask('circuit.list').catch(() => null);
	const circuit = (id) => until(30000, `the circuit ${id}`, async () => (await circuits())?.find((c) => c.id === id));

	await step('basics');
	await p.getByLabel(/^Name of the site/).fill('Depot Nord');
	await apply(p, 'site.name');
	assert.match(fs.readFileSync(path.join(dir, 'state', 'managed.yaml'), 'utf8'), /Depot Nord/);
	await step('network');
	await p.getByRole('cell', { name: `127.0.0.1:${ocpp}` }).waitFor();
	await v.axe('the network');

	await step('grid');
	await p.getByLabel(/^Fuse per phase/).fill('50, 50, 40');
	await p.getByLabel(/^Reserve/).fill('5');
	await apply(p, 'circuits.grid.limit_a', 'circuits.grid.reserve_a');
	await until(5000, 'the fuse', async () => JSON.stringify((await circuit('grid')).limit_a) === '[50,50,40]');
	await p.getByLabel(/^Largest sudden load/).fill('20');
	await p.getByText('The reserve is smaller than that load: 20 A > 5 A').waitFor();

	// Circuits from a table: what is wrong with it is said, what is right becomes circuits.
	await step('circuits');
	const csv = p.locator('[data-keep=csv-circuits]');
	await csv.locator('summary').click();
	await csv.locator('textarea').fill('name,limit_a\nRow A,32');
	await button('Check and apply …', csv).click();
	await csv.getByText('no column id').waitFor();
	await csv.locator('textarea').fill('id;parent;limit_a;name\nrow-a;grid;32;"Row; A"\nrow-b;grid;32/32/25;Row B');
	await apply(csv, 'circuits.row-a', 'circuits.row-b');
	await p.getByRole('cell', { name: 'row-b' }).waitFor();
	assert.deepEqual([(await circuit('row-a')).name, (await circuit('row-b')).limit_a], ['Row; A', [32, 32, 25]]);
	await p.getByLabel('Id of a new circuit').fill('row-c');
	await button('Add circuit').click();
	await button('Check and apply …').first().click();
	await dialog.getByText(/limit_a/).first().waitFor(); // it needs one
	await button('OK', dialog).click();
	const fold = p.locator('details.fold', { has: p.locator('summary code', { hasText: /^row-c$/ }) });
	await fold.getByLabel(/^Fuse per phase/).fill('16');
	await apply(p.locator('.form').locator('..'), 'circuits.row-c');
	await p.getByRole('cell', { name: 'row-c' }).waitFor();
	await fold.locator('summary').click();
	await button('Remove', fold).click();
	await dialog.getByText('circuits.row-c').waitFor();
	await dialog.getByLabel(/^Confirm within/).selectOption('0s');
	await button('Apply', dialog).click();
	await until(30000, 'it is gone', async () => (await circuits())?.every((c) => c.id !== 'row-c'));

	// A meter is found on the wire, taken over, and read.
	await step('meters');
	const scan = p.locator('[data-keep=scan]');
	await scan.locator('summary').click();
	await scan.getByLabel(/^Bus or address/).fill(`127.0.0.1:${meterPort}`);
	await scan.getByLabel(/^Unit numbers/).fill('1-2');
	await button('Search', scan).click();
	await scan.getByRole('button', { name: /SDM630/ }).first().click();
	await v.axe('a meter found');
	await apply(p.locator('.form').locator('..').first(), 'meters.meter-1');
	await until(30000, 'the meter is read', async () => (await d.ask('meter.list').catch(() => [])).some((m) => m.id === 'meter-1' && m.state === 'ok'));
	await step('meters');
	await p.getByRole('row', { name: /meter-1.*10\.0 A/ }).waitFor();
	await p.locator('details.fold', { has: p.locator('summary code', { hasText: 'meter-1' }) }).locator('summary').click();
	await button('Read it for 3 s').click();
	await p.getByRole('row', { name: /L3.*ok/ }).first().waitFor();

	// Stations that nobody knows yet: one is turned away, two are taken in together.
	program('sim', 'station', '--url', `ws://127.0.0.1:${ocpp}/`, '--id', 'G-01', '--count', '3');
	await step('stations');
	await p.getByText(`ws://127.0.0.1:${ocpp}/`).waitFor();
	await p.getByRole('row', { name: /^G-03/ }).getByRole('button', { name: 'Reject' }).click();
	await button('Reject', dialog).click();
	await button('Accept all (2)').click();
	await dialog.getByLabel(/^Circuit/).selectOption('row-a');
	await button('Accept', dialog).click();
	await until(30000, 'two are served', async () => (await d.ask('station.list')).filter((s) => s.state === 'online').length === 2);
	await p.getByText('No station waits.').waitFor();

	// The end: from here on nothing is changed by the console.
	await step('report');
	await button('Lock the settings').click();
	await button('Lock the settings', dialog).click();
	await dialog.getByText('site.locked').waitFor();
	await dialog.getByLabel(/^Confirm within/).selectOption('0s');
	await button('Apply', dialog).click();
	await dialog.waitFor({ state: 'detached' });
	await v.go('settings');
	await p.getByText('nothing can be changed here').waitFor();
	await p.getByLabel('Find a key').fill('site.name');
	assert.ok(await p.locator('.setting', { hasText: 'site.name' }).getByRole('textbox').isDisabled());
	await assert.rejects(d.ask('config.apply', { over: { site: { name: 'other' } } }), /locked/);
	v.faults = v.faults.filter((f) => !/ERR_|status of 4|status of 5/.test(f)); // it was away for a moment
	await v.check('the way from an empty box');
	await b.close();
	await d.stop();
	console.log('PASS: an empty box becomes a site by the console');
	process.exit(0);
}

main().catch(async (e) => {
	if (process.env.SHOTS) await global.page?.screenshot({ path: `${process.env.SHOTS}/failed.png`, fullPage: true }).catch(() => {});
	console.error(e);
	process.exit(1);
});
