// Why a car gets what it gets: one sentence for its driver, and the chain of all limits for the electrician.
import { state } from './api.js';
import { h, amps, num, reason, time, PHASES } from './ui.js';
import { t } from './text.js';

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, k) => values[k] ?? '');
const most = (list) => Math.max(0, ...(list || []).map((x) => x || 0));

// `sharing`, where it is known: who shares what binds, as the box counts them.
export function sentence(e, sharing) {
	const l = e.limit;
	if (!e.tx) return t(`say.${e.state}`, t(`state.${e.state}`));
	if (e.error) return fill(t('say.error'), { error: e.error });
	if (e.outlet?.state === 'switching') return t('say.switching');
	if (e.waiting) return fill(t(l?.until ? 'say.waiting_until' : 'say.waiting'), { until: time(l?.until) });
	if (!l) return t(`state.${e.state}`);
	const values = { a: amps(most(l.a)), takes: amps(most(e.i_a)), ref: l.ref || '', phase: l.phase || '', until: time(l.until) };
	const c = state.circuits.get(l.ref), p = PHASES.indexOf(l.phase);
	if (c) Object.assign(values, { n: sharing?.evses ?? (c.binding_evses || 1), full: amps(c.limit_a[Math.max(0, p)], 0), name: c.name || c.id });
	if (l.reason === 'circuit' && values.n > 1) return fill(t('say.circuit_shared'), values);
	return fill(t(l.reason === 'circuit' && !c ? 'say.other' : `say.${l.reason}`, t('say.other')), { ...values, reason: reason(l) });
}

// One line per cause: what it allows on each phase, the tightest first.
export function chain(e) {
	const lines = [];
	for (const c of e.chain || []) {
		const same = lines.find((l) => l.reason === c.reason && l.ref === c.ref && l.until === c.until);
		if (same) same.parts.push(c);
		else lines.push({ ...c, parts: [c] });
	}
	const phases = (l) => l.parts.filter((p) => p.phase).sort((a, b) => a.phase.localeCompare(b.phase)).map((p) => `${p.phase} ${num(p.value_a, 1)}`).join('  ');
	return h('ol', { class: 'chain' }, lines.map((l, i) => h('li', { class: i ? '' : 'binding' }, h('b', {}, amps(l.value_a)), ' ', reason({ ...l, phase: l.parts.length > 1 ? null : l.phase }),
		i ? null : h('span', { class: 'pill wait' }, `◄ ${t('binding')}`), l.parts.length > 1 ? h('span', { class: 'quiet phases-of' }, ` ${phases(l)}`) : null,
		l.since ? h('span', { class: 'quiet' }, ` ${t('since')} ${time(l.since)}`) : null)));
}
