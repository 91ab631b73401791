'use strict';
// A station and a CSMS moved by hand, for tests that have to know exactly who said what when.
const { randomUUID } = require('crypto');
const WebSocket = require('../node_modules/ws');
const { WebSocketServer } = WebSocket;
const { within } = require('../flow/lib.js');

class Peer {
	constructor(ws, who) {
		this.ws = ws;
		this.who = who;
		this.pending = new Map();
		this.answers = {}; // action -> function(payload), which returns a payload
		this.inbox = []; // all it was sent, in order
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
		this.inbox.push(m);
		if (m[0] === 2) {
			const answer = this.answers[m[2]];
			this.send([3, m[1], answer ? answer(m[3]) : { status: 'Accepted' }]);
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

// A CSMS that writes down all it hears, and whose answers the test decides.
class ScriptedCsms {
	constructor(port) {
		this.port = port;
		this.heard = []; // [lane number, protocol, action, payload, id]
		this.answers = {}; // action -> function(payload, id, ws), which returns a payload, an error's code, or null for silence
		this.lanes = 0;
		this.protocols = ['ocpp1.6', 'ocpp2.0.1'];
		this.nextTx = 1;
	}

	listen() {
		this.server = new WebSocketServer({ port: this.port, host: '127.0.0.1',
			handleProtocols: (offered) => [...offered].find((p) => this.protocols.includes(p)) || false });
		this.server.on('connection', (ws) => {
			const lane = ++this.lanes;
			this.ws = ws;
			ws.on('error', () => {});
			ws.on('message', (data) => {
				const [kind, id, action, payload] = JSON.parse(data);
				if (kind !== 2) return;
				this.heard.push([lane, ws.protocol, action, payload, id]);
				const answer = (this.answers[action] || (() => this.usual(action)))(payload, id, ws);
				if (typeof answer === 'string') ws.send(JSON.stringify([4, id, answer, '', {}]));
				else if (answer) ws.send(JSON.stringify([3, id, answer]));
			});
		});
		return new Promise((resolve) => this.server.once('listening', resolve));
	}

	usual(action) {
		const currentTime = new Date().toISOString();
		if (action === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime };
		if (action === 'StartTransaction') return { transactionId: this.nextTx++, idTagInfo: { status: 'Accepted' } };
		return action === 'Heartbeat' ? { currentTime } : {};
	}

	close() {
		const { server } = this;
		server.clients.forEach((ws) => ws._socket.resetAndDestroy());
		return new Promise((resolve) => server.close(resolve));
	}

	reset() {
		this.heard = [];
		this.answers = {};
	}

	actions() {
		return this.heard.map(([, , action]) => action);
	}

	of(action) {
		return this.heard.filter((h) => h[2] === action);
	}
}

const starts = (n) => ({ connectorId: 1, idTag: 'TAG1', meterStart: n * 1000, timestamp: new Date(1.8e12 + n * 100000).toISOString() });
const values = (transactionId, n) => ({ connectorId: 1, transactionId,
	meterValue: [{ timestamp: new Date(1.8e12 + n * 100000 + 1000).toISOString(), sampledValue: [{ value: String(n * 1000 + 5) }] }] });
const stops = (transactionId, n) => ({ transactionId, idTag: 'TAG1', meterStop: n * 1000 + 10,
	timestamp: new Date(1.8e12 + n * 100000 + 5000).toISOString(), reason: 'Local' });
const boots = { '1.6': { chargePointVendor: 'Hand', chargePointModel: 'One' },
	'2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'Hand', model: 'Two' } } };

module.exports = { Peer, ScriptedCsms, starts, values, stops, boots };
