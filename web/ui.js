// Small tools of all pages: elements, changes to them in place, numbers and times, dialogs.
import { t, locale } from './text.js';

const EVENTS = ['onclick', 'oninput', 'onchange', 'onsubmit', 'onkeydown', 'onpointermove', 'onpointerleave', 'onpointerdown', 'onpointerup', 'ontoggle'];

// h('a', {class: 'x', href: '#'}, 'text', [more]): an element. Event handlers are properties, so that patch can carry them over.
export function h(tag, props, ...children) {
	const svg = ['svg', 'path', 'line', 'rect', 'text', 'g', 'circle', 'polyline', 'title'].includes(tag) && (tag !== 'title' || props?.svg);
	const el = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
	for (const [k, v] of Object.entries(props || {})) {
		if (v === undefined || v === null || v === false || k === 'svg') continue;
		if (k.startsWith('on')) el[k] = v;
		else if (k === 'style') Object.assign(el.style, v);
		else if (k === 'value' || k === 'checked') el[k] = v;
		else el.setAttribute(k, v === true ? '' : v);
	}
	el.append(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
	return el;
}

// Makes `old` look like `now` with as few changes as possible: focus, scrolling and what somebody is typing stay.
export function patch(old, now) {
	if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName || (old.id || '') !== (now.id || '')) {
		old.replaceWith(now);
		return;
	}
	if (old.nodeType === Node.TEXT_NODE) {
		if (old.data !== now.data) old.data = now.data;
		return;
	}
	if (old.dataset?.keep !== now.dataset?.keep) {
		old.replaceWith(now); // its handlers know its own parts only
		return;
	}
	if (old.dataset?.keep !== undefined) return;
	for (const a of [...old.attributes]) if (!now.hasAttribute(a.name) && !(a.name === 'open' && old.nodeName === 'DETAILS')) old.removeAttribute(a.name);
	for (const a of now.attributes) if (a.name !== 'style' && old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
	if (now.style && old.style.cssText !== now.style.cssText) old.style.cssText = now.style.cssText; // the policy allows no style attributes
	for (const e of EVENTS) if (old[e] !== now[e]) old[e] = now[e];
	if ('value' in old && ['INPUT', 'SELECT', 'TEXTAREA'].includes(old.nodeName)) return;
	inside(old, [...now.childNodes]);
}

function inside(old, b) {
	const a = [...old.childNodes];
	b.forEach((n, i) => (a[i] ? a[i] !== n && patch(a[i], n) : old.append(n)));
	a.slice(b.length).forEach((n) => n.remove());
}

// Makes these the children of an element.
export function show(el, ...children) {
	inside(el, [...h('div', {}, ...children).childNodes]);
}

// A part of a page that `redraw` draws again, whatever has changed; it fills its element from what is known by then. Its place is not inside another.
export function live(draw, el = h('div', {})) {
	el.dataset.live = '1';
	el.draw = () => draw(el);
	el.draw();
	return el;
}
export const redraw = (el) => el.querySelectorAll('[data-live]').forEach((x) => x.draw());

// --- numbers and times; what is unknown is a dash ---

// By the clock of the box, not by that of whoever looks: his may be wrong, and times told by the box are compared with it.
let ahead = 0;
export const setClock = (ts) => ts && (ahead = new Date(ts) - Date.now());
export const boxNow = () => Date.now() + ahead;

export let zone;
export const setZone = (z) => (zone = z || undefined);
const dash = '\u2013';
const known = (v) => v !== null && v !== undefined && !Number.isNaN(v);
// Making a formatter takes far longer than using it, and a large site has thousands of numbers on a page.
const formats = new Map();
function format(key, make) {
	if (!formats.has(key)) formats.set(key, make());
	return formats.get(key);
}
export const num = (v, digits = 0) => (known(v) ? format(`${locale()} ${digits}`, () => new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(v) : dash);
export const byName = new Intl.Collator(undefined, { numeric: true }).compare;
export const amps = (v, digits = 1) => (known(v) ? `${num(v, digits)} A` : dash);
export const kw = (v) => (known(v) ? `${num(v / 1000, Math.abs(v) < 10000 ? 2 : 1)} kW` : dash);
export const kwh = (v) => (known(v) ? `${num(v / 1000, 2)} kWh` : dash);
export function time(ts, what = 'auto') {
	if (!ts) return dash;
	const d = new Date(ts), day = format(`day ${zone}`, () => new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: zone }));
	const form = what === 'auto' && day.format(d) !== day.format(boxNow()) ? 'day' : what;
	return format(`${locale()} ${zone} ${form}`, () => new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: zone,
		...(form === 'date' || form === 'day' ? { day: '2-digit', month: '2-digit', year: form === 'date' ? 'numeric' : undefined } : {}) })).format(d);
}
export function span(s) {
	if (!known(s)) return dash;
	s = Math.round(s);
	if (s < 90) return `${s} s`;
	if (s < 5400) return `${Math.round(s / 60)} min`;
	return s < 172800 ? `${num(s / 3600, 1)} h` : `${num(s / 86400, 1)} d`;
}
export const since = (ts) => (ts ? span((boxNow() - new Date(ts)) / 1000) : dash);
export const PHASES = ['L1', 'L2', 'L3'];

// --- words ---

export function reason(cap) {
	if (!cap || !cap.reason) return t('reason.none');
	const where = [cap.ref, cap.phase].filter(Boolean).join(' ');
	if (cap.reason === 'waiting' && cap.ref) return `${t('reason.waiting')}, ${t('place')} ${cap.ref}`;
	const text = t(`reason.${cap.reason}`);
	const until = cap.until ? ` (${t('until')} ${time(cap.until)})` : '';
	return (where ? `${text} ${where}` : text) + until;
}

const TONE = { bad: 'bad', charging: 'go', available: 'calm', online: 'go', up: 'go', ok: 'go', info: 'calm', waiting: 'wait', suspended_evse: 'wait', suspended_ev: 'calm', preparing: 'calm', finishing: 'calm', reserved: 'calm', pending: 'wait', connecting: 'wait', warning: 'wait', faulted: 'bad', critical: 'bad', error: 'bad', down: 'bad', offline: 'bad', stale: 'bad', auth_failed: 'bad', unavailable: 'wait', rejected: 'bad' };
const MARK = { go: '\u25cf', calm: '\u25cb', wait: '\u25d0', bad: '\u25b2' };
// A state never by its colour alone: a mark and a word.
export function pill(state, text) {
	const tone = TONE[state] || 'calm';
	return h('span', { class: `pill ${tone}` }, h('span', { 'aria-hidden': 'true' }, MARK[tone]), ' ', text ?? t(`state.${state}`));
}

export const card = (title, ...children) => h('section', { class: 'card' }, title && h('h2', {}, title), ...children);
export const field = (label, input, hint) => h('label', { class: 'field' }, h('span', {}, label), input, hint && h('small', {}, hint));
export const button = (text, onclick, kind = '', more = {}) => h('button', { type: 'button', class: kind, onclick, ...more }, text);

export function table(columns, rows, empty = t('nothing')) {
	if (!rows.length) return h('p', { class: 'quiet' }, empty);
	return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': columns.map((c) => c[0]).filter(Boolean).join(', ') },
		h('table', {}, h('thead', {}, h('tr', {}, columns.map((c) => h('th', { scope: 'col', class: c[2] }, c[0] || h('span', { class: 'off' }, t('actions')))))),
			h('tbody', {}, rows.map((r) => h('tr', {}, columns.map((c) => h('td', { class: c[2], 'data-label': c[0] }, c[1](r))))))));
}

// --- dialogs ---

// Resolves with the form's values, or null. fields: elements with names.
export function ask(title, fields, ok = t('ok'), danger = false) {
	return new Promise((resolve) => {
		const note = h('p', { class: 'error', role: 'alert' });
		const d = h('dialog', { 'aria-label': title }, h('form', { method: 'dialog', onsubmit: (e) => {
			e.preventDefault();
			const v = Object.fromEntries(new FormData(e.target));
			d.close();
			resolve(v);
		} }, h('h2', {}, title), ...fields, note, h('div', { class: 'row end' }, button(t('cancel'), () => d.close()), h('button', { class: danger ? 'danger' : 'primary' }, ok))));
		d.addEventListener('close', () => {
			d.remove();
			resolve(null);
		});
		document.body.append(d);
		d.showModal();
	});
}

let toastTimer;
export function toast(text, bad = false) {
	let el = document.getElementById('toast');
	if (!el) {
		el = h('div', { id: 'toast', role: 'status', 'aria-live': 'polite' });
		document.body.append(el);
	}
	el.className = bad ? 'bad' : '';
	el.textContent = text;
	clearTimeout(toastTimer);
	toastTimer = setTimeout(() => (el.textContent = ''), 6000);
}

// Runs something that may fail, tells how it went.
export async function attempt(work, done = t('done')) {
	try {
		const r = await work();
		if (done) toast(done);
		return r ?? true;
	} catch (e) {
		toast(e.message, true);
		return null;
	}
}
