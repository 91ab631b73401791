// The configuration with where each value comes from, changes on trial, and who may log in.
import { api, get, run, state, can, has, enc } from './api.js';
import { h, show, card, table, button, field, ask, attempt, time, toast, pill } from './ui.js';
import { t } from './text.js';

const ROLES = ['viewer', 'operator', 'installer', 'admin'];
const roleSelect = () => h('select', { name: 'role' }, ROLES.map((r) => h('option', { value: r }, t(`role.${r}`))));

function people(box) {
	const read = async () => {
		const [users, tokens] = await Promise.all([get('/users'), get('/api-tokens')]).catch(() => [[], []]);
		show(box, card(t('settings.users'), table([[t('login.user'), (u) => h('b', {}, u.user)], [t('settings.role'), (u) => t(`role.${u.role}`)], [t('settings.origin'), (u) => (u.from === 'configuration' ? t('settings.locked') : t('settings.managed'))],
			['', (u) => u.from !== 'configuration' && button(t('settings.remove'), async () => {
				if (await ask(`${t('settings.remove')} ${u.user}?`, [], t('settings.remove'), true)) await attempt(() => api('DELETE', `/users/${enc(u.user)}`)).then(read);
			}, 'small')]], users),
		h('p', {}, button(t('settings.user_add'), async () => {
			const v = await ask(t('settings.user_add'), [field(t('login.user'), h('input', { name: 'user', pattern: '[a-z0-9\\-]{1,40}', required: true, autocapitalize: 'none' })), field(t('settings.role'), roleSelect()), field(t('login.password'), h('input', { name: 'password', type: 'password', minlength: 10, required: true, autocomplete: 'new-password' }), t('setup.least'))], t('save'));
			if (v) await attempt(() => api('POST', '/users', v)).then(read);
		}))),
		card(t('settings.tokens'), table([[t('settings.name'), (x) => h('b', {}, x.name)], [t('settings.role'), (x) => t(`role.${x.role}`)], [t('until'), (x) => time(x.until, 'date')], ['', (x) => button(t('settings.remove'), () => attempt(() => api('DELETE', `/api-tokens/${enc(x.name)}`)).then(read), 'small')]], tokens),
			h('p', {}, button(t('settings.token_add'), async () => {
				const v = await ask(t('settings.token_add'), [field(t('settings.name'), h('input', { name: 'name', pattern: '[a-z0-9\\-]{1,40}', required: true })), field(t('settings.role'), roleSelect()), field(t('for'), h('select', { name: 'for' }, ['30d', '90d', '365d'].map((d) => h('option', {}, d))))], t('save'));
				const made = v && await attempt(() => api('POST', '/api-tokens', v), null);
				if (made) {
					await ask(v.name, [h('p', {}, t('settings.token_once')), h('pre', {}, made.token)]);
					read();
				}
			}))));
	};
	read();
}

// "key: value   # /etc/ampgate/ampgate.yaml:12", as the box prints it.
function configuration(box) {
	let text = '', filter = '';
	const mark = (origin) => (!origin ? null : /managed\.yaml/.test(origin) ? pill('calm', t('settings.managed')) : /built-in|preset|default/.test(origin) ? h('span', { class: 'quiet' }, t('settings.preset')) : h('span', { class: 'quiet', title: origin }, origin.split('/').at(-1)));
	const draw = () => {
		const q = filter.toLowerCase();
		const lines = text.split('\n').map((l) => /^(.*?)(?:\s+# (.*))?$/.exec(l)).filter((m) => m && (!q || m[0].toLowerCase().includes(q)));
		show(list, lines.map((m) => h('div', { class: 'row' }, h('code', { style: { whiteSpace: 'pre-wrap' } }, m[1] || '\u00a0'), h('small', { class: 'right' }, mark(m[2])))));
	};
	const list = h('div', { class: 'config', tabindex: '0', role: 'region', 'aria-label': t('settings.config') });
	box.append(card(h('span', {}, t('settings.config')), field(t('settings.filter'), h('input', { type: 'search', oninput: (e) => { filter = e.target.value; draw(); } })), list));
	get('/config?origin=true').then((r) => {
		text = r.yaml;
		draw();
	}).catch((e) => show(list, h('p', { class: 'error' }, e.message)));
}

function trial(box) {
	const status = h('div', { role: 'status' }), out = h('pre', { role: 'status' }), area = h('textarea', { rows: 10, spellcheck: 'false' }), past = h('div', {});
	const history = () => get('/config/history').then((list) => show(past, table([[t('settings.generation'), (g) => g.generation, 'n'], [t('when'), (g) => time(g.at, 'date')], [t('settings.by'), (g) => g.who || ''], [t('why'), (g) => g.why || ''], ['', (g) => g.generation !== state.site?.config?.generation && can('installer') && button(t('settings.rollback'), async () => {
		if (await ask(`${t('settings.rollback')} ${g.generation}?`, [], t('settings.rollback'), true)) await attempt(() => run('config.rollback', { generation: g.generation })).then(read);
	}, 'small')]], list))).catch(() => {});
	const read = async () => {
		const r = (await get('/status').catch(() => null))?.config;
		if (!r) return;
		if (state.site) state.site.config = r;
		const left = r.confirm_until ? Math.max(0, Math.round((new Date(r.confirm_until) - Date.now()) / 1000)) : null;
		show(status, h('p', {}, `${t('settings.generation')} ${r.generation ?? '\u2013'}`, r.restart ? h('span', { class: 'quiet' }, ` \u00b7 ${t('settings.restart')} ${r.restart}`) : null), r.fault ? h('pre', {}, r.fault) : null,
			left === null ? null : h('div', { class: 'banner wait row wrap' }, `${t('settings.confirm_left')} ${left} s `, button(t('settings.confirm'), () => attempt(() => run('config.confirm')).then(read), 'small primary'), button(t('settings.rollback'), () => attempt(() => run('config.rollback')).then(read), 'small')));
		history();
	};
	const send = (verb, more = {}) => async () => {
		out.textContent = '';
		try {
			const r = await run(verb, { yaml: area.value, ...more });
			out.textContent = r.changes || r.text || t('settings.no_change');
		} catch (e) {
			out.textContent = e.message;
		}
		read();
	};
	get('/config?layer=managed').then((r) => { area.value = r.yaml; }).catch(() => {});
	box.append(card(t('settings.edit'), status, field(t('settings.edit_hint'), area), h('div', { class: 'row wrap' }, button(t('settings.check'), send('config.check')), button(t('settings.apply'), send('config.apply'), 'primary')), out), card(t('settings.history'), past));
	read();
	const timer = setInterval(read, 3000);
	return () => clearInterval(timer);
}

export function open(el) {
	const conf = h('div', {}), users = h('div', {});
	let stop;
	el.append(h('h1', {}, t('page.settings')), conf, users, card(t('settings.downloads'), h('ul', { class: 'facts' }, h('li', {}, h('a', { href: '/api/v1/openapi.json' }, 'OpenAPI')), h('li', {}, h('a', { href: '/metrics' }, 'Prometheus')), h('li', {}, h('a', { href: '/status.txt' }, 'status.txt')))));
	if (has('config.apply') && can('installer')) stop = trial(conf);
	if (has('config.show') && can('installer')) configuration(conf);
	if (!has('config.apply')) conf.append(card(t('settings.config'), h('p', {}, t('settings.none'))));
	if (can('admin')) people(users);
	return { close: () => stop?.() };
}
