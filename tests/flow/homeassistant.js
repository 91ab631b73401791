'use strict';
// What stations announce to Home Assistant, held against the rules of its MQTT discovery in the device form, and against what the daemon says
// on the topics it names: an announcement that Home Assistant would drop, or an entity that would never show a value, has to be seen here.
// A real broker (mosquitto), an independent client (npm mqtt), charging stations of npm ocpp-rpc.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, Csms, station, equal, ok, run, children } = require('./lib.js');
const { conf } = require('./raw.js');
const mqtt = require('../node_modules/mqtt');

const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));
if (!BROKER) {
	console.log('skipped: mosquitto is not installed');
	process.exit(77);
}

// --- the rules ---

// Keys that an object may have; Home Assistant refuses a message, or ignores an entity, with any other.
const AVAILABLE = ['availability', 'availability_mode', 'availability_topic', 'availability_template', 'payload_available', 'payload_not_available'];
const ROOT = ['device', 'origin', 'components', 'state_topic', 'command_topic', 'qos', 'encoding', ...AVAILABLE];
const DEVICE = ['identifiers', 'connections', 'name', 'manufacturer', 'model', 'model_id', 'hw_version', 'sw_version', 'serial_number', 'suggested_area', 'via_device', 'configuration_url'];
const ORIGIN = ['name', 'sw_version', 'support_url'];
const ENTITY = ['platform', 'unique_id', 'name', 'icon', 'device_class', 'entity_category', 'enabled_by_default', 'default_entity_id', 'object_id', 'state_topic', 'value_template',
	'json_attributes_topic', 'json_attributes_template', 'unit_of_measurement', 'qos', 'encoding', ...AVAILABLE];
const PLATFORMS = {
	sensor: { keys: ['state_class', 'options', 'expire_after', 'force_update', 'suggested_display_precision', 'last_reset_value_template'], needs: ['state_topic'], categories: ['diagnostic'] },
	binary_sensor: { keys: ['payload_on', 'payload_off', 'off_delay', 'expire_after', 'force_update'], needs: ['state_topic'], categories: ['diagnostic'] },
	number: { keys: ['command_topic', 'command_template', 'min', 'max', 'step', 'mode', 'optimistic', 'payload_reset', 'retain'], needs: ['command_topic'], categories: ['config'] },
};
// Units of a device class, and the kinds of statistics that a sensor of it may keep.
const CLASSES = {
	current: { on: ['sensor', 'number'], units: ['A', 'mA'], kinds: ['measurement'] },
	power: { on: ['sensor', 'number'], units: ['mW', 'W', 'kW', 'MW', 'GW', 'TW', 'BTU/h'], kinds: ['measurement'] },
	energy: { on: ['sensor', 'number'], units: ['mWh', 'Wh', 'kWh', 'MWh', 'GWh', 'TWh', 'J', 'kJ', 'MJ', 'GJ', 'cal', 'kcal', 'Mcal', 'Gcal'], kinds: ['total', 'total_increasing'] },
	voltage: { on: ['sensor', 'number'], units: ['µV', 'mV', 'V', 'kV', 'MV'], kinds: ['measurement'] },
	enum: { on: ['sensor'], units: [], kinds: [] },
	connectivity: { on: ['binary_sensor'], units: [], kinds: [] },
	plug: { on: ['binary_sensor'], units: [], kinds: [] },
	problem: { on: ['binary_sensor'], units: [], kinds: [] },
};

const text = (v) => typeof v === 'string' && v.length > 0;

// What is wrong with an announcement, in words; nothing for a good one.
function faults(topic, d) {
	const found = [];
	const must = (condition, what) => condition || found.push(what);
	const only = (object, keys, where) => Object.keys(object).forEach((k) => must(keys.includes(k), `${where} has '${k}'`));
	const subscribed = (t, where) => must(text(t) && Buffer.byteLength(t) <= 65535 && !/[\0#+]/.test(t), `${where}: '${t}' is no topic`);
	must(/^homeassistant\/device\/[A-Za-z0-9_-]+\/config$/.test(topic), `the topic ${topic}`);
	for (const k of ['device', 'origin', 'components']) must(d[k] && typeof d[k] === 'object', `no '${k}'`);
	if (found.length) return found;
	only(d, ROOT, 'the message');
	only(d.device, DEVICE, 'the device');
	only(d.origin, ORIGIN, 'the origin');
	must(text(d.origin.name), 'the origin has no name');
	must(Array.isArray(d.device.identifiers) && d.device.identifiers.length && d.device.identifiers.every(text), 'the device has no identifiers');
	for (const [k, v] of Object.entries(d.device)) must(k === 'identifiers' || k === 'connections' || text(v), `the device's ${k} is no text`);
	must(d.qos === undefined || [0, 1, 2].includes(d.qos), `qos ${d.qos}`);
	must(['all', 'any', 'latest'].includes(d.availability_mode), `availability_mode ${d.availability_mode}`);
	must(Array.isArray(d.availability) && d.availability.length, 'no availability');
	for (const a of d.availability || []) {
		only(a, ['topic', 'payload_available', 'payload_not_available', 'value_template'], 'availability');
		subscribed(a.topic, 'availability');
	}
	for (const [id, c] of Object.entries(d.components)) entityFaults(id, c, d, { must, only, subscribed });
	const ids = Object.values(d.components).map((c) => c.unique_id);
	must(ids.length && new Set(ids).size === ids.length, 'unique_id is not unique');
	return found;
}

function entityFaults(id, c, d, { must, only, subscribed }) {
	const p = PLATFORMS[c.platform];
	must(/^[A-Za-z0-9_-]+$/.test(id), `the id '${id}'`);
	must(p, `${id}: platform ${c.platform}`);
	if (!p) return;
	only(c, ENTITY.concat(p.keys), id);
	must(text(c.unique_id), `${id}: no unique_id`);
	must(c.name === null || text(c.name), `${id}: name`);
	for (const k of p.needs) must(text(c[k] || d[k]), `${id}: no ${k}`);
	subscribed(c.state_topic || d.state_topic, id);
	if (c.command_topic) subscribed(c.command_topic, id);
	must(c.entity_category === undefined || p.categories.includes(c.entity_category), `${id}: entity_category ${c.entity_category} on a ${c.platform}`);
	must(c.unit_of_measurement === undefined || c.platform !== 'binary_sensor', `${id}: a unit`);
	classFaults(id, c, must);
	if (c.platform === 'number') numberFaults(id, c, must);
}

function classFaults(id, c, must) {
	const k = CLASSES[c.device_class];
	if (c.device_class !== undefined) {
		must(k && k.on.includes(c.platform), `${id}: device_class ${c.device_class} on a ${c.platform}`);
		must(!k || (k.units.length ? k.units.includes(c.unit_of_measurement) : c.unit_of_measurement === undefined), `${id}: ${c.unit_of_measurement} for ${c.device_class}`);
	}
	must(c.state_class === undefined || ['measurement', 'measurement_angle', 'total', 'total_increasing'].includes(c.state_class), `${id}: state_class ${c.state_class}`);
	must(c.state_class === undefined || !k || k.kinds.includes(c.state_class), `${id}: state_class ${c.state_class} for ${c.device_class}`);
	must(c.options === undefined || (c.device_class === 'enum' && Array.isArray(c.options) && c.options.length && c.options.every(text) && new Set(c.options).size === c.options.length), `${id}: options`);
	must(c.device_class !== 'enum' || c.options, `${id}: an enum without options`);
	must(c.suggested_display_precision === undefined || (Number.isInteger(c.suggested_display_precision) && c.suggested_display_precision >= 0), `${id}: precision`);
}

function numberFaults(id, c, must) {
	const { min = 1, max = 100, step = 1 } = c;
	must(typeof min === 'number' && typeof max === 'number' && min < max, `${id}: from ${min} to ${max}`);
	must(typeof step === 'number' && step >= 0.001, `${id}: step ${step}`);
	must(c.command_template === undefined || /\{\{ *value *\}\}/.test(c.command_template), `${id}: a command_template without its value`);
}

// --- what an entity would show ---

const TEMPLATE = /^\{\{ value_json((?:\.[a-z_0-9]+)+)(?: \| default\('([a-z]+)'\))? \}\}$/;

// Renders the templates in use. A name that is not there is an error that Home Assistant logs with every message, so it is one here; but for the
// last one where there is a default.
function render(template, json) {
	const m = TEMPLATE.exec(template);
	ok(m, `a template that the test cannot render: ${template}`);
	const names = m[1].slice(1).split('.'), last = names.pop();
	let at = json;
	for (const n of names) at = at && at[n];
	ok(at && typeof at === 'object' && (last in at || m[2]), `${template} finds nothing in ${JSON.stringify(json)}`);
	if (!(last in at)) return m[2];
	return at[last] === null ? 'None' : String(at[last]);
}

// A value that the entity takes: a number where one is measured or set, within its range; one of its options.
function shownFault(id, c, value) {
	const numeric = c.platform === 'number' || c.state_class || c.unit_of_measurement;
	if (value === 'None') return null; /* unknown */
	if (numeric && !(value.trim() && Number.isFinite(Number(value)))) return `${id}: '${value}' is no number`;
	if (c.platform === 'number' && (Number(value) < c.min || Number(value) > c.max)) return `${id}: ${value} is not within ${c.min} to ${c.max}`;
	if (c.options && !c.options.includes(value)) return `${id}: '${value}' is none of ${c.options}`;
	if (!value || value.length > 255) return `${id}: '${value}' is no state`;
	return null;
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort, brokerPort] = [await freePort(), await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 100}}',
		stations: '{S-01: {circuit: grid, evses: 2, name: "Gate, \\"left\\""}, "G|07": {circuit: grid, max_current_a: 12.5}, S-03: {circuit: grid}}',
		more: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", commands: [refresh, limit.set, limit.clear], homeassistant: {enabled: true}}` }));
	const csms = new Csms(csmsPort);
	const retained = new Map(); // topic -> the newest text
	fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\nuser root\n`);
	const broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
	children.add(broker);
	const client = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, { reconnectPeriod: 100 });
	client.on('error', () => {});
	client.on('message', (topic, payload) => (payload.length ? retained.set(topic, String(payload)) : retained.delete(topic)));
	await within(10000, 'the client connects', new Promise((resolve) => client.once('connect', resolve)));
	await client.subscribeAsync(['homeassistant/#', 'ampgate/#'], { qos: 1 });

	const announced = () => [...retained].filter(([t]) => t.startsWith('homeassistant/device/')).map(([topic, payload]) => ({ topic, d: JSON.parse(payload) }));
	const of = (id) => announced().find((a) => a.topic === `homeassistant/device/ampgate_flow_${id}/config`).d;
	const evse = (id, n) => JSON.parse(retained.get(`ampgate/flow/station/${id}/evse/${n}`) || 'null');
	const value = (id, key) => {
		const c = of(id.replace('|', '_7c')).components[key], said = retained.get(c.state_topic);
		return said === undefined ? undefined : render(c.value_template, JSON.parse(said));
	};
	// Every entity of every station against what was last said on its topic.
	const look = (what) => {
		let n = 0;
		for (const { topic, d } of announced()) {
			equal(faults(topic, d), [], `${what}: ${topic}`);
			for (const a of d.availability) ok(['online', 'offline'].includes(retained.get(a.topic)), `${what}: ${a.topic} says ${retained.get(a.topic)}`);
			for (const [id, c] of Object.entries(d.components)) {
				const said = retained.get(c.state_topic);
				if (said === undefined) continue;
				equal(shownFault(id, c, render(c.value_template, JSON.parse(said))), null, `${what}: ${topic}`);
				n++;
			}
		}
		return n;
	};
	let s, g;

	await run([
		['the check sees what is wrong', async () => {
			const good = () => ({ device: { identifiers: ['x'] }, origin: { name: 'o' }, availability: [{ topic: 'a' }], availability_mode: 'all',
				components: { e: { platform: 'sensor', unique_id: 'u', name: 'E', state_topic: 's', device_class: 'energy', unit_of_measurement: 'Wh', state_class: 'total_increasing' } } });
			const bad = (change) => {
				const d = good();
				change(d, d.components.e);
				return faults('homeassistant/device/x/config', d).length > 0;
			};
			equal(faults('homeassistant/device/x/config', good()), [], 'a good one');
			ok(bad((d) => delete d.origin) && bad((d) => (d.device = {})) && bad((d) => (d.availability = [])) && bad((d) => (d.cmp = {})), 'the device');
			ok(bad((d, e) => (e.state_class = 'measurement')) && bad((d, e) => (e.unit_of_measurement = 'W')) && bad((d, e) => delete e.unit_of_measurement), 'class and unit');
			ok(bad((d, e) => delete e.state_topic) && bad((d, e) => (e.platform = 'number')) && bad((d, e) => (e.state_topic = 'a/#')) && bad((d, e) => (e.device_class = 'charger')), 'platform');
			ok(bad((d, e) => (d.components.f = { ...e })) && bad((d, e) => (e.options = ['a'])) && bad((d, e) => (e.entity_category = 'config')), 'ids, options, category');
		}],
		['a station that never came is announced, and not available', async () => {
			await csms.listen();
			await daemon.start();
			await until(20000, 'three announcements', () => announced().length === 3 && retained.get('ampgate/flow/station/S-03/status'));
			equal(retained.get('ampgate/flow/status'), 'online', 'the daemon');
			equal(retained.get('ampgate/flow/station/S-03/status'), 'offline', 'the station');
			equal(of('S-01').device.name, 'Gate, "left"', 'its name');
			look('at the start');
		}],
		['a station that has just come: states without a session', async () => {
			s = await station(port, 'S-01', 'ocpp1.6');
			await s.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One', firmwareVersion: '1.4.2', chargePointSerialNumber: '4711' });
			for (const connectorId of [1, 2]) await s.call('StatusNotification', { connectorId, status: 'Available', errorCode: 'NoError' });
			g = await station(port, 'G|07', 'ocpp1.6');
			await g.call('BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'Two' });
			await g.call('StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' });
			await until(20000, 'all are free', () => evse('S-01', 1) && value('S-01', '1_state') === 'available' && evse('S-01', 2) && value('S-01', '2_state') === 'available'
				&& evse('G|07', 1) && value('G|07', '1_state') === 'available');
			await until(20000, 'the device is described', () => of('S-01').device.model === 'One');
			const d = of('S-01').device;
			equal([d.manufacturer, d.model, d.sw_version, d.serial_number], ['Flow', 'One', '1.4.2', '4711'], 'the device');
			ok(look('free') >= 18, 'all entities of three EVSEs were looked at');
		}],
		['a session: every entity has a value', async () => {
			const start = await s.call('StartTransaction', { connectorId: 1, idTag: 'AA', meterStart: 1000, timestamp: new Date().toISOString() });
			await s.call('StatusNotification', { connectorId: 1, status: 'Charging', errorCode: 'NoError' });
			const sample = (measurand, unit, v, phase) => ({ measurand, unit, value: String(v), ...(phase ? { phase } : {}) });
			await s.call('MeterValues', { connectorId: 1, transactionId: start.transactionId, meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [
				sample('Energy.Active.Import.Register', 'Wh', 1500), sample('Power.Active.Import', 'W', 4140), ...['L1', 'L2', 'L3'].map((p) => sample('Current.Import', 'A', 6, p))] }] });
			const keys = Object.keys(of('S-01').components).filter((k) => k.startsWith('1_'));
			await until(20000, 'all have a value', () => keys.every((k) => value('S-01', k) !== 'None'));
			equal([value('S-01', '1_state'), value('S-01', '1_power'), value('S-01', '1_energy'), value('S-01', '1_cap')], ['charging', '4140', '1500', '32'], 'values');
			look('charging');
		}],
		['the cap: what Home Assistant sends is carried out, and shown', async () => {
			const c = of('G_7c07').components['1_cap'];
			equal(value('G|07', '1_cap'), '12.5', 'without one, the rating');
			await client.publishAsync(c.command_topic, c.command_template.replace(/\{\{ *value *\}\}/, '9'));
			await until(20000, 'it is shown', () => value('G|07', '1_cap') === '9');
			look('capped');
		}],
		['a station that is not configured any more is taken away', async () => {
			fs.writeFileSync(daemon.config, fs.readFileSync(daemon.config, 'utf8').replace(', S-03: {circuit: grid}', ''));
			daemon.child.kill('SIGHUP');
			await until(20000, 'its announcement is gone', () => announced().length === 2);
			ok(of('S-01') && of('G_7c07'), 'the others stay');
		}],
		['a station that went away is not available', async () => {
			await s.close();
			await g.close();
			await until(20000, 'both are told', () => ['S-01', 'G|07'].every((id) => retained.get(`ampgate/flow/station/${id}/status`) === 'offline'));
			look('gone');
			await daemon.stop();
			await until(20000, 'the daemon is told', () => retained.get('ampgate/flow/status') === 'offline');
			await client.endAsync(true);
			broker.kill('SIGTERM');
		}],
	]);
}

main();
