// What happened, newest first, in sentences.
import { get, state, takeEvents } from './api.js';
import { h, show, pill, time, table, num } from './ui.js';
import { t } from './text.js';

const list = (v) => (Array.isArray(v) ? v.map((x) => num(x, 1)).join(' / ') : num(v, 1));
// Members of an event that have a form of their own; the others stand there as they are.
const SAYS = {
	told_a: (v) => `${t('arg.told')} ${num(v, 1)} A`, drawn_a: (v) => `${t('arg.drawn')} ${list(v)} A`, after_s: (v) => `${t('arg.after')} ${num(v, 0)} s`, over_percent: (v) => `${t('arg.over')} ${num(v, 1)} %`,
	who: (v) => `${t('arg.who')} ${v}`, generation: (v) => `${t('settings.generation')} ${v}`, used: (v) => `${v} ${t('arg.of_phases')}`, state: (v) => t(`w.${v}`, v), address: (v) => v, limit_w: (v) => `${num(v / 1000, 1)} kW`, error: (v) => v, evse: () => null,
};
export const eventDetail = (e) => Object.entries(e.args || {}).map(([k, v]) => (SAYS[k] ? SAYS[k](v) : `${k} ${typeof v === 'object' ? JSON.stringify(v) : v}`)).filter(Boolean).join(', ');
export const eventText = (e) => t(`event.${e.code}`, e.code);

const stationOf = (obj) => {
	const [first, ...rest] = obj.split('/');
	if (first === 'station') return rest[0];
	return state.stations.has(first) ? first : null;
};
export function objectLink(obj) {
	const id = stationOf(obj);
	return id ? h('a', { href: `#/station/${encodeURIComponent(id)}` }, obj.replace(/^station\//, '')) : obj;
}
export const eventRow = (e) => h('li', {}, h('span', { class: 'quiet' }, `${time(e.ts)} `), e.sev === 'info' ? null : [pill(e.sev, t(`sev.${e.sev}`)), ' '], eventText(e), h('span', { class: 'quiet' }, ` ${eventDetail(e)}`));

const columns = () => [[t('when'), (e) => time(e.ts)], [t('severity'), (e) => pill(e.sev, t(`sev.${e.sev}`))], [t('object'), (e) => objectLink(e.obj)],
	[t('what'), (e) => h('span', { title: e.code }, eventText(e)), 'main'], [t('detail'), eventDetail, 'quiet']];

export function open(el) {
	const out = h('div', {});
	let sev = '', kind = '', text = '';
	const draw = () => {
		const q = text.toLowerCase();
		const rows = state.events.filter((e) => (!sev || e.sev === sev) && (!kind || e.code.split('.')[0] === kind) && (!q || `${e.code} ${eventText(e)} ${e.obj} ${eventDetail(e)}`.toLowerCase().includes(q)));
		show(out, h('p', { class: 'quiet', role: 'status' }, `${rows.length} ${t('page.events')}`), table(columns(), rows, t('no_events')));
	};
	const select = (label, values, take) => h('label', { class: 'field inline' }, h('span', {}, label), h('select', { onchange: (e) => { take(e.target.value); draw(); } }, h('option', { value: '' }, t('all')), values.map(([v, word]) => h('option', { value: v }, word))));
	const KINDS = ['uplink', 'meter', 'limit', 'evse', 'station', 'tx', 'grid', 'config', 'commission', 'login', 'user', 'certificate', 'security', 'storage'];
	el.append(h('h1', {}, t('page.events')), h('div', { class: 'filters', role: 'search' },
		h('label', { class: 'field inline' }, h('span', {}, t('search')), h('input', { type: 'search', oninput: (e) => { text = e.target.value; draw(); } })),
		select(t('severity'), ['info', 'warning', 'error', 'critical'].map((s) => [s, t(`sev.${s}`)]), (v) => { sev = v; }), select(t('kind'), KINDS.map((k) => [k, t(`kind.${k}`)]), (v) => { kind = v; }),
		h('a', { class: 'button', href: '/api/v1/log?most=500&format=csv', download: 'events.csv' }, 'CSV')), out);
	get('/log?most=500').then((l) => { takeEvents(l); draw(); }).catch(() => {});
	return { draw };
}
