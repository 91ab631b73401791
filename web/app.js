// The frame around the pages: who is logged in, where we are, banners; and the language and the light.
import { api, state, onChange, readSession, readAll, readVerbs, connect, disconnect } from './api.js';
import { h, patch, pill, button, setZone, num, boxNow } from './ui.js';
import { t, lang, setLang, LANGS } from './text.js';
import { loginPage, setupPage } from './login.js';
import { trialBanner } from './change.js';
import { refreshTrial } from './config.js';

// Name, the lines of its sign, the module.
const PAGES = {
	overview: ['M4 20V9M10 20V4M16 20v-8M22 20H2', () => import('./overview.js')],
	site: ['M12 3v6M5 21v-6h14v6M12 9v6M3 21h4M10 21h4M17 21h4M9 3h6', () => import('./site.js')],
	stations: ['M13 2 5 14h6l-1 8 8-12h-6z', () => import('./stations.js')],
	station: [null, () => import('./station.js')],
	grid: ['M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4', () => import('./grid.js')],
	transactions: ['M5 3h14v18l-3-2-2 2-2-2-2 2-2-2-3 2zM9 8h6M9 12h6', () => import('./transactions.js')],
	uplink: ['M7 17a4 4 0 0 1 0-8 6 6 0 0 1 11-1 4.500 4.500 0 0 1 0 9M12 21v-8M9 15l3-3 3 3', () => import('./uplink.js')],
	trace: ['M3 8h15l-4-4M21 16H6l4 4', () => import('./trace.js')],
	events: ['M6 10a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 21h4', () => import('./events.js')],
	commissioning: ['M8 4H5v17h14V4h-3M8 2h8v4H8zM8 13l3 3 5-6', () => import('./commissioning.js')],
	settings: ['M4 7h9M17 7h3M4 17h3M11 17h9M15 4v6M9 14v6', () => import('./settings.js')],
};
const sign = (d) => h('svg', { class: 'sign', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, h('path', { d }));
const FIRST = ['overview', 'site', 'stations', 'commissioning'];
const app = document.getElementById('app');
let leave = null, shown = null, menu = false;

function theme() {
	const wanted = localStorage.theme || '';
	if (wanted) document.documentElement.dataset.theme = wanted;
	else delete document.documentElement.dataset.theme;
}
export const isDark = () => (localStorage.theme ? localStorage.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);

const where = () => {
	const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
	return [PAGES[name] ? name : 'overview', rest.map(decodeURIComponent)];
};

function link(name, at, text) {
	const here = at === name || (name === 'stations' && at === 'station');
	return h('a', { href: `#/${name}`, 'aria-current': here ? 'page' : undefined, onclick: () => { menu = false; } }, sign(PAGES[name][0]), h('span', {}, text || t(`page.${name}`)));
}

function tools() {
	return h('div', { class: 'tools' },
		h('select', { 'aria-label': t('language'), onchange: (e) => { setLang(e.target.value); location.reload(); } }, LANGS.map((l) => h('option', { value: l, selected: l === lang() }, l.toUpperCase()))),
		button(isDark() ? '\u2600' : '\u263e', () => { localStorage.theme = isDark() ? 'light' : 'dark'; theme(); draw(); }, 'plain', { 'aria-label': t('theme') }),
		state.session?.login && state.session.user && button(t('logout'), logout, 'plain'));
}

async function logout() {
	disconnect();
	await api('DELETE', '/session').catch(() => {});
	await start();
}

const BANNERS = { ok: 0, warning: 1, critical: 2 };
function banners() {
	const bad = state.health.filter((c) => c.state !== 'ok').sort((a, b) => BANNERS[b.state] - BANNERS[a.state]);
	return h('div', { id: 'banners', role: 'status' }, !state.live && h('p', { class: 'banner wait' }, t('not_live')),
		bad.map((c) => h('p', { class: `banner ${c.state === 'critical' ? 'bad' : 'wait'}` }, h('strong', {}, t(`check.${c.check}`)), ` ${t(`bad.${c.check}`, '')} `, h('span', { class: 'quiet' }, c.detail))));
}

function strip() {
	const s = state.site;
	if (!s) return h('div', { class: 'strip' });
	const meters = [...state.meters.values()];
	return h('div', { class: 'strip', tabindex: '0', role: 'group', 'aria-label': t('state') },
		[...state.uplinks.values()].map((u) => pill(u.state, `${u.id} ${t(`state.${u.state}`)}`)),
		h('span', { class: 'pill calm' }, `${t('queue')} ${s.queue.messages}`),
		typeof s.mqtt === 'boolean' ? pill(s.mqtt ? 'up' : 'down', `MQTT ${t(`state.${s.mqtt ? 'up' : 'down'}`)}`) : null,
		meters.map((m) => pill(m.state === 'ok' ? 'ok' : 'stale', `${t('meter')} ${m.id} ${m.age_s === null || m.age_s === undefined ? '' : `${num(m.age_s, 1)} s`}`)));
}

function frame(at) {
	const names = Object.keys(PAGES).filter((p) => PAGES[p][0] && (p !== 'grid' || state.site?.grid_operator));
	return h('div', { id: 'app', class: 'app' },
		h('header', { class: 'top' }, h('a', { class: 'home', href: '#/overview' }, h('img', { src: '/icon.svg', alt: '', width: 26, height: 26 }), h('span', {}, state.session.site)), strip(), tools()),
		h('nav', { class: 'side', 'aria-label': t('pages') }, names.map((n) => link(n, at))),
		h('main', { id: 'main', tabindex: '-1' }, h('div', { class: 'over' }, trialBanner()), banners(), h('div', { id: 'page', 'data-keep': '1' })),
		h('nav', { class: 'bottom', 'aria-label': t('main_pages') }, FIRST.map((n) => link(n, at, t(`short.${n}`))),
			h('button', { type: 'button', 'aria-expanded': String(menu), 'aria-controls': 'sheet', onclick: () => { menu = !menu; draw(); } }, sign('M4 6h16M4 12h16M4 18h16'), h('span', {}, t('more')))),
		h('div', { id: 'sheet', class: menu ? 'sheet open' : 'sheet', hidden: !menu }, h('nav', { 'aria-label': t('all_pages') }, names.map((n) => link(n, at))), menu && tools()),
		h('footer', {}, `ampgate ${state.session.version} \u00b7 ${state.session.user} (${t(`role.${state.session.role}`)})`));
}

let root = app;
function draw() {
	if (!state.session?.user) return;
	patch(root, frame(where()[0]));
	root = document.getElementById('app');
}

async function go() {
	if (!state.session?.user) return;
	const [name, args] = where();
	const key = JSON.stringify([name, args]);
	menu = false;
	if (key === shown?.key) return draw();
	const now = shown = { key };
	leave?.();
	leave = null;
	draw();
	const el = document.getElementById('page');
	el.replaceChildren(h('p', { class: 'quiet' }, t('loading')));
	document.title = `${t(`page.${name}`)} \u2013 ${state.session.site}`;
	try {
		const page = await PAGES[name][1]();
		if (shown !== now) return; // somebody has gone on
		el.replaceChildren();
		const update = page.open(el, args);
		const stop = onChange((topic, data) => (topic === null ? update?.draw?.() : update?.on?.(topic, data)));
		leave = () => {
			stop();
			update?.close?.();
		};
		update?.draw?.();
	} catch (e) {
		if (shown !== now) return;
		el.replaceChildren(h('p', { class: 'error' }, e.message));
	}
	if (document.activeElement === document.body || document.activeElement?.closest('nav')) document.getElementById('main').focus({ preventScroll: true });
	scrollTo(0, 0);
}

async function start(ended) {
	shown = null;
	leave?.();
	leave = null;
	disconnect();
	theme();
	const s = await readSession();
	setLang(localStorage.lang || (navigator.language || '').slice(0, 2), s.language);
	document.documentElement.lang = lang();
	document.getElementById('skip').textContent = t('skip');
	setZone(s.timezone);
	if (!s.user) {
		const fresh = h('div', { id: 'app' });
		root.replaceWith(fresh);
		root = fresh;
		fresh.append(h('main', { class: 'door' }, s.setup ? setupPage(start) : loginPage(start, ended), tools()));
		return;
	}
	await Promise.all([readAll(), readVerbs()]);
	connect();
	await go();
}

document.getElementById('skip').onclick = (e) => {
	e.preventDefault();
	document.getElementById('main')?.focus();
};
addEventListener('hashchange', go);
addEventListener('keydown', (e) => {
	if (e.key === 'Escape' && menu) {
		menu = false;
		draw();
	}
});
onChange((topic, data) => {
	if (topic === 'event' && data.code.startsWith('config.')) refreshTrial();
	if (topic === null && state.session?.user) draw();
	if (topic === 'session' && state.session && !state.session.user && shown) start(true);
});
setInterval(() => state.site?.config?.confirm_until && (new Date(state.site.config.confirm_until) > boxNow() ? draw() : refreshTrial()), 1000);
theme();
start().catch((e) => app.replaceChildren(h('main', { class: 'door' }, h('p', { class: 'error' }, e.message), button('\u21bb', () => location.reload()))));
