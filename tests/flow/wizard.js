'use strict';
// A commissioning by the console, on a site as an installer may find it: two current transformers of the main meter changed over, the third turned
// round, three stations wired otherwise than configured. Each of the faults has to be found, and stand in the report.
const { tempDir, until, within } = require('./lib.js');
const { assert, browser, demo, visitor } = require('./browser.js');

// Listens to the box; `over` resolves with a job of this kind when it has ended.
async function job(base, kind) {
	const events = await fetch(`${base}/api/v1/events?topics=job`);
	const read = async () => {
		let text = '';
		for await (const part of events.body.pipeThrough(new TextDecoderStream())) {
			const lines = (text + part).split('\n');
			text = lines.pop();
			const end = lines.filter((l) => l.startsWith('data:')).map((l) => JSON.parse(l.slice(5))).find((j) => j.kind === kind && j.state !== 'running');
			if (end) return end;
		}
		throw new Error(`the box ended its events before the ${kind}`);
	};
	return { over: read() };
}

async function main() {
	const dir = tempDir(), b = await browser(), site = await demo(dir);
	const visit = () => visitor(b, site.address, { viewport: { width: 360, height: 780 } });
	let v = await visit(), p = v.page;
	const button = (name) => p.getByRole('button', { name, exact: true });
	const step = async (name) => {
		await v.go(`commissioning/${name}`);
		await p.locator(`.steps a[aria-current=step][href="#/commissioning/${name}"]`).waitFor(); // not the page before it
	};
	const passed = () => p.locator('.steps .passed[aria-current]').waitFor();
	const failed = () => p.locator('.steps .failed[aria-current]').waitFor();
	// What it does meanwhile is shown, unless it was done before anybody looked.
	const runs = (text) => p.getByText(text).or(p.locator('.steps .passed[aria-current]')).first().waitFor();
	const shot = (name) => process.env.SHOTS && p.screenshot({ path: `${process.env.SHOTS}/wizard-${name}.png`, fullPage: true });

	await step('basics');
	await button('Confirmed').click();
	await passed();
	await step('network');
	await p.getByRole('cell', { name: /^OCPP/ }).waitFor();
	await button('Confirmed').click();
	await passed();
	await step('grid');
	await p.getByLabel('Largest sudden load').fill('30');
	await p.getByLabel('Note').fill('NH00 250 A');
	await button('Confirmed').click();
	await passed();
	await step('circuits');
	await button('Confirmed').click();
	await passed();

	// The meters: which transformer is wrong, and how.
	await step('meters');
	await button('Run').click();
	await failed();
	const rows = p.locator('.card [role=status] tbody').first().locator('tr');
	assert.match(await rows.nth(0).innerText(), /belongs to another phase/);
	assert.match(await rows.nth(1).innerText(), /belongs to another phase/);
	assert.match(await rows.nth(2).innerText(), /is turned round/);
	await p.getByText('L1 \u2194 L2').first().waitFor();
	await shot('meters');

	await step('uplink');
	await button('Test').click();
	await passed();
	await step('stations');
	await p.getByLabel('Note').fill('all there');
	await button('Confirmed').click();
	await passed();

	// The stations: each by itself, the last one is wired right.
	const found = { 'G-03': ['TRS', 'RST'], 'G-08': ['STR', 'RST'], 'G-15': ['RST', 'STR'] };
	for (const [station, [configured, is]] of Object.entries(found)) {
		await step('identify');
		await p.locator('.card select').first().selectOption(`${station}/1`);
		await p.getByRole('button', { name: /^Run/ }).click();
		const row = p.locator('[role=status] tbody tr', { hasText: station }).first(), error = p.locator('[role=status] .error').first();
		await row.or(error).first().waitFor();
		assert.ok(await row.count(), `${station}: ${await p.locator('[role=status]').first().innerText()}`);
		const text = await row.innerText();
		assert.ok(text.includes(configured) && text.includes(is) && text.includes('differs'), `${station}: ${text}`);
	}
	await shot('identify');

	// What was found goes into the configuration, after a look at it.
	await button('Take over into the configuration …').first().click();
	await p.locator('dialog').getByText('stations.G-15.rotation').waitFor();
	await button('Apply').click();
	await button('Keep it').click();
	await p.locator('#trial').waitFor({ state: 'detached' });

	// One station is asked form by form while its car charges: what it answered, whether the current followed, and which form is used from now on. Nobody
	// looks when it ends.
	await step('probe');
	const probe = await job(site.address, 'probe');
	await p.locator('.card select').first().selectOption('G-03/1');
	await button('Run').click();
	await runs('tries the forms');
	await v.check('the wizard, up to the probe');
	await v.context.close();
	const { state, result } = await within(120000, 'the probe ends', probe.over);
	assert.equal(state, 'done', JSON.stringify(result));
	v = await visit();
	p = v.page;
	await step('probe');
	await passed();
	const probed = p.locator('#page .card').first();
	assert.match(await probed.locator('h3', { hasText: 'G-03/1' }).first().innerText(), /G-03\/1\s[^A-Z]*Tx(Default)?Profile/);
	// Whether its current tells something is up to the car of that moment; probe.js asks that.
	assert.match(await probed.locator('tbody tr', { hasText: 'accepted' }).first().innerText(), /connector \d.*accepted/s);
	await shot('probe');

	// A circuit is lowered; whoever drew more follows in time.
	await step('limit');
	await p.getByLabel(/^Circuit/).selectOption('row-b');
	await p.getByLabel('Lower to (A)').fill('55');
	await button('Run').click();
	await passed();
	assert.match(await p.locator('#page .card').first().innerText(), /row-b \u2192 55.0 A:\s+\S+\s+\d+\.\d s/);
	await shot('limit');

	// The uplink is cut: everything that was kept arrives once.
	await step('offline');
	await p.getByLabel('Duration (s)').fill('5');
	await button('Run').click();
	await runs('uplink is cut');
	await passed();
	const text = await p.locator('.card [role=status]').first().innerText();
	const [kept, delivered, twice] = ['Kept', 'Delivered', 'Twice'].map((word) => Number(new RegExp(`${word}\\s+(\\d+)`).exec(text)[1]));
	assert.ok(kept > 0 && delivered >= kept && twice === 0, text);

	// All of it stands in the report, with its check sum, in print and as a file.
	await step('report');
	await p.getByText('Check sum').waitFor();
	const report = await p.locator('.report').innerText();
	for (const part of ['NH00 250 A', 'is turned round', 'L1 \u2194 L2', 'G-03', 'G-08', 'G-15', 'row-b', 'differs', 'G-03/1']) assert.ok(report.includes(part), part);
	const file = await (await p.request.get(`${site.address}/api/v1/commission/report`)).text();
	const body = /"report":(.*)\}$/s.exec(file)[1];
	assert.equal(JSON.parse(file).sha256, require('crypto').createHash('sha256').update(body).digest('hex'));
	await p.emulateMedia({ media: 'print' });
	assert.ok(await p.locator('.bottom').isHidden(), 'the print has menus');
	await shot('report');
	await p.emulateMedia({ media: 'screen' });
	await v.axe('the report');

	// It is there again after the browser was closed; and gone when one starts over.
	await p.reload();
	await p.locator('.steps .passed').nth(4).waitFor();
	await button('Start over').click();
	await p.locator('dialog').getByRole('button', { name: 'Start over' }).click();
	await until(10000, 'nothing is left', async () => (await p.locator('.steps .passed').count()) === 0);
	await v.check('the wizard');
	await b.close();
	await site.stop();
	console.log('PASS: a commissioning, and what it found');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
