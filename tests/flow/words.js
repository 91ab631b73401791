'use strict';
// The pages' words: both languages have all of them, every key that a page asks for is there, none stands in vain, no file asks another host for
// anything, and all of it compressed is small.
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');
const zlib = require('zlib');

const web = path.resolve(__dirname, '../../web');
const files = fs.readdirSync(web).filter((f) => /\.(js|css|html|svg)$/.test(f));

const equal = (found, none, what) => assert.deepEqual(found, none, `${what}: ${found.join(' ')}`);

async function main() {
	const copy = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ampgate-words-')), 'text.mjs');
	fs.copyFileSync(path.join(web, 'text.js'), copy);
	const { words } = await import(pathToFileURL(copy));
	const keys = Object.keys(words);
	for (const k of keys) assert.ok(words[k].length === 2 && words[k].every((w) => w.trim()), `${k} is not there in both languages`);

	const source = files.filter((f) => f.endsWith('.js') && f !== 'text.js').map((f) => fs.readFileSync(path.join(web, f), 'utf8')).join('\n');
	const asked = [...source.matchAll(/\bt\('([^']+)'/g)].map((m) => m[1]);
	const prefixes = [...source.matchAll(/\bt\(`([a-z]+\.)/g)].map((m) => m[1]).concat(['w.phase_']);
	equal([...new Set(asked.filter((k) => !keys.includes(k)))], [], 'asked for and not there');
	equal(keys.filter((k) => !asked.includes(k) && !source.includes(`'${k}'`) && !prefixes.some((p) => k.startsWith(p))), [], 'there and never asked for');

	// Every reason that the balancer can name has its word and its sentence here, and the client says the same as the pages.
	const root = path.resolve(web, '..'), text = (name) => fs.readFileSync(path.join(root, name), 'utf8');
	const reasons = [...text('energy/reasons.def').matchAll(/^REASON\((\w+)\)/gm)].map((m) => m[1]);
	assert.ok(reasons.length > 20, `${reasons}`);
	equal(reasons.filter((r) => !words[`reason.${r}`]), [], 'reasons without a word');
	equal(reasons.filter((r) => !words[`say.${r}`]), [], 'reasons without a sentence');
	const client = [...text('gateway/ctl/sentences.def').matchAll(/^SAY\((\w+), ("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")\)$/gm)].map((m) => [`say.${m[1]}`, [JSON.parse(m[2]), JSON.parse(m[3])]]);
	assert.deepEqual(client, keys.filter((k) => k.startsWith('say.')).map((k) => [k, words[k]]), 'gateway/ctl/sentences.def says what web/text.js says');

	// Every event has its words.
	const below = (dir) => fs.readdirSync(dir, { recursive: true }).filter((f) => f.endsWith('.c')).map((f) => fs.readFileSync(path.join(dir, f), 'utf8'));
	const told = below(path.join(root, 'gateway')).flatMap((c) => [...c.matchAll(/\b(?:telemetry_event|tell|event)\(([^;{]*?)\);/g)]).flatMap((m) => m[1].match(/"[a-z][a-z-]*\.[a-z_]+"/g) || []).map((c) => JSON.parse(c));
	assert.ok(told.length > 30, `${told}`);
	equal(told.filter((c) => !words[`event.${c}`]), [], 'events without words');

	// What the tables say of keys is English; all of it is said in German too, and nothing that the tables do not say any more.
	fs.copyFileSync(path.join(web, 'help-de.js'), copy.replace('text.mjs', 'help.mjs'));
	const { help } = await import(pathToFileURL(copy.replace('text.mjs', 'help.mjs')));
	const said = fs.readFileSync(path.resolve(web, '../docs/CONFIG.md'), 'utf8'), rows = [...new Set([...said.matchAll(/^\| `.*\| (.*) \|$/gm)].map((m) => m[1]))];
	console.log(`# ${rows.length} keys are explained in German`);
	assert.ok(rows.length > 200);
	equal(rows.filter((r) => !help[r]?.trim()), [], 'not in German (web/help-de.js)');
	equal(Object.keys(help).filter((k) => !said.includes(k)), [], 'in German, and nobody says it any more');

	let sum = 0;
	for (const f of files) {
		const text = fs.readFileSync(path.join(web, f), 'utf8');
		assert.ok(!/(?:src|href|url\(|from|import\()\s*=?\s*["'(]?(?:https?:)?\/\/(?!www\.w3\.org)/.test(text), `${f} asks another host`);
		const odd = text.split('\n').filter((l) => (l.match(/`/g) || []).length % 2);
		equal(f.endsWith('.js') ? odd : [], [], `${f}: web/embed.sh takes indents away, so no text goes over several lines`);
		sum += zlib.gzipSync(f.endsWith('.js') ? text.replace(/^(\t+|\/\/ .*\n)+/gm, '') : text, { level: 9 }).length; // as web/embed.sh
	}
	console.log(`# ${keys.length} words in two languages; ${files.length} files, ${sum} bytes compressed`);
	assert.ok(sum < 100 * 1024, `${sum} bytes`);
	console.log('PASS: words and weight of the console');
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
