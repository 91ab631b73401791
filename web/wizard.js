// What the steps of the commissioning share: what was found so far, checks that the box runs, steps that a person judges, tables from a file.
import { api, get, run, state, can, patiently, reader, changed } from './api.js';
import { h, show, button, field, attempt, time, pill, live } from './ui.js';
import { t } from './text.js';
import { startJob, watchJob, newest } from './jobs.js';
import { wire } from './config.js';
import { makeForm, formBox } from './form.js';
import { propose } from './change.js';

// By step, as the box keeps it.
export let found = {};
export const readFound = reader(() => patiently(() => get('/commission')).catch(() => found), (now) => {
	found = now;
	changed('commissioning');
});

export const verdictPill = (s) => (s ? pill(s.state === 'passed' ? 'ok' : 'bad', t(`w.${s.state}`)) : pill('calm', t('w.open')));
export const evidence = (s) => (s ? h('p', { class: 'quiet' }, verdictPill(s), ` ${time(s.at, 'date')} · ${s.by}${s.note ? ` · ${s.note}` : ''}`) : null);
export const note = (step, passed, data, text) => api('POST', '/commission/note', { step, state: passed ? 'passed' : 'failed', note: text || undefined, data });

// A step that a person judges: a note and a word.
export function byHand(step, data) {
	const input = h('input', { maxlength: 300, value: found[step]?.note ?? '' });
	const say = (passed) => () => attempt(() => note(step, passed, data?.(), input.value)).then(readFound);
	return can('installer') && h('div', { class: 'judge' }, field(t('w.note'), input), h('div', { class: 'row wrap' }, button(t('w.confirm'), say(true), 'primary'), button(t('w.deny'), say(false))));
}

// --- checks that the box runs ---

// Steps whose check was begun here, or found running, until what it found was read; and why a check did not come to its end.
const busy = new Set(), refused = new Map();
export const forgetRefusals = () => refused.clear();

// `work` resolves when the job is over; the box has written down by then what it found.
async function follow(step, work) {
	busy.add(step);
	refused.delete(step);
	changed('commissioning');
	try {
		await work();
	} catch (e) {
		refused.set(step, e.message);
	}
	await readFound();
	busy.delete(step);
	changed('commissioning');
}

function stopwatch(el, step) {
	const j = newest(step), runs = j?.state === 'running';
	el.hidden = !runs;
	show(el, runs ? `${(j.for_s + (performance.now() - j.seen) / 1000).toFixed(0)} s` : null);
}

// A button, a stopwatch, how far it is, what it found; the same on a page that is opened while it runs. `args` gives nothing while there is nothing to
// run it with. `words`: what each of its stages is called.
export function checkRunner(step, verb, args, draw, words = {}) {
	const already = newest(step);
	if (already?.state === 'running' && !busy.has(step)) follow(step, () => watchJob(already.job));
	const stop = () => button(t('w.cancel'), () => run('job.stop', { job: newest(step).job }).catch(() => {}));
	const progress = (j) => {
		const [what, ...who] = (j?.step || '').split(' ');
		return [h('p', {}, `${words[what] || ''} ${who.join(' ')}`), h('progress', { value: Math.min(1, j?.part || 0), max: 1, 'aria-label': t('w.step') }), j?.state === 'running' && can('installer') && stop()];
	};
	const ended = (j) => (refused.has(step) ? h('p', { class: 'error' }, refused.get(step)) : j && j.state !== 'running' && !j.result ? h('p', { class: 'quiet' }, t(`job.${j.state}`)) : null);
	const runs = () => busy.has(step) || newest(step)?.state === 'running';
	const go = live((el) => {
		el.disabled = runs() || !args();
		show(el, t(found[step]?.data || (newest(step) && !runs()) ? 'w.again' : 'w.run'));
	}, button('', () => follow(step, () => startJob(verb, args())), 'primary'));
	return h('div', {}, can('installer') && h('div', { class: 'row wrap' }, go), live((el) => stopwatch(el, step), h('p', { class: 'clock', 'aria-hidden': 'true' })),
		live((el) => show(el, runs() ? progress(newest(step)) : [ended(newest(step)), found[step]?.data ? draw(found[step].data) : null]), h('div', { role: 'status', 'aria-live': 'polite' })));
}

// --- changes of the configuration on the way ---

// A form over some keys with its own button; `fill(form)` gives the elements.
export function editor(fill) {
	const change = new Map(), bar = h('div', { class: 'row wrap' });
	let form;
	const draw_bar = () => show(bar, change.size ? [button(t('form.look'), look, 'primary'), button(t('form.discard'), () => { change.clear(); box.make(); })] : null);
	async function look() {
		const r = await propose(wire(change));
		if (r?.state === 'refused') form.take(r.errors)?.focus();
		if (r?.state !== 'applied') return;
		change.clear();
		draw_bar();
	}
	const box = formBox(() => {
		form = makeForm(change, draw_bar);
		draw_bar();
		return fill(form, { change, look, edited: draw_bar });
	});
	return h('div', { 'data-keep': 'editor' }, box, bar);
}

export const root = () => [...state.circuits.values()].find((c) => !c.parent);

// --- tables from a file ---

// Rows of a text with commas or semicolons, first line the names; quotes as spreadsheets write them.
export function parseCsv(text) {
	const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/).filter((l) => l.trim() && !l.startsWith('#'));
	if (!lines.length) return { names: [], rows: [] };
	const by = (lines[0].match(/;/g) || []).length > (lines[0].match(/,/g) || []).length ? ';' : ',';
	const cells = (line) => [...line.matchAll(new RegExp(`(?:^|${by})(?:"((?:[^"]|"")*)"|([^${by}]*))`, 'g'))].map((m) => (m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2]).trim());
	const names = cells(lines[0]).map((n) => n.toLowerCase());
	return { names, rows: lines.slice(1).map((l) => Object.fromEntries(cells(l).map((c, i) => [names[i], c]))) };
}

// "80" for all phases or "80/80/63".
const amps = (text) => (text.includes('/') ? text.split('/').map((x) => x.trim()) : text);

// A field for a table that becomes objects of a section: `columns` are its keys, the first column is the id.
export function csvImport(section, columns, example) {
	const area = h('textarea', { rows: 5, spellcheck: 'false', placeholder: example });
	const file = h('input', { type: 'file', accept: '.csv,text/csv,text/plain', onchange: async (e) => { area.value = await e.target.files[0]?.text() ?? area.value; } });
	const said = h('p', { class: 'error', role: 'alert' });
	const take = async () => {
		const { names, rows } = parseCsv(area.value), unknown = names.filter((n) => n && n !== 'id' && !columns.includes(n));
		said.textContent = !names.includes('id') ? t('csv.no_id') : unknown.length ? `${t('csv.unknown')}: ${unknown.join(', ')}` : !rows.length ? t('csv.empty') : '';
		if (said.textContent) return;
		const objects = Object.fromEntries(rows.filter((r) => r.id).map((r) => [r.id, Object.fromEntries(columns.filter((c) => r[c]).map((c) => [c, c === 'limit_a' ? amps(r[c]) : r[c]]))]));
		const r = await propose({ over: { [section]: objects } });
		if (r?.state === 'applied') area.value = '';
	};
	return h('details', { class: 'fold', 'data-keep': `csv-${section}` }, h('summary', {}, t('csv.title'), h('span', { class: 'quiet' }, `id, ${columns.join(', ')}`)),
		h('div', { class: 'inner' }, field(t('csv.text'), area), field(t('csv.file'), file), said, button(t('form.look'), take, 'primary')));
}
