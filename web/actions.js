// What people may do to stations and circuits, wherever they meet them.
import { api, run, can, has, state, refreshLimits, enc } from './api.js';
import { h, ask, attempt, button, field, toast } from './ui.js';
import { t } from './text.js';

export async function capDialog(object, most) {
	const v = await ask(`${t('lower')} ${object}`, [
		field(`${t('limit')} (A)`, h('input', { name: 'limit_a', type: 'number', min: 0, max: most || 1000, step: '0.1', required: true, inputmode: 'decimal' })),
		field(t('for'), h('select', { name: 'for' }, ['15m', '1h', '2h', '8h', '24h'].map((d) => h('option', { value: d, selected: d === '2h' }, t(`for.${d}`))))),
		field(t('why'), h('input', { name: 'reason', maxlength: 80 })),
	], t('lower'));
	if (v) await attempt(() => api('POST', '/limits', { object, limit_a: Number(v.limit_a), for: v.for, reason: v.reason || undefined })).then(refreshLimits);
}

export const capButton = (object, most) => can('operator') && button(t('lower'), () => capDialog(object, most), 'small');

// Only what this program can do: a button whose verb there is not is not shown.
const verbButton = (verb, role, text, work, kind = 'small') => has(verb) && can(role) && button(text, work, kind);

export function acceptStation(s) {
	if (!has('station.accept')) return h('a', { href: '#/commissioning/stations' }, t('how_to_accept'));
	const others = [...state.stations.values()].filter((x) => x.state !== 'pending');
	return verbButton('station.accept', 'installer', t('accept'), async () => {
		const v = await ask(`${t('accept')} ${s.id}`, [
			field(t('circuit'), h('select', { name: 'circuit' }, [...state.circuits.keys()].map((c) => h('option', { value: c }, c)))),
			field(t('rotation'), h('select', { name: 'rotation' }, ['RST', 'STR', 'TRS', 'RTS', 'SRT', 'TSR'].map((r) => h('option', {}, r))), t('rotation_hint')),
			field(t('like'), h('select', { name: 'like' }, h('option', { value: '' }, '\u2013'), others.map((o) => h('option', {}, o.id)))),
		], t('accept'));
		if (v) await attempt(() => run('station.accept', { station: s.id, circuit: v.circuit, rotation: v.rotation, like: v.like || undefined }));
	}, 'small primary');
}

export function stationActions(s) {
	return h('div', { class: 'row wrap' },
		verbButton('station.reset', 'operator', t('reset'), async () => {
			const v = await ask(`${t('reset')} ${s.id}?`, [h('p', {}, t('reset_hint')), field(t('kind'), h('select', { name: 'kind' }, h('option', { value: 'soft' }, t('soft')), h('option', { value: 'hard' }, t('hard'))))], t('reset'), true);
			if (v) attempt(() => run('station.reset', { station: s.id, kind: v.kind }));
		}),
		verbButton('station.unlock', 'operator', t('unlock'), () => attempt(() => run('station.unlock', { station: s.id }))),
		verbButton('station.trigger', 'operator', t('trigger'), () => attempt(() => run('station.trigger', { station: s.id, message: 'StatusNotification' }))),
		s.state === 'pending' && acceptStation(s));
}

export function evseActions(e) {
	const running = !!e.tx;
	return [
		running && verbButton('evse.stop', 'operator', t('stop'), async () => {
			if (await ask(`${t('stop')} ${e.station}?`, [], t('stop'), true)) attempt(() => run('evse.stop', { station: e.station, evse: e.evse }));
		}),
		!running && verbButton('evse.start', 'operator', t('start'), async () => {
			const v = await ask(`${t('start')} ${e.station}`, [field(t('token'), h('input', { name: 'token', required: true, maxlength: 36 }))], t('start'));
			if (v) attempt(() => run('evse.start', { station: e.station, evse: e.evse, token: v.token }));
		}),
		e.limit && capButton(`${e.station}/${e.evse}`, 80),
	];
}
