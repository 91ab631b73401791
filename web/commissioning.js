// The way of an installer from an empty box to a report: every step shows what it needs, runs its check, and keeps the evidence on the box.
//
// Easy to get wrong: whoever waits for an answer may have left the page, or opened it anew, when it comes. So an answer goes to what is known (state,
// found, conf), never to an element, and what the page on the screen shows of it is drawn from there with every change (`live`). Fields are made once.
import { h, show, card, live, redraw } from './ui.js';
import { t } from './text.js';
import { found, readFound, forgetRefusals, evidence } from './wizard.js';
import * as site from './wizard-site.js';
import * as stations from './wizard-stations.js';
import { reportStep } from './report.js';

const STEPS = ['basics', 'network', 'grid', 'circuits', 'meters', 'uplink', 'stations', 'identify', 'probe', 'limit', 'offline', 'report'];
const pages = { ...site, ...stations, report: () => reportStep(STEPS.slice(0, -1)) };
const MARK = { passed: '✓', failed: '✗' };

// The steps: a list beside or above on a desk, one line with its neighbours on a phone.
function steps(step) {
	const done = STEPS.filter((s) => found[s]?.state === 'passed').length;
	return [h('p', { class: 'steps-done' }, `${t('w.step')} ${STEPS.indexOf(step) + 1} / ${STEPS.length}`, h('progress', { value: done, max: STEPS.length - 1, 'aria-label': `${done} ${t('w.passed')}` })),
		h('ol', {}, STEPS.map((s, i) => h('li', {}, h('a', { href: `#/commissioning/${s}`, class: found[s]?.state || '', title: t(`w.${s}`), 'aria-current': s === step ? 'step' : undefined },
			h('span', { class: 'no', 'aria-hidden': 'true' }, MARK[found[s]?.state] || i + 1), h('span', { class: 'name' }, t(`w.${s}`)), h('small', { class: 'name' }, s === 'report' ? '' : t(`w.${found[s]?.state || 'open'}`))))))];
}

function page(step) {
	const here = STEPS.indexOf(step), proof = step !== 'report' && live((el) => show(el, evidence(found[step])));
	return [live((el) => show(el, steps(step)), h('nav', { class: 'steps noprint', 'aria-label': t('w.all') })),
		card(h('span', {}, `${here + 1}. ${t(`w.${step}`)}`), here ? null : h('p', { class: 'quiet' }, t('w.intro')), proof, ...pages[step]().flat(Infinity).filter(Boolean)),
		h('div', { class: 'row noprint' }, here > 0 && h('a', { class: 'button', href: `#/commissioning/${STEPS[here - 1]}` }, `← ${t('w.back')}`), here < STEPS.length - 1 && h('a', { class: 'button right', href: `#/commissioning/${STEPS[here + 1]}` }, `${t('w.next')} →`))];
}

export function open(el, [at]) {
	const body = h('div', {}, h('p', { class: 'quiet' }, t('loading')));
	const draw = () => redraw(body);
	el.append(h('h1', {}, t('page.commissioning')), body);
	forgetRefusals();
	readFound().then(() => {
		const step = STEPS.includes(at) ? at : STEPS.find((s) => !found[s]) || 'basics';
		body.replaceChildren(...page(step));
	});
	return {
		draw,
		on(topic, d) {
			if (topic === 'config') draw();
			if (topic === 'job' && d.state !== 'running') readFound();
		},
	};
}
