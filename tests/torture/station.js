'use strict';
// A charging station with a durable queue of its own: cars charge whether it is connected or not, and each transaction message is sent until
// it is answered, the oldest first. Some stations repeat under the same message id, some under a new one; both are legal, and after a loss of
// power none remembers the old one. What it measured is the truth that the CSMS's notes are held against.
const { randomUUID } = require('crypto');
const WebSocket = require('../node_modules/ws');

const pause = (ms) => new Promise((r) => setTimeout(r, ms));

class Station {
	// traits: { v2, newIds, connectors, overlaps }
	constructor(port, id, traits, world) {
		Object.assign(this, traits, { port, id, world });
		this.queue = []; // survives
		this.truth = []; // every transaction message, in order
		this.txs = [];
		this.byId = new Map(); // message id -> entry
		this.pending = new Map(); // message id -> {resolve, reject}
		this.booted = false;
		this.registers = {};
		this.power = true;
		this.running = 0;
		this.connected = false;
	}

	get protocol() {
		return this.v2 ? 'ocpp2.0.1' : 'ocpp1.6';
	}

	// --- the link ---

	connect() {
		if (!this.power || this.ws) return;
		const ws = new WebSocket(`ws://127.0.0.1:${this.port}/${this.id}`, [this.protocol], { handshakeTimeout: 3000 });
		this.ws = ws;
		ws.on('open', () => {
			this.connected = true;
			this.serve(ws);
		});
		ws.on('message', (data) => this.heard(ws, JSON.parse(data)));
		ws.on('error', () => {});
		ws.on('close', () => {
			if (this.ws === ws) this.lost();
		});
	}

	lost() {
		this.ws = null;
		this.connected = false;
		this.pending.forEach((p) => p.reject(new Error('link lost')));
		this.pending.clear();
		setTimeout(() => this.connect(), this.world.random(20, 600));
	}

	// Gives up on a link without a word and opens another one, as stations do whose peer is silent.
	abandon() {
		const { ws } = this;
		if (!ws) return;
		this.lost();
		if (this.world.random(0, 1)) ws.terminate();
		else setTimeout(() => ws.terminate(), 1500);
	}

	// Loss of power: the queue is in flash, everything else is gone.
	crash(darkMs) {
		const { ws } = this;
		this.power = false;
		this.booted = false;
		this.queue.forEach((e) => (e.id = null));
		this.ws = null;
		this.connected = false;
		this.pending.forEach((p) => p.reject(new Error('power lost')));
		this.pending.clear();
		if (ws && ws._socket) ws._socket.resetAndDestroy();
		else if (ws) ws.terminate();
		setTimeout(() => {
			this.power = true;
			this.connect();
		}, darkMs);
	}

	call(id, action, payload, ms) {
		return new Promise((resolve, reject) => {
			if (!this.ws || this.ws.readyState !== WebSocket.OPEN) {
				reject(new Error('not connected'));
				return;
			}
			const timer = setTimeout(() => {
				this.pending.delete(id);
				reject(new Error('no answer'));
			}, ms);
			const end = (f) => (x) => {
				clearTimeout(timer);
				f(x);
			};
			this.pending.set(id, { resolve: end(resolve), reject: end(reject) });
			this.ws.send(JSON.stringify([2, id, action, payload]));
		});
	}

	heard(ws, m) {
		if (m[0] === 2) {
			this.called(ws, m[1], m[2], m[3]);
			return;
		}
		const waiting = this.pending.get(m[1]);
		if (m[0] === 3) this.compareAnswers(m[1], m[2]);
		if (!waiting) return;
		this.pending.delete(m[1]);
		if (m[0] === 3) waiting.resolve(m[2]);
		else waiting.reject(new Error(`${m[2]} ${m[3]}`));
	}

	// Whatever id a start was sent under, it is one transaction and has one name.
	compareAnswers(id, payload) {
		const entry = this.byId.get(id);
		if (!entry) return;
		this.world.csms.prove(payload);
		if (entry.action !== 'StartTransaction') return;
		if (!Number.isInteger(payload.transactionId)) this.world.violation(`${this.id}: a start was answered with ${JSON.stringify(payload)}`);
		if (entry.tx.told === undefined) entry.tx.told = payload.transactionId;
		else if (entry.tx.told !== payload.transactionId)
			this.world.violation(`${this.id}: one start got two names, ${entry.tx.told} and ${payload.transactionId}`);
	}

	called(ws, id, action, params) {
		let status = 'Accepted';
		if (/Stop/.test(action)) status = this.remoteStop(id, params.transactionId) ? 'Accepted' : 'Rejected';
		if (ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify([3, id, { status }]));
	}

	remoteStop(id, transactionId) {
		this.world.remoteStops++;
		if (this.v2) {
			const tx = this.txs.find((t) => t.name === transactionId);
			if (!tx) this.world.violation(`${this.id}: asked to stop ${transactionId}, which it never had`);
			return !!tx;
		}
		const start = this.world.csms.starts.get(Number(id.split('-')[2]));
		const meant = this.txs.find((t) => t.start.payload.timestamp === start.params.timestamp);
		if (meant.told !== undefined && meant.told !== transactionId)
			this.world.violation(`${this.id}: asked to stop ${transactionId}, but knows that transaction as ${meant.told}`);
		if (meant.told !== undefined) this.world.remoteStopsMapped += String(meant.told) !== id.split('-')[2];
		meant.stopNow = true;
		return true;
	}

	// --- what it does while connected ---

	async serve(ws) {
		try {
			if (!this.booted) {
				const boot = this.v2 ? { reason: 'PowerUp', chargingStation: { vendorName: 'Torture', model: 'Two' } }
					: { chargePointVendor: 'Torture', chargePointModel: 'One' };
				const answer = await this.call(randomUUID(), 'BootNotification', boot, 5000);
				this.booted = answer.status === 'Accepted';
			}
			const status = this.v2 ? { timestamp: new Date().toISOString(), connectorStatus: 'Available', evseId: 1, connectorId: 1 }
				: { connectorId: 1, errorCode: 'NoError', status: 'Available' };
			await this.call(randomUUID(), 'StatusNotification', status, 5000);
		} catch (e) {
			if (this.ws === ws) this.abandon();
			return;
		}
		while (this.ws === ws) {
			if (this.overlaps && this.world.random(0, 3) === 0) this.call(randomUUID(), 'Heartbeat', {}, 5000).catch(() => {});
			if (!this.queue.length) await pause(15);
			else await this.deliver(this.queue[0]);
		}
	}

	async deliver(entry) {
		const { random } = this.world;
		if (!entry.id || this.newIds) {
			entry.id = randomUUID();
			entry.ids.add(entry.id);
			this.byId.set(entry.id, entry);
		}
		entry.payload = entry.payload || entry.build();
		try {
			const answer = await this.call(entry.id, entry.action, entry.payload, random(0, 9) ? 2500 : random(5, 400));
			if (this.queue[0] === entry) this.queue.shift();
			entry.answered = answer;
		} catch (e) {
			if (random(0, 5) === 0) this.abandon();
			else await pause(random(5, 150));
		}
	}

	// --- charging ---

	push(action, tx, build) {
		const entry = { action, tx, build, ids: new Set(), id: null };
		this.queue.push(entry);
		this.truth.push(entry);
		return entry;
	}

	async charge(connector) {
		const { random } = this.world;
		this.running++;
		await pause(random(0, 500));
		while (!this.world.healing) {
			if (this.queue.length > 12) {
				await pause(50);
				continue;
			}
			await this.transaction(connector);
			await pause(random(10, 250));
		}
		this.running--;
	}

	async transaction(connector) {
		const { random } = this.world;
		const wh = (this.registers[connector] = (this.registers[connector] || 0) + random(0, 50));
		const tx = { connector, from: wh, name: randomUUID(), seqNo: 0 };
		this.txs.push(tx);
		tx.start = this.v2 ? this.event(tx, 'Started', 'Authorized', wh, {}) : this.start16(tx, wh);
		for (let n = random(0, 3); n > 0 && !tx.stopNow; n--) {
			await pause(random(5, 200));
			const now = (this.registers[connector] += random(1, 400));
			if (this.v2) this.event(tx, 'Updated', 'MeterValuePeriodic', now, {});
			else this.meter16(tx, now);
		}
		await pause(random(5, 200));
		tx.to = this.registers[connector] += random(1, 400);
		if (this.v2) this.event(tx, 'Ended', 'StopAuthorized', tx.to, { stoppedReason: 'Local' });
		else this.stop16(tx, tx.to);
	}

	// No two starts of a run have the same time.
	stamp() {
		return new Date(this.world.tick()).toISOString();
	}

	start16(tx, meterStart) {
		const payload = { connectorId: tx.connector, idTag: 'TAG1', meterStart, timestamp: this.stamp() };
		const entry = this.push('StartTransaction', tx, () => payload);
		entry.payload = payload;
		return entry;
	}

	meter16(tx, wh) {
		const timestamp = this.stamp();
		this.push('MeterValues', tx, () => ({ connectorId: tx.connector, transactionId: tx.told,
			meterValue: [{ timestamp, sampledValue: [{ value: String(wh) }] }] }));
	}

	stop16(tx, meterStop) {
		const timestamp = this.stamp();
		this.push('StopTransaction', tx, () => ({ transactionId: tx.told, idTag: 'TAG1', meterStop, timestamp, reason: 'Local' }));
	}

	event(tx, eventType, triggerReason, wh, more) {
		const seqNo = tx.seqNo++;
		const payload = { eventType, seqNo, triggerReason, timestamp: this.stamp(), transactionInfo: { transactionId: tx.name, ...more },
			...(seqNo === 0 ? { evse: { id: tx.connector, connectorId: 1 }, idToken: { idToken: 'TAG1', type: 'Central' } } : {}),
			meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [{ value: wh }] }] };
		return this.push('TransactionEvent', tx, () => payload);
	}
}

module.exports = { Station, pause };
