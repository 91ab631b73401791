// Every frame on both sides with what the box did with it.
import { get, state, can, enc } from './api.js';
import { h, show, button, time, num } from './ui.js';
import { t } from './text.js';

const ARROW = { 'station rx': '\u2192', 'station tx': '\u2190', 'csms tx': '\u21d2', 'csms rx': '\u21d0' };
const TYPE = { 2: 'CALL', 3: 'RESULT', 4: 'ERROR', 5: 'RESULT_ERROR', 6: 'SEND' };
const pretty = (raw) => {
	try { return JSON.stringify(JSON.parse(raw), null, 2); } catch { return raw; }
};

export function frameRow(f) {
	const bad = f.verdict === 'malformed' || f.verdict === 'dropped' || f.verdict === 'blocked' || f.type === 4;
	return h('details', { class: `frame${bad ? ' bad' : ''}`, id: `f${f.seq}` },
		h('summary', {}, h('time', {}, time(f.ts)), h('b', {}, f.station), h('span', { class: 'way', title: `${f.side} ${f.dir}` }, ARROW[`${f.side} ${f.dir}`] || '?', h('span', { class: 'off' }, `${f.side} ${f.dir}`)), h('span', {}, f.action || '\u2013', ' ', h('small', {}, TYPE[f.type] || '')), h('span', { class: `verdict ${f.verdict}` }, t(`verdict.${f.verdict}`)), h('span', { class: 'quiet' }, f.rtt_ms ? `${num(f.rtt_ms, 0)} ms` : '')),
		f.why ? h('p', { class: 'error' }, f.why) : null, f.diff ? h('pre', {}, JSON.stringify(f.diff, null, 1)) : null, h('pre', {}, pretty(f.raw ?? f.raw_base64 ?? '')));
}

function har(list) {
	const byConn = new Map();
	for (const f of list) {
		const k = `${f.station} ${f.side} ${f.conn}`;
		if (!byConn.has(k)) byConn.set(k, []);
		byConn.get(k).push({ type: (f.side === 'station') === (f.dir === 'rx') ? 'send' : 'receive', time: new Date(f.ts) / 1000, opcode: 1, data: f.raw ?? '' });
	}
	return { log: { version: '1.2', creator: { name: 'ampgate', version: state.session.version }, entries: [...byConn].map(([k, m]) => ({ startedDateTime: new Date(m[0].time * 1000).toISOString(), time: 0, request: { method: 'GET', url: `ws://${k.split(' ')[1]}/${k.split(' ')[0]}`, httpVersion: 'HTTP/1.1', cookies: [], headers: [], queryString: [], headersSize: -1, bodySize: -1 }, response: { status: 101, statusText: 'Switching Protocols', httpVersion: 'HTTP/1.1', cookies: [], headers: [], content: { size: 0, mimeType: '' }, redirectURL: '', headersSize: -1, bodySize: -1 }, cache: {}, timings: { send: 0, wait: 0, receive: 0 }, _webSocketMessages: m })) } };
}

function save(name, type, text) {
	const a = h('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

export function open(el, [station]) {
	const list = h('div', { class: 'frames' }), f = { station: station || '', action: '', verdict: '' };
	let frames = [], paused = false, source = null;
	if (!can('installer')) {
		el.append(h('h1', {}, t('page.trace')), h('p', { class: 'quiet' }, t('needs_installer')));
		return {};
	}
	const fits = (x) => (!f.station || x.station === f.station) && (!f.action || x.action?.toLowerCase().includes(f.action.toLowerCase())) && (!f.verdict || x.verdict === f.verdict);
	const draw = () => !paused && show(list, frames.filter(fits).slice(0, 200).map(frameRow), frames.length ? null : h('p', { class: 'quiet' }, t('nothing')));
	const read = async () => {
		frames = (await get(`/traces?since=1h${f.station ? `&station=${enc(f.station)}` : ''}`).catch(() => [])).reverse();
		draw();
	};
	const input = (name, label, el2) => h('label', { class: 'field inline' }, h('span', {}, label), el2);
	const pause = button(t('pause'), () => {
		paused = !paused;
		pause.textContent = t(paused ? 'follow' : 'pause');
		pause.setAttribute('aria-pressed', String(paused));
		draw();
	});
	el.append(h('h1', {}, t('page.trace')), h('div', { class: 'row wrap' },
		input('station', t('station'), h('select', { onchange: (e) => { f.station = e.target.value; read(); } }, h('option', { value: '' }, t('all')), [...state.stations.keys()].map((s) => h('option', { selected: s === f.station }, s)))),
		input('action', t('action'), h('input', { type: 'search', oninput: (e) => { f.action = e.target.value; draw(); } })),
		input('verdict', t('verdict'), h('select', { onchange: (e) => { f.verdict = e.target.value; draw(); } }, h('option', { value: '' }, t('all')), ['forwarded', 'answered_locally', 'queued', 'replayed', 'modified', 'originated', 'blocked', 'dropped', 'malformed'].map((v) => h('option', { value: v }, t(`verdict.${v}`))))),
		pause, button('JSONL', () => save('trace.jsonl', 'application/jsonl', frames.filter(fits).slice().reverse().map((x) => JSON.stringify(x)).join('\n'))), button('HAR', () => save('trace.har', 'application/json', JSON.stringify(har(frames.filter(fits).slice().reverse()))))), h('p', { class: 'quiet' }, t('trace_hint')), list);
	read();
	source = new EventSource('/api/v1/events?topics=trace');
	let due = null;
	source.addEventListener('trace', (e) => {
		frames.unshift(JSON.parse(e.data));
		frames.length = Math.min(frames.length, 2000);
		due ||= setTimeout(() => { due = null; draw(); }, 400);
	});
	return { close: () => { source.close(); clearTimeout(due); } };
}
