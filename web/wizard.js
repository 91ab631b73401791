// What the steps of the commissioning share: what was found so far, checks that the box runs, steps that a person judges, tables from a file.
import { api, get, run, state, can, patiently } from './api.js';
import { h, show, button, field, attempt, time, pill } from './ui.js';
import { t } from './text.js';
import { startJob } from './jobs.js';
import { readConfig, wire } from './config.js';
import { makeForm } from './form.js';
import { propose } from './change.js';

export const found = {};
export async function readFound() {
	const now = await get('/commission').catch(() => null);
	if (!now) return;
	for (const k of Object.keys(found)) delete found[k];
	Object.assign(found, now);
}

export const verdictPill = (s) => (s ? pill(s.state === 'passed' ? 'ok' : 'bad', t(`w.${s.state}`)) : pill('calm', t('w.open')));
export const evidence = (s) => (s ? h('p', { class: 'quiet' }, verdictPill(s), ` ${time(s.at, 'date')} · ${s.by}${s.note ? ` · ${s.note}` : ''}`) : null);
export const note = (step, passed, data, text) => api('POST', '/commission/note', { step, state: passed ? 'passed' : 'failed', note: text || undefined, data });

// A step that a person judges: a note and a word.
export function byHand(step, data, again) {
	const input = h('input', { maxlength: 300, value: found[step]?.note ?? '' });
	const say = (passed) => () => attempt(() => note(step, passed, data?.(), input.value)).then(again);
	return can('installer') && h('div', { class: 'judge' }, field(t('w.note'), input), h('div', { class: 'row wrap' }, button(t('w.confirm'), say(true), 'primary'), button(t('w.deny'), say(false))));
}

// A check that the box runs: a button, a stopwatch, how far it is, what it found. `words`: what each of its stages is called.
export function checkRunner(verb, args, draw, again, words = {}) {
	const status = h('div', { role: 'status', 'aria-live': 'polite' }), clock = h('p', { class: 'clock', 'aria-hidden': 'true', hidden: true });
	let job = null, ticking;
	const stop = button(t('w.cancel'), () => job && run('job.stop', { job }).catch(() => {}));
	const see = (j) => {
		job = j.job;
		const [what, ...who] = (j.step || '').split(' ');
		show(status, h('p', {}, `${words[what] || ''} ${who.join(' ')}`), h('progress', { value: Math.min(1, j.part || 0), max: 1, 'aria-label': t('w.step') }), stop);
	};
	const go = button(t('w.run'), async () => {
		const from = performance.now();
		go.disabled = true;
		clock.hidden = false;
		ticking = setInterval(() => { clock.textContent = `${((performance.now() - from) / 1000).toFixed(1)} s`; }, 100);
		try {
			const end = await startJob(verb, args(), see);
			show(status, end.result ? draw(end.result) : h('p', { class: 'quiet' }, t(`job.${end.state}`)));
			await again(end);
		} catch (e) {
			show(status, h('p', { class: 'error' }, e.message));
		}
		clearInterval(ticking);
		go.disabled = false;
		go.textContent = t('w.again');
	}, 'primary');
	return h('div', {}, can('installer') && h('div', { class: 'row wrap' }, go), clock, status);
}

// --- changes of the configuration on the way ---

// A form over some keys with its own button; `fill(form)` gives the elements. After a change is applied everything is read again and drawn anew.
export function editor(fill, anew) {
	const box = h('div', { class: 'form' }), change = new Map(), bar = h('div', { class: 'row wrap' });
	const draw_bar = () => show(bar, change.size ? [button(t('form.look'), look, 'primary'), button(t('form.discard'), () => { change.clear(); draw(); })] : null);
	async function look() {
		const r = await propose(wire(change));
		if (r?.state === 'refused') form.take(r.errors)?.focus();
		if (r?.state !== 'applied') return;
		change.clear();
		await patiently(readConfig);
		draw();
		anew?.();
	}
	let form;
	function draw() {
		form = makeForm(change, draw_bar);
		box.replaceChildren(...[fill(form, { change, look, edited: draw_bar })].flat(3).filter(Boolean));
		draw_bar();
	}
	readConfig().then(draw).catch((e) => show(box, h('p', { class: 'error' }, e.message)));
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
export function csvImport(section, columns, example, anew) {
	const area = h('textarea', { rows: 5, spellcheck: 'false', placeholder: example });
	const file = h('input', { type: 'file', accept: '.csv,text/csv,text/plain', onchange: async (e) => { area.value = await e.target.files[0]?.text() ?? area.value; } });
	const said = h('p', { class: 'error', role: 'alert' });
	const take = async () => {
		const { names, rows } = parseCsv(area.value), unknown = names.filter((n) => n && n !== 'id' && !columns.includes(n));
		said.textContent = !names.includes('id') ? t('csv.no_id') : unknown.length ? `${t('csv.unknown')}: ${unknown.join(', ')}` : !rows.length ? t('csv.empty') : '';
		if (said.textContent) return;
		const objects = Object.fromEntries(rows.filter((r) => r.id).map((r) => [r.id, Object.fromEntries(columns.filter((c) => r[c]).map((c) => [c, c === 'limit_a' ? amps(r[c]) : r[c]]))]));
		const r = await propose({ over: { [section]: objects } });
		if (r?.state === 'applied') {
			area.value = '';
			await patiently(readConfig);
			anew?.();
		}
	};
	return h('details', { class: 'fold', 'data-keep': `csv-${section}` }, h('summary', {}, t('csv.title'), h('span', { class: 'quiet' }, `id, ${columns.join(', ')}`)),
		h('div', { class: 'inner' }, field(t('csv.text'), area), field(t('csv.file'), file), said, button(t('form.look'), take, 'primary')));
}
