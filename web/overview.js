// What the site does now: each phase of the grid connection, who charges and who waits, and the last hours.
import { state, get, can, api, reader, refreshLimits } from './api.js';
import { h, show, card, button, amps, num, kw, pill, reason, time, attempt, byName, boxNow, PHASES } from './ui.js';
import { t } from './text.js';
import { chart, csv } from './chart.js';
import { acceptStation, rejectStation } from './actions.js';
import { place } from './outlook.js';

const root = () => [...state.circuits.values()].find((c) => !c.parent) || { id: '', i_a: [null, null, null], limit_a: [null, null, null], planned_a: [] };
const evSum = (p) => [...state.evses.values()].reduce((s, e) => s + (e.i_a?.[p] || 0), 0);

export function phaseBar(circuit, p, ev) {
	const limit = circuit.limit_a[p], i = circuit.i_a[p];
	if (!limit) return null;
	const part = (v) => `${Math.max(0, Math.min(100, (v / (limit * 1.1)) * 100))}%`;
	const building = ev === null || i === null ? 0 : Math.max(0, i - ev), cars = ev === null ? i || 0 : Math.min(ev, i ?? ev);
	const over = i !== null && i > limit, bound = circuit.binding_evses && circuit.binding_phase === PHASES[p];
	const feeds = i !== null && i < 0;
	const words = `${PHASES[p]}: ${amps(i)} ${t('of')} ${amps(limit, 0)}${ev === null ? '' : `, ${t('building')} ${amps(building)}, ${t('cars')} ${amps(cars)}`}`;
	return h('div', { class: `phase${over ? ' over' : ''}` },
		h('span', { class: `name l${p + 1}` }, PHASES[p]),
		h('div', { class: 'bar', role: 'img', 'aria-label': words },
			feeds ? h('span', { class: 'feeds', style: { width: part(-i) } }) : null,
			h('span', { class: 'building', style: { width: part(building) } }),
			h('span', { class: `cars l${p + 1}`, style: { width: part(cars) } }),
			h('span', { class: 'mark', style: { left: part(limit) } })),
		h('span', { class: 'value' }, h('b', {}, amps(i, 0)), bound ? h('span', { class: 'bound', title: t('binding') }, ' \u25c4') : null),
		h('span', { class: 'quiet' }, i === null ? t('unknown') : feeds ? t('feeds') : `${num(limit - i)} ${t('free')}`));
}

const stationLink = (id) => h('a', { class: 'lab', href: `#/station/${encodeURIComponent(id)}` }, id);

function numbers() {
	const s = state.site, list = [...state.evses.values()], by = {};
	for (const e of list) if (e.state === 'charging' && e.limit?.reason && e.limit.reason !== 'ev' && e.limit.reason !== 'evse_max') {
		const k = `${e.limit.reason}|${e.limit.ref || ''}`;
		(by[k] ||= { cap: { reason: e.limit.reason, ref: e.limit.ref }, n: 0 }).n++;
	}
	const waiting = list.filter((e) => e.waiting).sort((a, b) => place(a) - place(b) || byName(a.station, b.station)), next = waiting.map((e) => e.limit?.until).filter(Boolean).sort()[0], pending = [...state.stations.values()].filter((x) => x.state === 'pending');
	const offline = [...state.stations.values()].filter((x) => x.state === 'offline');
	const faulted = list.filter((e) => e.state === 'faulted');
	const operator = s.grid_operator;
	return h('ul', { class: 'facts' },
		operator && operator.limit_w !== null ? h('li', { id: 'operator' }, pill('waiting', t('reason.grid_operator')), ` ${t('grid_limits')} `, h('b', {}, kw(operator.limit_w)), ` (${operator.decided_by}), ${t('since')} ${time(operator.since)} `, h('a', { href: '#/grid' }, t('grid.log'))) : null,
		h('li', {}, pill('charging', `${s.charging} ${t('n_charging')}`), ' ', Object.values(by).sort((a, b) => b.n - a.n).map((r, i) => `${i ? ', ' : ''}${r.n} ${t('n_limited')} ${reason(r.cap)}`)),
		waiting.length ? h('li', {}, pill('waiting', `${waiting.length} ${t('n_waiting')}`), ' ', waiting.slice(0, 20).map((e, i) => [i ? ', ' : '', stationLink(e.station)]), waiting.length > 20 ? ' …' : '', next ? ` – ${t('turn')} ${time(next)}` : '') : null,
		faulted.map((e) => h('li', {}, pill('faulted'), ' ', stationLink(e.station), ` ${e.error || ''}`)),
		offline.length ? h('li', {}, pill('offline', `${offline.length} ${t('n_offline')}`), ' ', offline.slice(0, 8).map((x, i) => [i ? ', ' : '', stationLink(x.id)])) : null,
		pending.map((x) => h('li', {}, pill('pending'), ' ', h('strong', {}, x.id), ' ', h('span', { class: 'row' }, acceptStation(x), rejectStation(x)))));
}

function windowLine(c) {
	const w = c.window || state.site.window;
	return w ? h('p', { class: 'quiet' }, `${span_(w.s)} ${kw(w.mean_w)} ${t('of')} ${kw(w.limit_w)}`) : null;
}
const span_ = (s) => `${Math.round(s / 60)} min`;

export function open(el) {
	const now = h('div', {}), past = h('div', {});
	let range = localStorage.range || '24h', timer, chosen = false, zoomed = null;
	el.append(h('h1', { class: 'off' }, t('page.overview')), now, past);

	const draw_past = reader(async () => {
		const c = root();
		if (!c.id) return null;
		const [grid, ev] = await Promise.all([get(`/history?object=${encodeURIComponent(c.id)}&since=${range}`), get(`/history?object=ev&since=${range}`)]).catch(() => [null, null]);
		return grid && { c, grid, ev };
	}, (answer) => {
		if (!answer) return;
		const { c, grid, ev } = answer;
		if (grid.t.length < 5 && range === '24h' && !chosen) { // a box that was just started
			range = '15m';
			chosen = true;
			draw_past();
			return;
		}
		const seconds = { '15m': 900, '24h': 86400, '30d': 30 * 86400 }[range], to = boxNow() / 1000, from = grid.t.length > 1 ? Math.max(to - seconds, Math.min(grid.t[0], to - seconds / 24)) : to - seconds;
		const at = new Map(ev.t.map((v, i) => [v, i])), evTop = grid.t.map((v) => (at.has(v) ? Math.max(ev.l1[at.get(v)], ev.l2[at.get(v)], ev.l3[at.get(v)]) : null));
		const [first, last] = zoomed || [from, to];
		const marks = state.events.filter((e) => e.sev !== 'info').map((e) => ({ t: new Date(e.ts) / 1000 })).filter((m) => m.t > from);
		const lines = [1, 2, 3].map((p) => ({ name: `L${p}`, values: grid[`l${p}`], cls: `l${p}` })).concat({ name: t('cars'), values: evTop, cls: 'ev' });
		show(past, card(t('history'),
			h('div', { class: 'row', role: 'group', 'aria-label': t('range') }, ['15m', '24h', '30d'].map((r) => button(t(`range.${r}`), () => { range = localStorage.range = r; chosen = true; zoomed = null; draw_past(); }, 'chip', { 'aria-pressed': String(r === range) })),
				zoomed && button(t('whole'), () => { zoomed = null; draw_past(); }, 'chip'),
				button('CSV', () => csv(`${c.id}-${range}`, [['t', grid.t], ['l1', grid.l1], ['l2', grid.l2], ['l3', grid.l3], ['limit', grid.limit], ['ev', evTop]]), 'chip right')),
			grid.t.length < 2 ? h('p', { class: 'quiet' }, t('history.none')) : h('div', { 'data-keep': `${range}${grid.t[grid.t.length - 1]}${zoomed}` }, chart({ x: grid.t, lines, limit: grid.limit, marks: marks.filter((m) => m.t >= first && m.t <= last), from: first, to: last, label: `${t('history')} ${c.id}`, zoom: (a, b) => { zoomed = [a, b]; draw_past(); } }))));
	});
	draw_past();
	timer = setInterval(draw_past, 10000);
	return {
		draw() {
			if (!state.site) return;
			const c = root();
			show(now, card(h('span', {}, c.name || c.id || t('site'), ' ', h('span', { class: 'quiet' }, kw(state.site.p_w))),
				h('div', { class: 'phases' }, [0, 1, 2].map((p) => phaseBar(c, p, evSum(p)))),
				h('p', { class: 'legend' }, h('span', { class: 'key k-building' }, t('building')), h('span', { class: 'key k-cars' }, t('cars')), h('span', { class: 'key limit' }, t('limit'))),
				windowLine(c)),
				card(null, numbers()),
				state.limits.length ? card(t('limits'), h('ul', { class: 'facts' }, state.limits.map((l) => h('li', {}, h('strong', {}, l.object), ` ${amps(l.limit_a)} ${t('until')} ${time(l.until)} (${l.user}${l.reason ? `: ${l.reason}` : ''}) `,
					can('operator') && button(t('take_back'), () => attempt(() => api('DELETE', `/limits/${l.limit_id}`)).then(refreshLimits), 'small'))))) : null);
		},
		close() { clearInterval(timer); },
	};
}
