// A day of tests/sim/trace as a picture: above, the highest current of each minute per phase against the limit in force; below, one row per
// socket, darker the more it is offered, white without a car.
//   tests/sim/trace garage-scarce | node tests/sim/plot.js > day.svg
'use strict';
const rows = require('fs').readFileSync(0, 'utf8').trim().split('\n').map(l => l.split('\t'));
const names = rows.shift(), data = rows.map(r => r.map(Number));
const sockets = names.length - 7, W = 1200, LEFT = 60, TOP = 30, H = 300, ROW = 5, GAP = 50;
const t0 = data[0][0], t1 = data[data.length - 1][0], most = Math.max(...data.map(r => Math.max(...r.slice(1, 7)))) * 1.05;
const x = t => LEFT + (t - t0) / (t1 - t0) * W, y = a => TOP + H - a / most * H;
const out = [], bottom = TOP + H + GAP + sockets * ROW;
const line = (column, colour, width, dash) => out.push(`<polyline fill="none" stroke="${colour}" stroke-width="${width}"${dash || ''} points="` +
	data.map(r => `${x(r[0]).toFixed(1)},${y(r[column]).toFixed(1)}`).join(' ') + '"/>');
const text = (px, py, words, more) => out.push(`<text x="${px}" y="${py}" font-size="12" font-family="sans-serif"${more || ''}>${words}</text>`);
out.push(`<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + W + 20}" height="${bottom + 40}"><rect width="100%" height="100%" fill="white"/>`);
for (let h = Math.ceil(t0 / 7200) * 2; h * 3600 <= t1; h += 2) {
	out.push(`<line x1="${x(h * 3600)}" x2="${x(h * 3600)}" y1="${TOP}" y2="${bottom}" stroke="#ddd"/>`);
	text(x(h * 3600) - 8, bottom + 16, `${h % 24}h`);
}
for (let a = 0; a < most; a += Math.pow(10, Math.floor(Math.log10(most))))
	text(5, y(a) + 4, `${a} A`);
['#c0392b', '#2471a3', '#1e8449'].forEach((c, l) => { line(1 + l, c, 1); text(LEFT + 60 * l, 18, `L${l + 1}`, ` fill="${c}"`); });
line(4, 'black', 1.5, ' stroke-dasharray="4 2"');
text(LEFT + 200, 18, 'limit in force, the operator\'s included');
text(LEFT, TOP + H + GAP - 8, 'offers, one row per socket');
const top = Math.max(...data.map(r => Math.max(...r.slice(7))));
for (let s = 0; s < sockets; s++) {
	for (let k = 0; k < data.length;) {
		let end = k;
		while (end < data.length && data[end][7 + s] === data[k][7 + s])
			end++;
		const offer = data[k][7 + s], shade = Math.round(235 - 200 * offer / top);
		if (offer >= 0)
			out.push(`<rect x="${x(data[k][0]).toFixed(1)}" y="${TOP + H + GAP + s * ROW}" width="${((end - k) / data.length * W).toFixed(1)}" height="${ROW - 1}" ` +
				`fill="${offer > 0 ? `rgb(${shade},${shade},255)` : '#f5c6a5'}"/>`);
		k = end;
	}
}
text(LEFT + 200, TOP + H + GAP - 8, 'orange: waits');
out.push('</svg>');
console.log(out.join('\n'));
