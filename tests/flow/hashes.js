'use strict';
// Stations whose passwords the configuration knows as hashes only: made by `ampgate hash`, checked in every form in which a station shows them, and beside the loop:
// who connects with wrong ones in crowds keeps neither the stations that are there waiting nor those that come.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { top, freePort, tempDir, Daemon, equal, ok, run } = require('./lib.js');
const { rawStation, conf } = require('./raw.js');

const CROWD = Number(process.env.CROWD || 60);
const hash = (password) => spawnSync(path.join(top, 'ampgate'), ['hash'], { input: password + '\n' }).stdout.toString().trim();
const basic = (user, password) => 'Basic ' + Buffer.concat([Buffer.from(user + ':'), Buffer.from(password)]).toString('base64');

async function main() {
	const dir = tempDir(), port = await freePort();
	const text = 'a long password of T-1', key = '00112233445566778899AABBCCDDEEFF00112233', raw = Buffer.from(key, 'hex'), digits = '0123456789abcdef';
	const yaml = conf({ port, csmsPort: 1, stations: `
  T-1: {circuit: grid, password: "${hash(text)}"}
  K-1: {circuit: grid, password: "${hash(key)}"}
  B-1: {circuit: grid, password: "${hash(key.toLowerCase())}"}
  D-1: {circuit: grid, password: "${hash(digits)}"}
  C-1: {circuit: grid, password: "cred:c"}
  "H-[001-${String(CROWD).padStart(3, '0')}]": {circuit: grid, password: "${hash('the same for a crowd')}"}
  P-1: {circuit: grid, password: "plain-text-password"}` }).replace('uplink: cpo, ', '').replace(/uplinks:[^]*?(?=log:)/, '');
	const daemon = new Daemon(dir, yaml);
	fs.mkdirSync(path.join(dir, 'creds'));
	fs.writeFileSync(path.join(dir, 'creds', 'c'), hash('from a credential') + '\n');
	const from = (id, password, localAddress) => rawStation(port, id, ['ocpp1.6'], { headers: { Authorization: basic(id, password) }, localAddress });
	const outcome = (coming) => coming.then(async (s) => (await s.close(), 101), (e) => e.status);

	await run([
		['the program that makes them', async () => {
			ok(/^scrypt\$12\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}$/.test(hash(text)), `a hash: ${hash(text)}`);
			ok(hash(text) !== hash(text), 'each with a salt of its own');
			equal(spawnSync(path.join(top, 'ampgate'), ['hash'], { input: '\n' }).status, 1, 'none given');
			equal(spawnSync(path.join(top, 'ampgate'), ['hash', 'secret']).status, 2, 'one given as an argument');
		}],
		['right in every form, wrong in any other', async () => {
			process.env.CREDENTIALS_DIRECTORY = path.join(dir, 'creds');
			await daemon.start();
			equal(await outcome(from('T-1', text)), 101, 'text');
			equal(await outcome(from('T-1', text)), 101, 'again');
			equal(await outcome(from('T-1', text + '!')), 401, 'wrong');
			equal(await outcome(from('T-1', text + '!')), 401, 'wrong again');
			for (const id of ['K-1', 'B-1']) {
				equal(await outcome(from(id, key)), 101, `${id}: digits`);
				equal(await outcome(from(id, key.toLowerCase())), 101, `${id}: small digits`);
				equal(await outcome(from(id, raw)), 101, `${id}: bytes`);
				equal(await outcome(from(id, raw.subarray(1))), 401, `${id}: other bytes`);
			}
			equal(await outcome(from('D-1', digits)), 101, 'a text of digits too short for a key');
			equal(await outcome(from('C-1', 'from a credential')), 101, 'a hash in the credentials directory');
			equal(await outcome(from('T-1', key)), 401, 'that of another station');
			equal(await outcome(rawStation(port, 'T-1', ['ocpp1.6'])), 401, 'none');
			ok(!daemon.log.includes('scrypt') && !daemon.log.includes(text), 'the log has none of it');
		}],
		[`${CROWD} stations at once`, async () => {
			const all = await Promise.all(Array.from({ length: CROWD }, (_, i) => from(`H-${String(i + 1).padStart(3, '0')}`, 'the same for a crowd')));
			equal(all.length, CROWD, 'all are in');
			for (const s of all) await s.close();
		}],
		['a crowd with wrong passwords from one address keeps nobody else waiting', async () => {
			const there = await from('P-1', 'plain-text-password');
			let refused = 0;
			const crowd = Array.from({ length: CROWD }, (_, i) => outcome(from(`H-${String(i + 1).padStart(3, '0')}`, `wrong ${i}`, '127.0.0.2')).then((status) => {
				refused++;
				return status;
			}));
			await new Promise((resolve) => setTimeout(resolve, 20)); // they are on their way
			const before = refused;
			const mine = from('T-1', text + ' no').then(() => 101, (e) => e.status); // not one that is remembered
			const heart = there.ask('h1', 'Heartbeat', {});
			equal(await mine, 401, 'a check for another address');
			ok(refused - before < CROWD / 2, `it takes its turn before the rest of the crowd: ${refused - before} of ${CROWD} went first`);
			await heart;
			equal(new Set(await Promise.all(crowd)), new Set([401]), 'the crowd');
			equal(await outcome(from('H-001', 'the same for a crowd', '127.0.0.2')), 101, 'the right one from there');
			await there.close();
			await daemon.stop();
		}],
	]);
}

main();
