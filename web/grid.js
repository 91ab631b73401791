// The grid operator: what he allows now, which input says so and since when, and the evidence of what was asked for and when it was obeyed.
import { run, state, reader } from './api.js';
import { h, show, card, table, pill, kw, num, time, span } from './ui.js';
import { t } from './text.js';

const watts = (w) => (w === null || w === undefined ? t('grid.free') : kw(w));
const stateOf = (s) => pill(s === 'limited' ? 'waiting' : s === 'free' ? 'ok' : 'warning', t(`grid.${s}`, s));

function present(g) {
	const held = g.limit_w !== null && g.limit_w !== undefined;
	return card(t('grid.now'), h('p', { class: 'say' }, stateOf(g.state), ' ', held ? [`${t('grid_limits')} `, h('b', {}, kw(g.limit_w)), `, ${t('grid.input')} `, h('b', {}, g.decided_by || '–'), `, ${t('since')} ${time(g.since)}.`] : t('grid.nothing')),
		h('dl', { class: 'tiles' }, [[t('grid.charging'), kw(g.charging_w)], [t('circuit'), g.circuit], [t('grid.counts'), t(`grid.${g.counts}`)], [t('grid.keeps'), kw(g.dimmed_keeps_w)]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))),
		h('h3', {}, t('grid.inputs')), table([[t('grid.input'), (i) => [h('b', {}, i.id), h('span', { class: 'quiet' }, ` ${t(`grid.kind.${i.kind}`, i.kind)}`)]], [t('state'), (i) => stateOf(i.state)], [t('limit'), (i) => (i.state === 'limited' ? watts(i.limit_w) : '–'), 'n'],
			[t('since'), (i) => time(i.since), 'lab'], [t('until'), (i) => time(i.until), 'lab'], [t('grid.heard'), (i) => span(i.heard_s), 'n'], [t('grid.priority'), (i) => i.priority, 'n'], [t('detail'), (i) => i.fault || '']], g.inputs));
}

// How long it took, or why it is on record.
const detail = (a) => [a?.took_ms !== undefined ? `${t('grid.took')} ${num(a.took_ms / 1000, 1)} s` : null, a?.charging_w !== undefined ? `${t('grid.charging')} ${kw(a.charging_w)}` : null, a?.why || null].filter(Boolean).join(', ');

function evidence(list) {
	return card(t('grid.log'), h('p', { class: 'quiet' }, t('grid.log_text')), table([[t('when'), (e) => [time(e.at, 'date'), e.clock === 'known' ? null : h('span', { class: 'quiet' }, ` ${t(`grid.clock.${e.clock}`)}`)]], [t('what'), (e) => t(`event.${e.code}`, e.code), 'main'],
		[t('grid.input'), (e) => e.args?.input || '–', 'lab'], [t('state'), (e) => (e.args?.state ? stateOf(e.args.state) : '')], [t('limit'), (e) => (e.args?.limit_w === undefined ? '' : watts(e.args.limit_w)), 'n'], [t('detail'), (e) => detail(e.args)], ['#', (e) => e.seq, 'n wide']], list, t('grid.no_log')));
}

export function open(el) {
	const now = h('div', {}), past = h('div', {});
	el.append(h('h1', {}, t('page.grid')), now, past);
	if (!state.site?.grid_operator) return show(now, h('p', { class: 'quiet' }, t('grid.none')));
	const read = reader(() => Promise.all([run('grid.show'), run('grid.log')]).catch((e) => e), (answer) => {
		if (answer instanceof Error) return show(now, h('p', { class: 'error' }, answer.message));
		show(now, present(answer[0]));
		show(past, evidence(answer[1].slice(-100).reverse()));
	});
	read();
	const timer = setInterval(read, 3000);
	return { on: (topic, d) => topic === 'event' && d.code.startsWith('grid.') && read(), close: () => clearInterval(timer) };
}
