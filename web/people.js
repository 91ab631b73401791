// Who may log in, and the tokens of programs.
import { api, get, enc } from './api.js';
import { h, show, card, table, button, field, ask, attempt, time } from './ui.js';
import { t } from './text.js';

const ROLES = ['viewer', 'operator', 'installer', 'admin'];
const roleSelect = (now) => h('select', { name: 'role' }, ROLES.map((r) => h('option', { value: r, selected: r === now }, `${t(`role.${r}`)} – ${t(`may.${r}`)}`)));
const NAME = '[a-z0-9\\-]{1,40}';

async function askUser(u) {
	const v = await ask(u ? `${t('settings.user_change')} ${u.user}` : t('settings.user_add'), [
		field(t('login.user'), h('input', { name: 'user', pattern: NAME, required: true, autocapitalize: 'none', value: u?.user ?? '', readonly: !!u })),
		field(t('settings.role'), roleSelect(u?.role)),
		field(t('login.password'), h('input', { name: 'password', type: 'password', minlength: 10, required: true, autocomplete: 'new-password' }), t('setup.least')),
	], t('save'));
	return v && attempt(() => api('POST', '/users', v));
}

async function askRemoval(name, path) {
	return await ask(`${t('settings.remove')} ${name}?`, [], t('settings.remove'), true) && attempt(() => api('DELETE', path));
}

async function askToken() {
	const v = await ask(t('settings.token_add'), [
		field(t('settings.name'), h('input', { name: 'name', pattern: NAME, required: true, autocapitalize: 'none' })),
		field(t('settings.role'), roleSelect()),
		field(t('for'), h('select', { name: 'for' }, ['30d', '90d', '365d'].map((d) => h('option', { value: d }, t(`for.${d}`))))),
	], t('save'));
	const made = v && await attempt(() => api('POST', '/api-tokens', v), null);
	if (made) await ask(v.name, [h('p', {}, t('settings.token_once')), h('pre', { class: 'token' }, made.token)]);
}

export function people(box) {
	const users = h('div', {}), tokens = h('div', {});
	const read = async () => {
		const [u, k] = await Promise.all([get('/users'), get('/api-tokens')]).catch(() => [[], []]);
		show(users, table([
			[t('login.user'), (x) => h('b', {}, x.user)],
			[t('settings.role'), (x) => [t(`role.${x.role}`), h('div', { class: 'quiet' }, t(`may.${x.role}`))]],
			[t('settings.origin'), (x) => t(x.from === 'configuration' ? 'settings.locked' : 'settings.managed')],
			['', (x) => x.from !== 'configuration' && h('div', { class: 'row' }, button(t('change'), () => askUser(x).then(read), 'small'),
				button(t('settings.remove'), () => askRemoval(x.user, `/users/${enc(x.user)}`).then(read), 'small'))],
		], u, t('settings.no_users')));
		show(tokens, table([
			[t('settings.name'), (x) => h('b', {}, x.name)], [t('settings.role'), (x) => t(`role.${x.role}`)], [t('until'), (x) => time(x.until, 'date')],
			['', (x) => button(t('settings.remove'), () => askRemoval(x.name, `/api-tokens/${enc(x.name)}`).then(read), 'small')],
		], k, t('settings.no_tokens')));
	};
	box.append(card(t('settings.users'), users, h('p', {}, button(t('settings.user_add'), () => askUser().then(read)))),
		card(t('settings.tokens'), h('p', { class: 'quiet' }, t('settings.tokens_text')), tokens, h('p', {}, button(t('settings.token_add'), () => askToken().then(read)))));
	read();
}
