'use strict';
// One EVSE on a relay board: a coil, a feedback input and a meter on a real Modbus server, a charging station of its own for the CSMS.
const { freePort, tempDir, within, until, Daemon, Csms, equal, ok, run } = require('./lib.js');
const { ModbusServer, SunSpecMeter } = require('./modbus.js');

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const board = new ModbusServer(), meter = new SunSpecMeter();
	await board.start();
	await meter.start();
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 63}, relays: {parent: grid, limit_a: 20, phases: [L1]}}
evses:
  R-01:
    circuit: relays
    uplink: cpo
    driver: modbus-relay
    phases: [L1]
    current_a: 16
    contactor: {host: 127.0.0.1, port: ${board.port}, coil: 3}
    feedback: {host: 127.0.0.1, port: ${board.port}, input: 3}
    meter: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: ${meter.port}, poll: 200ms}
    authorize: [remote, local_list]
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	let coil = false;
	// The contactor follows its coil, the meter what flows.
	board.on('wrote', (table, w) => {
		if (table !== 'co' || w.at !== 3) return;
		coil = Boolean(w.values[0]);
		board.tell({ set: 'di', at: 3, values: [coil ? 1 : 0] });
	});
	const flow = setInterval(() => meter.amps([coil ? 15.5 + Math.random() / 5 : 0, 0, 0]), 100);
	const own = (list) => list.filter((x) => x.station === 'R-01');
	const states = () => own(csms.statuses).filter((s) => s.params.connectorId === 1).map((s) => s.params.status);

	await run([
		['it boots at the CSMS under its own name over its own lane, and its contactor is open', async () => {
			await csms.listen();
			await daemon.start();
			await until(8000, 'it boots', () => own(csms.boots).length === 1);
			await until(5000, 'it can be started', () => states().pop() === 'Preparing'); // a board cannot tell whether a car is plugged in
			ok(!coil, 'the coil');
			equal([...csms.clients.keys()], ['R-01'], 'lanes');
			equal((await daemon.ask('station.list')).map((s) => [s.id, s.state]), [['R-01', 'online']], 'here it is a station like any other');
		}],
		['RemoteStart closes the coil, meter values flow, RemoteStop opens it', async () => {
			const c = csms.clients.get('R-01');
			equal(await c.call('RemoteStartTransaction', { connectorId: 1, idTag: 'REMOTE' }), { status: 'Accepted' }, 'remote start');
			await until(8000, 'the coil closes', () => coil);
			const begun = await until(5000, 'the transaction', () => own(csms.starts)[0]);
			equal([begun.params.idTag, begun.params.connectorId], ['REMOTE', 1], 'whose it is');
			await until(5000, 'it says Charging', () => states().pop() === 'Charging');
			const values = await until(15000, 'meter values of the transaction', () => own(csms.meters).find((m) => m.params.transactionId === begun.tx));
			ok(values.params.meterValue[0].sampledValue.length > 0, 'with samples');
			await until(5000, 'the balancer sees its current', async () => Math.abs((await daemon.ask('circuit.list')).find((x) => x.id === 'relays').i_a[0] - 15.6) < 0.5);
			equal(await c.call('RemoteStopTransaction', { transactionId: begun.tx }), { status: 'Accepted' }, 'remote stop');
			await until(5000, 'the coil opens', () => !coil);
			const ended = await until(5000, 'the stop', () => own(csms.stops)[0]);
			equal(ended.params.transactionId, begun.tx, 'of the same transaction');
			ok(ended.params.meterStop > begun.params.meterStart, `energy: ${begun.params.meterStart} to ${ended.params.meterStop}`);
		}],
		['away from the CSMS it starts by the local list, and delivers it later', async () => {
			const before = own(csms.starts).length;
			await daemon.ask('token.add', { token: 'LOCAL' });
			await csms.close();
			await until(5000, 'it is alone', async () => (await daemon.ask('station.list'))[0].lane === 'down');
			const call = async (action, payload) => (await daemon.ask('call', { station: 'R-01', action, payload: JSON.stringify(payload) })).status;
			equal(await call('RemoteStartTransaction', { connectorId: 1, idTag: 'LOCAL' }), 'Accepted', 'our own start');
			await until(8000, 'the coil closes', () => coil);
			const { tx } = await until(3000, 'its transaction', async () => (await daemon.ask('tx.list')).find((t) => t.station === 'R-01' && !t.stop && t.tx));
			equal(await call('RemoteStopTransaction', { transactionId: Number(tx) }), 'Accepted', 'our own stop');
			await until(8000, 'the coil opens', () => !coil);
			await until(5000, 'start and stop wait', async () => (await daemon.ask('status')).queue.messages >= 2);
			await csms.listen();
			await until(10000, 'they are delivered', async () => (await daemon.ask('status')).queue.messages === 0);
			const begun = own(csms.starts).slice(before);
			equal(begun.map((s) => s.params.idTag), ['LOCAL'], 'the start');
			equal(own(csms.stops).pop().params.transactionId, begun[0].tx, 'the stop');
		}],
		// OCPP 1.6 TC_032_2_CS
		['kill -9 while it charges: the coil keeps its place until we are back, then it opens and the CSMS hears the end', async () => {
			await csms.clients.get('R-01').call('RemoteStartTransaction', { connectorId: 1, idTag: 'REMOTE' });
			await until(8000, 'the coil closes', () => coil);
			const { tx } = await until(3000, 'the transaction', () => own(csms.starts).find((s) => !own(csms.stops).some((e) => e.params.transactionId === s.tx)));
			// An answer that is lost with us leaves the CSMS with a start that it numbers twice: not what is asked here.
			await until(5000, 'the answer to its start is kept', async () => (await daemon.ask('status')).queue.messages === 0);
			await daemon.kill();
			ok(coil, 'a relay board without a watchdog of its own holds its coil');
			await daemon.start();
			await until(8000, 'it boots again', () => own(csms.boots).length >= 2);
			await until(5000, 'the coil opens', () => !coil);
			const ended = await until(5000, 'the transaction that ran is ended', () => own(csms.stops).find((e) => e.params.transactionId === tx));
			equal(ended.params.reason, 'PowerLoss', 'why');
			console.log('# after kill -9 the coil stays closed until the daemon is back, then it opens');
		}],
		['an orderly stop opens it', async () => {
			await daemon.stop();
			await until(3000, 'the coil is open', () => !coil);
			ok(!csms.violation, csms.violation);
			clearInterval(flow);
		}],
	]);
}

main();
