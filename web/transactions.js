// The ledger: who charged where, when and how much, and whether the CSMS knows.
import { get, enc, state, reader } from './api.js';
import { h, show, table, pill, num, time, span, boxNow } from './ui.js';
import { t } from './text.js';

const PAGE = 100, MOST = 20000;
const energy = (r) => (r.stop_wh !== null && r.start_wh !== null ? r.stop_wh - r.start_wh : null);
const sofar = (r) => energy(r) ?? (r.stop ? null : state.evses.get(`${r.station}/${r.evse}`)?.tx?.energy_wh ?? null);
const short = (id) => (!id ? '–' : id.length > 14 ? h('span', { class: 'code', title: id }, `${id.slice(0, 8)}…`) : h('span', { class: 'code' }, id));

const columns = () => [
	[t('station'), (r) => h('a', { href: `#/station/${enc(r.station)}` }, r.station)],
	[t('tx.start'), (r) => time(r.start), 'lab'], [t('tx.stop'), (r) => (r.stop ? time(r.stop) : pill('charging', t('running'))), 'lab'],
	[t('duration'), (r) => span((new Date(r.stop || boxNow()) - new Date(r.start)) / 1000), 'n'],
	['kWh', (r) => num(sofar(r) === null ? null : sofar(r) / 1000, 2), 'n unit'],
	[t('token'), (r) => (r.token || '').replace('sha256:', '#'), 'lab'], [t('why_ended'), (r) => r.reason || '', 'wide'],
	[t('tx_id'), (r) => [short(r.tx), r.csms_tx && r.csms_tx !== r.tx ? [' → ', short(r.csms_tx)] : null], 'wide'],
	[t('csms'), (r) => [r.confirmed ? pill('ok', t('knows')) : pill('pending', t('not_yet')), r.offline ? h('span', { class: 'quiet' }, ` ${t('was_offline')}`) : null]],
];

async function readAll() {
	let after = 0, all = [], part;
	do {
		part = await get(`/transactions?after=${after}`).catch(() => []);
		all = all.concat(part);
		after = part.at(-1)?.seq || 0;
	} while (part.length === 1000 && all.length < MOST);
	return all.reverse();
}

export function open(el) {
	const list = h('div', {});
	let rows = [], text = '', which = '', most = PAGE;
	const fits = (r) => (!text || [r.station, r.tx, r.csms_tx, r.token].some((x) => x?.toLowerCase().includes(text))) && (which === '' || (which === 'running' ? !r.stop : which === 'open' ? !r.confirmed : r.offline));
	const draw = () => {
		const found = rows.filter(fits), sum = found.reduce((s, r) => s + (energy(r) || 0), 0);
		show(list, h('p', { class: 'quiet', role: 'status' }, `${found.length} ${t('page.transactions')} · ${num(sum / 1000, 1)} kWh ${t('ended')}`), table(columns(), found.slice(0, most), t('no_tx')),
			found.length > most ? h('button', { type: 'button', onclick: () => { most += PAGE; draw(); } }, t('more')) : null);
	};
	const read = reader(readAll, (now) => {
		rows = now;
		draw();
	});
	el.append(h('h1', {}, t('page.transactions')), h('div', { class: 'filters', role: 'search' },
		h('label', { class: 'field inline' }, h('span', {}, t('search')), h('input', { type: 'search', oninput: (e) => { text = e.target.value.toLowerCase(); draw(); } })),
		h('label', { class: 'field inline' }, h('span', {}, t('state')), h('select', { onchange: (e) => { which = e.target.value; draw(); } }, ['', 'running', 'open', 'offline'].map((v) => h('option', { value: v }, v ? t(`tx.${v}`) : t('all'))))),
		h('a', { class: 'button', href: '/api/v1/transactions?format=csv', download: 'transactions.csv' }, 'CSV')), list);
	read();
	const timer = setInterval(read, 10000);
	return { close: () => clearInterval(timer) };
}
