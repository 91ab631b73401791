'use strict';
// Every row of etc/stations, held to a station that is as the row says and refuses everything else: its first limit has to be one that it takes, and
// so has its fallback where it takes any. How often its meter speaks is not asked for more than it can.
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, until, srcdir, Daemon, station, equal, ok, run } = require('./lib.js');

const MOST = 13.7; // not a whole number of amperes
const dir = path.join(srcdir, 'etc/stations');
const first = (p) => p.chargingSchedule.chargingSchedulePeriod[0];
const seconds = (text) => (text ? Number(/^(\d+)s$/.exec(text)[1]) : 0);

// The files are written plainly: a vendor, and rows in braces on a line of their own.
function rowsOf(file) {
	const text = fs.readFileSync(path.join(dir, file), 'utf8');
	const vendor = /^vendor: (.+)$/m.exec(text)[1];
	ok(/^# .{20,}/.test(text), `${file} says what is known and from where`);
	const rows = [...text.matchAll(/^ {2}- \{(.*)\}$/gm)].map(([, inside]) => Object.fromEntries(inside.split(', ').map((pair) => pair.split(': ').map((w) => w.replace(/"/g, '')))));
	equal(rows.length, text.split('\n').filter((l) => l.startsWith('  -')).length, `rows of ${file} that this test can read`);
	return rows.map((row) => ({ vendor, ...row }));
}

// Why the station does not take a profile.
function refuses(row, connector, p) {
	const purpose = p.chargingProfilePurpose;
	if (row.unit && p.chargingSchedule.chargingRateUnit !== row.unit) return 'unit';
	if (row.max_stack_level && p.stackLevel > Number(row.max_stack_level)) return 'level';
	if (row.whole_amps === 'true' && first(p).limit % 1 !== 0) return 'tenths';
	if (row.relative_only === 'true' && purpose !== 'ChargePointMaxProfile' && p.chargingProfileKind !== 'Relative') return 'start';
	if (row.purpose === 'StationMaxProfile' && purpose !== 'ChargePointMaxProfile') return 'purpose';
	if (row.purpose === 'TxProfile' && purpose === 'ChargePointMaxProfile') return 'purpose';
	return connector === 0 && row.connector_zero === 'false' && 'connector';
}

async function main() {
	const rows = fs.readdirSync(dir).filter((f) => f.endsWith('.yaml')).sort().flatMap(rowsOf).map((row, i) => ({ ...row, id: `K-${i}` }));
	const port = await freePort();
	const daemon = new Daemon(tempDir(), `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 4000}}
balancing: {increase: {after: 0s, step_a: 100}}
station_defaults: {subprotocols: [ocpp1.6], fallback_current_a: 6, max_current_a: ${MOST}, meter_interval: 10s}
stations: {${rows.map((r) => `${r.id}: {circuit: grid}`).join(', ')}}
log: {level: info, target: stderr}
`);
	const seen = new Map();

	async function connect(row) {
		const s = { taken: [], refused: [], asked: {} };
		seen.set(row, s);
		const c = await station(port, row.id, 'ocpp1.6');
		c.handle('SetChargingProfile', ({ params: { connectorId, csChargingProfiles: p } }) => {
			const why = refuses(row, connectorId, p);
			// What it is as a fallback tells its lack of an end.
			(why ? s.refused : s.taken).push({ why, live: p.chargingSchedule.duration !== undefined || p.chargingSchedule.chargingSchedulePeriod.length > 1, p });
			return { status: why ? 'Rejected' : 'Accepted' };
		});
		c.handle('GetConfiguration', ({ params }) => ({ unknownKey: params.key.filter((key) => key !== 'MeterValueSampleInterval'),
			configurationKey: params.key.filter((key) => key === 'MeterValueSampleInterval').map((key) => ({ key, readonly: false, value: '900' })) }));
		c.handle('ChangeConfiguration', ({ params }) => ((s.asked[params.key] = params.value), { status: 'Accepted' }));
		await c.call('BootNotification', { chargePointVendor: row.vendor, chargePointModel: row.model || 'Any', ...(row.firmware ? { firmwareVersion: `${row.firmware}11.2` } : {}) });
		await until(20000, `${row.id} is asked about itself`, () => s.asked.MeterValueSampleInterval);
		await c.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() });
	}

	await run([
		[`${rows.length} rows are read`, async () => {
			await daemon.start('--stations', dir);
			ok(!/\.yaml:\d+:/.test(daemon.log), `without a complaint: ${daemon.log}`);
			ok(rows.length >= 18 && new Set(rows.map((r) => r.vendor)).size >= 16, 'of the makers that are known');
		}],
		['each model gets its first limit in the form that it takes', async () => {
			await Promise.all(rows.map(connect));
			for (const row of rows) {
				const s = seen.get(row), what = `${row.vendor} ${row.model || ''}${row.firmware || ''}`;
				await until(20000, `${what} has a limit`, () => s.taken.some((t) => t.live));
				equal(s.refused.filter((t) => t.live).map((t) => t.why), [], `${what}: refused`);
				equal(s.refused.filter((t) => t.why !== 'purpose').map((t) => t.why), [], `${what}: its fallback is worded right`);
				const { p } = s.taken.find((t) => t.live), form = { StationMaxProfile: 'ChargePointMaxProfile' }[row.purpose] || row.purpose || 'TxProfile';
				equal(p.chargingProfilePurpose, form, `${what}: purpose`);
				if (!row.unit) equal(first(p).limit, row.whole_amps === 'true' ? Math.floor(MOST) : MOST, `${what}: its current`);
				if (row.unit === 'W') equal(first(p).limit, Math.floor(MOST * 690 + 1e-6), `${what}: its power`);
			}
		}],
		['and is asked for meter values as often as it can, and no oftener than wanted', async () => {
			for (const row of rows) equal(seen.get(row).asked.MeterValueSampleInterval, String(Math.max(10, seconds(row.meter_interval))), `${row.vendor} ${row.model || ''}`);
			await daemon.stop();
		}],
	]);
}

main();
