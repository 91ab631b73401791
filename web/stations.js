// All EVSEs as a list: what they do, what they get, and why not more.
import { state } from './api.js';
import { h, show, amps, kwh, num, pill, reason, table, PHASES } from './ui.js';
import { t } from './text.js';
import { acceptStation, evseActions } from './actions.js';

const filter = { text: '', state: '', circuit: '', reason: '' };
const shownState = (e, s) => (s.state === 'pending' || s.state === 'offline' ? s.state : e?.waiting ? 'waiting' : e?.state || s.state);

function rows() {
	const out = [];
	for (const s of state.stations.values()) {
		const own = [...state.evses.values()].filter((e) => e.station === s.id).sort((a, b) => a.evse - b.evse);
		for (const e of own.length ? own : [null]) out.push({ s, e, many: own.length > 1 });
	}
	const f = filter, q = f.text.toLowerCase();
	return out.filter(({ s, e }) => (!q || [s.id, s.name, s.vendor, s.model, e?.tx?.token].some((x) => x?.toLowerCase().includes(q))) && (!f.state || shownState(e, s) === f.state) && (!f.circuit || e?.circuit === f.circuit) && (!f.reason || e?.limit?.reason === f.reason))
		.sort((a, b) => (b.s.state === 'pending') - (a.s.state === 'pending') || a.s.id.localeCompare(b.s.id, undefined, { numeric: true }));
}

const select = (name, label, values, draw) => h('label', { class: 'field inline' }, h('span', {}, label), h('select', { onchange: (e) => { filter[name] = e.target.value; draw(); } },
	h('option', { value: '' }, t('all')), values.map(([v, text]) => h('option', { value: v, selected: filter[name] === v }, text))));

export function open(el) {
	const list = h('div', {});
	const draw = () => {
		const r = rows();
		show(list, h('p', { class: 'quiet', role: 'status' }, `${r.length} ${t('evses')}`), table([
			[t('station'), ({ s, e, many }) => [h('a', { href: `#/station/${encodeURIComponent(s.id)}` }, h('b', {}, many ? `${s.id}/${e.evse}` : s.id)), s.name ? h('div', { class: 'quiet' }, s.name) : null]],
			[t('state'), ({ s, e }) => pill(shownState(e, s))],
			['L1', ({ e }) => num(e?.i_a?.[0], 1), 'n wide'], ['L2', ({ e }) => num(e?.i_a?.[1], 1), 'n wide'], ['L3', ({ e }) => num(e?.i_a?.[2], 1), 'n wide'],
			[t('draws'), ({ e }) => amps(e?.i_a ? Math.max(...e.i_a) : null), 'n narrow'],
			[t('limit'), ({ e }) => amps(e?.limit ? Math.max(...e.limit.a) : null), 'n'],
			[t('why'), ({ s, e }) => (s.state === 'pending' ? `${s.vendor || ''} ${s.model || ''} ${s.peer || ''}` : e?.limit ? reason(e.limit) : '\u2013')],
			[t('token'), ({ e }) => (e?.tx?.token ? e.tx.token.replace('sha256:', '#') : ''), 'wide'],
			['kWh', ({ e }) => (e?.tx ? num(e.tx.energy_wh / 1000, 2) : ''), 'n'],
			[t('link'), ({ s }) => s.subprotocol || '\u2013', 'wide'],
			['', ({ s, e }) => h('div', { class: 'row' }, s.state === 'pending' ? acceptStation(s) : e ? evseActions(e) : null)],
		], r, t('no_stations')));
	};
	el.append(h('h1', {}, t('page.stations')), h('div', { class: 'row wrap', role: 'search' },
		h('label', { class: 'field inline' }, h('span', {}, t('search')), h('input', { type: 'search', value: filter.text, oninput: (e) => { filter.text = e.target.value; draw(); } })),
		select('state', t('state'), ['charging', 'waiting', 'available', 'suspended_ev', 'offline', 'pending', 'faulted'].map((s) => [s, t(`state.${s}`)]), draw),
		select('circuit', t('circuit'), [...state.circuits.keys()].map((c) => [c, c]), draw),
		select('reason', t('why'), ['circuit', 'ev', 'evse_max', 'operator', 'csms_profile', 'station_limit', 'waiting', 'ramp', 'meter_lost', 'grid_power'].map((r) => [r, t(`reason.${r}`)]), draw)), list);
	return { draw };
}
