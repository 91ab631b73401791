// The doors: the setup code at the first start, the password afterwards.
import { api } from './api.js';
import { h, field } from './ui.js';
import { t } from './text.js';

function form(title, intro, fields, text, work) {
	const note = h('p', { class: 'error', role: 'alert' });
	const send = h('button', { class: 'primary' }, text);
	return h('form', { class: 'card', onsubmit: async (e) => {
		e.preventDefault();
		note.textContent = '';
		send.disabled = true;
		try {
			await work(Object.fromEntries(new FormData(e.target)));
		} catch (err) {
			note.textContent = err.message;
		}
		send.disabled = false;
	} }, h('h1', {}, title), h('p', { class: 'quiet' }, intro), ...fields, note, send);
}

export const loginPage = (next, ended) => form(t('login.title'), t(ended ? 'login.ended' : 'login.intro'), [
	field(t('login.user'), h('input', { name: 'user', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' })),
	field(t('login.password'), h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true })),
], t('login.do'), async (v) => {
	await api('POST', '/session', v);
	await next();
});

export const setupPage = (next) => form(t('setup.title'), t('setup.intro'), [
	field(t('setup.code'), h('input', { name: 'code', required: true, autocomplete: 'off', autocapitalize: 'characters', placeholder: 'ABCD-EFGH-JKMN' }), t('setup.code_hint')),
	field(t('setup.admin'), h('input', { name: 'admin', type: 'password', minlength: 10, required: true, autocomplete: 'new-password' }), t('setup.least')),
	field(t('setup.installer'), h('input', { name: 'installer', type: 'password', minlength: 10, autocomplete: 'new-password' }), t('setup.installer_hint')),
], t('setup.do'), async (v) => {
	await api('POST', '/setup', { code: v.code.trim().toUpperCase(), admin: v.admin, installer: v.installer || undefined });
	await api('POST', '/session', { user: 'admin', password: v.admin });
	location.hash = '#/commissioning';
	await next();
});
