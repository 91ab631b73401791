'use strict';
// A program without the console's pages (--disable-console): its API, health and metrics are there, and a browser is told that there is no page.
const assert = require('assert');
const { Daemon, freePort, tempDir, top } = require('./lib.js');
const path = require('path');

async function main() {
	const port = await freePort();
	const d = new Daemon(tempDir(), `
version: 1
circuits: {grid: {kind: grid_connection, limit_a: 32}}
listen:
  ocpp: {lan: {address: 127.0.0.1, port: ${await freePort()}, min_security_profile: 0}}
  console: {address: 127.0.0.1, port: ${port}}
console: {login: none}
`);
	d.program = path.join(top, 'tests/tools/ampgated-no-console');
	await d.start();
	const get = (at) => fetch(`http://127.0.0.1:${port}${at}`);
	for (const page of ['/', '/index.html', '/app.js']) assert.equal((await get(page)).status, 404, page);
	for (const there of ['/api/v1/status', '/healthz', '/metrics', '/status', '/api/v1/openapi.json']) assert.equal((await get(there)).status, 200, there);
	await d.stop();
	console.log('PASS: without the console');
	process.exit(0);
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
