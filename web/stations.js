// All EVSEs as a list: what they do, what they get, and why not more.
import { state } from './api.js';
import { h, show, amps, num, pill, reason, table, byName } from './ui.js';
import { t, words } from './text.js';
import { acceptStation, rejectStation, evseActions } from './actions.js';

const filter = { text: '', state: '', circuit: '', reason: '' };
const STATES = ['charging', 'waiting', 'available', 'preparing', 'suspended_ev', 'suspended_evse', 'finishing', 'reserved', 'unavailable', 'faulted', 'offline', 'pending', 'rejected'];
const REASONS = Object.keys(words).filter((k) => k.startsWith('reason.') && k !== 'reason.none').map((k) => k.slice(7));
const shownState = (e, s) => (s.state === 'pending' || s.state === 'offline' || s.state === 'rejected' ? s.state : e?.waiting ? 'waiting' : e?.state || s.state);

function rows() {
	const out = [], of = new Map();
	for (const e of state.evses.values()) of.set(e.station, [...(of.get(e.station) || []), e]);
	for (const s of state.stations.values()) {
		const own = (of.get(s.id) || []).sort((a, b) => a.evse - b.evse);
		for (const e of own.length ? own : [null]) out.push({ s, e, many: own.length > 1 });
	}
	const f = filter, q = f.text.toLowerCase();
	const fits = ({ s, e }) => (!q || [s.id, s.name, s.vendor, s.model, e?.tx?.token].some((x) => x?.toLowerCase().includes(q))) && (!f.state || shownState(e, s) === f.state)
		&& (!f.circuit || e?.circuit === f.circuit) && (!f.reason || e?.limit?.reason === f.reason);
	return out.filter(fits).sort((a, b) => (b.s.state === 'pending') - (a.s.state === 'pending') || byName(a.s.id, b.s.id));
}

const select = (name, label, values, draw) => h('label', { class: 'field inline' }, h('span', {}, label),
	h('select', { onchange: (e) => { filter[name] = e.target.value; draw(); } }, h('option', { value: '' }, t('all')), values.map(([v, text]) => h('option', { value: v, selected: filter[name] === v }, text))));

const COLUMNS = () => [
	[t('station'), ({ s, e, many }) => [h('a', { href: `#/station/${encodeURIComponent(s.id)}` }, h('b', s.id.length < 16 ? { class: 'name' } : {}, many ? `${s.id}/${e.evse}` : s.id)), s.name ? h('div', { class: 'quiet' }, s.name) : null]],
	[t('state'), ({ s, e }) => pill(shownState(e, s))],
	...[0, 1, 2].map((p) => [`L${p + 1}`, ({ e }) => num(e?.i_a?.[p], 1), 'n wide']),
	[t('draws'), ({ e }) => amps(e?.i_a?.some((a) => a !== null) ? Math.max(...e.i_a) : null), 'n narrow'],
	[t('limit'), ({ e }) => amps(e?.limit ? Math.max(...e.limit.a) : null), 'n'],
	[t('why'), ({ s, e }) => (s.state === 'pending' ? [s.vendor, s.model, s.peer].filter(Boolean).join(' ') : e?.error || (e?.limit && (e.tx || e.waiting || s.state === 'offline') ? reason(e.limit) : '–'))],
	[t('token'), ({ e }) => (e?.tx?.token ? e.tx.token.replace('sha256:', '#') : ''), 'wide'],
	['kWh', ({ e }) => (e?.tx ? num(e.tx.energy_wh / 1000, 2) : ''), 'n unit'],
	[t('link'), ({ s }) => s.subprotocol || '–', 'wide'],
	['', ({ s, e }) => (s.state === 'pending' ? h('div', { class: 'row' }, acceptStation(s), rejectStation(s)) : e ? h('div', { class: 'row acts' }, evseActions(e)) : null)],
];

export function open(el) {
	const list = h('div', {});
	const draw = () => {
		const r = rows();
		show(list, h('p', { class: 'quiet', role: 'status' }, `${r.length} ${t('evses')}`), table(COLUMNS(), r, t('no_stations')));
	};
	const search = h('input', { type: 'search', value: filter.text, oninput: (e) => { filter.text = e.target.value; draw(); } });
	el.append(h('h1', {}, t('page.stations')), h('div', { class: 'filters', role: 'search' }, h('label', { class: 'field inline' }, h('span', {}, t('search')), search),
		select('state', t('state'), STATES.map((s) => [s, t(`state.${s}`)]), draw), select('circuit', t('circuit'), [...state.circuits.keys()].map((c) => [c, c]), draw),
		select('reason', t('why'), REASONS.map((r) => [r, t(`reason.${r}`)]), draw)), list);
	return { draw };
}
