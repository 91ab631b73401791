// The way of an installer from an empty box to a report: every step shows what it needs, runs its check, and keeps the evidence on the box.
import { api, get, run, state, can, has, enc } from './api.js';
import { h, show, card, table, button, field, ask, attempt, amps, num, time, pill, PHASES } from './ui.js';
import { t } from './text.js';
import { startJob } from './jobs.js';
import { testUplink, staged } from './uplink.js';
import { acceptStation } from './actions.js';

const STEPS = ['basics', 'grid', 'circuits', 'meters', 'uplink', 'stations', 'identify', 'limit', 'offline', 'report'];
let found = {};
const read = async () => (found = await get('/commission').catch(() => found));

const verdictPill = (s) => (s ? pill(s.state === 'passed' ? 'ok' : 'bad', t(`w.${s.state}`)) : pill('calm', t('w.open')));

function evidence(step) {
	const s = found[step];
	return s ? h('p', { class: 'quiet' }, verdictPill(s), ` ${t('w.at')} ${time(s.at, 'date')} \u00b7 ${s.by}${s.note ? ` \u00b7 ${s.note}` : ''}`) : null;
}

// A step that a person judges: a note and a word.
function byHand(step, data, again) {
	const note = h('input', { maxlength: 300, 'aria-label': t('w.note') });
	const say = (st) => () => attempt(() => api('POST', '/commission/note', { step, state: st, note: note.value || undefined, data: data?.() })).then(again);
	return can('installer') && h('div', {}, field(t('w.note'), note), h('div', { class: 'row wrap' }, button(t('w.confirm'), say('passed'), 'primary'), button(t('w.failed'), say('failed'))));
}

// A check that the box runs: a button, how far it is, what it found.
function checkRunner(verb, args, draw, again, words) {
	const status = h('div', { role: 'status', 'aria-live': 'polite' }), clock = h('p', { class: 'clock', 'aria-hidden': 'true' });
	let job = null, from = 0, ticking;
	const stop = button(t('w.cancel'), () => job && run('job.stop', { job }).catch(() => {}));
	const go = button(t('w.run'), async () => {
		go.disabled = true;
		from = performance.now();
		ticking = setInterval(() => { clock.textContent = `${((performance.now() - from) / 1000).toFixed(1)} s`; }, 100);
		try {
			const end = await startJob(verb, args(), (j) => {
				job = j.job;
				const [what, ...who] = (j.step || '').split(' ');
				show(status, h('p', {}, `${words[what] || ''} ${who.join(' ')}`), h('progress', { value: Math.min(1, j.part || 0), max: 1, 'aria-label': t('w.step') }), stop);
			});
			show(status, end.result ? draw(end.result) : h('p', { class: 'quiet' }, t('w.open')));
			await again();
		} catch (e) {
			show(status, h('p', { class: 'error' }, e.message));
		}
		clearInterval(ticking);
		go.disabled = false;
		go.textContent = t('w.again');
	}, 'primary');
	return { ui: h('div', {}, can('installer') && h('div', { class: 'row wrap' }, go), clock, status), go };
}

const kept = (step, draw) => (found[step]?.data ? draw(found[step].data) : null);

// --- what was found ---

function meterResult(r) {
	return r.meters.map((m) => h('div', {}, h('h3', {}, m.meter, ' ', pill(m.ok ? 'ok' : 'bad', m.ok ? t('w.phase_ok') : t('w.failed'))),
		table([['', (p) => h('b', {}, `L${p.phase}`)], ['V', (p) => num(p.u_v, 0), 'n'], ['A', (p) => num(p.i_a, 1), 'n'], ['W', (p) => num(p.p_w, 0), 'n'], [t('w.angle'), (p) => num(p.cos, 2), 'n'],
			[t('w.result'), (p) => pill(p.verdict === 'ok' ? 'ok' : p.verdict === 'unloaded' || p.verdict === 'unknown' ? 'warning' : 'bad', t(`w.phase_${p.verdict}`))]], m.phases),
		m.swap.length ? h('p', { class: 'error' }, `${t('w.order_wrong')}: ${m.swap.map((p) => `L${p}`).join(' \u2194 ')}`) : null));
}

function rotationText(s) {
	if (!s.found.length) return h('span', { class: 'error' }, s.detail || t('w.not_found'));
	return [s.unique ? null : h('span', { class: 'quiet' }, `${t('w.several')} `), h('b', {}, s.found.join(', '))];
}

function identifyResult(r) {
	const wrong = r.stations.filter((s) => s.found.length && !s.fits);
	return [table([[t('station'), (s) => h('b', {}, s.station)], [t('w.configured'), (s) => s.configured || '\u2013'], [t('w.found'), rotationText], ['', (s) => (s.found.length ? pill(s.fits ? 'ok' : 'bad', s.fits ? t('w.matches') : t('w.differs')) : null)],
		[t('w.takes'), (s) => `${PHASES.map((p, i) => `${p} ${num(s.grid_a[i], 1)}`).join('  ')} A`, 'wide']], r.stations),
	wrong.length ? [h('p', {}, `${t('w.paste')}:`), h('pre', {}, `stations:\n${wrong.map((s) => `  ${s.station}: {rotation: ${s.found[0]}}${s.found.length > 1 ? `   # ${s.found.join(' / ')}` : ''}`).join('\n')}\n`)] : null];
}

function limitResult(r) {
	return [h('p', {}, h('b', {}, r.circuit), ` \u2192 ${amps(r.limit_a)}: `, pill(r.ok ? 'ok' : 'bad', r.below_s === null ? t('w.too_late') : `${num(r.below_s, 1)} s`)),
		table([[t('station'), (s) => `${s.station}/${s.evse}`], [t('offered'), (s) => (s.told_s === null ? '\u2013' : `${num(s.told_s, 1)} s`), 'n'], [t('w.reaction'), (s) => (!s.drew_more ? t('w.no_draw') : s.below_s === null ? pill('bad', t('w.too_late')) : pill(s.below_s <= 5 ? 'ok' : 'warning', `${num(s.below_s, 1)} s${s.below_s <= 5 ? '' : ` ${t('w.slow')}`}`))]], r.stations)];
}

const offlineResult = (r) => h('p', {}, pill(r.ok ? 'ok' : 'bad', r.ok ? t('w.passed') : t('w.failed')), ` ${r.uplink}: ${r.cut_s} s; ${r.queued} / ${r.delivered} / ${r.duplicates} ${t('w.offline_result')}; ${num(r.drain_s, 1)} s`);

// --- the steps ---

const pages = {
	basics: (again) => {
		const now = new Date();
		return [h('p', {}, t('w.basics_text')), h('dl', { class: 'tiles' }, [[t('site'), state.session.site], [t('when'), time(state.site?.ts)], ['\u0394', `${num((new Date(state.site?.ts) - now) / 1000, 0)} s`], [t('check.clock'), state.site?.clock_trusted ? t('state.ok') : t('state.warning')]].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))), byHand('basics', () => ({ browser: now.toISOString(), box: state.site?.ts }), again)];
	},
	grid: (again) => {
		const c = [...state.circuits.values()].find((x) => !x.parent), load = h('input', { type: 'number', min: 0, inputmode: 'decimal', value: found.grid?.data?.load_a ?? '' });
		return [h('p', {}, t('w.grid_text')), c && h('dl', { class: 'tiles' }, PHASES.map((p, i) => h('div', {}, h('dt', {}, `${t('w.grid_fuse')} ${p}`), h('dd', {}, amps(c.limit_a[i], 0))))), field(t('w.grid_load'), load, t('w.grid_reserve')), byHand('grid', () => ({ limit_a: c?.limit_a, load_a: Number(load.value) || null }), again)];
	},
	circuits: (again) => [h('p', {}, t('w.circuits_text')), table([[t('circuit'), (c) => h('b', {}, c.id)], ['\u2191', (c) => c.parent || '\u2013'], [t('limit'), (c) => c.limit_a.map((a) => num(a, 0)).join(' / '), 'n'], [t('meter'), (c) => c.meter || t('summed')], [t('evses'), (c) => [...state.evses.values()].filter((e) => e.circuit === c.id).length, 'n']], [...state.circuits.values()]), byHand('circuits', () => [...state.circuits.values()].map((c) => ({ id: c.id, parent: c.parent, limit_a: c.limit_a, meter: c.meter })), again)],
	meters: (again) => {
		const r = checkRunner('commission.meters', () => ({ seconds: 5 }), meterResult, again, { baseline: t('w.baseline') });
		return [h('p', {}, t('w.meters_text')), r.ui, kept('meters', meterResult)];
	},
	uplink: (again) => [h('p', {}, t('w.uplink_text')), [...state.uplinks.values()].map((u) => {
		const box = h('div', {});
		return h('div', {}, h('h3', {}, u.id, ' ', pill(u.state)), can('installer') && button(t('test'), async () => {
			const r = await testUplink(u.id, box);
			if (r) await attempt(() => api('POST', '/commission/note', { step: 'uplink', state: r.ok ? 'passed' : 'failed', data: { ...r, uplink: u.id } }), null).then(again);
		}, 'primary'), box);
	}), kept('uplink', staged), state.uplinks.size ? null : [h('p', { class: 'quiet' }, t('no_uplink')), byHand('uplink', null, again)]],
	stations: (again) => {
		const list = [...state.stations.values()], pending = list.filter((s) => s.state === 'pending'), missing = list.filter((s) => s.state === 'offline');
		return [h('p', {}, t('w.stations_text')), h('p', {}, `${t('w.stations_url')}: `, h('code', {}, `ws://${location.hostname}:8887/ID`)),
			pending.length ? table([[t('station'), (s) => h('b', {}, s.id)], ['', (s) => `${s.vendor || ''} ${s.model || ''} ${s.peer || ''}`], ['', acceptStation]], pending) : null,
			pending.length && !has('station.accept') ? [h('p', {}, `${t('w.paste')}:`), h('pre', {}, `stations:\n${pending.map((s) => `  ${s.id}: {circuit: ${[...state.circuits.keys()].at(-1) || 'grid'}, rotation: RST}`).join('\n')}\n`)] : null,
			table([[t('station'), (s) => s.id], [t('state'), (s) => pill(s.state)], [t('link'), (s) => s.subprotocol || '\u2013'], ['', (s) => [s.vendor, s.model, s.firmware].filter(Boolean).join(' ')]], list),
			missing.length ? h('p', { class: 'error' }, `${missing.length} ${t('w.stations_missing')}: ${missing.map((s) => s.id).join(', ')}`) : null, byHand('stations', () => ({ online: list.length - missing.length - pending.length, missing: missing.map((s) => s.id), pending: pending.map((s) => s.id) }), again)];
	},
	identify: (again) => {
		const busy = [...state.evses.values()].filter((e) => e.state === 'charging' && e.limit).sort((a, b) => a.station.localeCompare(b.station, undefined, { numeric: true }));
		const pick = h('select', { 'aria-label': t('w.pick_station') }, h('option', { value: '' }, t('w.skip_all')), busy.map((e) => h('option', { value: `${e.station}/${e.evse}` }, `${e.station}/${e.evse}`)));
		const r = checkRunner('commission.identify', () => {
			const at = pick.value.lastIndexOf('/');
			return pick.value ? { station: pick.value.slice(0, at), evse: Number(pick.value.slice(at + 1)) } : {};
		}, identifyResult, again, { rest: t('w.baseline'), stepping: t('w.stepping'), lowered: t('w.stepping') });
		return [h('p', {}, t('w.identify_text')), h('p', { class: 'quiet' }, `${busy.length} ${t('w.charging_now')}`), field(t('w.pick_station'), pick), r.ui, kept('identify', identifyResult)];
	},
	limit: (again) => {
		const circuits = [...state.circuits.values()], pick = h('select', {}, circuits.map((c) => h('option', { value: c.id, selected: !c.parent ? undefined : undefined }, c.id)));
		const start = circuits.find((c) => c.parent) || circuits[0], a = h('input', { type: 'number', min: 0, step: '1', inputmode: 'decimal', required: true });
		const suggest = () => { const c = state.circuits.get(pick.value), most = Math.max(...(c?.i_a || [0]).map((x) => x || 0)); a.value = Math.max(6, Math.round(most * 0.7)); };
		if (start) pick.value = start.id;
		pick.onchange = suggest;
		suggest();
		const r = checkRunner('commission.limit-test', () => ({ circuit: pick.value, limit_a: Number(a.value), seconds: 60 }), limitResult, again, { lowered: t('w.stepping'), below: t('w.stepping') });
		return [h('p', {}, t('w.limit_text')), field(t('circuit'), pick), field(t('w.limit_a'), a), r.ui, kept('limit', limitResult)];
	},
	offline: (again) => {
		if (!state.uplinks.size) return [h('p', { class: 'quiet' }, t('no_uplink'))];
		const pick = h('select', {}, [...state.uplinks.keys()].map((u) => h('option', {}, u))), s = h('input', { type: 'number', min: 5, max: 600, value: 120, inputmode: 'numeric' });
		const r = checkRunner('commission.offline-test', () => ({ uplink: pick.value, seconds: Number(s.value) }), offlineResult, again, { cut: t('w.cut'), draining: t('w.draining') });
		return [h('p', {}, t('w.offline_text')), field(t('page.uplink'), pick), field(t('w.offline_s'), s), r.ui, kept('offline', offlineResult)];
	},
	report: () => {
		const box = h('div', { class: 'report' });
		run('commission.report').then((r) => show(box, reportBody(r))).catch((e) => show(box, h('p', { class: 'error' }, e.message)));
		return [h('p', { class: 'noprint' }, t('w.report_text')), h('div', { class: 'row wrap noprint' }, button(t('w.print'), () => print(), 'primary'), h('a', { class: 'button', href: '/api/v1/commission/report', download: 'commissioning.json' }, t('w.json')),
			can('installer') && has('commission.reset') && button(t('w.reset'), async () => {
				if (await ask(t('w.reset'), [h('p', {}, t('w.reset_hint'))], t('w.reset'), true)) {
					await attempt(() => run('commission.reset'));
					location.hash = '#/commissioning/basics';
				}
			})), box];
	},
};

const shown = { meters: meterResult, identify: identifyResult, limit: limitResult, offline: offlineResult, uplink: staged };

function reportBody({ report, sha256 }) {
	return [h('h2', {}, `${report.name || report.site} \u2013 ${t('page.commissioning')}`), h('p', {}, `${report.site} \u00b7 ampgate ${report.version} \u00b7 ${time(report.at, 'date')}`),
		table([[t('circuit'), (c) => `${c.id}${c.parent ? ` \u2190 ${c.parent}` : ''}`], [t('limit'), (c) => c.limit_a.map((a) => num(a, 0)).join(' / '), 'n'], [t('meter'), (c) => c.meter || '\u2013']], report.circuits),
		STEPS.slice(0, -1).map((s) => {
			const x = report.steps[s];
			return h('section', {}, h('h2', {}, t(`w.${s}`), ' ', x ? pill(x.state === 'passed' ? 'ok' : 'bad', t(`w.${x.state}`)) : pill('calm', t('w.open'))), x ? h('p', { class: 'quiet' }, `${t('w.by')} ${x.by}, ${time(x.at, 'date')}${x.note ? `: ${x.note}` : ''}`) : null, x?.data && shown[s] ? shown[s](x.data) : null);
		}),
		h('h2', {}, t('page.stations')), table([[t('station'), (s) => s.id], ['', (s) => [s.vendor, s.model, s.firmware].filter(Boolean).join(' ')], [t('link'), (s) => s.subprotocol || '\u2013'], [t('rotation'), (s) => s.rotation || '\u2013']], report.stations),
		h('p', { style: { marginTop: '40px', borderTop: '1px solid', paddingTop: '6px' } }, t('w.sign')), h('p', { class: 'quiet code' }, `${t('w.sum')}: ${sha256}`)];
}

export function open(el, [at]) {
	const step = STEPS.includes(at) ? at : STEPS.find((s) => !found[s]) || 'basics';
	const nav = h('nav', { class: 'steps', 'aria-label': t('w.all') }), body = h('div', {}), here = STEPS.indexOf(step);
	el.append(h('h1', {}, t('page.commissioning')), h('p', { class: 'quiet noprint' }, t('w.intro')), nav, body);
	const draw_nav = () => show(nav, STEPS.map((s, i) => h('a', { href: `#/commissioning/${s}`, class: found[s]?.state || '', 'aria-current': s === step ? 'step' : undefined }, h('span', { class: 'no', 'aria-hidden': 'true' }, found[s]?.state === 'passed' ? '\u2713' : found[s]?.state === 'failed' ? '\u2717' : i + 1), h('span', {}, t(`w.${s}`)), h('small', {}, s === 'report' ? '' : t(`w.${found[s]?.state || 'open'}`)))));
	const proof = h('div', {});
	const again = async () => {
		await read();
		draw_nav();
		show(proof, evidence(step));
	};
	again().then(() => {
		body.append(card(h('span', {}, `${here + 1}. ${t(`w.${step}`)}`), proof, ...[pages[step](again)].flat(3).filter(Boolean)),
			h('div', { class: 'row noprint' }, here > 0 && h('a', { class: 'button', href: `#/commissioning/${STEPS[here - 1]}` }, `\u2190 ${t('w.back')}`), here < STEPS.length - 1 && h('a', { class: 'button right', href: `#/commissioning/${STEPS[here + 1]}` }, `${t('w.next')} \u2192`)));
		nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
	});
	return {};
}
