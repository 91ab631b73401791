// The report of a commissioning: everything that was found, to print and sign; and the end, after which the box changes nothing more by itself.
import { run, can, has, patiently, reader } from './api.js';
import { h, show, table, button, ask, attempt, num, time, pill, byName, live } from './ui.js';
import { t } from './text.js';
import { meterResult } from './wizard-site.js';
import { identifyResult, probeResult, limitResult, offlineResult } from './wizard-stations.js';
import { staged } from './uplink.js';
import { editor, found } from './wizard.js';
import { propose } from './change.js';

const shown = { meters: meterResult, identify: identifyResult, probe: probeResult, limit: limitResult, offline: offlineResult, uplink: staged, network: networkFacts, grid: gridFacts };

function facts(list) {
	return h('p', {}, list.filter(([, v]) => v).map(([k, v], i) => [i ? ' · ' : '', `${k}: `, h('b', {}, v)]));
}
function networkFacts(n) {
	return facts([[t('net.hostname'), n.hostname], [t('net.address'), n.addresses?.filter((a) => !a.loopback && !a.link_local).map((a) => `${a.interface} ${a.address}`).join(', ')], [t('net.gateway'), n.gateway], [t('net.nameservers'), n.nameservers?.join(', ')]]);
}
function gridFacts(g) {
	return facts([[t('w.grid_fuse'), g.limit_a && `${g.limit_a.map((a) => num(a, 0)).join(' / ')} A`], [t('w.grid_load'), g.load_a && num(g.load_a, 0)]]);
}

function section(step, x) {
	return h('section', {}, h('h2', {}, t(`w.${step}`), ' ', x ? pill(x.state === 'passed' ? 'ok' : 'bad', t(`w.${x.state}`)) : pill('calm', t('w.open'))),
		x ? h('p', { class: 'quiet' }, `${t('w.by')} ${x.by}, ${time(x.at, 'date')}${x.note ? `: ${x.note}` : ''}`) : null, x?.data && shown[step] ? shown[step](x.data) : null);
}

function body({ report, sha256 }, steps) {
	const states = steps.map((s) => report.steps[s]?.state), open = states.filter((s) => !s).length, failed = states.filter((s) => s === 'failed').length;
	return [h('h2', {}, `${t('page.commissioning')}: ${report.name || report.site}`),
		facts([[t('site'), report.site], [t('when'), time(report.at, 'date')], ['ampgate', report.version], [t('w.result'), failed || open ? `${failed} ${t('w.failed')}, ${open} ${t('w.open')}` : t('w.all_passed')]]),
		h('h2', {}, t('w.circuits')), table([[t('circuit'), (c) => `${c.id}${c.parent ? ` ← ${c.parent}` : ''}`], [t('limit'), (c) => `${c.limit_a.map((a) => num(a, 0)).join(' / ')} A`, 'n'], [t('meter'), (c) => c.meter || t('summed')]], report.circuits),
		steps.filter((s) => s !== 'circuits').map((s) => section(s, report.steps[s])),
		h('h2', {}, t('page.stations')), table([[t('station'), (s) => [s.id, s.state === 'pending' ? [' ', pill('pending')] : null]], [t('detail'), (s) => [s.vendor, s.model, s.firmware].filter(Boolean).join(' ')], [t('link'), (s) => s.subprotocol || '–'], [t('rotation'), (s) => s.rotation || '–']], [...report.stations].sort((a, b) => byName(a.id, b.id))),
		h('div', { class: 'signing' }, h('p', {}, t('w.sign')), h('p', {}, t('w.sign_owner'))), h('p', { class: 'quiet code' }, `${t('w.sum')}: ${sha256}`)];
}

async function lock() {
	if (await ask(t('w.lock'), [h('p', {}, t('w.lock_text'))], t('w.lock'), true)) await propose({ over: { site: { locked: true } } }, t('w.lock'));
}

async function startOver() {
	if (!await ask(t('w.reset'), [h('p', {}, t('w.reset_hint'))], t('w.reset'), true)) return;
	await attempt(() => run('commission.reset'));
	location.hash = '#/commissioning/basics';
}

export function reportStep(steps) {
	const box = h('div', { class: 'report' });
	const read = reader(() => patiently(() => run('commission.report')), (r) => show(box, body(r, steps)));
	let of = null;
	live(() => {
		if (of === found) return;
		of = found;
		read().catch((e) => show(box, h('p', { class: 'error' }, e.message)));
	}, box);
	return [h('p', { class: 'noprint' }, t('w.report_text')),
		h('div', { class: 'row wrap noprint' }, button(t('w.print'), () => print(), 'primary'), h('a', { class: 'button', href: '/api/v1/commission/report', download: 'commissioning.json' }, t('w.json')), can('installer') && has('commission.reset') && button(t('w.reset'), startOver)),
		box,
		can('installer') && h('section', { class: 'noprint' }, h('h3', {}, t('w.finish')), h('p', {}, t('w.finish_text')), editor((f) => f.field(['onboarding'], t('w.strangers'))), h('p', {}, button(t('w.lock'), lock)))];
}
