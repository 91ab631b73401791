// One station: its currents, the chain of what limits it, its sessions, its keys, its frames.
import { api, get, run, state, can, has, enc } from './api.js';
import { h, show, card, table, pill, amps, kw, kwh, num, reason, time, since, button, field, attempt, toast, PHASES } from './ui.js';
import { t } from './text.js';
import { chart } from './chart.js';
import { stationActions, evseActions } from './actions.js';
import { frameRow } from './trace.js';

export function open(el, [id]) {
	const head = h('div', {}), charts = h('div', {}), more = h('div', {}), tx = h('div', {}), keys = h('div', {}), frames = h('div', {}), events = h('div', {});
	let timer;
	el.append(head, charts, more, tx, keys, frames, events);

	async function draw_charts() {
		const list = [...state.evses.values()].filter((e) => e.station === id && e.limit);
		const out = [];
		for (const e of list) {
			const d = await get(`/history?object=${enc(`${id}/${e.evse}`)}&since=15m`).catch(() => null);
			if (!d || d.t.length < 2) continue;
			const to = Date.now() / 1000;
			out.push(h('div', { 'data-keep': `${e.evse}-${d.t[d.t.length - 1]}` }, chart({ x: d.t, lines: [1, 2, 3].map((p) => ({ name: `L${p}`, values: d[`l${p}`], cls: `l${p}` })), limit: d.limit, from: Math.max(to - 900, d.t[0]), to, label: `${id}/${e.evse}` })));
		}
		show(charts, out.length ? card(t('range.15m'), ...out) : null);
	}

	async function draw_tx() {
		const list = (await get(`/transactions?station=${enc(id)}`).catch(() => [])).slice(-20).reverse();
		show(tx, card(t('last_tx'), table([
			[t('tx_id'), (r) => r.tx || '\u2013'], [t('start'), (r) => time(r.start)], [t('stop'), (r) => (r.stop ? time(r.stop) : pill('charging', t('running')))],
			['kWh', (r) => (r.stop_wh !== null && r.start_wh !== null ? num((r.stop_wh - r.start_wh) / 1000, 2) : '\u2013'), 'n'],
			[t('token'), (r) => (r.token || '').replace('sha256:', '#')], [t('csms'), (r) => (r.confirmed ? t('knows') : pill('pending', t('not_yet')))],
		], list)));
	}

	async function read_keys() {
		const s = state.stations.get(id), v1 = s?.subprotocol === 'ocpp1.6' || s?.subprotocol?.startsWith('ocpp1');
		const r = await attempt(() => api('POST', `/stations/${enc(id)}/call`, v1 ? { action: 'GetConfiguration', payload: '{}' } : { action: 'GetBaseReport', payload: JSON.stringify({ requestId: Math.floor(Date.now() / 1000), reportBase: 'ConfigurationInventory' }) }), null);
		if (!r) return;
		if (!r.configurationKey) {
			show(keys, card(t('keys'), h('p', {}, t('keys_report')), h('pre', {}, JSON.stringify(r, null, 1))));
			return;
		}
		const edit = async (k, input) => {
			const a = await attempt(() => api('POST', `/stations/${enc(id)}/call`, { action: 'ChangeConfiguration', payload: JSON.stringify({ key: k.key, value: input.value }) }), null);
			if (a) toast(`${k.key}: ${a.status}`, a.status === 'Rejected' || a.status === 'NotSupported');
		};
		show(keys, card(t('keys'), table([[t('key'), (k) => k.key], [t('value'), (k) => {
			const input = h('input', { value: k.value ?? '', 'aria-label': k.key, disabled: k.readonly });
			return k.readonly ? k.value ?? '' : h('div', { class: 'row' }, input, button(t('set'), () => edit(k, input), 'small'));
		}]], r.configurationKey)));
	}

	function raw_call() {
		const action = h('input', { name: 'action', list: 'actions', required: true, placeholder: 'TriggerMessage', spellcheck: 'false' });
		const payload = h('textarea', { name: 'payload', rows: 4, spellcheck: 'false' }, '{}');
		const answer = h('pre', { role: 'status' });
		get(`/stations/${enc(id)}/calls`).then((r) => actions.replaceChildren(...(r.actions || []).map((a) => h('option', { value: a.action || a.name || a })))).catch(() => {});
		const actions = h('datalist', { id: 'actions' });
		return card(t('raw_call'), h('form', { onsubmit: async (e) => {
			e.preventDefault();
			answer.textContent = '\u2026';
			try {
				JSON.parse(payload.value);
				answer.textContent = JSON.stringify(await api('POST', `/stations/${enc(id)}/call`, { action: action.value, payload: payload.value }), null, 2);
			} catch (err) {
				answer.textContent = err.message;
			}
		} }, actions, field(t('action'), action), field(t('payload'), payload), h('button', { class: 'primary' }, t('send')), answer));
	}

	async function draw_frames() {
		if (!can('installer')) return;
		const list = (await get(`/traces?station=${enc(id)}&since=15m`).catch(() => [])).slice(-30).reverse();
		show(frames, card(t('page.trace'), h('div', { class: 'frames' }, list.map(frameRow)), h('p', {}, h('a', { href: `#/trace/${enc(id)}` }, t('all_frames')))));
	}

	draw_charts();
	draw_tx();
	draw_frames();
	if (can('installer')) {
		more.append(raw_call());
		keys.append(card(t('keys'), button(t('read_keys'), read_keys)));
	}
	timer = setInterval(() => { draw_charts(); draw_frames(); }, 10000);
	return {
		draw() {
			const s = state.stations.get(id);
			if (!s) {
				show(head, h('h1', {}, id), h('p', { class: 'quiet' }, t('nothing')));
				return;
			}
			const list = [...state.evses.values()].filter((e) => e.station === id);
			show(head, h('h1', {}, id, s.name ? h('span', { class: 'quiet' }, ` ${s.name}`) : null), h('div', { class: 'row wrap' }, pill(s.state), h('span', { class: 'quiet' }, [s.vendor, s.model, s.firmware].filter(Boolean).join(' '), ` \u00b7 ${s.subprotocol || t('no_link')} \u00b7 ${s.peer || ''} \u00b7 ${t('csms')} ${t(`state.${s.lane}`)} \u00b7 ${since(s.since)}`)), stationActions(s),
				list.map((e) => card(list.length > 1 ? `EVSE ${e.evse}` : null,
					h('div', { class: 'row wrap' }, pill(e.waiting ? 'waiting' : e.state), h('span', {}, since(e.since)), e.error ? h('span', { class: 'error' }, e.error) : null, h('span', { class: 'right row' }, evseActions(e))),
					h('dl', { class: 'tiles' }, [[t('draws'), e.i_a ? PHASES.map((p, i) => (e.limit?.a?.[i] || e.i_a[i] ? `${p} ${num(e.i_a[i], 1)}` : null)).filter(Boolean).join('  ') || '0' : '\u2013'], [t('power'), kw(e.p_w)], [t('limit'), amps(e.limit ? Math.max(...e.limit.a) : null)], [t('offered'), amps(e.offered_a)], [t('session'), e.tx ? kwh(e.tx.energy_wh) : '\u2013'], [t('register'), kwh(e.energy_wh)]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))),
					e.chain ? [h('h3', {}, t('chain')), h('ol', { class: 'chain' }, e.chain.map((c, i) => h('li', { class: i ? '' : 'binding' }, h('b', {}, amps(c.value_a)), ' ', reason(c), i ? null : h('span', { class: 'pill wait' }, `\u25c4 ${t('binding')}`), c.since ? h('span', { class: 'quiet' }, ` ${t('since')} ${time(c.since)}`) : null)))] : null)));
			show(events, card(t('page.events'), h('ul', { class: 'facts' }, state.events.filter((x) => x.obj.includes(`/${id}`) || x.obj === `station/${id}`).slice(0, 10).map((x) => h('li', {}, `${time(x.ts)} `, t(`event.${x.code}`, x.code))))));
		},
		close() { clearInterval(timer); },
	};
}
