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

async function main() {
	const copy = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ampgate-words-')), 'text.mjs');
	fs.copyFileSync(path.join(web, 'text.js'), copy);
	const { texts } = await import(pathToFileURL(copy));
	const [en, de] = [Object.keys(texts.en), Object.keys(texts.de)];
	assert.deepEqual(en.filter((k) => !de.includes(k)), [], 'not in German');
	assert.deepEqual(de.filter((k) => !en.includes(k)), [], 'not in English');
	for (const k of en) for (const l of ['en', 'de']) assert.ok(texts[l][k].trim(), `${l} ${k} is empty`);

	const source = files.filter((f) => f.endsWith('.js') && f !== 'text.js').map((f) => fs.readFileSync(path.join(web, f), 'utf8')).join('\n');
	const asked = [...source.matchAll(/\bt\('([^']+)'/g)].map((m) => m[1]);
	const prefixes = [...source.matchAll(/\bt\(`([a-z]+\.)/g)].map((m) => m[1]).concat(['w.phase_']);
	assert.deepEqual([...new Set(asked.filter((k) => !en.includes(k)))], [], 'asked for and not there');
	assert.deepEqual(en.filter((k) => !asked.includes(k) && !source.includes(`'${k}'`) && !prefixes.some((p) => k.startsWith(p))), [], 'there and never asked for');

	let sum = 0;
	for (const f of files) {
		const text = fs.readFileSync(path.join(web, f), 'utf8');
		assert.ok(!/(?:src|href|url\(|from|import\()\s*=?\s*["'(]?(?:https?:)?\/\/(?!www\.w3\.org)/.test(text), `${f} asks another host`);
		sum += zlib.gzipSync(text, { level: 9 }).length;
	}
	console.log(`# ${en.length} words in two languages; ${files.length} files, ${sum} bytes compressed`);
	assert.ok(sum < 100 * 1024, `${sum} bytes`);
	console.log('PASS: words and weight of the console');
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
