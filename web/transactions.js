// The ledger: who charged where, when and how much, and whether the CSMS knows.
import { get, enc } from './api.js';
import { h, show, table, pill, num, time } from './ui.js';
import { t } from './text.js';

const PAGE = 100;
export function open(el) {
	const list = h('div', {});
	let rows = [], text = '', most = PAGE;
	const draw = () => {
		const q = text.toLowerCase(), found = rows.filter((r) => !q || [r.station, r.tx, r.csms_tx, r.token].some((x) => x?.toLowerCase().includes(q)));
		show(list, h('p', { class: 'quiet', role: 'status' }, `${found.length} ${t('page.transactions')}`), table([
			[t('station'), (r) => h('a', { href: `#/station/${enc(r.station)}` }, r.station)], [t('tx_id'), (r) => r.tx || '\u2013', 'wide'], [t('csms_id'), (r) => r.csms_tx || '\u2013', 'wide'],
			[t('start'), (r) => time(r.start)], [t('stop'), (r) => (r.stop ? time(r.stop) : pill('charging', t('running')))],
			['kWh', (r) => (r.stop_wh !== null && r.start_wh !== null ? num((r.stop_wh - r.start_wh) / 1000, 2) : '\u2013'), 'n'],
			[t('token'), (r) => (r.token || '').replace('sha256:', '#')], [t('why_ended'), (r) => r.reason || '', 'wide'],
			[t('csms'), (r) => [r.confirmed ? t('knows') : pill('pending', t('not_yet')), r.offline ? h('span', { class: 'quiet' }, ` ${t('offline')}`) : null]],
		], found.slice(0, most)), found.length > most ? h('button', { type: 'button', onclick: () => { most += PAGE; draw(); } }, t('more')) : null);
	};
	const read = async () => {
		let after = 0, all = [], part;
		do {
			part = await get(`/transactions?after=${after}`).catch(() => []);
			all = all.concat(part);
			after = part.at(-1)?.seq || 0;
		} while (part.length === 1000 && all.length < 20000);
		rows = all.reverse();
		draw();
	};
	el.append(h('h1', {}, t('page.transactions')), h('div', { class: 'row wrap' }, h('label', { class: 'field inline' }, h('span', {}, t('search')), h('input', { type: 'search', oninput: (e) => { text = e.target.value; draw(); } })),
		h('a', { class: 'button right', href: '/api/v1/transactions?format=csv', download: 'transactions.csv' }, 'CSV')), list);
	read();
	const timer = setInterval(read, 10000);
	return { close: () => clearInterval(timer) };
}
