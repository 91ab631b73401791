'use strict';
// A changed section grid_operator is in force after SIGHUP in the same process, and no limit is forgotten meanwhile: a contact that is active
// stays so, and a command that holds for some time goes on holding for what is left of it, over a restart of the program, too.
const fs = require('fs');
const { freePort, tempDir, until, Daemon, equal, ok, run } = require('./lib.js');
const { ModbusServer } = require('./modbus.js');

const CONTACT = 3, OTHER = 5;

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const device = new ModbusServer();
	await device.start();
	device.tell({ set: 'di', at: CONTACT, values: [1] });
	device.tell({ set: 'di', at: OTHER, values: [1] });
	const conf = (grid) => `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 100}, row: {parent: grid, limit_a: 63}}
${grid}
station_defaults: {uplink: cpo, max_current_a: 32, fallback_current_a: 0}
stations: {"G-[01-02]": {circuit: row}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}]}}
`;
	const section = (inputs, rest = '') => `grid_operator: {dim_to_w: 6000, devices: 2${rest}, inputs: {${inputs}}}`;
	const contact = (at, more = '') => `contact: {kind: contact, host: 127.0.0.1, port: ${device.port}, input: ${at}, poll: 100ms, stale_after: 20s${more}}`;
	const cloud = 'cloud: {kind: command}';
	const daemon = new Daemon(dir, conf(section(`${contact(CONTACT)}, ${cloud}`)));
	const shown = () => daemon.ask('grid.show');
	const input = async (id) => (await shown()).inputs.find((i) => i.id === id);
	const limited = (watts, by) => until(8000, `${watts} W by ${by}`, async () => {
		const s = await shown();
		return s.limit_w === watts && s.decided_by === by;
	});
	const log = () => daemon.ask('grid.log');
	let end, since;
	const reload = async (grid) => {
		fs.writeFileSync(daemon.config, conf(grid));
		daemon.log = '';
		daemon.child.kill('SIGHUP');
		await until(10000, 'the configuration is read again', async () => daemon.log.includes('configuration read again'));
		equal([daemon.child.exitCode, (await daemon.ask('status')).config.restart], [null, null], 'it runs, and waits for no restart');
	};
	const neverFree = async () => {
		const after = (await log()).filter((e) => e.code === 'grid.limit' && e.args.limit_w === null && e.seq > since);
		equal(after, [], 'it was never free meanwhile');
	};

	await run([
		['a command holds for an hour, and the contact is closed', async () => {
			await daemon.start();
			await until(8000, 'the contact is heard', async () => (await input('contact')).state === 'free');
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 15000, for: '1h' });
			await limited(15000, 'cloud');
			end = Date.parse((await input('cloud')).until);
			since = Math.max(...(await log()).map((e) => e.seq));
		}],
		['other rules for the contact: the command goes on holding, until the same moment', async () => {
			await reload(section(`${contact(CONTACT, ', limit_w: 8000')}, ${cloud}`, ', rated_w: 40000'));
			await limited(15000, 'cloud');
			ok(Math.abs(Date.parse((await input('cloud')).until) - end) < 2000, 'its end');
		}],
		['the contact opens, and asks for what it is now told to', async () => {
			device.tell({ set: 'di', at: CONTACT, values: [0] });
			await limited(8000, 'contact');
		}],
		['while it is open, its limit and the circuit change; it stays limited', async () => {
			await reload(section(`${contact(CONTACT, ', limit_w: 7000')}, ${cloud}`, ', circuit: row'));
			await limited(7000, 'contact');
			equal((await shown()).circuit, 'row', 'where it holds');
		}],
		['it is read from another input of its device, which is open, too', async () => {
			device.tell({ set: 'di', at: OTHER, values: [0] });
			await reload(section(`${contact(OTHER, ', limit_w: 7000')}, ${cloud}`, ', circuit: row'));
			await limited(7000, 'contact');
			device.tell({ set: 'di', at: CONTACT, values: [1] });
			device.tell({ set: 'di', at: OTHER, values: [1] });
			await limited(15000, 'cloud');
			device.tell({ set: 'di', at: OTHER, values: [0] });
			await limited(7000, 'contact');
		}],
		['the contact goes, and another input comes: the command is what is left', async () => {
			await reload(section(`${cloud}, more: {kind: command, priority: 1}`));
			await limited(15000, 'cloud');
			ok(Math.abs(Date.parse((await input('cloud')).until) - end) < 2000, 'its end');
			equal((await daemon.cli('grid', 'limit', 'more', '20000')).code, 0, 'the new one is heard');
			await limited(20000, 'more');
			await neverFree();
		}],
		['a contact comes, and is the fail-safe until it is heard', async () => {
			await reload(section(`${contact(OTHER)}, ${cloud}`));
			await limited(10800, 'contact');
			await until(8000, 'it is heard', async () => (await input('contact')).state === 'limited');
			await neverFree();
		}],
		['after a restart the command still holds, for what is left of its hour', async () => {
			await reload(section(cloud));
			await limited(15000, 'cloud');
			await daemon.stop();
			await daemon.start();
			await limited(15000, 'cloud');
			ok(Math.abs(Date.parse((await input('cloud')).until) - end) < 2000, 'its end');
			await daemon.ask('grid.limit', { input: 'cloud', limit_w: 'free' });
			await daemon.stop();
			await daemon.start();
			equal([(await shown()).state, (await input('cloud')).limit_w], ['free', null], 'what was lifted stays so');
		}],
		['without the section nobody limits, and with it again there are inputs', async () => {
			await reload('');
			const refused = await daemon.cli('grid', 'show');
			ok(refused.code !== 0 && /no grid_operator/.test(refused.out + refused.err), `${refused.out}${refused.err}`);
			equal((await daemon.ask('circuit.list')).map((c) => c.caps ? c.caps.length : 0), [0, 0], 'no cap is left');
			await reload(section(`${contact(OTHER)}, ${cloud}`));
			await limited(10800, 'contact');
		}],
	]);
	await daemon.stop();
	process.exit(0);
}

main();
