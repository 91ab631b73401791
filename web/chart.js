// A line chart of columns over time: lines, a limit, marks of events, values under the pointer, and the same as a table for those who cannot see it.
import { h, num, time, zone } from './ui.js';
import { t, locale } from './text.js';

const H = 240, LEFT = 40, BOTTOM = 24, TOP = 10, RIGHT = 8;

function ticks(most, step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((s) => most / s <= 5) || 2000) {
	return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

// lines: [{name, values, cls}]; limit: values or null; marks: [{t, text}]
// `zoom(from, to)`, where given, is called for the part that a pointer has drawn over.
export function chart({ x, lines, limit, marks = [], unit = 'A', from, to, label, zoom }) {
	const W = Math.max(280, (document.getElementById('page')?.clientWidth || 900) - 32);
	const seen = (values) => values.filter((v, i) => v !== null && v !== undefined && x[i] >= from && x[i] <= to), n_seen = Math.max(1, seen(x).length);
	const all = [...lines.map((l) => l.values), limit || []].flatMap(seen);
	const least = Math.min(0, ...all), up = ticks(Math.max(1, Math.max(...all, 1) * 1.05, -least / 3));
	const scale = least < 0 ? [...ticks(-least, up[1]).slice(1).reverse().map((v) => -v), ...up] : up, top = scale[scale.length - 1], bottom = scale[0];
	const sx = (v) => LEFT + ((v - from) / Math.max(1, to - from)) * (W - LEFT - RIGHT);
	const sy = (v) => TOP + ((top - v) / (top - bottom)) * (H - TOP - BOTTOM);
	const gap = Math.max(3, ((to - from) / n_seen) * 6, (x[1] - x[0]) * 3 || 0);
	const path = (values) => {
		let d = '', last = null;
		x.forEach((v, i) => {
			if (values[i] === null || values[i] === undefined || v < from || v > to) { last = null; return; }
			d += `${last === null || v - last > gap ? 'M' : 'L'}${sx(v).toFixed(1)} ${sy(values[i]).toFixed(1)}`;
			last = v;
		});
		return d;
	};
	const days = to - from > 2 * 86400;
	const stamp = (s) => new Date(s * 1000).toLocaleString(locale(), days ? { day: '2-digit', month: '2-digit', timeZone: zone } : { hour: '2-digit', minute: '2-digit', second: to - from < 600 ? '2-digit' : undefined, hourCycle: 'h23', timeZone: zone });
	const n = W < 500 ? 3 : 6, read = h('p', { class: 'chart-read', 'aria-hidden': 'true' }, '\u00a0');
	const cursor = h('line', { class: 'cursor', y1: TOP, y2: H - BOTTOM, x1: -10, x2: -10 });
	const svg = h('svg', { viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': label, preserveAspectRatio: 'none', class: 'chart' },
		scale.map((v) => h('g', {}, h('line', { class: v ? 'grid' : 'grid zero', x1: LEFT, x2: W - RIGHT, y1: sy(v), y2: sy(v) }), h('text', { x: LEFT - 6, y: sy(v) + 4, 'text-anchor': 'end' }, num(v)))),
		Array.from({ length: n }, (_, i) => from + ((to - from) * (i + 0.5)) / n).map((v) => h('text', { x: sx(v), y: H - 6, 'text-anchor': 'middle' }, stamp(v))),
		marks.map((m) => h('line', { class: 'mark', x1: sx(m.t), x2: sx(m.t), y1: TOP, y2: H - BOTTOM })),
		limit && h('path', { class: 'limit', d: path(limit) }),
		lines.map((l) => h('path', { class: `line ${l.cls}`, d: path(l.values) })), cursor);
	const timeAt = (e) => {
		const box = svg.getBoundingClientRect();
		return from + (((e.clientX - box.left) / box.width) * W - LEFT) / (W - LEFT - RIGHT) * (to - from);
	};
	const span = h('rect', { class: 'span', y: TOP, height: H - TOP - BOTTOM, x: -10, width: 0 });
	let began = null;
	svg.append(span);
	if (zoom) svg.onpointerdown = (e) => { if (e.pointerType !== 'touch') began = timeAt(e); };
	if (zoom) svg.onpointerup = (e) => {
		const ends = [began, timeAt(e)].sort((a, b) => a - b);
		if (began !== null && sx(ends[1]) - sx(ends[0]) > 8) zoom(Math.max(from, ends[0]), Math.min(to, ends[1]));
		began = null;
	};
	svg.onpointermove = (e) => {
		const at = timeAt(e);
		if (began !== null) {
			span.setAttribute('x', Math.min(sx(began), sx(at)));
			span.setAttribute('width', Math.abs(sx(at) - sx(began)));
		}
		let best = -1;
		x.forEach((v, i) => { if (best < 0 || Math.abs(v - at) < Math.abs(x[best] - at)) best = i; });
		if (best < 0) return;
		cursor.setAttribute('x1', sx(x[best]));
		cursor.setAttribute('x2', sx(x[best]));
		read.textContent = `${time(x[best] * 1000)}  ${lines.map((l) => `${l.name} ${num(l.values[best], 1)}`).join('  ')}${limit ? `  ${t('limit')} ${num(limit[best], 0)}` : ''} ${unit}`;
	};
	return h('figure', {}, svg, h('figcaption', {}, h('span', { class: 'legend' }, lines.map((l) => h('span', { class: `key ${l.cls}` }, l.name)), limit && h('span', { class: 'key limit' }, t('limit'))), read));
}

export function csv(name, columns) {
	const rows = columns[0][1].map((_, i) => columns.map((c) => c[1][i] ?? '').join(','));
	const a = h('a', { href: URL.createObjectURL(new Blob([[columns.map((c) => c[0]).join(','), ...rows].join('\r\n')], { type: 'text/csv' })), download: `${name}.csv` });
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}
