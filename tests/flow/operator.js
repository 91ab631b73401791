'use strict';
// What the operator of a small garage asks the console, and finds within three clicks: why a car is slow, who competes with it, when it is ready, what
// would happen if, whether the grid operator limits and what proves it, which meter is lost and what is assumed instead. What stands on the page is what
// the box says; the clock of whoever looks may be wrong.
const { spawn } = require('child_process');
const path = require('path');
const { top, tempDir, freePort, until, within, Daemon, ok } = require('./lib.js');
const { assert, browser, visitor } = require('./browser.js');

const children = [];
process.on('exit', () => children.forEach((c) => c.kill('SIGKILL')));
function sim(...args) {
	const c = spawn(path.join(top, 'ampgate'), ['sim', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
	children.push(c);
	return c;
}

// A clock that is an hour fast.
const FAST = () => {
	const Real = Date, HOUR = 3600e3;
	globalThis.Date = class extends Real {
		constructor(...args) {
			super(...(args.length ? args : [Real.now() + HOUR]));
		}

		static now() {
			return Real.now() + HOUR;
		}
	};
};

async function main() {
	const dir = tempDir(), ocpp = await freePort(), http = await freePort(), modbus = await freePort(), base = `http://127.0.0.1:${http}`;
	const d = new Daemon(dir, `
version: 1
site: {id: garage, timezone: Europe/Berlin}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${ocpp}, tls: none, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${http}}
console: {login: none}
circuits:
  grid:  {kind: grid_connection, limit_a: 40, meter: main}
  row-a: {parent: grid, limit_a: 30, name: Row A}
meters:
  main: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${modbus}, poll: 500ms, stale_after: 3s}
balancing: {increase: {after: 1s, step_a: 32}}
grid_operator: {dim_to_w: 4200, inputs: {box: {kind: command}}}
station_defaults: {max_current_a: 32, fallback_current_a: 0, meter_interval: 1s}
stations:
  "S-[1-4]": {circuit: row-a}
log: {level: info, target: stderr}
`);
	// The building takes 2 A on each phase; the meter shows that and the cars.
	const meter = sim('meter', '--port', String(modbus), '--amps', '2,2,2');
	d.listeners = 1;
	await d.start();
	await d.ask('token.add', { token: 'CARD' });
	sim('station', '--url', `ws://127.0.0.1:${ocpp}/`, '--id', 'S-1', '--count', '3', '--cars', '3x16x40', '--pause', '0', '--sample', '1', '--token', 'CARD');
	const evse = (s) => d.ask('evse.show', { station: s, evse: 1 });
	const draws = (e) => Math.max(...(e.i_a || [0]).map((x) => x || 0));
	const tell = setInterval(async () => {
		const all = await Promise.all(['S-1', 'S-2', 'S-3'].map(evse)).catch(() => null);
		if (all) meter.stdin.write(`amps ${[0, 1, 2].map((p) => (2 + Math.random() / 10 + all.reduce((a, e) => a + (e.i_a?.[p] || 0), 0)).toFixed(2)).join(' ')}\n`);
	}, 250);
	await until(60000, 'three cars share the row', async () => (await Promise.all(['S-1', 'S-2', 'S-3'].map(evse))).every((e) => draws(e) > 8 && e.limit.reason === 'circuit'));

	const b = await browser(), v = await visitor(b, base, { viewport: { width: 360, height: 780 } }), p = v.page;
	await p.addInitScript(FAST);
	const text = (sel) => p.locator(sel).first().innerText();

	// Why, with whom, until when: one click from the site.
	await v.go('site');
	await p.getByRole('link', { name: 'S-1' }).click();
	await p.getByRole('heading', { name: 'Who competes with it' }).waitFor();
	await p.locator('.say', { hasText: /3 cars share the 30 A of the circuit Row A, which is full on L\d/ }).waitFor();
	const others = p.locator('p', { hasText: /^Row A L\d: / });
	await until(20000, 'the others stand there with what they draw', async () => {
		const said = [...(await others.innerText()).matchAll(/(S-\d) (\d+\.\d) A/g)].map(([, id, a]) => [id, Number(a)]), is = await Promise.all(said.map(([id]) => evse(id)));
		return said.map(([id]) => id).sort().join() === 'S-2,S-3' && said.every(([, a], i) => Math.abs(a - draws(is[i])) < 0.3);
	});
	await p.locator('.tiles', { hasText: 'what it needs is not known; at this pace' }).waitFor();
	await p.getByRole('button', { name: 'Departure' }).click();
	await p.locator('dialog').getByLabel(/^Energy needed/).fill('12');
	await p.locator('dialog').getByRole('button', { name: 'Set' }).click();
	await p.locator('.tiles', { hasText: /about \d\d:\d\d:\d\d \(\d+\.\d of 12\.00 kWh/ }).waitFor();
	ok((await evse('S-1')).tx.need_wh === 12000, 'the box knows what it needs');

	// The clock of the phone is an hour fast: since when, and the picture of the last quarter of an hour, go by the box.
	assert.match(await text('#page .row.wrap'), /\((\d+ s|\d min)\)/);
	await p.locator('svg.chart path.line').first().waitFor();
	ok(/L\d/.test(await p.locator('svg.chart path.line').first().getAttribute('d')), 'the chart is drawn');

	// What would happen: the same as the box's own answer, and nothing is changed.
	const fold = p.locator('details', { hasText: 'What would happen if' });
	await fold.locator('summary').click();
	await fold.getByLabel('Change').selectOption('limit');
	await fold.getByLabel('Where').selectOption('row-a');
	await fold.getByLabel('It would be (A)').fill('20');
	const [answer] = await Promise.all([p.waitForResponse((r) => r.url().endsWith('/do/plan')), fold.getByRole('button', { name: 'Look ahead' }).click()]);
	const row = fold.locator('tbody tr', { hasText: /^row-a/ });
	await row.waitFor();
	assert.match(await row.innerText(), /\/ 20 A/);
	const plan = await answer.json(), moved = plan.evses.filter((e) => Math.abs(e.then_a - e.now_a) >= 0.05);
	assert.ok(moved.length && plan.evses.reduce((sum, e) => sum + e.then_a, 0) < 20.05, JSON.stringify(plan.evses));
	for (const e of moved) assert.ok((await fold.locator('tbody tr', { hasText: e.station }).innerText()).includes(`→ ${e.then_a.toFixed(1)}`), JSON.stringify(e));
	ok((await d.ask('circuit.show', { circuit: 'row-a' })).limit_a[0] === 30, 'nothing is changed');
	await fold.getByLabel('Change').selectOption('arrive');
	await fold.getByLabel('Where').selectOption('S-4');
	await fold.getByRole('button', { name: 'Look ahead' }).click();
	await fold.locator('tbody tr', { hasText: 'S-4' }).waitFor();
	await v.check('a station');

	// The grid operator: whether, since when, by which input; and that it was obeyed.
	await d.ask('grid.limit', { input: 'box', limit_w: 13000 });
	await v.go('overview');
	await p.locator('#operator', { hasText: /limits charging to 13.0 kW \(box\), since/ }).getByRole('link', { name: 'Evidence' }).click();
	await p.locator('.say', { hasText: /limited The grid operator limits charging to 13.0 kW, input box, since \d\d:/ }).waitFor();
	await p.locator('tr', { hasText: /Limit of the grid operator is obeyed.*box.*obeyed after \d+\.\d s/s }).waitFor();
	await v.check('the grid operator');
	ok(await v.axe('the grid operator') === 0, 'without a finding');
	await d.ask('grid.limit', { input: 'box', limit_w: 'free' });
	await p.getByText('No limit of the grid operator holds.').waitFor();

	// What was decided then, and why: of one car as it changed, of all at a moment. The same as the box tells.
	const noted = await until(20000, 'the box has noted it', async () => (await d.ask('decisions', { object: 'S-1' })).find((x) => x.reason === 'grid_operator'));
	ok(noted.limit_a < 9.5 && noted.ref === 'box' && noted.charges, JSON.stringify(noted));
	await v.go('station/S-1');
	const decided = p.locator('details', { hasText: 'What was decided' });
	await decided.locator('summary').click();
	await decided.locator('tr', { hasText: 'grid operator box' }).filter({ hasText: `${noted.limit_a.toFixed(1)} A` }).first().waitFor();
	await v.go('site');
	await decided.locator('summary').click();
	await decided.getByLabel('At').fill(new Date(noted.at).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }));
	await decided.getByRole('button', { name: 'Show' }).click();
	await decided.locator('tr', { hasText: 'S-3' }).first().waitFor();
	await v.check('what was decided');

	// A meter is lost: which one, and what is counted with instead.
	meter.stdin.write('silent\n');
	await v.go('site');
	await p.locator('.circuit', { hasText: 'grid' }).first().getByText(/^Lost\. Until it is back, building and cars are counted with L1 \d+\.\d, L2 \d+\.\d, L3 \d+\.\d A/).waitFor();
	await p.locator('.circuit a', { hasText: 'S-2' }).click();
	await p.locator('.say', { hasText: 'the meter main is lost, so less is given to be safe' }).waitFor();
	await v.check('a lost meter');

	// The box starts anew meanwhile: the page says so, and goes on by itself.
	clearInterval(tell);
	v.allowed = /Failed to load resource|ERR_/;
	await d.stop();
	await p.getByText('No live connection to the box').waitFor();
	meter.stdin.write('well\n');
	await d.start();
	await p.getByText('No live connection to the box').waitFor({ state: 'detached' });
	await v.check('a restart');
	await within(20000, 'the browser closes', b.close());
	await d.stop();
	console.log('PASS: what an operator asks');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
