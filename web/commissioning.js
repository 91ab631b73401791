// The way of an installer from an empty box to a report: every step shows what it needs, runs its check, and keeps the evidence on the box.
import { patiently, readAll } from './api.js';
import { h, show, card } from './ui.js';
import { t } from './text.js';
import { found, readFound, evidence } from './wizard.js';
import * as site from './wizard-site.js';
import * as stations from './wizard-stations.js';
import { reportStep } from './report.js';

const STEPS = ['basics', 'network', 'grid', 'circuits', 'meters', 'uplink', 'stations', 'identify', 'probe', 'limit', 'offline', 'report'];
const pages = { ...site, ...stations, report: (again, anew) => reportStep(STEPS.slice(0, -1), anew) };
const MARK = { passed: '✓', failed: '✗' };

// The steps: a list beside or above on a desk, one line with its neighbours on a phone.
function steps(step) {
	const done = STEPS.filter((s) => found[s]?.state === 'passed').length;
	return [h('p', { class: 'steps-done' }, `${t('w.step')} ${STEPS.indexOf(step) + 1} / ${STEPS.length}`, h('progress', { value: done, max: STEPS.length - 1, 'aria-label': `${done} ${t('w.passed')}` })),
		h('ol', {}, STEPS.map((s, i) => h('li', {}, h('a', { href: `#/commissioning/${s}`, class: found[s]?.state || '', title: t(`w.${s}`), 'aria-current': s === step ? 'step' : undefined },
			h('span', { class: 'no', 'aria-hidden': 'true' }, MARK[found[s]?.state] || i + 1), h('span', { class: 'name' }, t(`w.${s}`)), h('small', { class: 'name' }, s === 'report' ? '' : t(`w.${found[s]?.state || 'open'}`))))))];
}

export function open(el, [at]) {
	const nav = h('nav', { class: 'steps noprint', 'aria-label': t('w.all') }), body = h('div', {}), proof = h('div', {});
	let live = null, step = STEPS.includes(at) ? at : null;
	el.append(h('h1', {}, t('page.commissioning')), nav, body);
	const again = async () => {
		await readFound();
		show(nav, steps(step));
		show(proof, step === 'report' ? null : evidence(found[step]));
	};
	function draw() {
		const here = STEPS.indexOf(step);
		const ui = pages[step](again, anew);
		live = ui.draw;
		body.replaceChildren(card(h('span', {}, `${here + 1}. ${t(`w.${step}`)}`), here ? null : h('p', { class: 'quiet' }, t('w.intro')), proof, ...ui.flat(Infinity).filter(Boolean)),
			h('div', { class: 'row noprint' }, here > 0 && h('a', { class: 'button', href: `#/commissioning/${STEPS[here - 1]}` }, `← ${t('w.back')}`), here < STEPS.length - 1 && h('a', { class: 'button right', href: `#/commissioning/${STEPS[here + 1]}` }, `${t('w.next')} →`)));
	}
	const anew = async () => {
		await patiently(readAll);
		draw();
	};
	readFound().then(() => {
		step ??= STEPS.find((s) => !found[s]) || 'basics';
		draw();
		return again();
	});
	return { draw: () => live?.() };
}
