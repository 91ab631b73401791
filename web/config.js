// The configuration for forms: what there may be (the tables of the box), what is written and where, and a change on its way into force.
// A path is a list of keys; a change is a map from path to value, where undefined stands for "as the files say".
import { get, run, state, changed, patiently, reader, readAll } from './api.js';
import { boxNow } from './ui.js';
import { lang } from './text.js';

export const keyOf = (path) => JSON.stringify(path);
// `changes` counts those that came into force by this page; while `settling` is not 0 one has, and was not read yet.
export const conf = { rows: null, values: new Map(), managed: '', locked: false, changes: 0, settling: 0 };

// What a row is for, in the language of the page where it is there.
let other = {};
export const helpOf = (row) => other[row.help] ?? row.help ?? '';

export const readConfig = reader(async () => {
	if (lang() === 'de') other = (await import('./help-de.js')).help;
	return Promise.all([conf.rows || get('/config/schema').then((r) => r.rows), get('/config/origin')]);
}, ([rows, now]) => Object.assign(conf, now, { rows, values: new Map(now.values.map((v) => [keyOf(v.path), v])) }));

// A change has come into force: everything is read again. From here until then forms take nothing, so that nothing typed is lost when they are made anew.
export async function settle() {
	conf.changes++;
	conf.settling++;
	changed('config');
	await Promise.all([patiently(readConfig), patiently(readAll)]).catch(() => {});
	conf.settling--;
	changed('config');
}

const GROUPS = ['objects', 'items'];
// The row of a path; ids of objects and numbers of items have none of their own.
export function rowOf(path) {
	let rows = conf.rows, row = null;
	for (const k of path) {
		if (row && GROUPS.includes(row.type) && rows === null) {
			rows = row.rows;
			continue;
		}
		row = rows?.find((r) => r.key === k);
		if (!row) return null;
		rows = GROUPS.includes(row.type) ? null : row.rows;
	}
	return row;
}

const starts = (path, with_) => with_.every((k, i) => path[i] === k);
// The keys that are written directly below a path, in their order.
export const namesBelow = (path) => [...new Set([...conf.values.values()].filter((v) => v.path.length > path.length && starts(v.path, path)).map((v) => v.path[path.length]))];
export const written = (path) => conf.values.get(keyOf(path));
export const isManaged = (v) => !!v?.file && v.file === conf.managed;
export const layerOf = (v) => (!v?.file ? 'preset' : isManaged(v) ? 'managed' : v.file.includes('/conf.d/') ? 'dropin' : 'file');
// Everything below a path as one object, as it is written.
export function treeAt(path) {
	const here = written(path);
	if (here) return here.value;
	const names = namesBelow(path);
	if (!names.length) return undefined;
	const parts = names.map((k) => [k, treeAt([...path, k])]);
	return typeof names[0] === 'number' ? parts.map((p) => p[1]) : Object.fromEntries(parts);
}

// --- changes ---

// Takes an object away: out of what was changed here, or, where a file has it too, by the mark that covers it.
export function remove(change, path) {
	for (const k of [...change.keys()]) if (starts(JSON.parse(k), path)) change.delete(k);
	const all = [...conf.values.values()].filter((v) => starts(v.path, path));
	if (all.length) change.set(keyOf(path), all.every(isManaged) ? undefined : null);
}

// What is sent: an object laid over the managed layer, and the paths that leave it.
export function wire(change) {
	const over = {}, drop = [];
	for (const [k, value] of change) {
		const path = JSON.parse(k);
		if (value === undefined) {
			drop.push(path);
			continue;
		}
		let at = over;
		for (const p of path.slice(0, -1)) at = at[p] ??= {};
		at[path.at(-1)] = value;
	}
	return { over, drop };
}

export const tryChange = (what) => run('config.try', what);
export const applyChange = (what, more) => run('config.apply', { ...what, restart: true, ...more });

// --- a change on trial ---

export async function refreshTrial() {
	const site = await get('/status').catch(() => null);
	if (site) state.site = { ...state.site, ...site };
	changed('site');
}
export const trialLeft = () => {
	const until = state.site?.config?.confirm_until;
	return until ? Math.max(0, Math.round((new Date(until) - boxNow()) / 1000)) : null;
};
