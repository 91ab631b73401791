// A change of the configuration on its way: what it would do, how long it is on trial, and the word that keeps it.
import { run, state, can } from './api.js';
import { h, table, button, attempt, toast } from './ui.js';
import { t } from './text.js';
import { tryChange, applyChange, refreshTrial, trialLeft, settle } from './config.js';

const value = (v) => (v === null || v === undefined ? h('span', { class: 'quiet' }, '–') : h('code', {}, v));
const differences = (changes) => table([[t('key'), (c) => h('code', {}, c.path)], [t('what'), (c) => [value(c.from), ' \u2192 ', value(c.to)]],
	[t('change.effect'), (c) => t(`effect.${c.effect}`, c.effect)]], changes, t('settings.no_change'));

const messages = (list) => h('ul', { class: 'facts' }, list.map((e) => h('li', { class: e.severity === 'error' ? 'error' : '' },
	e.path ? h('code', {}, e.path.join('.')) : h('code', {}, `${e.file}:${e.line}`), ` ${e.message}`, e.hint ? h('span', { class: 'quiet' }, ` ${e.hint}`) : null)));

// Shows what `what` ({over, drop} or {yaml}) would do and lets one apply it. Resolves with 'applied', 'refused' (with the errors) or null.
export async function propose(what, title = t('change.title')) {
	const looked = await attempt(() => tryChange(what), null);
	if (!looked) return null;
	return new Promise((resolve) => {
		const mistakes = looked.errors.filter((e) => e.severity === 'error'), warnings = looked.errors.filter((e) => e.severity !== 'error');
		const wait = h('select', { name: 'for' }, ['2m', '10m', '1h', '0s'].map((d) => h('option', { value: d }, t(`change.for.${d}`))));
		const note = h('p', { class: 'error', role: 'alert' });
		let result = looked.usable ? null : { state: 'refused', errors: looked.errors };
		const go = h('button', { class: 'primary' }, t('settings.apply'));
		const d = h('dialog', { class: 'wide-dialog', 'aria-label': title }, h('form', { method: 'dialog', onsubmit: async (e) => {
			e.preventDefault();
			go.disabled = true;
			try {
				await applyChange(what, { for: wait.value, base: looked.generation || undefined }); // what was looked at, not what came in between
				result = { state: 'applied' };
				await refreshTrial();
				toast(t('done'));
				d.close();
			} catch (err) {
				note.textContent = err.message;
				go.disabled = false;
			}
		} }, h('h2', {}, title), mistakes.length ? messages(mistakes) : null, looked.usable ? differences(looked.changes) : h('p', {}, t('change.not_usable')),
		warnings.length ? h('details', {}, h('summary', { class: 'quiet' }, `${warnings.length} ${t('change.warnings')}`), messages(warnings)) : null,
		looked.restarts ? h('p', { class: 'banner wait' }, t('change.restarts')) : null,
		looked.usable && looked.changes.length ? h('label', { class: 'field' }, h('span', {}, t('change.trial')), wait, h('small', {}, t('change.trial_hint'))) : null, note,
		h('div', { class: 'row end' }, button(looked.usable && looked.changes.length ? t('cancel') : t('ok'), () => d.close()), looked.usable && looked.changes.length ? go : null)));
		d.addEventListener('close', () => {
			d.remove();
			if (result?.state === 'applied') settle();
			resolve(result);
		});
		document.body.append(d);
		d.showModal();
	});
}

// Over every page while a change is on trial.
export function trialBanner() {
	const left = trialLeft();
	if (left === null) return null;
	return h('div', { class: 'banner wait row wrap', id: 'trial' }, h('span', {}, `${t('settings.confirm_left')} `, h('b', { class: 'count', 'aria-hidden': 'true' }, `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`)),
		can('installer') && button(t('settings.confirm'), () => attempt(() => run('config.confirm')).then(refreshTrial), 'small primary'),
		can('installer') && button(t('change.take_back'), () => attempt(() => run('config.rollback')).then(refreshTrial).then(settle), 'small'));
}
