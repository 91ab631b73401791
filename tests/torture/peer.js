'use strict';
// A station's or a CSMS's end of one connection, moved by hand: for tests that have to know exactly who said what when.
const { randomUUID } = require('crypto');
const WebSocket = require('../node_modules/ws');
const { within } = require('../flow/lib.js');

class Peer {
	constructor(ws, who) {
		this.ws = ws;
		this.who = who;
		this.pending = new Map();
		this.closed = new Promise((resolve) => ws.on('close', resolve));
		ws.on('error', () => {});
		ws.on('message', (data) => this.heard(JSON.parse(data)));
	}

	static async connect(port, id, protocol) {
		const peer = new Peer(new WebSocket(`ws://127.0.0.1:${port}/${id}`, [protocol]), id);
		await within(10000, `${id} connects`, new Promise((resolve, reject) => {
			peer.ws.once('open', resolve);
			peer.ws.once('close', () => reject(new Error(`${id} was not let in`)));
		}));
		return peer;
	}

	heard(m) {
		if (m[0] === 2) {
			this.send([3, m[1], { status: 'Accepted' }]);
			return;
		}
		const waiting = this.pending.get(m[1]);
		if (!waiting) return;
		this.pending.delete(m[1]);
		waiting(m);
	}

	send(m) {
		this.ws.send(JSON.stringify(m));
	}

	// The whole answer, [3, id, payload] or [4, id, code, ...].
	ask(action, payload, id = randomUUID()) {
		this.send([2, id, action, payload]);
		return within(20000, `${this.who} has an answer to ${action}`, new Promise((resolve) => this.pending.set(id, resolve)));
	}

	// The payload; an error is one.
	async call(action, payload, id) {
		const m = await this.ask(action, payload, id);
		if (m[0] !== 3) throw new Error(`${this.who}: ${action} was answered with ${JSON.stringify(m)}`);
		return m[2];
	}

	// A CALL that is none: refused at once by whoever reads it, after all that came before.
	unreadable() {
		const answer = new Promise((resolve) => this.pending.set('unreadable', resolve));
		this.send([2, 'unreadable', 'Heartbeat']);
		return within(5000, `${this.who} is told that its message is unreadable`, answer);
	}

	cut() {
		this.ws._socket.resetAndDestroy();
		return this.closed;
	}
}

const starts = (n) => ({ connectorId: 1, idTag: 'TAG1', meterStart: n * 1000, timestamp: new Date(1.8e12 + n * 100000).toISOString() });
const values = (transactionId, n) => ({ connectorId: 1, transactionId,
	meterValue: [{ timestamp: new Date(1.8e12 + n * 100000 + 1000).toISOString(), sampledValue: [{ value: String(n * 1000 + 5) }] }] });
const stops = (transactionId, n) => ({ transactionId, idTag: 'TAG1', meterStop: n * 1000 + 10,
	timestamp: new Date(1.8e12 + n * 100000 + 5000).toISOString(), reason: 'Local' });
const boots = { '1.6': { chargePointVendor: 'Hand', chargePointModel: 'One' },
	'2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'Hand', model: 'Two' } } };

module.exports = { Peer, starts, values, stops, boots };
