// What lies behind the moment: who competes with a car, when it will be ready, and what would happen if something changed.
import { get, run, state, has, enc, reader } from './api.js';
import { h, show, table, button, field, amps, num, kwh, time, reason, byName, boxNow, PHASES } from './ui.js';
import { t } from './text.js';

const most = (list) => Math.max(0, ...(list || []).map((x) => x || 0));
const nameOf = (e) => (e.evse === 1 ? e.station : `${e.station}/${e.evse}`);
const link = (e) => h('a', { class: 'lab', href: `#/station/${enc(e.station)}` }, nameOf(e));

// --- who competes ---

function isBelow(circuit, top) {
	for (let c = state.circuits.get(circuit); c; c = state.circuits.get(c.parent)) if (c.id === top) return true;
	return false;
}

// Those with a car below the circuit that binds: who takes current on the phase that is full (on any, where all count together), most first; and who waits.
function rivals(e, s) {
	const p = PHASES.indexOf(s.phase), takes = (x) => (p < 0 ? most(x.i_a) : x.i_a?.[p] || 0);
	const others = [...state.evses.values()].filter((x) => x.tx && x !== e && isBelow(x.circuit, s.circuit));
	return { takes, busy: others.filter((x) => takes(x) >= 1).sort((a, b) => takes(b) - takes(a)), waiting: others.filter((x) => x.waiting).sort((a, b) => place(a) - place(b) || byName(a.station, b.station)) };
}
export const place = (e) => Number((e.limit?.reason === 'waiting' ? e.limit : e.chain?.find((c) => c.reason === 'waiting'))?.ref) || Infinity;

function sharing(e, s) {
	const { takes, busy, waiting } = rivals(e, s), c = state.circuits.get(s.circuit), left = PHASES.map((p, i) => (s.left_a[i] >= 1 ? `${p} ${num(s.left_a[i], 1)} A` : null)).filter(Boolean);
	const list = (all, text) => all.slice(0, 40).map((x, i) => [i ? ' · ' : '', link(x), text ? ` ${text(x)}` : '']).concat(all.length > 40 ? ` … ${all.length - 40}` : '');
	return [h('h3', {}, t('rivals')),
		h('p', {}, `${c?.name || s.circuit} ${s.phase || ''}: `, busy.length ? list(busy, (x) => amps(takes(x))) : t('rivals.none')),
		waiting.length ? h('p', {}, `${waiting.length} ${t('rivals.wait')}: `, list(waiting)) : null,
		h('p', { class: 'quiet' }, `${t('rivals.by')}: ${t(`policy.${s.policy}`)}. ${t('rivals.left')}: ${left.join(', ') || t('no')}`)];
}

// Who competes with the cars of a station: read now and then, drawn with every change.
export function rivalsOf(id) {
	const found = new Map();
	const read = reader(async () => {
		for (const e of [...state.evses.values()].filter((x) => x.station === id)) found.set(e.evse, await get(`/why?object=${enc(`${id}/${e.evse}`)}`).catch(() => null));
	});
	// As long as the same still binds.
	const of = (e) => {
		const s = e.tx && found.get(e.evse)?.sharing, binds = e.chain?.find((c) => c.reason !== 'waiting' && c.reason !== 'ramp');
		return s && (binds?.reason !== 'circuit' || binds.ref === s.circuit) ? s : null;
	};
	return { read, of, draw: (e) => (of(e) ? sharing(e, of(e)) : null) };
}

// --- when it is ready ---

export function ready(e) {
	if (!e.tx) return null;
	const got = e.tx.energy_wh ?? 0, left = e.tx.need_wh - got, at = e.p_w > 100 ? boxNow() + (left / e.p_w) * 3600e3 : null;
	if (!e.tx.need_wh) return [t('ready'), e.p_w > 100 ? `${t('ready.unknown')} ${kwh(e.p_w)} ${t('ready.hour')}` : t('ready.need_unknown')];
	const until = e.tx.leaves ? `, ${t('ready.leaves')} ${time(e.tx.leaves)}` : '', of = `${num(got / 1000, 1)} ${t('of')} ${kwh(e.tx.need_wh)}${until}`;
	if (left <= 0) return [t('ready'), `${t('ready.done')} (${of})`];
	if (!at) return [t('ready'), `${t('ready.stands')} (${of})`];
	const late = e.tx.leaves && at > new Date(e.tx.leaves);
	return [t('ready'), `${t('ready.about')} ${time(at)}${late ? `, ${t('ready.late')}` : ''} (${of})`];
}

// --- what would happen ---

const move = (was, is) => (Math.abs(is - was) < 0.05 ? num(is, 1) : h('b', {}, `${num(was, 1)} → ${num(is, 1)}`));

function planned(r) {
	const moved = r.evses.filter((e) => Math.abs(e.then_a - e.now_a) >= 0.05), still = r.evses.length - moved.length;
	return [r.remarks?.length ? h('ul', { class: 'facts' }, r.remarks.map((x) => h('li', {}, x))) : null,
		table([[t('station'), (e) => link(e)], ['A', (e) => move(e.now_a, e.then_a), 'n'], [t('why'), (e) => reason(e)]], moved.sort((a, b) => byName(a.station, b.station)), t('plan.nobody')),
		h('p', { class: 'quiet' }, `${still} ${t('plan.still')}`),
		table([[t('circuit'), (c) => h('b', {}, c.id)], ...PHASES.map((p, i) => [p, (c) => (c.limit_a[i] ? [move(c.now_a[i], c.then_a[i]), ` / ${num(c.limit_a[i], 0)} A`] : '–'), 'n'])], r.circuits)];
}

// A question, its answer. `about`: the EVSE or circuit that stands there first.
export function whatIf(about) {
	if (!has('plan')) return null;
	const kind = h('select', {}, ['arrive', 'leave', 'limit'].map((k) => h('option', { value: k }, t(`plan.${k}`)))), object = h('select', {}), out = h('div', { role: 'status', 'aria-live': 'polite' });
	const value = h('input', { type: 'number', min: 0, max: 10000, step: '0.1', inputmode: 'decimal', required: true }), amount = field(t('plan.value'), value);
	const choices = () => {
		const evses = [...state.evses.values()].filter((e) => e.limit && (kind.value === 'limit' || (kind.value === 'leave') === Boolean(e.tx))).sort((a, b) => byName(a.station, b.station)).map(nameOf);
		const all = kind.value === 'limit' ? [...[...state.circuits.keys()], ...evses] : evses;
		show(object, all.map((n) => h('option', { value: n }, state.circuits.get(n)?.name ? `${n} – ${state.circuits.get(n).name}` : n)));
		if (all.includes(about)) object.value = about;
		amount.hidden = value.disabled = kind.value !== 'limit';
	};
	kind.onchange = choices;
	choices();
	const go = async (e) => {
		e.preventDefault();
		const change = { kind: kind.value, object: object.value, ...(kind.value === 'limit' ? { value: Number(value.value) } : {}) };
		show(out, h('p', { class: 'quiet' }, t('loading')));
		const r = await run('plan', { changes: [change] }).catch((x) => x);
		show(out, r instanceof Error ? h('p', { class: 'error' }, r.message) : [h('p', { class: 'quiet' }, `${t('plan.after')} ${num(r.after_s / 60)} min`), planned(r)]);
	};
	return h('details', { class: 'fold', 'data-keep': `plan-${about}` }, h('summary', {}, t('plan.title')), h('div', { class: 'inner' }, h('p', { class: 'quiet' }, t('plan.text')),
		h('form', { onsubmit: go }, field(t('plan.what'), kind), field(t('plan.where'), object), amount, h('button', { class: 'primary' }, t('plan.show'))), out));
}
