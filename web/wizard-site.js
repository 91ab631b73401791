// The first steps of the commissioning: the box, its network, the grid connection, the circuits and what measures them.
import { get, state, can, has, patiently, changed } from './api.js';
import { h, show, table, button, field, attempt, amps, num, kw, time, span, pill, live, boxNow, PHASES } from './ui.js';
import { t } from './text.js';
import { conf, keyOf, namesBelow, remove, written } from './config.js';
import { startJob } from './jobs.js';
import { found, byHand, checkRunner, editor, csvImport, root } from './wizard.js';

const tiles = (list) => h('dl', { class: 'tiles' }, list.filter(Boolean).map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))));

export function basics() {
	const here = new Date(), drift = (boxNow() - here) / 1000;
	return [h('p', {}, t('w.basics_text')),
		tiles([[t('w.clock_box'), time(boxNow())], [t('w.clock_browser'), time(here)], [t('w.clock_apart'), span(Math.abs(drift))], [t('w.clock'), pill(state.site?.clock_trusted ? 'ok' : 'warning', t(state.site?.clock_trusted ? 'w.clock_known' : 'w.clock_unknown'))]]),
		can('installer') && editor((f) => [f.field(['site', 'name'], t('w.site_name')), f.field(['site', 'timezone'], t('w.timezone')), f.field(['console', 'language'], t('language'))]),
		can('admin') && h('p', {}, h('a', { href: '#/settings/people' }, t('w.people'))),
		byHand('basics', () => ({ browser: here.toISOString(), box: new Date(boxNow()).toISOString() }))];
}

// Where a station can reach a listener: the addresses of the box, or the only one it listens on.
function urls(n) {
	const own = n.addresses.filter((a) => a.up && !a.loopback && !a.link_local && !a.address.includes(':')).map((a) => a.address);
	return n.listeners.filter((l) => l.kind === 'ocpp').flatMap((l) => (/^(0\.0\.0\.0|::|)$/.test(l.address) ? own : [l.address]).map((a) => `${l.tls ? 'wss' : 'ws'}://${a.includes(':') ? `[${a}]` : a}:${l.port}/`));
}
export const stationUrls = () => patiently(() => get('/network')).then(urls).catch(() => []);

export function network() {
	const box = h('div', {}, h('p', { class: 'quiet' }, t('loading')));
	let data = null;
	patiently(() => get('/network')).then((n) => {
		data = n;
		show(box, table([[t('net.interface'), (a) => h('b', {}, a.interface)], [t('net.address'), (a) => h('code', {}, a.address)], ['', (a) => pill(a.up ? 'up' : 'down', t(a.up ? 'net.up' : 'net.down'))]], n.addresses.filter((a) => !a.loopback && !a.link_local), t('net.none')),
			tiles([[t('net.hostname'), n.hostname || '–'], [t('net.gateway'), n.gateway ? `${n.gateway} (${n.gateway_interface})` : t('net.no_gateway')], [t('net.nameservers'), n.nameservers.join(', ') || '–'], [t('w.clock'), t(n.clock_trusted ? 'w.clock_known' : 'w.clock_unknown')]]),
			h('h3', {}, t('net.listeners')), table([[t('kind'), (l) => (l.kind === 'ocpp' ? `OCPP ${l.id}` : t('net.console'))], [t('net.address'), (l) => h('code', {}, `${l.address}:${l.port}`)], ['TLS', (l) => t(l.tls ? 'yes' : 'no')]], n.listeners),
			n.clock_trusted ? null : h('p', { class: 'banner wait' }, t('net.clock_hint')));
	}).catch((e) => show(box, h('p', { class: 'error' }, e.message)));
	return [h('p', {}, t('w.network_text')), box, byHand('network', () => data)];
}

export function grid() {
	const id = root()?.id, load = h('input', { type: 'number', min: 0, step: 'any', inputmode: 'decimal', value: found.grid?.data?.load_a ?? '' }), room = h('p', { role: 'status' });
	const judge = () => {
		const reserve = Number(conf.values.get(keyOf(['circuits', id, 'reserve_a']))?.value ?? 0), a = Number(load.value);
		room.className = a > reserve ? 'error' : 'quiet';
		room.textContent = load.value === '' ? '' : a > reserve ? `${t('w.reserve_small')}: ${num(a)} A > ${num(reserve)} A` : `${t('w.reserve_fits')}: ${num(reserve)} A`;
	};
	load.oninput = judge;
	const fuses = (c) => tiles([...PHASES.map((p, i) => [`${t('w.grid_fuse')} ${p}`, amps(c.limit_a[i], 0)]), c.window && [t('reason.grid_power'), kw(c.window.limit_w)]]);
	return [h('p', {}, t('w.grid_text')), live((el) => show(el, root() ? fuses(root()) : null)),
		can('installer') && id && editor((f) => ['limit_a', 'reserve_a', 'power_limit_w', 'power_window'].map((k) => f.field(['circuits', id, k], t(`w.key.${k}`)))),
		field(t('w.grid_load'), load, t('w.grid_reserve')), live(judge, room), byHand('grid', () => ({ limit_a: root()?.limit_a, load_a: Number(load.value) || null }))];
}

const CIRCUIT_KEYS = ['name', 'parent', 'limit_a', 'reserve_a', 'phases', 'meter'];

function tree(list, parent = null, depth = 0) {
	return list.filter((c) => (c.parent || null) === parent).flatMap((c) => [{ ...c, depth }, ...tree(list, c.id, depth + 1)]);
}

export function circuits() {
	const all = () => [...state.circuits.values()], count = (c) => [...state.evses.values()].filter((e) => e.circuit === c.id).length;
	const name = h('input', { placeholder: 'row-a', spellcheck: 'false', autocapitalize: 'none', 'aria-label': t('w.circuit_new') });
	return [h('p', {}, t('w.circuits_text')),
		live((el) => show(el, table([[t('circuit'), (c) => h('span', { class: `deep d${Math.min(c.depth, 4)}` }, c.depth ? '└ ' : '', h('b', {}, c.id), c.name ? ` ${c.name}` : '')], [t('limit'), (c) => `${c.limit_a.map((a) => num(a, 0)).join(' / ')} A`, 'n'], [t('meter'), (c) => c.meter || t('summed')], [t('evses'), count, 'n']], tree(all())))),
		can('installer') && h('h3', {}, t('w.circuits_edit')),
		can('installer') && editor((f, e) => {
			const fold = (id, open) => h('details', { class: 'fold', open }, h('summary', {}, h('code', {}, id)), h('div', { class: 'inner' }, CIRCUIT_KEYS.map((k) => f.field(['circuits', id, k], t(`w.key.${k}`))),
				state.circuits.get(id)?.parent && button(t('settings.remove'), () => { remove(e.change, ['circuits', id]); e.look(); }, 'small')));
			const folds = h('div', {}, namesBelow(['circuits']).map((id) => fold(id)));
			return [folds, h('div', { class: 'row wrap' }, name, button(t('w.circuit_add'), () => {
				const id = name.value.trim();
				if (!id || folds.querySelector(`[data-id="${CSS.escape(id)}"]`)) return name.focus();
				e.change.set(keyOf(['circuits', id, 'parent']), root()?.id);
				folds.append(fold(id, true));
				name.value = '';
				e.edited();
			}, 'small'))];
		}),
		can('installer') && csvImport('circuits', CIRCUIT_KEYS, 'id,parent,limit_a,meter,name\nrow-a,grid,100,,Row A\nrow-b,grid,80/80/63,,Row B'),
		byHand('circuits', () => all().map((c) => ({ id: c.id, parent: c.parent, limit_a: c.limit_a, meter: c.meter })))];
}

// --- meters ---

export function meterResult(r) {
	return r.meters.map((m) => h('div', {}, h('h3', {}, m.meter, ' ', pill(m.ok ? 'ok' : 'bad', t(m.ok ? 'w.phase_ok' : 'w.failed'))), phases(m.phases),
		m.swap.length ? h('p', { class: 'error' }, `${t('w.order_wrong')}: ${m.swap.map((p) => `L${p}`).join(' ↔ ')}`) : null));
}

const phases = (list) => table([['', (p) => h('b', {}, `L${p.phase}`)], ['V', (p) => num(p.u_v, 0), 'n'], ['A', (p) => num(p.i_a, 1), 'n'], ['W', (p) => num(p.p_w, 0), 'n'], [t('w.angle'), (p) => num(p.cos, 2), 'n'],
	[t('w.result'), (p) => pill(p.verdict === 'ok' ? 'ok' : p.verdict === 'unloaded' || p.verdict === 'unknown' ? 'warning' : 'bad', t(`w.phase_${p.verdict}`))]], list);

const testResult = (r) => [phases(r.phases), r.hints?.length ? h('ul', { class: 'facts' }, r.hints.map((x) => h('li', {}, x))) : null, r.fault ? h('p', { class: 'error' }, r.fault) : null];

// What meters said when they were read here: the end of the job, null while it runs.
const tests = new Map();
async function readOne(id) {
	tests.set(id, null);
	changed('meter-test');
	tests.set(id, await attempt(() => startJob('meter.test', { meter: id, seconds: 3 }), null) || {});
	changed('meter-test');
}

function testButton(id) {
	return [button(t('meter.test'), () => tests.get(id) !== null && readOne(id), 'small'),
		live((el) => show(el, tests.get(id) === null ? h('p', { class: 'quiet' }, t('testing')) : tests.get(id)?.result ? testResult(tests.get(id).result) : null), h('div', { role: 'status' }))];
}

// The last search along a bus: where, which units, its job. What is found can be taken over as a meter.
let search = { bus: '', units: '1-8', job: null, runs: false };
async function look(bus, units) {
	const mine = search = { bus, units, job: null, runs: true };
	changed('search');
	await attempt(() => startJob('meter.scan', { bus, units: units || undefined }, (j) => { mine.job = j; }), null);
	mine.runs = false;
	changed('search');
}

function scan(e, folds, fold) {
	const bus = h('input', { value: search.bus, placeholder: '192.168.1.50:502', list: 'buses', spellcheck: 'false', autocapitalize: 'none' }), units = h('input', { value: search.units, inputmode: 'numeric' });
	const take = (f, model) => {
		const at = search.bus, tcp = at.includes('.') || at.includes(':'), id = `meter-${f.unit}`, [host, port] = at.split(':');
		const keys = { driver: tcp ? 'modbus-tcp' : 'modbus-rtu', model, unit: String(f.unit), ...(tcp ? { host, ...(port && port !== '502' ? { port } : {}) } : { bus: at }) };
		for (const [k, v] of Object.entries(keys)) e.change.set(keyOf(['meters', id, k]), v);
		folds.append(fold(id, true));
		e.edited();
	};
	const go = live((el) => { el.disabled = search.runs; }, button(t('meter.scan'), () => look(bus.value.trim(), units.value.trim())));
	const seen = (r) => [r.fault ? h('p', { class: 'error' }, r.fault) : null, table([[t('meter.unit'), (f) => f.unit, 'n'], [t('meter.device'), (f) => f.device || '–'],
		[t('meter.models'), (f) => (f.models.length ? f.models.map((m) => button(`${m.name || m.model} – ${t('meter.take')}`, () => take(f, m.model), 'small')) : t('meter.no_model'))]], r.found || [], t('meter.none_found'))];
	const box = live((el) => show(el, search.runs ? h('progress', { value: search.job?.part || 0, max: 1, 'aria-label': t('w.step') }) : search.job?.result ? seen(search.job.result) : null), h('div', { role: 'status', 'aria-live': 'polite' }));
	return h('details', { class: 'fold', 'data-keep': 'scan' }, h('summary', {}, t('meter.scan_title')), h('div', { class: 'inner' }, h('datalist', { id: 'buses' }, namesBelow(['buses']).map((b) => h('option', { value: b }))),
		field(t('meter.bus'), bus, t('meter.bus_hint')), field(t('meter.units'), units), go, box));
}

const METER_KEYS = ['driver', 'model', 'host', 'port', 'bus', 'unit', 'ct_ratio', 'invert', 'poll', 'stale_after'];

function meterEditor() {
	const name = h('input', { placeholder: 'main', spellcheck: 'false', autocapitalize: 'none', 'aria-label': t('meter.new') });
	return editor((f, e) => {
		const fold = (id, open) => h('details', { class: 'fold', open }, h('summary', {}, h('code', {}, id), h('span', { class: 'quiet' }, conf.values.get(keyOf(['meters', id, 'model']))?.value ?? '')), h('div', { class: 'inner' }, METER_KEYS.map((k) => f.field(['meters', id, k])),
			h('div', { class: 'row wrap' }, has('meter.test') && written(['meters', id, 'driver']) ? testButton(id) : null, button(t('settings.remove'), () => { remove(e.change, ['meters', id]); e.look(); }, 'small'))));
		const folds = h('div', {}, namesBelow(['meters']).map((id) => fold(id)));
		return [folds, h('div', { class: 'row wrap' }, name, button(t('meter.add'), () => {
			if (!name.value.trim()) return name.focus();
			folds.append(fold(name.value.trim(), true));
			name.value = '';
		}, 'small')), has('meter.scan') && scan(e, folds, fold)];
	});
}

export function meters() {
	const now = () => table([[t('meter'), (m) => h('b', {}, m.id)], ['', (m) => pill(m.state === 'ok' ? 'ok' : 'stale')], ...PHASES.map((p, i) => [p, (m) => amps(m.i_a?.[i]), 'n']), [t('power'), (m) => kw(m.p_w), 'n'], [t('detail'), (m) => m.fault || '']], [...state.meters.values()], t('meter.none'));
	return [live((el) => show(el, now())), can('installer') && [h('h3', {}, t('meter.edit')), meterEditor()], h('h3', {}, t('w.meters_check')), h('p', {}, t('w.meters_text')),
		checkRunner('meters', 'commission.meters', () => ({ seconds: 5 }), meterResult, { baseline: t('w.baseline') })];
}
