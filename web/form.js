// Fields made from the tables of the configuration: an input that fits the type, where the present value comes from, and what is wrong with it.
import { patiently } from './api.js';
import { h, show, button, live } from './ui.js';
import { t } from './text.js';
import { conf, keyOf, rowOf, written, isManaged, layerOf, namesBelow, treeAt, remove, helpOf, readConfig } from './config.js';

const LISTS = ['choices', 'texts', 'phases'];
const NUMBERS = ['int', 'number', 'amps', 'percent', 'phase_amps'];
const UNITS = { amps: 'A', phase_amps: 'A', percent: '%' };

// As a person writes it: lists with commas, what is deeper as JSON.
export function asText(value) {
	if (value === undefined || value === null) return '';
	if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) return value.join(', ');
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function fromText(row, text) {
	const s = text.trim();
	if (s === '') return undefined;
	if (LISTS.includes(row.type) || (row.type === 'phase_amps' && s.includes(','))) return s.replace(/^\[|\]$/g, '').split(',').map((x) => x.trim()).filter(Boolean);
	if (/^[[{]/.test(s)) {
		try { return JSON.parse(s); } catch { return s; }
	}
	return s;
}

function pick(row, words, value, take) {
	const empty = row.required ? [] : [h('option', { value: '' }, row.preset ? `${t('form.preset')}: ${row.preset}` : '–')];
	const known = words.includes(value) || value === '' ? words : [...words, value];
	return h('select', { onchange: (e) => take(e.target.value) }, empty, known.map((w) => h('option', { value: w, selected: w === value }, w)));
}

function input(row, value, take) {
	if (row.type === 'choice') return pick(row, row.words, value, take);
	if (row.type === 'bool') return pick(row, ['true', 'false'], value, take);
	if (row.type === 'ref') return pick(row, namesBelow([row.refers]).map(String), value, take);
	return h('input', { value, placeholder: row.preset ?? row.shape ?? '', spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off', inputmode: NUMBERS.includes(row.type) && row.type !== 'phase_amps' ? 'decimal' : null,
		oninput: (e) => take(e.target.value) });
}

const range = (row) => (row.min !== undefined && NUMBERS.concat('duration', 'size').includes(row.type) ? `${row.min} – ${row.max}` : null);
const hint = (row) => [helpOf(row), row.words && LISTS.includes(row.type) && row.words.join(', '), range(row), row.effect !== 'at once' && t(`effect.${row.effect}`)].filter(Boolean).join(' · ');

export function originPill(v) {
	const layer = layerOf(v);
	if (layer === 'preset') return h('small', { class: 'origin' }, t('origin.preset'));
	const place = `${v.file.split('/').at(-1)}:${v.line}`;
	return layer === 'managed' ? h('small', { class: 'origin managed' }, t('origin.managed')) : h('small', { class: 'origin', title: `${v.file}:${v.line}` }, `${layer === 'dropin' ? 'conf.d/' : ''}${place}`);
}

// The place of a form: `fill` gives its fields. They are made when the configuration was read, again when a change has come into force, and by make().
// Whoever types into them at another time loses nothing.
export function formBox(fill) {
	let ready = false, made = null;
	const box = live((el) => {
		el.disabled = conf.settling > 0;
		if (ready && !conf.settling && made !== conf.changes) el.make();
	}, h('fieldset', { class: 'form' }));
	box.make = () => {
		if (!ready) return; // somebody searches before the tables are here
		made = conf.changes;
		box.replaceChildren(...[fill()].flat(3).filter(Boolean));
	};
	patiently(readConfig).then(() => {
		ready = true;
		box.draw();
	}).catch((e) => show(box, h('p', { class: 'error' }, e.message)));
	return box;
}

// A form over one change (a Map by path). `errors` is a Map by path, filled when the box has looked at it.
export function makeForm(change, onedit) {
	const shown = new Map(), errors = new Map();
	const form = { change, errors };

	function mark(k) {
		const f = shown.get(k);
		if (!f) return;
		const said = errors.get(k);
		f.box.classList.toggle('edited', change.has(k));
		f.input.setAttribute('aria-invalid', said ? 'true' : 'false');
		show(f.note, said ? [said.message, said.hint ? ` (${said.hint})` : ''].join('') : null);
	}

	function set(path, value) {
		const k = keyOf(path);
		const now = written(path)?.value;
		if (JSON.stringify(now) === JSON.stringify(value)) change.delete(k);
		else if (value === undefined && !isManaged(written(path))) change.set(k, now === undefined ? undefined : null);
		else change.set(k, value);
		if (change.get(k) === undefined && now === undefined) change.delete(k);
		errors.delete(k);
		mark(k);
		onedit?.();
	}

	form.field = (path, label) => {
		const row = rowOf(path), k = keyOf(path), v = written(path);
		const value = change.has(k) ? change.get(k) : v?.value;
		const secret = row.type === 'secret' && v;
		const el = input(row, secret && !change.has(k) ? '' : asText(value), (text) => set(path, fromText(row, text)));
		if (secret) el.placeholder = '***';
		const note = h('span', { class: 'error', id: `e${k}` });
		if (conf.locked) el.disabled = true;
		const back = isManaged(v) && !conf.locked && button(t('form.back'), () => {
			change.set(k, undefined);
			mark(k);
			onedit?.();
		}, 'small');
		const box = h('div', { class: 'setting', 'data-keep': k }, h('label', { class: 'field' }, h('span', {}, label || h('code', {}, row.key), UNITS[row.type] ? ` (${UNITS[row.type]})` : '', row.required ? ' *' : '', ' ', originPill(v)), el,
			h('small', {}, hint(row))), note, back);
		shown.set(k, { box, input: el, note });
		mark(k);
		return box;
	};

	// All fields of a table at a path; objects and lists in folds that are filled when they open.
	form.table = (rows, path) => rows.map((row) => {
		const at = [...path, row.key];
		if (row.type === 'objects') return fold(row.key, helpOf(row), count(at), () => objects(row, at));
		if (row.type === 'items') return fold(row.key, helpOf(row), count(at), () => items(row, at));
		if (row.rows) return fold(row.key, helpOf(row), '', () => form.table(row.rows, at));
		return form.field(at);
	});

	const count = (path) => namesBelow(path).length || '';
	const fold = (title, help, n, fill) => {
		const body = h('div', { class: 'inner' });
		return h('details', { class: 'fold', ontoggle: (e) => { if (e.target.open && !body.firstChild) body.append(...[fill()].flat(3).filter(Boolean)); } },
			h('summary', {}, h('code', {}, title), n === '' ? null : h('span', { class: 'pill calm' }, n), h('span', { class: 'quiet' }, help || '')), body);
	};

	function objects(row, path) {
		const list = h('div', {}), name = h('input', { 'aria-label': `${t('form.new')} ${row.noun}`, placeholder: row.noun, spellcheck: 'false', autocapitalize: 'none' });
		const object = (id) => fold(id, '', '', () => [form.table(row.rows, [...path, id]), !conf.locked && button(`${t('settings.remove')} ${id}`, () => {
			remove(change, [...path, id]);
			onedit?.();
		}, 'small')]);
		list.append(...namesBelow(path).map((id) => object(String(id))));
		return [list, !conf.locked && h('div', { class: 'row wrap' }, name, button(t('form.add'), () => {
			const id = name.value.trim();
			if (!id) return name.focus();
			const made = object(id);
			name.value = '';
			list.append(made);
			made.open = true;
		}, 'small'))];
	}

	// A list is changed as a whole: that is what laying one layer over another does with it.
	function items(row, path) {
		const k = keyOf(path), list = h('div', {});
		const all = () => structuredClone(change.get(k) ?? treeAt(path) ?? []);
		const put = (now) => {
			change.set(k, now);
			onedit?.();
		};
		const draw = () => show(list, all().map((item, i) => h('fieldset', { 'data-keep': `${i}/${all().length}` }, h('legend', {}, `${row.key} ${i + 1}`),
			row.rows.filter((r) => !r.rows).map((r) => h('label', { class: 'field' }, h('span', {}, h('code', {}, r.key)), input(r, asText(item[r.key]), (text) => {
				const now = all(), value = fromText(r, text);
				now[i] ??= {};
				if (value === undefined) delete now[i][r.key];
				else now[i][r.key] = value;
				put(now);
			}), h('small', {}, hint(r)))),
			button(t('settings.remove'), () => { put(all().filter((_, x) => x !== i)); draw(); }, 'small'))));
		draw();
		return [list, !conf.locked && button(t('form.add'), () => { put([...all(), {}]); draw(); }, 'small')];
	}

	// What the box has found; opens nothing, tells whether a field shows each of them.
	form.take = (found) => {
		errors.clear();
		for (const e of found) if (e.path && e.severity === 'error') errors.set(keyOf(e.path), e);
		for (const k of shown.keys()) mark(k);
		return [...shown.values()].find((f) => f.input.getAttribute('aria-invalid') === 'true')?.input;
	};
	return form;
}
