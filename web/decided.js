// What the balancer decided, looked at afterwards: of one station as it changed, or of the whole site at a moment.
import { get, state, has, enc, reader } from './api.js';
import { h, show, table, field, amps, reason, time } from './ui.js';
import { t } from './text.js';

const nameOf = (d) => (d.evse === 1 ? d.station : `${d.station}/${d.evse}`);
const rows = (list, many) => table([[t('when'), (d) => time(d.at)], ...(many ? [[t('station'), (d) => h('a', { class: 'lab', href: `#/station/${enc(d.station)}` }, nameOf(d))]] : []),
	[t('limit'), (d) => (d.charges ? amps(d.limit_a) : '–'), 'n'], [t('why'), (d) => (d.charges ? reason(d) : t('decided.no_car'))]], list, t('decided.none'));
const fold = (key, ...parts) => h('details', { class: 'fold', 'data-keep': key }, h('summary', {}, t('decided.title')), h('div', { class: 'inner' }, h('p', { class: 'quiet' }, t('decided.text')), ...parts));

// The newest of a station; `read` reads them again.
export function decidedOf(id) {
	const out = h('div', {}), list = () => [...state.evses.values()].filter((e) => e.station === id && e.limit);
	const read = reader(() => Promise.all(list().map((e) => get(`/decisions?object=${enc(`${id}/${e.evse}`)}&most=100`).catch(() => []))), (all) => show(out, all.map((one) => rows(one.reverse(), all.length > 1))));
	return { el: has('decisions') && fold(`decided-${id}`, out), read };
}

// Everybody at a moment of the last day.
export function decidedAt() {
	const out = h('div', { role: 'status' }), at = h('input', { type: 'time', required: true });
	const go = async (e) => {
		e.preventDefault();
		const list = await get(`/decisions?at=${enc(at.value.slice(0, 5))}`).catch((x) => x);
		show(out, list instanceof Error ? h('p', { class: 'error' }, list.message) : rows(list, true));
	};
	return has('decisions') && fold('decided', h('form', { onsubmit: go }, field(t('decided.at'), at, t('decided.hint')), h('button', { class: 'primary' }, t('decided.show'))), out);
}
