// The way to the CSMS, stage by stage, and what waits for it.
import { state, get, run, api, can, has, enc, changed, reader } from './api.js';
import { h, show, card, table, pill, num, time, span, since, button, attempt, ask, field, boxNow } from './ui.js';
import { t } from './text.js';

const STAGES = ['dns', 'tcp', 'tls', 'upgrade'];

// Each stage with its time; what came before a failure passed, what comes after it was not tried.
export function staged(r) {
	const one = (s) => {
		const x = r.stages?.find((y) => y.stage === s);
		return h('li', { class: x ? (x.ok ? 'go' : 'bad') : 'quiet' }, h('b', {}, t(`stage.${s}`)), ' ', x ? (x.ok ? `✓ ${num(x.ms, 0)} ms` : `✗ ${x.detail || ''}`) : t('stage.none'), x?.ok && x.detail ? h('small', {}, ` ${x.detail}`) : null);
	};
	return h('ol', { class: 'stages' }, STAGES.map(one));
}

// What came of the last test of each uplink, null while it runs. It outlives the page.
const tests = new Map();
export const testing = (id) => tests.get(id) === null;
export async function testUplink(id) {
	tests.set(id, null);
	changed('uplink-test');
	const r = await attempt(() => run('uplink.test', { uplink: id }), null);
	if (r) tests.set(id, r);
	else tests.delete(id);
	changed('uplink-test');
	return r;
}

export function tested(id) {
	const r = tests.get(id);
	if (testing(id)) return h('p', { class: 'quiet', role: 'status' }, t('testing'));
	return r && [staged(r), h('p', { role: 'status' }, pill(r.ok ? 'ok' : 'bad', r.ok ? t('test_ok') : r.detail || t('test_failed')), h('span', { class: 'quiet' }, ` ${t('test_hint')}${r.identity ? ` (${r.identity})` : ''}`))];
}

async function askSwitch(u) {
	const v = await ask(`${t('switch')} ${u.id}`, [h('p', {}, t('switch_hint')), field(t('endpoint'), h('input', { name: 'endpoint', type: 'number', min: 1, max: 9, value: u.endpoint === 1 ? 2 : 1, required: true }))], t('switch'));
	if (v) attempt(() => api('POST', `/uplinks/${enc(u.id)}/switch`, { endpoint: Number(v.endpoint) }));
}

function uplinkCard(u) {
	return card(h('span', {}, u.id, ' ', pill(u.state)),
		h('dl', { class: 'tiles' }, [[t('endpoint'), u.endpoint], [t('lanes'), `${u.lanes_up} / ${u.lanes}`], [t('since'), `${time(u.since)} (${since(u.since)})`], [t('over'), u.interface || t('over_any')]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))),
		h('p', { class: 'code' }, u.url), u.fault ? h('p', { class: 'error' }, u.fault) : null,
		h('div', { class: 'row wrap' }, has('uplink.test') && can('installer') && button(t('test'), () => testUplink(u.id), '', { disabled: testing(u.id) }), can('operator') && button(t('switch'), () => askSwitch(u))), h('div', {}, tested(u.id)));
}

// Ends of outages beside their beginnings, newest first.
function outages(events) {
	const out = [], open = new Map();
	for (const e of [...events].reverse()) {
		if (e.code === 'uplink.down') open.set(e.obj, e.ts);
		if (e.code !== 'uplink.up' || !open.has(e.obj)) continue;
		out.unshift({ obj: e.obj, from: open.get(e.obj), to: e.ts });
		open.delete(e.obj);
	}
	return [...[...open].map(([obj, from]) => ({ obj, from, to: null })), ...out];
}

const columns = () => [[t('station'), (r) => h('a', { href: `#/station/${enc(r.station)}` }, r.station)], [t('action'), (r) => r.action], [t('state'), (r) => t(`queue.${r.state}`, r.state)], [t('count'), (r) => r.n, 'n'], [t('oldest'), (r) => time(r.at), 'lab'], [t('why'), (r) => r.why || '']];

export function open(el) {
	const links = h('div', {}), queue = h('div', {}), past = h('div', {});
	let records = [];
	el.append(h('h1', {}, t('page.uplink')), links, queue, past);
	const read = reader(() => get('/queue').catch(() => records), (now) => {
		records = now;
		draw();
	});
	const draw = () => {
		show(links, [...state.uplinks.values()].map((u) => uplinkCard(u)), state.uplinks.size ? null : h('p', { class: 'quiet' }, t('no_uplink')));
		const q = state.site?.queue || {}, disk = state.site?.storage, by = {};
		for (const r of records) (by[`${r.station}|${r.action}|${r.state}`] ||= { ...r, n: 0 }).n++;
		show(queue, card(t('queue'),
			h('dl', { class: 'tiles' }, [[t('waits'), q.messages ?? '–'], [t('oldest'), q.messages ? span(q.oldest_s) : '–'], [t('parked'), q.parked ?? '–'], disk && [t('room'), `${num((disk.used_bytes / disk.size_most_bytes) * 100, 1)} %`]].filter(Boolean).map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))),
			h('div', { class: 'row wrap' }, can('operator') && button(t('retry'), () => attempt(() => api('POST', '/queue/retry', {})).then(read)), can('installer') && h('a', { class: 'button', href: '/api/v1/queue?format=csv', download: 'queue.csv' }, 'CSV')),
			table(columns(), Object.values(by), t('queue_empty'))));
		const list = outages(state.events);
		show(past, card(t('outages'), table([[t('uplink'), (o) => o.obj.replace('uplink/', '')], [t('when'), (o) => time(o.from), 'lab'], [t('until'), (o) => (o.to ? time(o.to) : pill('down')), 'lab'], [t('duration'), (o) => span((new Date(o.to || boxNow()) - new Date(o.from)) / 1000), 'n']], list, t('no_outage'))));
	};
	read();
	const timer = setInterval(read, 3000);
	return { draw, close: () => clearInterval(timer) };
}
