// The way to the CSMS, stage by stage, and what waits for it.
import { state, get, run, api, can, has, enc } from './api.js';
import { h, show, card, table, pill, num, time, span, since, button, attempt, ask, field } from './ui.js';
import { t } from './text.js';
import { watchJob } from './jobs.js';

const STAGES = ['dns', 'tcp', 'tls', 'upgrade'];
export function staged(r) {
	return h('ol', { class: 'stages' }, STAGES.map((s) => {
		const x = r.stages?.find((y) => y.stage === s);
		return h('li', { class: x ? (x.ok ? 'go' : 'bad') : 'quiet' }, h('b', {}, t(`stage.${s}`)), ' ', x ? (x.ok ? `\u2713 ${num(x.ms, 0)} ms` : `\u2717 ${x.detail || ''}`) : '\u2013', x?.ok && x.detail ? h('small', {}, ` ${x.detail}`) : null);
	}));
}

export async function testUplink(id, box, endpoint) {
	show(box, h('p', { class: 'quiet', role: 'status' }, t('testing')));
	const r = await attempt(() => run('uplink.test', { uplink: id, endpoint }), null);
	show(box, r ? [staged(r), h('p', { role: 'status' }, pill(r.ok ? 'ok' : 'bad', r.ok ? t('test_ok') : r.detail || t('test_failed')))] : null);
	return r;
}

export function open(el) {
	const links = h('div', {}), queue = h('div', {}), past = h('div', {}), results = new Map();
	let records = [];
	el.append(h('h1', {}, t('page.uplink')), links, queue, past);
	const read = async () => {
		records = await get('/queue').catch(() => records);
		draw();
	};
	const draw = () => {
		show(links, [...state.uplinks.values()].map((u) => {
			if (!results.has(u.id)) results.set(u.id, h('div', { 'data-keep': u.id }));
			return card(h('span', {}, u.id, ' ', pill(u.state)), h('p', {}, `${t('endpoint')} ${u.endpoint} \u00b7 `, h('span', { class: 'code' }, u.url), ` \u00b7 ${u.lanes_up}/${u.lanes} ${t('lanes')} \u00b7 ${since(u.since)}`), u.fault ? h('p', { class: 'error' }, u.fault) : null,
				h('div', { class: 'row wrap' }, has('uplink.test') && can('installer') && button(t('test'), () => testUplink(u.id, results.get(u.id))),
					can('operator') && button(t('switch'), async () => {
						const v = await ask(`${t('switch')} ${u.id}`, [field(t('endpoint'), h('input', { name: 'endpoint', type: 'number', min: 1, max: 9, value: u.endpoint === 1 ? 2 : 1, required: true }))], t('switch'));
						if (v) attempt(() => api('POST', `/uplinks/${enc(u.id)}/switch`, { endpoint: Number(v.endpoint) }));
					})), results.get(u.id));
		}), state.uplinks.size ? null : h('p', { class: 'quiet' }, t('no_uplink')));
		const q = state.site?.queue || {}, by = {};
		for (const r of records) (by[`${r.station}|${r.action}|${r.state}`] ||= { ...r, n: 0 }).n++;
		show(queue, card(h('span', {}, t('queue'), ' ', h('span', { class: 'quiet' }, `${q.messages ?? '\u2013'} \u00b7 ${t('oldest')} ${span(q.oldest_s)}${q.parked ? ` \u00b7 ${q.parked} ${t('parked')}` : ''}`)),
			h('div', { class: 'row wrap' }, can('operator') && button(t('retry'), () => attempt(() => api('POST', '/queue/retry', {})).then(read)), can('installer') && h('a', { class: 'button', href: '/api/v1/queue?format=csv', download: 'queue.csv' }, 'CSV')),
			table([[t('station'), (r) => h('a', { href: `#/station/${enc(r.station)}` }, r.station)], [t('action'), (r) => r.action], [t('state'), (r) => t(`queue.${r.state}`, r.state)], [t('count'), (r) => r.n, 'n'], [t('oldest'), (r) => time(r.at)], [t('why'), (r) => r.why || '']], Object.values(by), t('queue_empty'))));
		const outages = state.events.filter((e) => e.code.startsWith('uplink.'));
		show(past, card(t('outages'), h('ul', { class: 'facts' }, outages.map((e) => h('li', {}, pill(e.code === 'uplink.up' ? 'up' : 'down'), ` ${e.obj.replace('uplink/', '')} ${time(e.ts)}`))), outages.length ? null : h('p', { class: 'quiet' }, t('nothing'))));
	};
	read();
	const timer = setInterval(read, 3000);
	return { draw, close: () => clearInterval(timer) };
}
