'use strict';
// An outlet with a control pilot on a serial board, and a card reader on another line: the real daemon, a simulated board on pseudo terminals
// (ampgate sim board), a CSMS of an independent implementation. Free of timing: what is waited for is an event of the board or the CSMS.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, Csms, equal, ok, run, top } = require('./lib.js');

class Board {
	constructor() {
		this.child = spawn(path.join(top || '.', 'ampgate'), ['sim', 'board'], { stdio: ['pipe', 'pipe', 'inherit'] });
		this.lines = [];
		this.last = {};
		let text = '';
		this.child.stdout.on('data', (d) => {
			text += d;
			let at;
			while ((at = text.indexOf('\n')) >= 0) {
				const line = text.slice(0, at);
				text = text.slice(at + 1);
				this.lines.push(line);
				this.last[line.split(' ')[0]] = line;
			}
		});
	}
	async open() {
		await until(5000, 'the board says where it is', () => this.lines.length > 0);
		Object.assign(this, JSON.parse(this.lines[0]));
	}
	say(line) {
		this.child.stdin.write(line + '\n');
	}
	is(line) {
		return this.last[line.split(' ')[0]] === line;
	}
	close() {
		this.child.kill();
	}
}

async function main() {
	const dir = tempDir();
	const [port, csmsPort] = [await freePort(), await freePort()];
	const board = new Board();
	await board.open();
	const daemon = new Daemon(dir, `
version: 1
site: {id: flow}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0}}}
circuits: {grid: {kind: grid_connection, limit_a: 63}}
evses:
  P-01:
    circuit: grid
    uplink: cpo
    driver: pilot-board
    current_a: 20
    board: {device: ${board.board}}
    reader: {driver: serial, device: ${board.reader}}
uplinks: {cpo: {security_profile: 0, endpoints: [{url: "ws://127.0.0.1:${csmsPort}/{id}"}], reconnect: {min: 100ms, max: 1s}}}
log: {level: info, target: stderr}
`);
	const csms = new Csms(csmsPort);
	const states = () => csms.statuses.filter((s) => s.params.connectorId === 1).map((s) => s.params.status);
	const errors = () => csms.statuses.filter((s) => s.params.connectorId === 1).map((s) => s.params.errorCode);
	const running = () => csms.starts.find((s) => !csms.stops.some((e) => e.params.transactionId === s.tx));

	await run([
		['the board is asked who it is, and the log says who guarantees which time', async () => {
			await csms.listen();
			await daemon.start();
			await until(8000, 'it boots', () => csms.boots.length === 1);
			await until(5000, 'the promise', () => daemon.log.includes('opens by itself within 80 ms of the car\'s leaving, and after 1000 ms without orders'));
			await until(5000, 'Available', () => states().pop() === 'Available');
		}],
		['a car and a card: locked, offered what the circuit gives, closed when the car asks', async () => {
			board.say('plug');
			await until(5000, 'Preparing', () => states().pop() === 'Preparing');
			ok(!board.is('k1 on'), 'nothing is closed');
			board.say('card 04:A2:F9');
			await until(5000, 'the transaction', () => csms.starts.length === 1);
			equal(csms.starts[0].params.idTag, '04A2F9', 'the card');
			await until(10000, 'it closes', () => board.is('k1 on') && board.is('k2 on'));
			const at = (line) => board.lines.indexOf(line);
			const pwm = board.lines.findIndex((l) => l.startsWith('pilot pwm'));
			ok(at('lock on') >= 0 && at('lock on') < pwm, 'the lock comes before the PWM');
			ok(pwm < at('k1 on') && at('k1 on') < at('k2 on'), `PWM, then L1 with N, then the others: ${board.lines}`);
			ok(Number(board.lines[pwm].split(' ')[2]) <= 20, 'no more than its rating');
			await until(5000, 'Charging', () => states().pop() === 'Charging');
			await until(8000, 'the balancer sees the current', async () => (await daemon.ask('circuit.list'))[0].i_a[0] > 10);
		}],
		['a lower limit reaches the pilot', async () => {
			const offered = () => Number((board.last.pilot || '').split(' ')[2]);
			await until(20000, 'more is offered', () => offered() > 12);
			await daemon.ask('limit.set', { object: 'grid', limit_a: 10, for: '1h' });
			await until(15000, 'the duty follows', () => offered() <= 10);
			await daemon.ask('limit.clear', { limit_id: (await daemon.ask('limit.list'))[0].limit_id });
		}],
		['what breaks is told with its code and opens, what is mended charges again', async () => {
			board.say('break short');
			await until(5000, 'it opens', () => board.is('k1 off'));
			await until(5000, 'the CSMS hears', () => states().pop() === 'Faulted' && errors().pop() === 'EVCommunicationError');
			ok(daemon.log.includes('PilotShort'), 'our code is in the log');
			board.say('mend');
			await until(15000, 'it closes again', () => board.is('k1 on'));
			await until(5000, 'Charging', () => states().pop() === 'Charging');
			ok(running(), 'the transaction went on');
		}],
		['UnlockConnector stops, opens, releases the plug and ends the transaction', async () => {
			equal(await csms.clients.get('P-01').call('UnlockConnector', { connectorId: 1 }), { status: 'Unlocked' }, 'answer');
			ok(board.is('k1 off') && board.is('lock off'), 'open and released');
			await until(5000, 'the stop', () => csms.stops.length === 1);
			board.say('unplug');
			await until(5000, 'Available', () => states().pop() === 'Available');
			ok(csms.stops[0].params.meterStop > csms.starts[0].params.meterStart, 'energy was counted');
		}],
		['kill -9 while it charges: the board opens by itself', async () => {
			board.say('plug');
			await until(5000, 'Preparing', () => states().pop() === 'Preparing');
			board.say('card 04:A2:F9');
			await until(15000, 'it closes', () => board.is('k1 on'));
			await daemon.kill();
			await until(3000, 'the watchdog of the board', () => board.is('k1 off'));
			ok(board.lines.includes('watchdog'), 'and nothing else');
			await daemon.start();
			await until(8000, 'the transaction is ended', () => !running());
			await daemon.stop();
			ok(!csms.violation, csms.violation);
			board.close();
		}],
	]);
}

main();
