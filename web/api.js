// The box: requests, the session, and its state as it changes.
import { setClock } from './ui.js';

export const state = { session: null, live: false, site: null, circuits: new Map(), meters: new Map(), stations: new Map(), evses: new Map(), uplinks: new Map(), events: [], jobs: new Map(), health: [], limits: [] };
const listeners = new Set();
export function onChange(f) {
	listeners.add(f);
	return () => listeners.delete(f);
}
// Pages are drawn a few times a second at most: with hundreds of stations something changes all the time. What takes long is drawn more seldom, so
// that a large site leaves a small device most of its time.
const DRAW_MS = 250, REST = 6;
let due = false, drawn = 0, took = 0;
function draw() {
	due = false;
	drawn = performance.now();
	for (const f of listeners) f(null);
	took = performance.now() - drawn;
}
export function changed(topic, data) {
	for (const f of listeners) f(topic, data);
	if (due) return;
	due = true;
	setTimeout(() => requestAnimationFrame(draw), Math.max(0, Math.max(DRAW_MS, took * REST) - (performance.now() - drawn)));
}

export class Problem extends Error {
	constructor(p, status) {
		super(p.detail || p.title || String(status));
		Object.assign(this, p, { status });
	}
}

export async function api(method, path, body) {
	const headers = {};
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	if (method !== 'GET' && state.session?.csrf) headers['X-Ampgate-Csrf'] = state.session.csrf;
	let r;
	try {
		r = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: 'same-origin' });
	} catch {
		throw new Problem({ detail: 'the box does not answer' }, 0);
	}
	const text = await r.text();
	let json;
	try {
		json = text ? JSON.parse(text) : null;
	} catch {
		json = { detail: text };
	}
	if (!r.ok) {
		const was = state.session;
		if ((r.status === 401 || (r.status === 403 && method !== 'GET')) && path !== '/session' && was?.user) {
			await readSession();
			if (state.session.user === was.user && state.session.csrf !== was.csrf) return api(method, path, body); // the box has started anew meanwhile
		}
		throw new Problem(json || {}, r.status);
	}
	return json;
}
export const get = (path) => api('GET', path);
// Reads something as often as it is called, one question at a time; what comes of the last goes to `take`. Who calls while a question is out has it
// asked once more, so that an older answer never comes after a newer one.
export function reader(read, take) {
	let out = null, again = false;
	const ask = async () => {
		let answer;
		try {
			for (again = true; again;) {
				again = false;
				answer = await read();
			}
		} finally {
			out = null;
		}
		take?.(answer);
	};
	return () => {
		again = true;
		return (out ??= ask());
	};
}
export const run = (verb, args = {}) => api('POST', `/do/${verb}`, args);
export const enc = encodeURIComponent;
// The box may be away for some seconds, because it starts anew for what was just changed.
export async function patiently(work) {
	for (let left = 20; ; left--) {
		try {
			return await work();
		} catch (e) {
			if (!left || e.status) throw e;
			await new Promise((r) => setTimeout(r, 1000));
		}
	}
}

const ROLES = ['viewer', 'operator', 'installer', 'admin'];
export const can = (role) => ROLES.indexOf(state.session?.role) >= ROLES.indexOf(role);
let verbs = new Set();
export const has = (verb) => verbs.has(verb);

export async function readSession() {
	state.session = await get('/session');
	changed('session');
	return state.session;
}

// What the stream has told while everything was read: it stands, the answer may be older.
const told = new Set();
function replace(map, name, entries) {
	const newer = [...map].filter(([k]) => told.has(`${name} ${k}`));
	map.clear();
	for (const [k, v] of [...entries, ...newer]) map.set(k, v);
}

const seen = (j) => ({ ...j, seen: performance.now() }); // how long it runs by now
export const takeJob = (j) => state.jobs.set(String(j.job), seen(j));

// Oldest first, as the box gives them. What came by the stream meanwhile stays on top.
export function takeEvents(log) {
	const last = log.at(-1)?.ts ?? '';
	state.events = [...state.events.filter((e) => e.ts > last), ...log.reverse()];
}

function takeAll([site, circuits, stations, uplinks, log, health, limits, jobs]) {
	Object.assign(state, { site, health, limits });
	setClock(site.ts);
	takeEvents(log);
	const named = (x) => [x.id, x];
	replace(state.circuits, 'circuit', circuits.map(named));
	replace(state.stations, 'station', stations.map(({ evses, ...s }) => named(s)));
	replace(state.evses, 'evse', stations.flatMap((s) => (s.evses || []).map((e) => [`${s.id}/${e.evse}`, { ...e, station: s.id }])));
	replace(state.uplinks, 'uplink', uplinks.map(named));
	replace(state.meters, 'meter', site.meters.map(named));
	replace(state.jobs, 'job', jobs.map((j) => [String(j.job), seen(j)]));
	changed('all');
}

export const readAll = reader(() => {
	told.clear();
	return Promise.all(['/status', '/circuits', '/stations', '/uplinks', '/log?most=100', '/health', '/limits', '/jobs'].map(get));
}, takeAll);

export async function readVerbs() {
	const open = await get('/openapi.json');
	verbs = new Set(Object.keys(open.paths).filter((p) => p.startsWith('/do/')).map((p) => p.slice(4)));
}

const refreshLimits = async () => {
	state.limits = await get('/limits').catch(() => state.limits);
	changed('limits');
};
export { refreshLimits };

let source, healthTimer, again;
// Refused, not only interrupted: perhaps nobody is logged in any more.
async function comeBack() {
	const s = await readSession().catch(() => null);
	if (s?.user) connect();
	else if (!s) again = setTimeout(comeBack, 3000);
}

export function connect() {
	source?.close();
	clearTimeout(again);
	const topics = 'site,circuit,meter,station,evse,uplink,event,job';
	source = new EventSource(`/api/v1/events?topics=${topics}`);
	const on = (topic, f) => source.addEventListener(topic, (e) => {
		const d = JSON.parse(e.data);
		if (topic !== 'event') told.add(`${topic} ${d.key}`);
		f(d, d.key);
		changed(topic, d);
	});
	source.onopen = () => {
		state.live = true;
		changed('live');
	};
	source.onerror = () => {
		state.live = false;
		changed('live');
		if (source.readyState === EventSource.CLOSED) again = setTimeout(comeBack, 3000);
	};
	on('site', (d) => {
		state.site = { ...state.site, ...d };
		setClock(d.ts);
	});
	on('circuit', (d, k) => state.circuits.set(k, d));
	on('meter', (d, k) => state.meters.set(k, d));
	on('station', (d, k) => state.stations.set(k, d));
	on('evse', (d, k) => state.evses.set(k, d));
	on('uplink', (d, k) => state.uplinks.set(k, d));
	on('job', takeJob);
	on('event', (d) => {
		state.events.unshift(d);
		state.events.length = Math.min(state.events.length, 300);
	});
	source.addEventListener('reset', () => readAll().catch(() => {}));
	source.addEventListener('hello', () => readSession().then((s) => s.user && readAll()).catch(() => {})); // the box may have started anew, and know us no more
	clearInterval(healthTimer);
	healthTimer = setInterval(async () => {
		state.health = await get('/health').catch(() => state.health);
		changed('health');
	}, 10000);
}
export function disconnect() {
	source?.close();
	clearTimeout(again);
	clearInterval(healthTimer);
}
