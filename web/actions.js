// What people may do to stations and circuits, wherever they meet them. A button is there only for a verb that the box has and the role may run.
import { api, run, can, has, state, refreshLimits } from './api.js';
import { h, ask, attempt, button, field } from './ui.js';
import { t } from './text.js';

const ROTATIONS = ['RST', 'STR', 'TRS', 'RTS', 'SRT', 'TSR'];

export async function capDialog(object, most) {
	const v = await ask(`${t('lower')} ${object}`, [
		field(`${t('limit')} (A)`, h('input', { name: 'limit_a', type: 'number', min: 0, max: most || 1000, step: '0.1', required: true, inputmode: 'decimal' }), most ? `0 – ${most} A` : null),
		field(t('for'), h('select', { name: 'for' }, ['15m', '1h', '2h', '8h', '24h'].map((d) => h('option', { value: d, selected: d === '2h' }, t(`for.${d}`))))),
		field(t('why'), h('input', { name: 'reason', maxlength: 80 })),
	], t('lower'));
	if (v) await attempt(() => api('POST', '/limits', { object, limit_a: Number(v.limit_a), for: v.for, reason: v.reason || undefined })).then(refreshLimits);
}

export const capButton = (object, most) => can('operator') && button(t('lower'), () => capDialog(object, most), 'small');

const verbButton = (verb, role, text, work, kind = 'small') => has(verb) && can(role) && button(text, work, kind);
const sure = async (title, text, work) => await ask(title, text ? [h('p', {}, text)] : [], title.replace(/\?$/, '').split(' ')[0], true) && attempt(work);

// --- stations that want in ---

// Where it hangs, how it is wired, whose settings it takes over. Resolves with the arguments of station.accept, or null.
export async function askAccept(title) {
	const others = [...state.stations.values()].filter((x) => x.state !== 'pending');
	const v = await ask(title, [
		field(t('circuit'), h('select', { name: 'circuit' }, [...state.circuits.values()].reverse().map((c) => h('option', { value: c.id }, c.name ? `${c.id} – ${c.name}` : c.id)))),
		field(t('rotation'), h('select', { name: 'rotation' }, ROTATIONS.map((r) => h('option', {}, r))), t('rotation_hint')),
		field(t('like'), h('select', { name: 'like' }, h('option', { value: '' }, '–'), others.map((o) => h('option', {}, o.id))), t('like_hint')),
	], t('accept'));
	return v && { circuit: v.circuit, rotation: v.rotation, like: v.like || undefined };
}

export const acceptStation = (s) => verbButton('station.accept', 'installer', t('accept'), async () => {
	const v = await askAccept(`${t('accept')} ${s.id}`);
	if (v) await attempt(() => run('station.accept', { station: s.id, ...v }));
}, 'small primary');

export const rejectStation = (s) => verbButton('station.reject', 'installer', t('reject'), () => sure(`${t('reject')} ${s.id}?`, t('reject_hint'), () => run('station.reject', { station: s.id })));

// --- stations that are served ---

const TRIGGERS = ['StatusNotification', 'Heartbeat', 'MeterValues', 'BootNotification', 'FirmwareStatusNotification'];

async function reset(s) {
	const v = await ask(`${t('reset')} ${s.id}?`, [h('p', {}, t('reset_hint')), field(t('kind'), h('select', { name: 'kind' }, ['soft', 'hard'].map((k) => h('option', { value: k }, t(k)))))], t('reset'), true);
	if (v) attempt(() => run('station.reset', { station: s.id, kind: v.kind }));
}

async function trigger(s) {
	const v = await ask(`${t('trigger')} ${s.id}`, [field(t('message'), h('select', { name: 'message' }, TRIGGERS.map((m) => h('option', {}, m))))], t('send'));
	if (v) attempt(() => run('station.trigger', { station: s.id, message: v.message }));
}

export function stationActions(s) {
	if (s.state === 'pending') return h('div', { class: 'row wrap' }, acceptStation(s), rejectStation(s));
	return h('div', { class: 'row wrap' },
		verbButton('station.reset', 'operator', t('reset'), () => reset(s)),
		verbButton('station.trigger', 'operator', t('trigger'), () => trigger(s)));
}

async function start(e) {
	const v = await ask(`${t('start')} ${e.station}`, [field(t('token'), h('input', { name: 'token', required: true, maxlength: 36, autocapitalize: 'none', spellcheck: 'false' }), t('start_hint'))], t('start'));
	if (v) attempt(() => run('evse.start', { station: e.station, evse: e.evse, token: v.token }));
}

// What its driver wants: so much energy by then. It gets its share earlier if time is short.
async function need(e) {
	const v = await ask(`${t('need')} ${e.station}`, [
		field(`${t('need_kwh')} (kWh)`, h('input', { name: 'kwh', type: 'number', min: 0, max: 500, step: '0.5', inputmode: 'decimal' })),
		field(t('need_by'), h('input', { name: 'by', type: 'datetime-local' }), t('need_hint')),
	], t('set'));
	if (v) attempt(() => run('need.set', { station: e.station, evse: e.evse, need_wh: v.kwh ? Number(v.kwh) * 1000 : undefined, leaves: v.by ? new Date(v.by).toISOString() : undefined }));
}

// Who is away, has a fault or is out of service starts nothing.
const canStart = (e) => !['faulted', 'unavailable'].includes(e.state) && state.stations.get(e.station)?.state === 'online';

export function evseActions(e, all = false) {
	return [
		e.tx && verbButton('evse.stop', 'operator', t('stop'), () => sure(`${t('stop')} ${e.station}?`, t('stop_hint'), () => run('evse.stop', { station: e.station, evse: e.evse }))),
		!e.tx && canStart(e) && verbButton('evse.start', 'operator', t('start'), () => start(e)),
		e.limit && capButton(`${e.station}/${e.evse}`, 80),
		all && e.tx && verbButton('need.set', 'operator', t('need'), () => need(e)),
		all && verbButton('station.unlock', 'operator', t('unlock'), () => sure(`${t('unlock')} ${e.station}?`, t('unlock_hint'), () => run('station.unlock', { station: e.station, evse: e.evse }))),
	];
}
