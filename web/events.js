// What happened, newest first.
import { get, state } from './api.js';
import { h, show, pill, time, table } from './ui.js';
import { t } from './text.js';

export function open(el) {
	const list = h('div', {});
	let sev = '', text = '';
	const draw = () => {
		const q = text.toLowerCase();
		const rows = state.events.filter((e) => (!sev || e.sev === sev) && (!q || `${e.code} ${e.obj} ${JSON.stringify(e.args)}`.toLowerCase().includes(q)));
		show(list, table([[t('when'), (e) => time(e.ts)], ['', (e) => pill(e.sev, t(`sev.${e.sev}`, e.sev))], [t('what'), (e) => [t(`event.${e.code}`, e.code), h('div', { class: 'quiet' }, e.code)]], [t('object'), (e) => {
			const [kind, ...id] = e.obj.split('/');
			return kind === 'station' ? h('a', { href: `#/station/${encodeURIComponent(id[0])}` }, id.join('/')) : e.obj;
		}], [t('detail'), (e) => Object.entries(e.args || {}).map(([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : v}`).join(', ')]], rows));
	};
	el.append(h('h1', {}, t('page.events')), h('div', { class: 'row wrap' }, h('label', { class: 'field inline' }, h('span', {}, t('search')), h('input', { type: 'search', oninput: (e) => { text = e.target.value; draw(); } })),
		h('label', { class: 'field inline' }, h('span', {}, t('severity')), h('select', { onchange: (e) => { sev = e.target.value; draw(); } }, h('option', { value: '' }, t('all')), ['info', 'warning', 'error', 'critical'].map((s) => h('option', { value: s }, t(`sev.${s}`))))),
		h('a', { class: 'button right', href: '/api/v1/log?most=500&format=csv', download: 'events.csv' }, 'CSV')), list);
	get('/log?most=500').then((l) => { state.events = l.reverse(); draw(); }).catch(() => {});
	return { draw };
}
