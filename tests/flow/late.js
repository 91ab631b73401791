'use strict';
// Answers of the box that come late: when the page that asked has been left or opened anew, when something newer was asked meanwhile, and while somebody
// types. What the box says of a check is put in by hand here, so that it comes exactly then.
const { tempDir, Daemon, freePort, until } = require('./lib.js');
const { assert, browser, visitor } = require('./browser.js');

const phase = (n, verdict) => ({ phase: n, u_v: 230, i_a: 10, p_w: 2300, cos: 1, verdict });
const measured = (ok) => ({ ok, meters: [{ meter: 'main', ok, swap: [], phases: [1, 2, 3].map((n) => phase(n, ok ? 'ok' : 'reversed')) }] });
const evidence = (state, data) => ({ state, at: new Date().toISOString(), by: 'test', note: null, data });

// Requests that fit wait until they are let go.
async function hold(p, url) {
	const waiting = [];
	const take = (route) => new Promise((go) => waiting.push(() => { route.fallback(); go(); }));
	await p.route(url, take);
	return {
		some: (what) => until(60000, what, async () => waiting.length > 0),
		async release() {
			await p.unroute(url, take);
			for (const go of waiting.splice(0)) go();
		},
	};
}

async function main() {
	const dir = tempDir(), port = await freePort();
	const d = new Daemon(dir, `
version: 1
site: {id: late}
circuits: {grid: {kind: grid_connection, limit_a: 63}}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${port}}
console: {login: none}
`);
	await d.start();
	const base = `http://127.0.0.1:${port}`, b = await browser(), v = await visitor(b, base, { viewport: { width: 1000, height: 800 } }), p = v.page;
	p.setDefaultTimeout(Number(process.env.PATIENCE) || 60000);
	const button = (name, within_ = p) => within_.getByRole('button', { name, exact: true }), here = p.locator('.steps a[aria-current=step]');
	const step = async (name) => {
		await v.go(`commissioning/${name}`);
		await p.locator(`.steps a[aria-current=step][href="#/commissioning/${name}"]`).waitFor();
	};

	// A box whose check runs as long as this says.
	const found = {}, job = { v: 1, job: 7, kind: 'meters', user: 'test', state: 'running', step: 'baseline', part: 0.4, for_s: 3, result: null };
	const answer = (url, what) => p.route(`**/api/v1/${url}`, (route) => route.fulfill({ json: structuredClone(what()) }));
	let begun = false;
	await answer('commission', () => found);
	await answer('jobs', () => (begun ? [job] : []));
	await answer('do/job.show', () => job);
	await p.route('**/api/v1/do/commission.meters', (route) => {
		begun = true;
		Object.assign(job, { job: job.job + 1, state: 'running', part: 0.4, result: null });
		return route.fulfill({ json: { job: job.job } });
	});
	const end = (ok) => {
		found.meters = evidence(ok ? 'passed' : 'failed', measured(ok));
		Object.assign(job, { state: ok ? 'done' : 'failed', part: 1, result: measured(ok) });
	};
	const said = p.locator('#page .card [role=status]', { has: p.locator('h3', { hasText: 'main' }) });

	// The page is left while a check runs, and opened anew: there it runs, and there it ends.
	await step('meters');
	await button('Run').click();
	await p.getByText('looks at the rest').waitFor();
	await step('grid');
	await step('meters');
	await p.getByText('looks at the rest').waitFor();
	assert.ok(await button('Run').isDisabled(), 'it cannot be begun twice');
	end(false);
	await said.getByText('is turned round').first().waitFor();
	assert.match(await here.getAttribute('class'), /failed/);
	assert.equal(await said.count(), 1, 'told once');

	// The same with a browser that has forgotten all about it.
	await button('Run again').click();
	await p.getByText('looks at the rest').waitFor();
	await p.reload();
	await p.getByText('looks at the rest').waitFor();
	end(true);
	await said.getByText('ok').first().waitFor();
	await p.locator('.steps .passed[aria-current]').waitFor();

	// Somebody is elsewhere when it ends: that page stays as it is, and knows.
	await button('Run again').click();
	await p.getByText('looks at the rest').waitFor();
	await step('grid');
	await p.getByLabel(/^Largest sudden load/).fill('25');
	await p.getByLabel('Note').fill('half a sen');
	end(false);
	await p.locator('.steps a.failed[href="#/commissioning/meters"]').waitFor();
	assert.deepEqual([await p.getByLabel(/^Largest sudden load/).inputValue(), await p.getByLabel('Note').inputValue()], ['25', 'half a sen']);

	// An older answer comes after a newer one was asked for.
	await p.route('**/api/v1/commission/note', (route) => {
		const { step: which, state, note } = route.request().postDataJSON();
		found[which] = { ...evidence(state, null), note };
		return route.fulfill({ json: true });
	});
	const seen = [];
	let first;
	await p.unroute('**/api/v1/commission');
	await p.route('**/api/v1/commission', async (route) => {
		const json = structuredClone(found);
		seen.push(json);
		if (seen.length === 1) await new Promise((go) => { first = go; });
		return route.fulfill({ json });
	});
	await button('Not in order').click();
	await until(60000, 'the first question', async () => seen.length === 1);
	await p.evaluate(() => { document.getElementById('toast').textContent = ''; });
	await button('Confirmed').click();
	await p.locator('#toast').getByText('Done').waitFor();
	await p.evaluate(() => new Promise((go) => setTimeout(go)));
	if (seen.length > 1) await p.locator('.steps .passed[aria-current]').waitFor(); // it asks twice at a time: the newer answer is here
	const [answered] = await Promise.all([p.waitForEvent('requestfinished', (r) => r.url().endsWith('/api/v1/commission')), first()]);
	await answered.response().then((r) => r.finished());
	await p.evaluate(() => new Promise((go) => setTimeout(go)));
	await p.locator('.steps .passed[aria-current]').waitFor();

	// A change comes into force while somebody types: what can be lost cannot be typed, and the rest stays.
	const slow = await hold(p, '**/api/v1/circuits'), dialog = p.locator('dialog'), fuse = p.getByLabel(/^Fuse per phase/);
	await fuse.fill('50');
	await button('Check and apply …').click();
	await dialog.getByText('circuits.grid.limit_a').waitFor();
	await dialog.getByLabel(/^Confirm within/).selectOption('0s');
	await button('Apply', dialog).click();
	await dialog.waitFor({ state: 'detached' });
	await slow.some('the circuits are read again');
	assert.ok(await fuse.isDisabled(), 'a field that is made anew soon takes something');
	await p.getByLabel('Note').fill('meanwhile');
	await p.getByLabel(/^Largest sudden load/).fill('30');
	await slow.release();
	await p.locator('.tiles', { hasText: '50 A' }).first().waitFor();
	await p.locator('.setting', { has: fuse }).getByText('changed here').waitFor();
	assert.deepEqual([await p.getByLabel('Note').inputValue(), await p.getByLabel(/^Largest sudden load/).inputValue()], ['meanwhile', '30']);
	assert.ok(await fuse.isEnabled());

	// Somebody goes on before a page has come: it does not take the place of the next one.
	await p.reload();
	await p.locator('.steps a[aria-current]').waitFor();
	const module = await hold(p, '**/trace.js');
	await p.goto(`${base}/#/trace`);
	await module.some('the page is asked for');
	await v.go('events');
	await p.getByRole('heading', { name: 'Events' }).waitFor();
	await module.release();
	await p.evaluate(() => import('/trace.js').then(() => new Promise((go) => setTimeout(go))));
	assert.equal(await p.locator('#page h1').innerText(), 'Events');

	await v.check('late answers');
	await b.close();
	await d.stop();
	console.log('PASS: answers that come late');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
