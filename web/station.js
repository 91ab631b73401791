// One station: what its driver and its electrician want to know, its sessions, its profiles, its keys, its frames; and what can be done to it.
import { api, get, state, can, enc, reader } from './api.js';
import { h, show, card, table, pill, amps, kw, kwh, num, time, since, button, field, attempt, toast, boxNow, PHASES } from './ui.js';
import { t } from './text.js';
import { chart } from './chart.js';
import { stationActions, evseActions } from './actions.js';
import { sentence, chain } from './reasons.js';
import { ready, rivalsOf, whatIf } from './outlook.js';
import { decidedOf } from './decided.js';
import { eventRow } from './events.js';
import { frameRow } from './trace.js';

const most = (list) => (list ? Math.max(...list.map((x) => x || 0)) : null);
const tiles = (list) => h('dl', { class: 'tiles' }, list.filter(Boolean).map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))));

// --- what it does now ---

function evseCard(e, many, rivals) {
	const drawn = e.i_a?.some((a) => a !== null) ? PHASES.map((p, i) => (e.limit?.a?.[i] || e.i_a[i] ? `${p} ${num(e.i_a[i], 1)}` : null)).filter(Boolean).join('  ') || '0' : '–';
	return card(many ? `EVSE ${e.evse}` : null,
		h('div', { class: 'row wrap' }, pill(e.waiting ? 'waiting' : e.state), h('span', { class: 'quiet' }, `${t('since')} ${time(e.since)}`), e.error ? h('span', { class: 'error' }, e.error) : null, h('span', { class: 'row wrap right' }, evseActions(e, true))),
		h('p', { class: 'say' }, sentence(e, rivals.of(e))),
		tiles([[t('draws'), drawn], [t('power'), kw(e.p_w)], [t('limit_now'), amps(most(e.limit?.a))], [t('offered'), amps(e.offered_a)], [t('session'), e.tx ? kwh(e.tx.energy_wh) : '–'], ready(e), [t('register'), kwh(e.energy_wh)], [t('conduct'), t(`conduct.${e.conduct}`, e.conduct || '–')]]),
		e.chain?.length ? [h('h3', {}, t('chain')), chain(e)] : null, rivals.draw(e));
}

function head(s) {
	const facts = [[s.vendor, s.model, s.firmware].filter(Boolean).join(' '), s.subprotocol || t('no_link'), s.peer, `${t('csms')} ${t(`state.${s.lane}`)}`, s.queued ? `${s.queued} ${t('queued')}` : null, s.unreadable ? `${s.unreadable} ${t('unreadable')}` : null];
	return [h('h1', {}, s.id, s.name ? h('span', { class: 'quiet' }, ` ${s.name}`) : null), h('div', { class: 'row wrap' }, pill(s.state), h('span', { class: 'quiet' }, `${t('since')} ${time(s.since)} (${since(s.since)}) · ${facts.filter(Boolean).join(' · ')}`)), stationActions(s)];
}

// --- parts that are read when they are shown ---

async function charts(id, box) {
	const list = [...state.evses.values()].filter((e) => e.station === id && e.limit), out = [], to = boxNow() / 1000;
	for (const e of list) {
		const d = await get(`/history?object=${enc(`${id}/${e.evse}`)}&since=15m`).catch(() => null);
		if (!d || d.t.length < 2) continue;
		const lines = [1, 2, 3].map((p) => ({ name: `L${p}`, values: d[`l${p}`], cls: `l${p}` })).filter((l) => l.values.some((v) => v));
		out.push(h('div', { 'data-keep': `${e.evse}-${d.t[d.t.length - 1]}` }, chart({ x: d.t, lines, limit: d.limit, from: Math.max(to - 900, d.t[0]), to, label: `${id}/${e.evse}` })));
	}
	show(box, out.length ? card(t('range.15m'), ...out) : null);
}

async function transactions(id, box) {
	const list = (await get(`/transactions?station=${enc(id)}`).catch(() => [])).slice(-20).reverse();
	show(box, card(t('last_tx'), table([
		[t('tx.start'), (r) => time(r.start), 'lab'], [t('tx.stop'), (r) => (r.stop ? time(r.stop) : pill('charging', t('running'))), 'lab'],
		['kWh', (r) => (r.stop_wh !== null && r.start_wh !== null ? num((r.stop_wh - r.start_wh) / 1000, 2) : '–'), 'n unit'], [t('token'), (r) => (r.token || '').replace('sha256:', '#'), 'lab'],
		[t('csms'), (r) => (r.confirmed ? t('knows') : pill('pending', t('not_yet'))), 'lab'], [t('tx_id'), (r) => h('span', { class: 'code' }, r.tx || '–'), 'wide'],
	], list, t('no_tx'))));
}

// What the station itself says its limits are: the schedule that all of its profiles come to.
async function profiles(id, box) {
	const s = state.stations.get(id), out = h('div', { role: 'status' }), list = [...state.evses.values()].filter((e) => e.station === id), v1 = /^ocpp1/.test(s?.subprotocol || '');
	const ask = async () => {
		const parts = [];
		for (const e of list) {
			const payload = v1 ? { connectorId: e.evse, duration: 3600, chargingRateUnit: 'A' } : { evseId: e.evse, duration: 3600, chargingRateUnit: 'A' };
			const r = await attempt(() => api('POST', `/stations/${enc(id)}/call`, { action: 'GetCompositeSchedule', payload: JSON.stringify(payload) }), null);
			const plan = r?.chargingSchedule || r?.schedule, from = new Date(plan?.startSchedule || r?.scheduleStart || boxNow());
			if (r) parts.push(h('h3', {}, `EVSE ${e.evse}: ${r.status}`), plan ? table([[t('when'), (p) => time(from.getTime() + p.startPeriod * 1000)], [t('limit'), (p) => `${num(p.limit, 1)} ${plan.chargingRateUnit}`, 'n'], [t('phases'), (p) => p.numberPhases ?? '–', 'n']], plan.chargingSchedulePeriod || []) : null);
		}
		show(out, parts);
	};
	box.append(card(t('profiles'), h('p', { class: 'quiet' }, t('profiles_text')), button(t('profiles_ask'), ask), out));
}

function keyTable(id, r) {
	const edit = async (k, input) => {
		const a = await attempt(() => api('POST', `/stations/${enc(id)}/call`, { action: 'ChangeConfiguration', payload: JSON.stringify({ key: k.key, value: input.value }) }), null);
		if (a) toast(`${k.key}: ${a.status}`, a.status === 'Rejected' || a.status === 'NotSupported');
	};
	return table([[t('key'), (k) => k.key], [t('value'), (k) => {
		const input = h('input', { value: k.value ?? '', 'aria-label': k.key });
		return k.readonly ? k.value ?? '' : h('div', { class: 'row' }, input, button(t('set'), () => edit(k, input), 'small'));
	}]], r.configurationKey);
}

async function readKeys(id, box) {
	const v1 = /^ocpp1/.test(state.stations.get(id)?.subprotocol || '');
	const call = v1 ? { action: 'GetConfiguration', payload: '{}' } : { action: 'GetBaseReport', payload: JSON.stringify({ requestId: Math.floor(Date.now() / 1000), reportBase: 'ConfigurationInventory' }) };
	const r = await attempt(() => api('POST', `/stations/${enc(id)}/call`, call), null);
	if (r) show(box, r.configurationKey ? keyTable(id, r) : [h('p', {}, t('keys_report')), h('pre', {}, JSON.stringify(r, null, 1)), h('a', { href: `#/trace/${enc(id)}` }, t('all_frames'))]);
}

function rawCall(id) {
	const list = h('datalist', { id: 'actions' }), help = h('pre', { hidden: true }), answer = h('pre', { role: 'status', hidden: true });
	const go = h('button', { class: 'primary' }, t('send')), payload = h('textarea', { name: 'payload', rows: 4, spellcheck: 'false' }, '{}');
	const explain = reader(() => get(`/stations/${enc(id)}/calls?action=${enc(action.value)}`).catch(() => null), (r) => {
		help.hidden = !r?.request;
		help.textContent = (r?.request || []).map((f) => `${f.name}${f.required ? ' *' : ''}  ${f.words ? f.words.join(' | ') : f.type}`).join('\n');
	});
	const action = h('input', { name: 'action', list: 'actions', required: true, placeholder: 'TriggerMessage', spellcheck: 'false', autocapitalize: 'none', onchange: explain });
	get(`/stations/${enc(id)}/calls`).then((r) => list.replaceChildren(...(r.actions || []).map((a) => h('option', { value: a })))).catch(() => {});
	const send = async (e) => {
		e.preventDefault();
		answer.hidden = false;
		answer.textContent = '…';
		go.disabled = true; // one at a time, each with its own answer
		try {
			JSON.parse(payload.value);
			answer.textContent = JSON.stringify(await api('POST', `/stations/${enc(id)}/call`, { action: action.value, payload: payload.value }), null, 2);
		} catch (err) {
			answer.textContent = err.message;
		}
		go.disabled = false;
	};
	return card(t('raw_call'), h('form', { onsubmit: send }, list, field(t('action'), action), help, field(t('payload'), payload), go, answer));
}

async function frames(id, box) {
	const list = (await get(`/traces?station=${enc(id)}&since=15m`).catch(() => [])).slice(-30).reverse();
	show(box, card(t('page.trace'), h('div', { class: 'frames' }, list.map((f) => frameRow(f, list))), h('p', {}, h('a', { href: `#/trace/${enc(id)}` }, t('all_frames')))));
}

export function open(el, [id]) {
	const rivals = rivalsOf(id), decided = decidedOf(id), what = h('div', {}, decided.el, whatIf(id)), top = h('div', {}), charts_ = h('div', {}), tx = h('div', {}), profiles_ = h('div', {}), keys = h('div', {}), raw = h('div', {}), frames_ = h('div', {}), events = h('div', {});
	el.append(top, what, charts_, tx, events, profiles_, keys, raw, frames_);
	const read = reader(() => Promise.all([charts(id, charts_), rivals.read(), decided.read(), can('installer') && frames(id, frames_)]), () => page.draw());
	transactions(id, tx);
	if (can('installer')) {
		const list = h('div', {});
		profiles(id, profiles_);
		keys.append(card(t('keys'), button(t('read_keys'), () => readKeys(id, list)), list));
		raw.append(rawCall(id));
	}
	const timer = setInterval(read, 10000);
	const page = {
		draw() {
			const s = state.stations.get(id);
			if (!s) return show(top, h('h1', {}, id), h('p', { class: 'quiet' }, t('no_station')));
			const list = [...state.evses.values()].filter((e) => e.station === id).sort((a, b) => a.evse - b.evse);
			show(top, head(s), list.map((e) => evseCard(e, list.length > 1, rivals)));
			const own = state.events.filter((x) => x.obj === id || x.obj.startsWith(`${id}/`) || x.obj === `station/${id}`).slice(0, 10);
			show(events, own.length ? card(t('page.events'), h('ul', { class: 'facts' }, own.map(eventRow))) : null);
		},
		close() { clearInterval(timer); },
	};
	read();
	return page;
}
