/* The dictionary against independent judges: for every message of every version, instances that are right and instances that are broken
 * in each possible way, field by field, are judged by ocpp-check and by ajv with the schemas that the npm package ocpp-rpc brings.
 *
 * Every verdict has to agree, but for the rows of `differences`, where the standard says more than the schemas, or the judge is known to
 * be lax. Where an instance was broken on purpose, our path and rule have to name the very thing that was done.
 *
 *     node dictionary.js [FOLDER]      FOLDER holds 1.6/, 2.0.1/ and 2.1/ with the published files, which then are the judge instead
 *
 * Skipped where the node modules are not installed (tests/package.json). */
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

let Ajv, addFormats, shipped;
try {
	Ajv = require('ajv');
	addFormats = require('ajv-formats');
	shipped = version => require(`ocpp-rpc/lib/schemas/ocpp${version.replaceAll('.', '_')}.json`);
	shipped('1.6');
} catch (e) {
	console.log('skipped: node modules are not installed (npm ci in tests/)');
	process.exit(77);
}

const CHECK = path.join(process.env.top_builddir || path.join(__dirname, '..', '..'), 'tests', 'tools', 'ocpp-check');
const VERSIONS = ['1.6', '2.0.1', '2.1'];
const AT_LEAST = 200;
const SEED = Number(process.env.SEED || 20260302);

/* What may differ, and why. `when` sees the instance and our verdict; the judge has accepted what we refuse, or the other way round where
 * `ours` is true. A row that never applies is an error, so the table cannot outlive its reasons. */
const differences = [
	{ name: 'duplicate names', why: 'JSON.parse keeps the last one, so the judge never sees them; two readers can see two values',
		when: (c, v) => v.rule === 'duplicate-key' },
	{ name: '{} for an optional field', why: '2.x Part 4, 4.1.5: has to be left out; the schemas cannot say it',
		when: (c, v) => c.version !== '1.6' && v.rule === 'empty-or-null' },
	{ name: 'integers beyond 32 bits', why: '2.x Part 2, 2.1.4; the schemas set no bounds',
		when: (c, v) => c.version !== '1.6' && v.rule === 'number-range' },
	{ name: 'times that are ISO 8601 but not RFC 3339', why: 'the judge lets a space stand for the T, and the colon be left out of an offset',
		when: (c, v) => v.rule === 'date-time' && c.lax },
	{ name: 'a port in letters', why: 'the judge takes host and port for a path, which must not start with two slashes (RFC 3986, 3.3)',
		when: (c, v) => v.rule === 'uri' && c.lax },
	{ name: 'half a surrogate pair', why: 'JSON.parse makes a string of it that is no Unicode', when: (c, v) => v.rule === 'utf-8' },
	{ name: 'nesting', why: 'we stop at 32 levels', when: (c, v) => v.rule === 'depth' },
	{ name: 'null for a payload', why: '1.6-J 4.2.1 allows it where nothing is required', ours: true,
		when: (c, v) => c.version === '1.6' && c.text === 'null' },
];

/* ---- random numbers that can be repeated (mulberry32) */
let seed = SEED;
function random() {
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const upto = n => Math.floor(random() * (n + 1));
const pick = list => list[upto(list.length - 1)];

/* ---- JSON as it is written: members keep their order and may repeat, and Raw stands for itself */
class Raw {
	constructor(text) { this.text = text; }
}
class Members {
	constructor(pairs) { this.pairs = pairs; }
	with(name, value) { return new Members([...this.pairs.filter(p => p[0] !== name), [name, value]]); }
	without(name) { return new Members(this.pairs.filter(p => p[0] !== name)); }
	plus(name, value) { return new Members([...this.pairs, [name, value]]); }
}
function write(v) {
	if (v instanceof Raw)
		return v.text;
	if (v instanceof Members)
		return `{${v.pairs.map(([k, x]) => `${k instanceof Raw ? k.text : JSON.stringify(k)}:${write(x)}`).join(',')}}`;
	if (Array.isArray(v))
		return `[${v.map(write).join(',')}]`;
	return JSON.stringify(v);
}

/* ---- values that a schema allows */
const TIME = '2026-03-02T17:04:05Z';
function resolve(schema, doc) {
	return schema.$ref ? doc.definitions[schema.$ref.split('/').pop()] : schema;
}
function text(n) {
	return Array.from({ length: n }, () => pick(['a', 'B', '7', ' ', '-', 'é', '漢', '🔌', '"', '\\', '\n'])).join('');
}
function integer(s) {
	const low = s.minimum ?? (s.maximum !== undefined ? s.maximum - 50 : -3), high = s.maximum ?? low + 100000;
	return low + upto(high - low);
}
function anything(depth) {
	return pick([() => null, () => true, () => upto(1000), () => -0.5, () => text(4), () => (depth ? [anything(depth - 1)] : []),
		() => new Members(depth ? [['x', anything(depth - 1)]] : [])])();
}
/* `more`: how likely an optional field is there. */
function sample(schema, doc, more) {
	const s = resolve(schema, doc);
	if (s.enum)
		return pick(s.enum);
	switch (s.type) {
	case 'string':
		if (s.format)
			return s.format === 'uri' ? 'https://example.org/a?b=c' : TIME;
		return text(Math.min(s.maxLength ?? 30, upto(30)));
	case 'integer':
		return integer(s);
	case 'number':
		return s.multipleOf ? new Raw(`${upto(100)}.${upto(9)}`) : s.minimum !== undefined || s.maximum !== undefined ? integer(s) : new Raw(`${upto(100)}.${upto(99999)}`);
	case 'boolean':
		return random() < 0.5;
	case 'array':
		return Array.from({ length: Math.max(s.minItems ?? 0, Math.min(s.maxItems ?? 2, more ? 1 + upto(1) : 0)) }, () => sample(s.items, doc, more));
	case 'object': {
		const pairs = Object.entries(s.properties ?? {}).filter(([k]) => (s.required ?? []).includes(k) || random() < more).map(([k, p]) => [k, sample(p, doc, more * 0.8)]);
		/* An optional {} is a difference of its own. */
		return new Members(pairs.filter(([k, v]) => (s.required ?? []).includes(k) || !(v instanceof Members && !v.pairs.length)));
	}
	default:
		return anything(1);
	}
}

/* The smallest instance in which `steps` lead to a place, with `value` there. A step is a field's name, or 0 for the only element. */
function instance(schema, doc, steps, value) {
	if (!steps.length)
		return value;
	const s = resolve(schema, doc);
	if (steps[0] === 0)
		return [instance(s.items, doc, steps.slice(1), value)];
	return sample(s, doc, 0).with(steps[0], instance(s.properties[steps[0]], doc, steps.slice(1), value));
}
const pathOf = steps => '$' + steps.map(s => (s === 0 ? '[0]' : `.${s}`)).join('');

/* Every place of a message, each shape once. */
function* places(schema, doc, steps = [], seen = new Set(), required = true) {
	const s = resolve(schema, doc);
	yield { steps, s, required };
	if (schema.$ref && s.type === 'object') {
		if (seen.has(schema.$ref))
			return;
		seen.add(schema.$ref);
	}
	for (const [name, p] of Object.entries(s.type === 'object' ? s.properties ?? {} : {}))
		yield* places(p, doc, [...steps, name], seen, (s.required ?? []).includes(name));
	if (s.type === 'array')
		yield* places(s.items, doc, [...steps, 0], seen, true);
}

/* ---- what can be done to a place: [value, rule we expect or '' for right or undefined for "let the judge say", lax] */
const TYPES = { null: null, boolean: true, integer: 7, number: new Raw('1.5'), string: 'x', array: [], object: new Members([]) };
function* wrongTypes(s, required, version) {
	const fits = { integer: ['integer'], number: ['integer', 'number'] }[s.type] ?? [s.type];
	for (const [type, value] of Object.entries(s.type ? TYPES : {}))
		if (!fits.includes(type))
			yield [value, type === 'null' && !required && version !== '1.6' ? 'empty-or-null' : 'type'];
}
function* texts(s) {
	if (s.enum) {
		for (const word of s.enum)
			yield [word, ''];
		yield [new Raw(`"\\u00${s.enum[0].charCodeAt(0).toString(16)}${s.enum[0].slice(1)}"`), ''];
		yield [s.enum[0] + 'x', 'enum'];
		yield [s.enum[0].slice(0, -1), s.enum.includes(s.enum[0].slice(0, -1)) ? '' : 'enum'];
		yield [s.enum[0] + ' ', 'enum'];
		yield ['', 'enum'];
		yield [s.enum[0].replace(/[a-z]/, c => c.toUpperCase()), undefined];
		return;
	}
	if (s.format === 'date-time')
		return yield* times();
	if (s.format === 'uri')
		return yield* uris();
	yield ['', ''];
	yield [new Raw('"\\ud800"'), 'utf-8'];
	yield [new Raw('"\\u0041\\n\\/\\ud83d\\udd0c"'.slice(0, s.maxLength && s.maxLength < 4 ? 7 : undefined).replace(/"?$/, '"')), ''];
	const n = s.maxLength;
	if (!n)
		return;
	for (const c of ['x', 'é', '漢', '🔌'].slice(0, n > 3000 ? 1 : 4)) {
		yield [c.repeat(n), ''];
		yield [c.repeat(n + 1), 'max-length'];
	}
	if (n < 3000) {
		yield [new Raw(`"${'\\u0041'.repeat(n)}"`), ''];
		yield [new Raw(`"${'\\ud83d\\udd0c'.repeat(n)}"`), ''];
		yield [new Raw(`"${'\\ud83d\\udd0c'.repeat(n)}\\t"`), 'max-length'];
	}
}
function* times() {
	for (const t of [TIME, '2026-03-02T17:04:05.123Z', '2026-03-02T17:04:05.1234567+01:00', '2024-02-29T00:00:00-23:59', '2026-03-02t17:04:05z',
		'2016-12-31T23:59:60Z', '2017-01-01T00:59:60+01:00'])
		yield [t, ''];
	yield [new Raw('"2026-03-02\\u005417:04:05Z"'), ''];
	for (const t of ['', 'now', '2026-03-02', '2026-03-02T17:04Z', '2026-03-02T17:04:05', '2026-13-02T17:04:05Z', '2026-02-29T17:04:05Z', '2100-02-29T17:04:05Z',
		'2026-03-00T17:04:05Z', '2026-04-31T17:04:05Z', '2026-03-02T24:00:00Z', '2026-03-02T17:60:05Z', '2026-03-02T17:04:60Z', '2026-03-02T17:04:05.Z',
		'2026-03-02T17:04:05+1:00', '2026-03-02T17:04:05Z ', ' 2026-03-02T17:04:05Z', '2026-3-2T17:04:05Z', '02.03.2026T17:04:05Z', '2026-03-02T17:04:05ZZ',
		'12026-03-02T17:04:05Z', '2026-03-02T17:04:05+24:00', '2026-03-02T17:04:05+01:60'])
		yield [t, 'date-time'];
	for (const t of ['2026-03-02 17:04:05Z', '2026-03-02T17:04:05+0100', '2026-03-02T17:04:05+01'])
		yield [t, 'date-time', true];
}
function* uris() {
	for (const t of ['ftp://user:pw@example.org:21/a/b', 'https://[2001:db8::1]:8080/', 'http://a/%20b?c#d', 'urn:x:y', 'file:///tmp/x', 'sftp://a'])
		yield [t, ''];
	yield [new Raw('"http:\\/\\/example.org\\/x"'), ''];
	for (const t of ['', 'example.org', '/a/b', 'http://a b/', 'http://a/%2', 'http://a/<b>', '1http://a/', 'http://[::1/', 'http://é/'])
		yield [t, 'uri'];
	yield ['http://a:b/', 'uri', true];
}
function* numbers(s, version) {
	const int = s.type === 'integer';
	const low = s.minimum, high = s.maximum;
	const inside = n => (low === undefined || n >= low) && (high === undefined || n <= high);
	const rule = n => (inside(n) ? '' : low !== undefined && n < low ? 'minimum' : 'maximum');
	for (const n of new Set([0, 1, -1, 7, 2147483647, -2147483648, low, high, low - 1, high + 1].filter(n => Number.isInteger(n))))
		yield [n, rule(n)];
	for (const n of ['1.0', '1e2', '10E-1', '0.0', '-0', '0e5', '1200e-2', '3.000'])
		yield [new Raw(n), rule(Number(n))];
	const fraction = int ? 'type' : undefined;
	for (const n of ['1.5', '1e-3', '0.25', '15e-1', '-0.5', '16.15', '99.9999'])
		yield [new Raw(n), fraction];
	yield [new Raw('1e999'), 'number-range'];
	if (int && low === undefined && high === undefined)
		for (const n of ['2147483648', '-2147483649', '9007199254740993', '9223372036854775807', '1e300'])
			yield [new Raw(n), version === '1.6' ? '' : 'number-range'];
	if (s.multipleOf)
		for (const [n, r] of [['16.1', ''], ['0.3', ''], ['32.70', ''], ['-7.1', ''], ['161e-1', ''], ['16.100000001', ''], ['16.11', 'multiple-of'], ['0.05', 'multiple-of'],
			['16.101', 'multiple-of'], ['1e-2', 'multiple-of']])
			yield [new Raw(n), r];
	for (const n of ['01', '+1', '.5', '1.', '1e', '0x10', 'NaN', '-'])
		yield [new Raw(n), 'syntax'];
}
function* lists(s, doc) {
	const element = () => sample(s.items, doc, 0), many = n => Array.from({ length: n }, element);
	const low = s.minItems ?? 0, high = s.maxItems;
	yield [many(Math.max(low, 1)), ''];
	if (low)
		yield [many(low - 1), 'min-items'];
	if (high) {
		yield [many(high), ''];
		yield [many(high + 1), 'max-items'];
	}
	yield [new Raw(`[${write(element())},]`), 'syntax'];
}
/* What is done to the members of an object; the fault is at a path below it. */
function* objects(s, doc) {
	const least = sample(s, doc, 0), full = sample(s, doc, 1);
	const open = s.additionalProperties !== false;
	yield [least, ''];
	yield [full, ''];
	yield [new Members([...full.pairs].reverse()), ''];
	yield [new Members(full.pairs.map(([k, v]) => [new Raw(`"\\u00${k.charCodeAt(0).toString(16)}${k.slice(1)}"`), v])), ''];
	for (const name of s.required ?? [])
		yield [full.without(name), 'required', false, name];
	for (const name of Object.keys(s.properties ?? {}))
		if (full.pairs.some(p => p[0] === name)) {
			yield [full.plus(name, sample(s.properties[name], doc, 0)), 'duplicate-key', false, name];
			yield [least.plus(name + 'X', 1), open ? '' : 'unknown-field', false, name + 'X'];
		}
	yield [least.plus('extra', new Raw('{"a":[1,{"b":null}]}')), open ? '' : 'unknown-field', false, 'extra'];
	yield [least.plus('', 1), open ? '' : 'unknown-field', false, ''];
	if (open)
		yield [least.plus('deep', new Raw('['.repeat(40) + ']'.repeat(40))), 'depth', false, 'deep'];
	yield [new Raw('{"a":1,}'), undefined];
}
function* breakages(place, doc, version) {
	const { s, required } = place;
	yield* wrongTypes(s, required, version);
	if (s.enum || s.type === 'string')
		yield* texts(s);
	else if (s.type === 'integer' || s.type === 'number')
		yield* numbers(s, version);
	else if (s.type === 'array')
		yield* lists(s, doc);
	else if (s.type === 'object')
		yield* objects(s, doc);
}

/* All instances for one message: [{ text, rule, path, lax, version }]. */
function instances(version, doc) {
	const cases = [];
	const add = (value, rule, at, lax) => cases.push({ version, text: write(value), rule, path: at, lax });
	for (const place of places(doc, doc)) {
		for (const [value, rule, lax, below] of breakages(place, doc, version)) {
			const empty = value instanceof Members && !value.pairs.length && place.steps.length && version !== '1.6';
			const nothing = !place.steps.length && version === '1.6' && value === null && !(doc.required ?? []).length;
			const steps = below === undefined ? place.steps : [...place.steps, below];
			const at = below === '' ? `${pathOf(place.steps)}[""]` : pathOf(steps);
			add(instance(doc, doc, place.steps, value), empty || nothing ? undefined : rule, rule === 'syntax' ? undefined : at, lax);
		}
	}
	for (let i = 0; i < 40; i++)
		add(sample(doc, doc, i / 40), '');
	while (cases.length < AT_LEAST)
		add(random() < 0.5 ? anything(3) : sample(doc, doc, 0.5).plus(pick(['id', 'status', 'x', '漢', 'a b']), anything(3)), undefined);
	return cases;
}

/* ---- the judges */
function documents(version, folder) {
	const docs = new Map();
	if (folder) {
		for (const file of fs.readdirSync(path.join(folder, version)).filter(f => f.endsWith('.json')))
			docs.set(file.replace(/\.json$/, ''), JSON.parse(fs.readFileSync(path.join(folder, version, file), 'utf8').replace(/^\ufeff/, '')));
	} else {
		for (const doc of shipped(version))
			docs.set(doc.$id.replace(/^urn:/, '').replace(/\.req$/, 'Request').replace(/\.conf$/, 'Response'), doc);
	}
	return docs;
}
function judgeOf(doc) {
	const ajv = new Ajv({ strict: false, strictNumbers: true, logger: false });
	addFormats(ajv);
	/* Multiples of 0.1 cannot be told in binary fractions; the same tolerance as everywhere. */
	ajv.removeKeyword('multipleOf');
	ajv.addKeyword({ keyword: 'multipleOf', type: 'number', compile: step => n => Math.abs(Math.round(n / step) - n / step) < 1e-6 });
	const { $schema, $id, id, ...rules } = doc;
	const valid = ajv.compile(rules);
	return t => {
		try {
			return valid(JSON.parse(t));
		} catch (e) {
			return false;
		}
	};
}
function ourVerdicts(version, action, side, cases) {
	const run = spawnSync(CHECK, [version, action, side, '--lines'], { input: cases.map(c => c.text).join('\n') + '\n', maxBuffer: 1 << 30, encoding: 'utf8' });
	if (run.error || run.status > 1 || run.status === null)
		throw new Error(`ocpp-check ${version} ${action} ${side}: ${run.error ?? run.stderr}`);
	return run.stdout.trimEnd().split('\n').map(line => JSON.parse(line));
}

const failures = [];
const applied = new Map(differences.map(d => [d, 0]));
function compare(name, c, verdict, judged) {
	const show = `${name}: ${c.text.slice(0, 300)}\n    ours ${JSON.stringify(verdict)}, the judge ${judged}, expected ${c.rule} at ${c.path}`;
	const wanted = c.rule === undefined ? undefined : c.rule === '';
	if (wanted !== undefined && wanted !== verdict.ok)
		failures.push(`not what was done to it: ${show}`);
	else if (c.rule && (c.rule !== verdict.rule || (c.path && verdict.path !== c.path)))
		failures.push(`the wrong place or rule: ${show}`);
	if (verdict.ok === judged)
		return;
	const row = differences.find(d => Boolean(d.ours) === verdict.ok && d.when(c, verdict));
	if (row)
		applied.set(row, applied.get(row) + 1);
	else
		failures.push(`the judge differs: ${show}`);
}

function main() {
	const folder = process.argv[2];
	let messages = 0, total = 0;
	console.log(`seed ${SEED}`);
	for (const version of VERSIONS) {
		for (const [name, doc] of documents(version, folder)) {
			const side = name.endsWith('Response') ? 'response' : 'request';
			const cases = instances(version, doc), judge = judgeOf(doc);
			const verdicts = ourVerdicts(version, name.replace(/(Request|Response)$/, ''), side, cases);
			if (verdicts.length !== cases.length)
				throw new Error(`${version} ${name}: ${cases.length} instances, ${verdicts.length} verdicts`);
			cases.forEach((c, i) => compare(`${version} ${name}`, c, verdicts[i], judge(c.text)));
			messages++;
			total += cases.length;
		}
	}
	for (const [row, count] of applied) {
		console.log(`${String(count).padStart(7)}  ${row.name}: ${row.why}`);
		if (!count)
			failures.push(`the difference "${row.name}" never showed`);
	}
	if (messages !== 78 + 128 + 181)
		failures.push(`${messages} messages instead of ${78 + 128 + 181}`);
	failures.slice(0, 30).forEach(f => console.log(f));
	console.log(`${messages} messages, ${total} instances, ${failures.length} failures`);
	process.exit(failures.length ? 1 : 0);
}
main();
