'use strict';
// The console in a real browser: each page at the width of a phone and of a desk, light and dark, without a serious finding of an accessibility
// checker; what people do there; and how much it weighs.
const { tempDir, Daemon, freePort, until } = require('./lib.js');
const { assert, browser, demo, visitor } = require('./browser.js');
const fs = require('fs');

const PAGES = ['overview', 'site', 'stations', 'station/G-07', 'grid', 'transactions', 'uplink', 'trace', 'events', 'commissioning/network', 'commissioning/circuits', 'commissioning/meters', 'commissioning/identify', 'commissioning/report', 'settings', 'settings/yaml', 'settings/history', 'settings/people'];
// Words are longest in German. Pictures for a look by eye (SHOTS=folder) are made of the others too.
const LOOKS = [[360, 'light', 'en-GB'], [1280, 'dark', 'en-GB'], [360, 'dark', 'de-DE']].concat(process.env.SHOTS ? [[1280, 'light', 'de-DE']] : []);

async function everyPage(b, base) {
	let findings = 0;
	for (const [i, [width, colorScheme, locale]] of LOOKS.entries()) {
		const v = await visitor(b, base, { viewport: { width, height: 800 }, colorScheme, locale });
		for (const name of PAGES) {
			const what = `${name} ${width} ${colorScheme} ${locale}`;
			await v.go(name);
			if (name === 'overview') await v.page.locator('.phase').nth(2).waitFor();
			if (name === 'site') await v.page.locator('.circuit').nth(4).waitFor();
			if (name === 'stations') await v.page.getByText('G-22').first().waitFor();
			if (name.startsWith('station/')) await v.page.locator('.chain li').first().waitFor();
			if (name === 'trace') await v.page.locator('.frame').first().waitFor();
			await v.check(what);
			if (i < 2) findings += await v.axe(what);
			if (process.env.SHOTS) await v.page.screenshot({ path: `${process.env.SHOTS}/${name.replace(/\//g, '_')}-${width}-${colorScheme}.png`, fullPage: true });
		}
		if (i === 0) {
			const sizes = [...v.requests.values()], sum = sizes.reduce((a, c) => a + c, 0);
			console.log(`# ${sizes.length} files, ${sum} bytes compressed`);
			assert.ok(sizes.length >= 18 && sum < 100 * 1024, `${sizes.length} files, ${sum} bytes`);
		}
		await v.context.close();
	}
	console.log(`# accessibility: no serious finding, ${findings} lesser ones`);
}

async function actions(b, base) {
	const v = await visitor(b, base, { viewport: { width: 1280, height: 900 } }), p = v.page;
	const button = (name, within_ = p) => within_.getByRole('button', { name, exact: true }), dialog = p.locator('dialog');

	// A circuit is lowered and let go again.
	await v.go('site');
	await button('Lower', p.locator('.circuit', { has: p.getByRole('heading', { name: 'row-a' }) })).click();
	await p.getByLabel('limit (A)').fill('60');
	await p.getByLabel('Why').fill('works in row A');
	await p.locator('dialog').getByRole('button', { name: 'Lower' }).click();
	await v.go('overview');
	await p.getByText('works in row A').waitFor();
	await button('Take back').click();
	await p.getByText('works in row A').waitFor({ state: 'detached' });
	await button('15 min').click();
	await p.locator('svg.chart').waitFor();
	await p.locator('svg.chart').hover();
	await until(5000, 'values under the pointer', async () => /L1 \S+\d/.test(await p.locator('.chart-read').innerText()));

	const box = await p.locator('svg.chart').boundingBox();
	await p.mouse.move(box.x + box.width * 0.3, box.y + 80);
	await p.mouse.down();
	await p.mouse.move(box.x + box.width * 0.8, box.y + 90, { steps: 4 });
	await p.mouse.up();
	await button('Whole range').click();
	await button('Whole range').waitFor({ state: 'detached' });

	// A station is found, and asked.
	await v.go('stations');
	await p.getByLabel('Search').fill('G-07');
	await until(5000, 'one station fits', async () => (await p.locator('tbody tr').count()) === 1);
	await p.locator('tbody a').first().click();
	await p.getByText('What limits it').waitFor();
	await p.locator('.chain .binding').waitFor();
	await p.getByLabel('Action', { exact: true }).fill('TriggerMessage');
	await p.getByLabel('Payload (JSON)').fill('{"requestedMessage":"Heartbeat"}');
	await button('Send').click();
	await p.locator('pre[role=status]', { hasText: 'Accepted' }).waitFor();
	await button('Read it').click();
	await p.getByText('HeartbeatInterval').first().waitFor();

	await p.getByLabel('Action', { exact: true }).fill('ChangeAvailability');
	await p.getByLabel('Payload (JSON)').focus();
	await p.getByText('Inoperative | Operative').waitFor();
	await button('Ask the station').click();
	await p.getByText('EVSE 1: Accepted').waitFor();

	// What people do to a station: each is asked for, and answered.
	const done = async (what, fill) => {
		await button(what).first().click();
		if (fill) await fill();
		await dialog.locator('button').last().click();
		await p.locator('#toast').getByText('Done').waitFor();
		await p.evaluate(() => { document.getElementById('toast').textContent = ''; });
	};
	await done('Ask for a message', () => dialog.getByLabel(/^Message/).selectOption('Heartbeat'));
	await done('Departure', () => dialog.getByLabel(/^Energy needed/).fill('12'));
	await done('Lower', () => dialog.getByLabel('limit (A)').fill('6'));
	await p.locator('.say', { hasText: 'has lowered the limit until' }).waitFor();
	await done('Stop');
	await p.getByText('Free. A car can be plugged in.').or(p.getByText('The session is over')).or(p.getByText('has not begun yet')).first().waitFor();
	await done('Start', () => dialog.getByLabel(/^Card/).fill('04A1B2C3'));
	await done('Unlock');
	await done('Reset');

	await v.go('transactions');
	await until(10000, 'running transactions', async () => (await p.locator('tbody tr').count()) >= 22);
	assert.match(await (await p.request.get(`${base}/api/v1/transactions?format=csv`)).text(), /^seq,station,/);

	await v.go('uplink');
	await button('Test').first().click();
	await p.getByText('It works').waitFor();
	assert.equal(await p.locator('.stages .go').count(), 3);
	await done('Switch', () => dialog.getByLabel('Endpoint').fill('2'));
	await p.locator('.tiles', { hasText: 'Endpoint' }).locator('dd').first().getByText('2').waitFor();
	await button('Try again').click();
	await p.getByText('Done').waitFor();

	// The trace goes on by itself, stops, and can be taken along.
	await v.go('trace');
	const telling = p.locator('.frame', { hasText: /(StatusNotification|MeterValues) CALL/ }).first(); // a Heartbeat has no fields to explain
	await telling.waitFor();
	await button('Pause').click();
	await telling.locator('summary').click();
	await p.locator('.frame[open] pre').first().waitFor();
	await button('Explain fields').click();
	await p.locator('.frame[open] table').waitFor();
	const [har] = await Promise.all([p.waitForEvent('download'), button('HAR').click()]);
	const log = JSON.parse(fs.readFileSync(await har.path(), 'utf8')).log;
	assert.ok(log.entries.length && log.entries[0]._webSocketMessages.length);
	for (const [format, begin] of [['pcapng', '\n\r\r\n'], ['HTML', '<!doctype html>']]) {
		const [file] = await Promise.all([p.waitForEvent('download'), button(format).click()]);
		assert.equal(fs.readFileSync(await file.path(), 'latin1').slice(0, begin.length).toLowerCase(), begin);
	}

	await v.go('events');
	await p.getByText('Uplink is up').first().waitFor();
	await p.getByLabel(/^Kind/).selectOption('limit');
	await p.getByText('Follows its limit').first().waitFor();
	await p.getByText('Uplink is up').waitFor({ state: 'detached' });
	await v.check('after all that');

	// German, and dark, stay chosen.
	await p.getByRole('combobox', { name: 'Language' }).first().selectOption('de');
	await p.getByRole('heading', { name: 'Ereignisse' }).waitFor();
	await p.getByRole('button', { name: 'Hell oder dunkel' }).first().click();
	await p.reload();
	await p.getByRole('heading', { name: 'Ereignisse' }).waitFor();
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), 'dark');
	assert.equal(await p.evaluate(() => document.documentElement.lang), 'de');
	await v.context.close();
}

// A value is found, changed wrongly and rightly, tried, kept, and gone back from; people and programs get in.
async function settings(b, base) {
	const v = await visitor(b, base, { viewport: { width: 360, height: 780 } }), p = v.page;
	const button = (name, within_ = p) => within_.getByRole('button', { name, exact: true }), dialog = p.locator('dialog');
	const row = p.locator('.setting', { hasText: 'circuits.row-b.limit_a' }), limit = async () => (await (await p.request.get(`${base}/api/v1/circuits`)).json()).find((c) => c.id === 'row-b').limit_a[0];
	await v.go('settings');
	await p.getByLabel('Find a key').fill('row-b.limit');
	assert.match(await row.innerText(), /ampgate\.yaml:\d+/, 'where it comes from');
	await row.getByRole('textbox').fill('many');
	await button('Check and apply …').click();
	await dialog.getByText('This cannot be used').waitFor();
	await button('OK', dialog).click();
	await row.getByText('is not a current').waitFor();
	assert.equal(await row.getByRole('textbox').getAttribute('aria-invalid'), 'true');
	assert.ok(await row.getByRole('textbox').evaluate((e) => e === document.activeElement), 'the mistake has the focus');
	await v.axe('a mistake in a field');

	await row.getByRole('textbox').fill('90');
	await button('Check and apply …').click();
	await dialog.getByText('circuits.row-b.limit_a').waitFor();
	await v.axe('a difference');
	await button('Apply', dialog).click();
	await p.locator('#trial').getByText(/1:\d\d/).waitFor();
	assert.equal(await limit(), 90);
	await v.go('overview');
	await p.locator('#trial').waitFor();
	await button('Take it back').click();
	await p.locator('#trial').waitFor({ state: 'detached' });
	await until(10000, 'the old limit', async () => (await limit()) === 100);

	await v.go('settings/yaml');
	await p.getByText('limit_a: 250').waitFor();
	await p.locator('textarea').fill('site: {name: Garage under test}');
	await button('Check and apply …').click();
	await dialog.getByText('site.name').waitFor();
	await button('Apply', dialog).click();
	await button('Keep it').click();
	await p.locator('#trial').waitFor({ state: 'detached' });
	await v.go('settings/values');
	await button('Only what was changed here').click();
	await p.locator('.setting', { hasText: 'site.name' }).getByText('changed here').waitFor();
	await button('As the files say').click();
	await button('Check and apply …').click();
	await dialog.getByLabel(/^Confirm within/).selectOption('0s');
	await button('Apply', dialog).click();
	await p.locator('.setting').waitFor({ state: 'detached' });

	await v.go('settings/history');
	await p.getByRole('cell', { name: '3' }).first().waitFor();
	await button('Compare').first().click();
	await dialog.getByText('site.name').waitFor();
	await button('OK', dialog).click();
	await p.getByRole('row', { name: /^2 / }).getByRole('button', { name: 'Go back' }).click();
	await button('Go back', dialog).click();
	await p.getByRole('cell', { name: '4' }).first().waitFor();

	await v.go('settings/people');
	await button('Add a user').click();
	await p.getByLabel('User', { exact: true }).fill('eva');
	await p.getByLabel('Password').fill('a-long-password');
	await button('Save', dialog).click();
	await p.getByRole('cell', { name: 'eva' }).waitFor();
	await button('Make a token').click();
	await p.getByLabel('Name', { exact: true }).fill('grafana');
	await button('Save', dialog).click();
	await p.locator('.token', { hasText: /^agt_/ }).waitFor();
	await button('OK', dialog).click();
	await p.getByRole('cell', { name: 'grafana' }).waitFor();
	await v.go('events');
	await p.getByText('Token made').first().waitFor();
	await p.getByText('Change taken back').first().waitFor();
	await v.check('the settings');
	await v.context.close();
}

// Without a mouse: past the menu by the first key, through it by the following ones.
async function keyboard(b, base) {
	const v = await visitor(b, base, { viewport: { width: 360, height: 780 } }), p = v.page;
	await v.go('overview');
	assert.equal(await p.evaluate(() => document.querySelector('a, button, input, select').id), 'skip', 'the first stop is past the menu');
	await p.locator('#skip').focus();
	await p.keyboard.press('Enter');
	assert.equal(await p.evaluate(() => document.activeElement.id), 'main');
	const more = p.getByRole('button', { name: 'More' });
	await more.focus();
	await p.keyboard.press('Enter');
	await p.locator('#sheet').waitFor();
	assert.equal(await more.getAttribute('aria-expanded'), 'true');
	await v.axe('the menu');
	await p.keyboard.press('Escape');
	await p.locator('#sheet').waitFor({ state: 'hidden' });
	await p.locator('.bottom a', { hasText: 'Stations' }).focus();
	await p.keyboard.press('Enter');
	await p.getByRole('heading', { name: 'Stations' }).waitFor();
	await v.check('by keyboard');
	await v.context.close();
}

// The first start, by TLS: the code, a password, and from then on only the password.
async function doors(b) {
	const port = await freePort(), dir = tempDir();
	const d = new Daemon(dir, `
version: 1
site: {id: door, name: Hof}
circuits: {grid: {kind: grid_connection, limit_a: 32}}
grid_operator: {inputs: {cloud: {kind: command}}}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${port}, tls: own}
tls: {own: {mode: self-signed}}
`);
	await d.start();
	const base = `https://127.0.0.1:${port}`, v = await visitor(b, base, { viewport: { width: 360, height: 780 } }), p = v.page;
	v.allowed = /status of 4\d\d/;
	await p.goto(base);
	await p.getByLabel('Setup code').waitFor();
	await v.axe('the setup page');
	await p.getByLabel('Setup code').fill('AAAA-AAAA-AAAA');
	await p.getByLabel('Password of the user admin').fill('correct horse');
	await p.getByRole('button', { name: 'Set passwords' }).click();
	await p.getByText('not the setup code').waitFor();
	await p.getByLabel('Setup code').fill(await d.ask('setup-code'));
	await p.getByRole('button', { name: 'Set passwords' }).click();
	await p.getByRole('heading', { name: 'Commissioning' }).waitFor();
	await p.getByRole('button', { name: 'More' }).click();
	await p.locator('#sheet').getByRole('button', { name: 'Log out' }).click();
	await p.getByLabel('User').waitFor();
	await v.axe('the login page');
	await p.getByLabel('User').fill('admin');
	await p.getByLabel('Password').fill('wrong horse!');
	await p.getByRole('button', { name: 'Log in' }).click();
	await p.getByText('user or password is wrong').waitFor();
	await p.getByLabel('Password').fill('correct horse');
	await p.getByRole('button', { name: 'Log in' }).click();
	await p.locator('#page h1').first().waitFor({ state: 'attached' });
	await v.check('behind the door');

	// What the grid operator asks for is on the first page, by which input, and gone when it is taken back.
	await v.go('overview');
	await d.ask('grid.limit', { input: 'cloud', limit_w: 4200 });
	await p.locator('#operator').getByText('4.20 kW').waitFor();
	await p.locator('#operator').getByText('(cloud)').waitFor();
	await d.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
	await p.locator('#operator').waitFor({ state: 'detached' });

	// The box starts anew while a page is open: nobody is logged in any more, and the page says so and goes on where it was.
	v.allowed = /status of [45]\d\d|ERR_/;
	await v.go('events');
	await d.stop();
	await p.getByText('No live connection to the box').waitFor();
	await d.start();
	await p.getByText('Your session has ended').waitFor();
	await p.getByLabel('User').fill('admin');
	await p.getByLabel('Password').fill('correct horse');
	await p.getByRole('button', { name: 'Log in' }).click();
	await p.getByRole('heading', { name: 'Events' }).waitFor();
	await p.getByText('No live connection to the box').waitFor({ state: 'detached' });
	v.faults.length = 0; // what the browser says of a box that is away
	await v.check('after a restart of the box');
	await v.context.close();
	await d.stop();
}

async function main() {
	const dir = tempDir(), b = await browser();
	const only = process.argv[2]; // one of the parts, by hand
	if (!only || only === 'doors') await doors(b);
	const site = await demo(dir);
	for (const part of [everyPage, keyboard, settings, actions]) if (!only || only === part.name) await part(b, site.address);
	await b.close();
	await site.stop();
	console.log('PASS: the console in a browser');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
