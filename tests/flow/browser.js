'use strict';
// What the tests of the console share: a real browser, the demo's site behind it, and what must never happen on any page.
const assert = require('assert');
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { top, within } = require('./lib.js');

let playwright, axe;
try {
	playwright = require('../node_modules/playwright-core');
	axe = fs.readFileSync(require.resolve('../node_modules/axe-core/axe.min.js'), 'utf8');
} catch {
	console.log('skipped: playwright-core or axe-core is not installed (cd tests && npm ci)');
	process.exit(77);
}
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && fs.existsSync(p));
if (!executablePath) {
	console.log('skipped: no Chromium (Debian package chromium)');
	process.exit(77);
}

async function browser() {
	const b = await playwright.chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
	process.on('exit', () => b.process?.()?.kill('SIGKILL'));
	return b;
}

// The demo's site with its faults of wiring: steady, everybody charges. Resolves with its address; with nothing where another demo that started at the same
// moment was faster to take the port of the console, and the site at that address is not ours.
async function tryDemo(dir) {
	const child = spawn(path.join(top, 'ampgated'), ['--demo-miswired'], { env: { ...process.env, TMPDIR: dir }, stdio: ['ignore', 'pipe', 'inherit'] });
	process.on('exit', () => child.kill('SIGTERM'));
	const stop = () => new Promise((resolve) => { child.removeAllListeners('exit'); child.once('exit', resolve); child.kill('SIGTERM'); });
	let said = '';
	const address = await within(30000, 'all of the demo charge', new Promise((resolve, reject) => {
		child.stdout.on('data', (d) => {
			said += d;
			if (/all charge/.test(said)) resolve(/http:\/\/127\.0\.0\.1:\d+/.exec(said)[0]);
		});
		child.once('exit', () => reject(new Error(`the demo ended: ${said}`)));
	}));
	const files = await fetch(`${address}/api/v1/config/origin`).then((r) => r.json()).catch(() => null);
	if (files?.managed?.startsWith(dir)) return { address, stop };
	await stop();
	return null;
}

async function demo(dir) {
	for (;;) {
		const site = await tryDemo(dir);
		if (site) return site;
	}
}

// A page that notes what goes wrong on it: scripts that fail, refused styles, requests to anywhere else.
async function visitor(b, base, options) {
	const context = await b.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(Number(process.env.PATIENCE) || 300000); // a check of the commissioning may take a minute of its own, and more on a loaded machine
	const v = { context, page, faults: [], requests: new Map(), allowed: /a^/ };
	page.on('pageerror', (e) => v.faults.push(`script: ${e.stack}`));
	page.on('console', (m) => m.type() === 'error' && !v.allowed.test(m.text()) && v.faults.push(`console: ${m.text()}`));
	page.on('request', (r) => !r.url().startsWith(base) && !r.url().startsWith('data:') && !r.url().startsWith('blob:') && v.faults.push(`a request to ${r.url()}`));
	page.on('requestfinished', async (r) => {
		const s = await r.sizes().catch(() => null);
		if (s && !r.url().includes('/api/')) v.requests.set(new URL(r.url()).pathname, s.responseBodySize);
	});
	v.go = async (hash) => {
		await page.goto(`${base}/#/${hash}`);
		await page.locator('#page h1').first().waitFor({ state: 'attached' });
	};
	v.widest = () => page.evaluate(() => [...document.querySelectorAll("#app *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)} ${e.textContent.slice(0, 40)}`).slice(-4).join(" | "));
	v.check = async (what) => {
		assert.deepEqual(v.faults, [], `${what}: ${v.faults.join("; ")}`);
		const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		assert.ok(wide <= 0, `${what}: the page is ${wide} px wider than the screen: ${await v.widest()}`);
	};
	// Findings that matter to people who cannot see or point.
	v.axe = async (what) => {
		await page.evaluate(axe);
		const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
		const bad = found.violations.filter((x) => ['serious', 'critical'].includes(x.impact));
		assert.deepEqual(bad.map((x) => `${what}: ${x.id}: ${x.help}: ${x.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`), []);
		return found.violations.length;
	};
	// The axe script is put in by the debugger, which the page's policy does not bind.
	return v;
}

module.exports = { assert, browser, demo, visitor };
