// The later steps of the commissioning: the way to the CSMS, the stations, how they are wired, what they obey, and what survives an outage.
import { run, state, can, has, patiently, readAll } from './api.js';
import { h, show, table, button, field, amps, num, attempt, pill, byName, live, PHASES } from './ui.js';
import { t } from './text.js';
import { found, readFound, byHand, checkRunner, csvImport, note } from './wizard.js';
import { propose } from './change.js';
import { testUplink, tested, testing, staged } from './uplink.js';
import { acceptStation, rejectStation, askAccept } from './actions.js';
import { stationUrls } from './wizard-site.js';

const byId = (a, b) => byName(a.station, b.station);
const busy = () => [...state.evses.values()].filter((e) => e.state === 'charging' && e.limit).sort(byId);
// Of those that charge just now. Who was chosen stays chosen.
function evseSelect(first) {
	const nameOf = (e) => `${e.station}/${e.evse}`;
	let shown = null;
	return live((el) => {
		const names = busy().map(nameOf), chosen = el.value;
		if (shown === names.join()) return;
		shown = names.join();
		if (chosen && !names.includes(chosen)) names.push(chosen);
		show(el, first && h('option', { value: '' }, first), names.map((n) => h('option', { value: n }, n)));
		if (chosen) el.value = chosen;
	}, h('select', {}));
}
const evseOf = (text) => ({ station: text.slice(0, text.lastIndexOf('/')), evse: Number(text.slice(text.lastIndexOf('/') + 1)) });

async function testAndNote(id) {
	const r = await testUplink(id);
	if (r) await attempt(() => note('uplink', r.ok, { ...r, uplink: id }), null).then(readFound);
}

export function uplink() {
	const before = (u) => found.uplink?.data?.uplink === u.id && staged(found.uplink.data);
	const one = (u) => h('div', {}, h('h3', {}, u.id, ' ', pill(u.state)), can('installer') && button(t('test'), () => testAndNote(u.id), 'primary', { disabled: testing(u.id) }), h('div', {}, tested(u.id) || before(u)));
	return [h('p', {}, t('w.uplink_text')), live((el) => show(el, [...state.uplinks.values()].map(one))), state.uplinks.size ? null : [h('p', { class: 'quiet' }, t('no_uplink')), byHand('uplink', null)]];
}

// --- stations ---

async function acceptAll(pending) {
	const v = await askAccept(`${t('w.accept_all')} (${pending.length})`);
	if (!v) return;
	for (const s of pending) if (await attempt(() => run('station.accept', { station: s.id, ...v }), null) === null) break;
	await patiently(readAll).catch(() => {});
}

const STATION_KEYS = ['circuit', 'rotation', 'phases', 'name', 'max_current_a', 'priority'];

export function stations() {
	const address = h('div', {}), all = () => [...state.stations.values()].sort((a, b) => byName(a.id, b.id)), ids = (st) => all().filter((s) => s.state === st).map((s) => s.id);
	stationUrls().then((urls) => show(address, h('p', {}, `${t('w.stations_url')}:`), h('ul', { class: 'facts' }, urls.map((u) => h('li', {}, h('code', { class: 'token' }, u), h('span', { class: 'quiet' }, ` + ${t('w.identity')}`))))));
	const waiting = (el) => {
		const pending = all().filter((s) => s.state === 'pending');
		show(el, h('h3', {}, t('w.waiting')), table([[t('station'), (s) => h('b', {}, s.id)], ['', (s) => [s.vendor, s.model, s.peer].filter(Boolean).join(' ')], ['', (s) => h('div', { class: 'row' }, acceptStation(s), rejectStation(s))]], pending, t('w.none_waiting')),
			pending.length > 1 && has('station.accept') && can('installer') ? h('p', {}, button(`${t('w.accept_all')} (${pending.length})`, () => acceptAll(pending))) : null);
	};
	const known = (el) => {
		const missing = ids('offline');
		show(el, h('h3', {}, t('w.known')), missing.length ? h('p', { class: 'error' }, `${missing.length} ${t('w.stations_missing')}: ${missing.join(', ')}`) : null,
			table([[t('station'), (s) => h('a', { href: `#/station/${encodeURIComponent(s.id)}` }, s.id)], [t('state'), (s) => pill(s.state)], [t('link'), (s) => s.subprotocol || '–'], [t('detail'), (s) => [s.vendor, s.model, s.firmware].filter(Boolean).join(' '), 'wide']], all().filter((s) => s.state !== 'pending')));
	};
	return [h('p', {}, t('w.stations_text')), address, live(waiting), live(known), can('installer') && csvImport('stations', STATION_KEYS, 'id,circuit,rotation,name\nG-01,row-a,RST,left wall\nG-02,row-a,STR,'),
		byHand('stations', () => ({ online: ids('online'), missing: ids('offline') }))];
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

export function identify() {
	const pick = evseSelect(t('w.skip_all'));
	return [h('p', {}, t('w.identify_text')), live((el) => show(el, `${busy().length} ${t('w.charging_now')}`), h('p', { class: 'quiet' })), field(t('w.pick_station'), pick),
		checkRunner('identify', 'commission.identify', () => (pick.value ? evseOf(pick.value) : {}), identifyResult, { rest: t('w.baseline'), stepping: t('w.stepping'), lowered: t('w.stepping') })];
}

// --- which form of a limit they take ---

export const probeResult = (r) => (r.stations || [r]).map((s) => h('div', {}, h('h3', {}, `${s.station}/${s.evse}`, ' ', s.failure ? pill('bad', s.failure) : pill('ok', s.form)),
	table([[t('probe.form'), (f) => [f.purpose, ` · ${t('probe.connector')} ${f.connector} · ${f.unit} · ${f.kind}`]], [t('limit'), (f) => amps(f.limit_a), 'n'], [t('probe.answer'), (f) => pill(f.answer === 'accepted' ? 'ok' : f.answer === 'refused' ? 'bad' : 'info', t(`probe.${f.answer}`, f.answer))],
		[t('probe.current'), (f) => (f.response_s !== undefined ? `${num(f.response_s, 1)} s` : t(`probe.${f.current}`, f.current))]], s.forms)));

export function probe() {
	const pick = evseSelect(), nobody = () => !busy().length && !pick.value;
	return [h('p', {}, t('w.probe_text')), live((el) => { el.hidden = nobody(); }, field(t('w.pick_station'), pick)), live((el) => { el.hidden = !nobody(); }, h('p', { class: 'quiet' }, t('w.nobody_charges'))),
		checkRunner('probe', 'commission.probe', () => pick.value && evseOf(pick.value), probeResult, { probing: t('w.probing') }), byHand('probe', () => found.probe?.data ?? null)];
}

// --- what they obey ---

export function limitResult(r) {
	const reaction = (s) => (!s.drew_more ? t('w.no_draw') : s.below_s === null ? pill('bad', t('w.too_late')) : pill(s.below_s <= 5 ? 'ok' : 'warning', `${num(s.below_s, 1)} s${s.below_s <= 5 ? '' : ` ${t('w.slow')}`}`));
	return [h('p', {}, h('b', {}, r.circuit), ` → ${amps(r.limit_a)}: `, pill(r.ok ? 'ok' : 'bad', r.below_s === null ? t('w.too_late') : `${num(r.below_s, 1)} s`)),
		table([[t('station'), (s) => `${s.station}/${s.evse}`], [t('offered'), (s) => (s.told_s === null ? '–' : `${num(s.told_s, 1)} s`), 'n'], [t('w.reaction'), reaction]], r.stations)];
}

export function limit() {
	const circuits = [...state.circuits.values()], pick = h('select', {}, circuits.map((c) => h('option', { value: c.id }, c.name ? `${c.id} – ${c.name}` : c.id))), a = h('input', { type: 'number', min: 0, step: '1', inputmode: 'decimal', required: true });
	const suggest = () => { a.value = Math.max(6, Math.round(Math.max(...(state.circuits.get(pick.value)?.i_a || [0]).map((x) => x || 0)) * 0.7)); };
	pick.value = (circuits.find((c) => c.parent) || circuits[0])?.id;
	pick.onchange = suggest;
	suggest();
	return [h('p', {}, t('w.limit_text')), field(t('circuit'), pick), field(t('w.limit_a'), a),
		checkRunner('limit', 'commission.limit-test', () => ({ circuit: pick.value, limit_a: Number(a.value), seconds: 60 }), limitResult, { lowered: t('w.stepping'), below: t('w.stepping') })];
}

// --- what survives an outage ---

export const offlineResult = (r) => [h('p', {}, pill(r.ok ? 'ok' : 'bad', t(r.ok ? 'w.passed' : 'w.failed')), ` ${r.uplink}`), h('dl', { class: 'tiles' },
	[[t('w.cut'), `${r.cut_s} s`], [t('w.kept'), r.queued], [t('w.delivered'), r.delivered], [t('w.twice'), r.duplicates], [t('w.drained'), `${num(r.drain_s, 1)} s`]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))))];

export function offline() {
	if (!state.uplinks.size) return [h('p', { class: 'quiet' }, t('no_uplink')), byHand('offline', null)];
	const pick = h('select', {}, [...state.uplinks.keys()].map((u) => h('option', {}, u))), s = h('input', { type: 'number', min: 5, max: 600, value: 120, inputmode: 'numeric' });
	return [h('p', {}, t('w.offline_text')), field(t('w.uplink'), pick), field(t('w.offline_s'), s),
		checkRunner('offline', 'commission.offline-test', () => ({ uplink: pick.value, seconds: Number(s.value) }), offlineResult, { cut: t('w.is_cut'), draining: t('w.draining') })];
}
