// Every frame on both sides with what the box did with it.
import { get, state, can, enc, reader } from './api.js';
import { h, show, button, table, time, num } from './ui.js';
import { t } from './text.js';

const ARROW = { 'station rx': '→', 'station tx': '←', 'csms tx': '⇒', 'csms rx': '⇐' };
const TYPE = { 2: 'CALL', 3: 'RESULT', 4: 'ERROR', 5: 'RESULT_ERROR', 6: 'SEND' };
const VERDICTS = ['forwarded', 'answered_locally', 'queued', 'replayed', 'modified', 'originated', 'blocked', 'dropped', 'malformed'];
const KEPT = 2000, SHOWN = 200;

// --- what a frame says ---

function parsed(f) {
	try { return JSON.parse(f.raw); } catch { return null; }
}
const payloadOf = (f, frame) => (f.type === 2 || f.type === 6 ? frame?.[3] : frame?.[2]);

// Every value with the way to it: "meterValue.0.sampledValue.2.value".
function flat(value, path, out) {
	if (value !== null && typeof value === 'object') for (const [k, v] of Object.entries(value)) flat(v, path ? `${path}.${k}` : k, out);
	else out.push([path, value]);
	return out;
}

// The payload field by field, beside what the standard's version of that station knows of them.
async function decode(f, box) {
	const help = await get(`/stations/${enc(f.station)}/calls?action=${enc(f.action)}`).catch(() => null);
	const shape = f.type === 3 ? help?.response : help?.request, payload = payloadOf(f, parsed(f)) || {};
	const row = (path) => shape?.find((s) => s.name === path.split('.')[0]);
	const missing = (shape || []).filter((s) => s.required && payload[s.name] === undefined);
	show(box, table([[t('key'), ([path]) => h('code', {}, path)], [t('value'), ([, v]) => h('code', {}, String(v))], [t('what'), ([path]) => (row(path) ? `${row(path).type}${row(path).required ? ` (${t('required')})` : ''}` : shape ? h('span', { class: 'error' }, t('not_standard')) : '')]], flat(payload, '', [])),
		missing.length ? h('p', { class: 'error' }, `${t('missing')}: ${missing.map((s) => s.name).join(', ')}`) : null);
}

function inside(f, all) {
	const frame = parsed(f), box = h('div', { 'data-keep': `d${f.seq}` }), raw = h('pre', { 'data-keep': `r${f.seq}` }, frame ? JSON.stringify(frame, null, 2) : f.raw ?? f.raw_base64 ?? '');
	const pair = all.find((x) => x.seq === f.pair || (x.pair === f.seq && x.side === f.side));
	const toggle = button(t('raw'), () => { raw.textContent = raw.textContent === f.raw ? JSON.stringify(frame, null, 2) : f.raw; }, 'small');
	return [h('p', { class: 'quiet' }, `${t(`way.${f.side}_${f.dir}`)} · ${f.ver || ''} · ${f.len} B · ${f.id || ''}`), f.why ? h('p', { class: 'error' }, f.why) : null, f.diff ? [h('h4', {}, t('verdict.modified')), h('pre', {}, JSON.stringify(f.diff, null, 1))] : null,
		raw, pair ? [h('h4', {}, TYPE[pair.type]), h('pre', {}, JSON.stringify(payloadOf(pair, parsed(pair)) ?? parsed(pair), null, 2))] : null,
		h('div', { class: 'row wrap' }, frame && f.action && button(t('decode'), () => decode(f, box), 'small'), frame && toggle), box];
}

export function frameRow(f, all = []) {
	const bad = f.verdict === 'malformed' || f.verdict === 'dropped' || f.verdict === 'blocked' || f.type === 4, way = `${f.side} ${f.dir}`;
	const body = h('div', { class: 'frame-body', 'data-keep': `b${f.seq}` });
	return h('details', { class: `frame${bad ? ' bad' : ''}`, id: `f${f.seq}`, ontoggle: (e) => {
		const at = e.target.querySelector('.frame-body');
		if (e.target.open && !at.firstChild) at.append(...inside(f, all).flat(3).filter(Boolean));
	} },
	h('summary', {}, h('time', {}, time(f.ts)), h('b', {}, f.station), h('span', { class: 'way', title: t(`way.${f.side}_${f.dir}`) }, ARROW[way] || '?', h('span', { class: 'off' }, t(`way.${f.side}_${f.dir}`))),
		h('span', { class: 'action' }, f.action || '–', ' ', h('small', {}, TYPE[f.type] || '')), h('span', { class: `verdict ${f.verdict}` }, t(`verdict.${f.verdict}`)), h('span', { class: 'quiet ms' }, f.rtt_ms ? `${num(f.rtt_ms, 0)} ms` : '')), body);
}

// --- to take along ---

function har(list) {
	const byConn = new Map();
	for (const f of list) {
		const k = `${f.station} ${f.side} ${f.conn}`;
		if (!byConn.has(k)) byConn.set(k, []);
		byConn.get(k).push({ type: (f.side === 'station') === (f.dir === 'rx') ? 'send' : 'receive', time: new Date(f.ts) / 1000, opcode: 1, data: f.raw ?? '' });
	}
	const none = { httpVersion: 'HTTP/1.1', cookies: [], headers: [], headersSize: -1, bodySize: -1 };
	const entry = ([k, m]) => ({ startedDateTime: new Date(m[0].time * 1000).toISOString(), time: 0, request: { ...none, method: 'GET', url: `ws://${k.split(' ')[1]}/${k.split(' ')[0]}`, queryString: [] },
		response: { ...none, status: 101, statusText: 'Switching Protocols', content: { size: 0, mimeType: '' }, redirectURL: '' }, cache: {}, timings: { send: 0, wait: 0, receive: 0 }, _webSocketMessages: m });
	return { log: { version: '1.2', creator: { name: 'ampgate', version: state.session.version }, entries: [...byConn].map(entry) } };
}

function save(name, type, text) {
	const a = h('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

// --- the page ---

export function open(el, [station]) {
	const list = h('div', { class: 'frames' }), f = { station: station || '', action: '', verdict: '' };
	let frames = [], paused = false, source = null, due = null;
	if (!can('installer')) {
		el.append(h('h1', {}, t('page.trace')), h('p', { class: 'quiet' }, t('needs_installer')));
		return {};
	}
	const fits = (x) => (!f.station || x.station === f.station) && (!f.action || x.action?.toLowerCase().includes(f.action.toLowerCase())) && (!f.verdict || x.verdict === f.verdict);
	const paint = () => {
		const found = frames.filter(fits);
		show(list, found.slice(0, SHOWN).map((x) => frameRow(x, frames)), found.length ? null : h('p', { class: 'quiet' }, t('no_frames')));
	};
	const draw = () => paused || paint();
	const read = reader(() => get(`/traces?since=1h${f.station ? `&station=${enc(f.station)}` : ''}`).catch(() => []), (now) => {
		const last = now.at(-1)?.seq ?? 0;
		frames = [...frames.filter((x) => x.seq > last), ...now.reverse()]; // some have come meanwhile
		paint();
	});
	const labelled = (label, input) => h('label', { class: 'field inline' }, h('span', {}, label), input);
	const pause = button(t('pause'), () => {
		paused = !paused;
		pause.textContent = t(paused ? 'follow' : 'pause');
		pause.setAttribute('aria-pressed', String(paused));
		draw();
	});
	const mine = () => frames.filter(fits).slice().reverse();
	const made = (format) => { // by the box, of the last hour
		const a = h('a', { href: `/api/v1/traces?since=1h&format=${format}${['station', 'action', 'verdict'].map((k) => (f[k] ? `&${k}=${enc(f[k])}` : '')).join('')}`, download: `trace.${format}` });
		a.click();
	};
	el.append(h('h1', {}, t('page.trace')), h('div', { class: 'filters', role: 'search' },
		labelled(t('station'), h('select', { onchange: (e) => { f.station = e.target.value; read(); } }, h('option', { value: '' }, t('all')), [...state.stations.keys()].map((s) => h('option', { selected: s === f.station }, s)))),
		labelled(t('action'), h('input', { type: 'search', oninput: (e) => { f.action = e.target.value; paint(); } })),
		labelled(t('verdict'), h('select', { onchange: (e) => { f.verdict = e.target.value; paint(); } }, h('option', { value: '' }, t('all')), VERDICTS.map((v) => h('option', { value: v }, t(`verdict.${v}`))))),
		h('span', { class: 'row wrap' }, pause, button('JSONL', () => save('trace.jsonl', 'application/jsonl', mine().map((x) => JSON.stringify(x)).join('\n'))), button('HAR', () => save('trace.har', 'application/json', JSON.stringify(har(mine())))), button('pcapng', () => made('pcapng')), button('HTML', () => made('html')))),
	h('p', { class: 'quiet' }, t('trace_hint')), list);
	read();
	source = new EventSource('/api/v1/events?topics=trace');
	source.addEventListener('trace', (e) => {
		frames.unshift(JSON.parse(e.data));
		frames.length = Math.min(frames.length, KEPT);
		due ||= setTimeout(() => { due = null; draw(); }, 400);
	});
	return { close: () => { source.close(); clearTimeout(due); } };
}
