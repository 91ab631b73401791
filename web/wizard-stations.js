// The later steps of the commissioning: the way to the CSMS, the stations, how they are wired, what they obey, and what survives an outage.
import { run, state, can, has } from './api.js';
import { h, show, table, button, field, amps, num, attempt, pill, byName, PHASES } from './ui.js';
import { t } from './text.js';
import { found, byHand, checkRunner, csvImport, note } from './wizard.js';
import { propose } from './change.js';
import { testUplink, staged } from './uplink.js';
import { acceptStation, rejectStation, askAccept } from './actions.js';
import { stationUrls } from './wizard-site.js';

const kept = (step, draw) => (found[step]?.data ? draw(found[step].data) : null);
const byId = (a, b) => byName(a.station, b.station);
const busy = () => [...state.evses.values()].filter((e) => e.state === 'charging' && e.limit).sort(byId);
// Of those that charge just now; `fill` after they have changed. Who was chosen stays chosen.
function evseSelect(first) {
	const el = h('select', {}), nameOf = (e) => `${e.station}/${e.evse}`;
	let shown = null;
	el.fill = () => {
		const names = busy().map(nameOf), chosen = el.value;
		if (shown === names.join()) return;
		shown = names.join();
		if (chosen && !names.includes(chosen)) names.push(chosen);
		show(el, first && h('option', { value: '' }, first), names.map((n) => h('option', { value: n }, n)));
		if (chosen) el.value = chosen;
	};
	el.fill();
	return el;
}
const evseOf = (text) => ({ station: text.slice(0, text.lastIndexOf('/')), evse: Number(text.slice(text.lastIndexOf('/') + 1)) });

export function uplink(again) {
	const list = [...state.uplinks.values()];
	const one = (u) => {
		const box = h('div', {});
		return h('div', {}, h('h3', {}, u.id, ' ', pill(u.state)), can('installer') && button(t('test'), async () => {
			const r = await testUplink(u.id, box);
			if (r) await attempt(() => note('uplink', r.ok, { ...r, uplink: u.id }), null).then(again);
		}, 'primary'), box);
	};
	return [h('p', {}, t('w.uplink_text')), list.map(one), kept('uplink', staged), list.length ? null : [h('p', { class: 'quiet' }, t('no_uplink')), byHand('uplink', null, again)]];
}

// --- stations ---

async function acceptAll(pending, anew) {
	const v = await askAccept(`${t('w.accept_all')} (${pending.length})`);
	if (!v) return;
	for (const s of pending) if (await attempt(() => run('station.accept', { station: s.id, ...v }), null) === null) break;
	anew();
}

const STATION_KEYS = ['circuit', 'rotation', 'phases', 'name', 'max_current_a', 'priority'];

export function stations(again, anew) {
	const address = h('div', {}), table_ = h('div', {}), waiting = h('div', {});
	stationUrls().then((urls) => show(address, h('p', {}, `${t('w.stations_url')}:`), h('ul', { class: 'facts' }, urls.map((u) => h('li', {}, h('code', { class: 'token' }, u), h('span', { class: 'quiet' }, ` + ${t('w.identity')}`))))));
	const draw = () => {
		const list = [...state.stations.values()].sort((a, b) => byName(a.id, b.id)), pending = list.filter((s) => s.state === 'pending'), missing = list.filter((s) => s.state === 'offline');
		show(waiting, h('h3', {}, t('w.waiting')), table([[t('station'), (s) => h('b', {}, s.id)], ['', (s) => [s.vendor, s.model, s.peer].filter(Boolean).join(' ')], ['', (s) => h('div', { class: 'row' }, acceptStation(s), rejectStation(s))]], pending, t('w.none_waiting')),
			pending.length > 1 && has('station.accept') && can('installer') ? h('p', {}, button(`${t('w.accept_all')} (${pending.length})`, () => acceptAll(pending, anew))) : null);
		show(table_, h('h3', {}, t('w.known')), missing.length ? h('p', { class: 'error' }, `${missing.length} ${t('w.stations_missing')}: ${missing.map((s) => s.id).join(', ')}`) : null,
			table([[t('station'), (s) => h('a', { href: `#/station/${encodeURIComponent(s.id)}` }, s.id)], [t('state'), (s) => pill(s.state)], [t('link'), (s) => s.subprotocol || '–'], [t('detail'), (s) => [s.vendor, s.model, s.firmware].filter(Boolean).join(' '), 'wide']], list.filter((s) => s.state !== 'pending')));
	};
	draw();
	const ui = [h('p', {}, t('w.stations_text')), address, waiting, table_, can('installer') && csvImport('stations', STATION_KEYS, 'id,circuit,rotation,name\nG-01,row-a,RST,left wall\nG-02,row-a,STR,', anew),
		byHand('stations', () => ({ online: [...state.stations.values()].filter((s) => s.state === 'online').map((s) => s.id), missing: [...state.stations.values()].filter((s) => s.state === 'offline').map((s) => s.id) }), again)];
	ui.draw = draw;
	return ui;
}

// --- how they are wired ---

function rotationText(s) {
	if (!s.found.length) return h('span', { class: 'error' }, s.detail || t('w.not_found'));
	return [s.unique ? null : h('span', { class: 'quiet' }, `${t('w.several')} `), h('b', {}, s.found.join(', '))];
}

export function identifyResult(r) {
	const wrong = r.stations.filter((s) => s.found.length && !s.fits);
	const over = {};
	for (const s of wrong) (over[s.own ? 'evses' : 'stations'] ??= {})[s.own || s.station] = { rotation: s.found[0] };
	return [table([[t('station'), (s) => h('b', {}, s.station)], [t('w.configured'), (s) => s.configured || '–'], [t('w.found'), rotationText],
		['', (s) => (s.found.length ? pill(s.fits ? 'ok' : 'bad', t(s.fits ? 'w.matches' : 'w.differs')) : null)],
		[t('w.takes'), (s) => `${PHASES.map((p, i) => `${p} ${num(s.grid_a[i], 1)}`).join('  ')} A`, 'wide']], r.stations),
	wrong.length && can('installer') ? h('p', { class: 'noprint' }, button(t('w.take_over'), () => propose({ over }))) : null,
	wrong.some((s) => s.found.length > 1) ? h('p', { class: 'quiet' }, t('w.several_hint')) : null];
}

export function identify(again) {
	const pick = evseSelect(t('w.skip_all'));
	const check = checkRunner('commission.identify', () => (pick.value ? evseOf(pick.value) : {}), identifyResult, again, { rest: t('w.baseline'), stepping: t('w.stepping'), lowered: t('w.stepping') });
	const how_many = h('p', { class: 'quiet' });
	const ui = [h('p', {}, t('w.identify_text')), how_many, field(t('w.pick_station'), pick), check, kept('identify', identifyResult)];
	ui.draw = () => {
		pick.fill();
		how_many.textContent = `${busy().length} ${t('w.charging_now')}`;
	};
	ui.draw();
	return ui;
}

// --- which form of a limit they take ---

export const probeResult = (r) => (r.stations || [r]).map((s) => h('div', {}, h('h3', {}, `${s.station}/${s.evse}`, ' ', s.failure ? pill('bad', s.failure) : pill('ok', s.form)),
	table([[t('probe.form'), (f) => [f.purpose, ` · ${t('probe.connector')} ${f.connector} · ${f.unit} · ${f.kind}`]], [t('limit'), (f) => amps(f.limit_a), 'n'], [t('probe.answer'), (f) => pill(f.answer === 'accepted' ? 'ok' : f.answer === 'refused' ? 'bad' : 'info', t(`probe.${f.answer}`, f.answer))],
		[t('probe.current'), (f) => (f.response_s !== undefined ? `${num(f.response_s, 1)} s` : t(`probe.${f.current}`, f.current))]], s.forms)));

export function probe(again) {
	const pick = evseSelect();
	const keep = async (end) => {
		if (end?.result) {
			const before = (found.probe?.data?.stations || []).filter((s) => s.station !== end.result.station || s.evse !== end.result.evse);
			const data = { stations: [...before, end.result] };
			await attempt(() => note('probe', data.stations.every((s) => !s.failure), data), null);
		}
		await again();
	};
	const form = h('div', {}, field(t('w.pick_station'), pick), checkRunner('commission.probe', () => evseOf(pick.value), probeResult, keep, { probing: t('w.probing') })), nobody = h('p', { class: 'quiet' }, t('w.nobody_charges'));
	const ui = [h('p', {}, t('w.probe_text')), form, nobody, kept('probe', probeResult), byHand('probe', () => found.probe?.data ?? null, again)];
	ui.draw = () => {
		pick.fill();
		form.hidden = !pick.options.length;
		nobody.hidden = !form.hidden;
	};
	ui.draw();
	return ui;
}

// --- what they obey ---

export function limitResult(r) {
	const reaction = (s) => (!s.drew_more ? t('w.no_draw') : s.below_s === null ? pill('bad', t('w.too_late')) : pill(s.below_s <= 5 ? 'ok' : 'warning', `${num(s.below_s, 1)} s${s.below_s <= 5 ? '' : ` ${t('w.slow')}`}`));
	return [h('p', {}, h('b', {}, r.circuit), ` → ${amps(r.limit_a)}: `, pill(r.ok ? 'ok' : 'bad', r.below_s === null ? t('w.too_late') : `${num(r.below_s, 1)} s`)),
		table([[t('station'), (s) => `${s.station}/${s.evse}`], [t('offered'), (s) => (s.told_s === null ? '–' : `${num(s.told_s, 1)} s`), 'n'], [t('w.reaction'), reaction]], r.stations)];
}

export function limit(again) {
	const circuits = [...state.circuits.values()], pick = h('select', {}, circuits.map((c) => h('option', { value: c.id }, c.name ? `${c.id} – ${c.name}` : c.id))), a = h('input', { type: 'number', min: 0, step: '1', inputmode: 'decimal', required: true });
	const suggest = () => { a.value = Math.max(6, Math.round(Math.max(...(state.circuits.get(pick.value)?.i_a || [0]).map((x) => x || 0)) * 0.7)); };
	pick.value = (circuits.find((c) => c.parent) || circuits[0])?.id;
	pick.onchange = suggest;
	suggest();
	const check = checkRunner('commission.limit-test', () => ({ circuit: pick.value, limit_a: Number(a.value), seconds: 60 }), limitResult, again, { lowered: t('w.stepping'), below: t('w.stepping') });
	return [h('p', {}, t('w.limit_text')), field(t('circuit'), pick), field(t('w.limit_a'), a), check, kept('limit', limitResult)];
}

// --- what survives an outage ---

export const offlineResult = (r) => [h('p', {}, pill(r.ok ? 'ok' : 'bad', t(r.ok ? 'w.passed' : 'w.failed')), ` ${r.uplink}`), h('dl', { class: 'tiles' },
	[[t('w.cut'), `${r.cut_s} s`], [t('w.kept'), r.queued], [t('w.delivered'), r.delivered], [t('w.twice'), r.duplicates], [t('w.drained'), `${num(r.drain_s, 1)} s`]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))))];

export function offline(again) {
	if (!state.uplinks.size) return [h('p', { class: 'quiet' }, t('no_uplink')), byHand('offline', null, again)];
	const pick = h('select', {}, [...state.uplinks.keys()].map((u) => h('option', {}, u))), s = h('input', { type: 'number', min: 5, max: 600, value: 120, inputmode: 'numeric' });
	const check = checkRunner('commission.offline-test', () => ({ uplink: pick.value, seconds: Number(s.value) }), offlineResult, again, { cut: t('w.is_cut'), draining: t('w.draining') });
	return [h('p', {}, t('w.offline_text')), field(t('w.uplink'), pick), field(t('w.offline_s'), s), check, kept('offline', offlineResult)];
}
