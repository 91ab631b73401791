// The tree of fuses: what each carries, and where it is full.
import { state } from './api.js';
import { h, show, amps, num, kw, pill, time } from './ui.js';
import { t } from './text.js';
import { phaseBar } from './overview.js';
import { capButton } from './actions.js';
import { whatIf } from './outlook.js';
import { decidedAt } from './decided.js';

const below = (id) => [...state.circuits.values()].filter((c) => c.parent === id);
const evses = (id) => [...state.evses.values()].filter((e) => e.circuit === id);

function node(c, depth) {
	const list = evses(c.id), drawn = (p) => list.reduce((s, e) => s + (e.i_a?.[p] || 0), 0);
	const meter = c.meter && state.meters.get(c.meter);
	return h('li', {}, h('section', { class: `circuit${c.binding_evses ? ' binding' : ''}`, 'aria-label': c.id },
		h('div', { class: 'row' }, h(`h${Math.min(6, depth + 2)}`, {}, c.name ? `${c.name} ` : '', h('span', { class: c.name ? 'quiet' : '' }, c.id)), h('span', { class: 'quiet' }, kw(c.p_w)),
			h('span', { class: 'right' }, capButton(c.id, Math.max(...c.limit_a.filter(Boolean))))),
		h('p', { class: 'row wrap' }, c.binding_evses ? h('span', { class: 'pill wait' }, `\u25c4 ${t('full_on')} ${c.binding_phase || ''}: ${t('holds_back')} ${c.binding_evses}`) : null,
			meter ? pill(meter.state === 'ok' ? 'ok' : 'stale', `${t('meter')} ${meter.id} ${meter.age_s === null || meter.age_s === undefined ? '' : `${num(meter.age_s, 1)} s`}`) : h('span', { class: 'pill calm' }, t('summed')),
			state.limits.filter((l) => l.object === c.id).map((l) => h('span', { class: 'pill wait' }, `${amps(l.limit_a)} ${t('until')} ${time(l.until)} (${l.user})`))),
		c.stale ? h('p', { class: 'error' }, `${t('meter.assumed')} ${c.planned_a.map((a, p) => (c.limit_a[p] ? `L${p + 1} ${num(a, 1)}` : null)).filter(Boolean).join(', ')} A. `, h('span', { class: 'quiet' }, meter?.fault || '')) : null,
		h('div', { class: 'phases' }, [0, 1, 2].map((p) => phaseBar(c, p, below(c.id).length ? null : drawn(p)))),
		list.length ? h('p', { class: 'quiet evses' }, list.map((e) => h('a', { class: `dot ${e.state}`, href: `#/station/${encodeURIComponent(e.station)}`, title: t(`state.${e.state}`) }, e.station))) : null),
	below(c.id).length ? h('ul', { class: 'tree' }, below(c.id).map((b) => node(b, depth + 1))) : null);
}

export function open(el) {
	const box = h('div', {});
	el.append(h('h1', {}, t('page.site')), h('div', {}, decidedAt(), whatIf('')), box);
	return {
		draw() {
			const tops = [...state.circuits.values()].filter((c) => !c.parent);
			show(box, h('ul', { class: 'tree' }, tops.map((c) => node(c, 0))), tops.length ? null : h('p', { class: 'quiet' }, t('nothing')));
		},
	};
}
