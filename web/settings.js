// The configuration: as a form and as text, with where each value comes from; a change is looked at, tried, and kept or taken back. And who may log in.
import { api, get, run, state, can, patiently, reader } from './api.js';
import { h, show, card, table, button, field, ask, attempt, time, pill, live, redraw } from './ui.js';
import { t } from './text.js';
import { conf, readConfig, wire, rowOf, keyOf, isManaged, refreshTrial, settle, helpOf } from './config.js';
import { makeForm, formBox, originPill } from './form.js';
import { propose } from './change.js';
import { people } from './people.js';

const TABS = ['values', 'yaml', 'history', 'people', 'programs'];
const MOST_FOUND = 40;

// What the check of the files said, without its warnings where there are errors.
function mistakes(said) {
	const blocks = said.split(/^(?=\S+:\d+:\d+: )/m), errors = blocks.filter((b) => /^\S+: error: /.test(b));
	return (errors.length ? errors : blocks).join('').trimEnd();
}

// Which configuration runs, and what is wrong when it is not the one in the files.
function standing() {
	const c = state.site?.config;
	if (!c) return null;
	return h('div', {}, h('p', {}, `${t('settings.generation')} ${c.generation ?? '–'} `, pill(c.state === 'ok' ? 'ok' : c.state === 'safe_mode' ? 'critical' : 'warning', t(`config.${c.state}`))),
		c.state === 'ok' ? null : h('p', {}, t(`config.${c.state}_text`)), c.fault ? h('pre', { class: 'error' }, mistakes(c.fault)) : null,
		c.restart ? h('p', { class: 'quiet' }, `${t('settings.restart')} ${c.restart}`) : null, conf.locked ? h('p', { class: 'banner wait' }, t('settings.is_locked')) : null);
}

// --- as a form ---

function leaves(rows, path, out) {
	for (const r of rows) if (!r.rows) out.push({ row: r, path: [...path, r.key] });
	else if (r.type === 'section' || r.type === 'maybe') leaves(r.rows, [...path, r.key], out);
	return out;
}

function values(box) {
	const change = new Map(), bar = h('div', { class: 'bar-below', hidden: true });
	let form, text = '', only = false;
	const draw_bar = () => {
		bar.hidden = !change.size;
		show(bar, h('b', {}, `${change.size} ${t('form.changes')}`), button(t('form.look'), look, 'primary'), button(t('form.discard'), () => { change.clear(); list.make(); }));
	};
	async function look() {
		const r = await propose(wire(change));
		if (r?.state === 'applied') {
			change.clear();
			draw_bar();
		} else if (r?.state === 'refused') {
			form.take(r.errors)?.focus();
		}
	}
	const found = () => {
		const all = [...leaves(conf.rows, [], []), ...[...conf.values.values()].filter((v) => rowOf(v.path) && !rowOf(v.path).rows).map((v) => ({ row: rowOf(v.path), path: v.path }))];
		const q = text.toLowerCase(), seen = new Set();
		return all.filter(({ row, path }) => {
			const k = keyOf(path);
			if (seen.has(k) || path.some((p) => typeof p === 'number') || (only && !isManaged(conf.values.get(k)))) return false;
			seen.add(k);
			return `${path.join('.')} ${helpOf(row)}`.toLowerCase().includes(q);
		});
	};
	const list = formBox(() => {
		draw_bar();
		form = makeForm(change, draw_bar);
		if (!text && !only) return form.table(conf.rows.filter((r) => r.key !== 'version'), []);
		const hits = found();
		return [h('p', { class: 'quiet', role: 'status' }, `${hits.length} ${t('form.found')}`), ...hits.slice(0, MOST_FOUND).map(({ path }) => form.field(path, h('code', {}, path.join('.'))))];
	});
	const toggle = button(t('form.only'), () => {
		only = !only;
		toggle.setAttribute('aria-pressed', String(only));
		list.make();
	}, 'chip', { 'aria-pressed': 'false' });
	box.append(card(null, h('div', { class: 'row wrap' }, h('label', { class: 'field inline' }, h('span', {}, t('settings.filter')), h('input', { type: 'search', oninput: (e) => { text = e.target.value.trim(); list.make(); } })), toggle),
		h('p', { class: 'quiet' }, t('form.text')), list), bar);
}

// --- as text ---

// "key: value   # /etc/ampgate/ampgate.yaml:12", as the box prints it.
function inForce(text) {
	const managed = (o) => o === conf.managed;
	const mark = (o) => (!o ? null : o === 'built-in' ? originPill(null) : originPill({ file: managed(o.replace(/:\d+$/, '')) ? conf.managed : o.replace(/:\d+$/, ''), line: o.split(':').at(-1) }));
	return text.split('\n').map((l) => /^(.*?)(?:\s+# (.*))?$/.exec(l)).filter((m) => m[1]).map((m) => h('div', { class: 'row' }, h('code', {}, m[1]), h('span', { class: 'right' }, mark(m[2]))));
}

function yaml(box) {
	const area = h('textarea', { rows: 12, spellcheck: 'false' }), list = h('div', { class: 'config', tabindex: '0', role: 'region', 'aria-label': t('settings.config') });
	let made = null;
	const read = reader(() => patiently(() => Promise.all([get('/config?origin=true'), get('/config?layer=managed'), readConfig()])), ([all, own]) => {
		area.value = own.yaml;
		area.disabled = conf.settling > 0;
		show(list, inForce(all.yaml));
	});
	// Read when a change has come into force; from then on until it is here there is nothing to type into.
	live(() => {
		area.disabled ||= made !== conf.changes || conf.settling > 0;
		if (made === conf.changes || conf.settling) return;
		made = conf.changes;
		read().catch((e) => show(list, h('p', { class: 'error' }, e.message)));
	}, area);
	box.append(h('div', { class: 'two' }, card(t('settings.edit'), field(t('settings.edit_hint'), area), button(t('form.look'), () => propose({ yaml: area.value }), 'primary')),
		card(t('settings.config'), list)));
}

// --- what ran before ---

function history(box) {
	const list = h('div', {});
	const look = async (g) => {
		const r = await attempt(() => api('POST', '/config/diff', { generation: g.generation }), null);
		if (r) await ask(`${t('settings.generation')} ${g.generation}`, [h('p', { class: 'quiet' }, t('history.would')), h('pre', {}, r.changes || t('settings.no_change'))]);
	};
	const back = async (g) => {
		const r = await attempt(() => api('POST', '/config/diff', { generation: g.generation }), null);
		if (r && await ask(`${t('settings.rollback')} ${g.generation}?`, [h('pre', {}, r.changes || t('settings.no_change'))], t('settings.rollback'), true))
			await attempt(() => run('config.rollback', { generation: g.generation, restart: true })).then(refreshTrial).then(settle).then(read);
	};
	const read = reader(() => patiently(() => get('/config/history')), (all) => show(list, table([
		[t('settings.generation'), (g) => [h('b', {}, g.generation), g.generation === state.site?.config?.generation ? h('span', { class: 'pill go' }, t('settings.runs')) : null]],
		[t('when'), (g) => time(g.at, 'date')], [t('settings.by'), (g) => g.who || ''], [t('why'), (g) => t(`because.${g.why}`, g.why || '')],
		['', (g) => g.generation !== state.site?.config?.generation && h('div', { class: 'row' }, button(t('history.look'), () => look(g), 'small'), button(t('settings.rollback'), () => back(g), 'small'))],
	], all)));
	box.append(card(t('settings.history'), h('p', { class: 'quiet' }, t('history.text')), list));
	read().catch((e) => show(list, h('p', { class: 'error' }, e.message)));
}

const programs = (box) => box.append(card(t('settings.downloads'), h('ul', { class: 'facts' }, [['/api/v1/openapi.json', 'OpenAPI'], ['/metrics', 'Prometheus'], ['/status.txt', 'status.txt']].map(([href, name]) => h('li', {}, h('a', { href }, name))))));

const PARTS = { values, yaml, history, people, programs };
const MAY = { values: 'installer', yaml: 'installer', history: 'installer', people: 'admin', programs: 'viewer' };

export function open(el, [at]) {
	const tabs = TABS.filter((n) => can(MAY[n])), tab = tabs.includes(at) ? at : tabs[0];
	const head = h('div', {}), body = h('div', {});
	el.append(h('h1', {}, t('page.settings')), head, h('nav', { class: 'tabs', 'aria-label': t('page.settings') }, tabs.map((n) => h('a', { href: `#/settings/${n}`, 'aria-current': n === tab ? 'page' : null }, t(`tab.${n}`)))), body);
	el.querySelector('.tabs [aria-current]').scrollIntoView({ block: 'nearest', inline: 'center' });
	PARTS[tab](body);
	refreshTrial();
	const draw = () => {
		show(head, standing());
		redraw(body);
	};
	return { draw, on: (topic) => topic === 'config' && draw() };
}
