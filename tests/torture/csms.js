'use strict';
// A CSMS that writes down every transaction message with its message id and where it came in, answers each, and never looks whether it has
// seen it before: what comes twice is billed twice. It can die at any moment, between noting and answering too, and can be told to answer
// late, with an error, or not at all. It judges repeats on the spot, as only now it is known what had been answered.
const { WebSocketServer } = require('../node_modules/ws');

const TX_ACTIONS = new Set(['StartTransaction', 'StopTransaction', 'TransactionEvent', 'MeterValues']);

class Csms {
	constructor(port, violation) {
		this.port = port;
		this.violation = violation;
		this.notes = new Map(); // station -> every transaction message, in the order of its coming
		this.marks = new Map(); // mark in an answer -> note
		this.lanes = new Map(); // station -> the newest connection
		this.mischief = new Map(); // station -> what happens to its next answer
		this.starts = new Map(); // tx -> note of its start
		this.nextTx = 1;
		this.nextCall = 1;
		this.nextLane = 1;
		this.repeats = 0;
	}

	notesOf(station) {
		if (!this.notes.has(station)) this.notes.set(station, []);
		return this.notes.get(station);
	}

	listen() {
		this.server = new WebSocketServer({ port: this.port, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] });
		this.server.on('connection', (ws, request) => this.serve(ws, decodeURIComponent(request.url.slice(1))));
		return new Promise((resolve) => this.server.once('listening', resolve));
	}

	get alive() {
		return !!this.server;
	}

	// As kill -9 does it: no close frame, no answers any more; what was noted stays noted.
	crash() {
		const { server } = this;
		this.server = null;
		server.clients.forEach((ws) => ws._socket.resetAndDestroy());
		return new Promise((resolve) => server.close(resolve));
	}

	serve(ws, station) {
		ws.number = this.nextLane++;
		ws.pending = new Map();
		this.lanes.set(station, ws);
		ws.on('error', () => {});
		// Behind every answer goes a ping with its mark. On one connection nothing overtakes, so who has answered the ping had the answer.
		ws.on('pong', (mark) => {
			const note = this.marks.get(String(mark));
			if (note) note.had = true;
		});
		ws.on('message', (data) => {
			const m = JSON.parse(data);
			if (m[0] === 2) this.called(ws, station, m[1], m[2], m[3]);
			else this.answered(ws, m);
		});
	}

	called(ws, station, id, action, params) {
		if (TX_ACTIONS.has(action)) this.note(ws, station, id, action, params);
		else this.say(ws, [3, id, this.plainAnswer(action)]);
	}

	plainAnswer(action) {
		const currentTime = new Date().toISOString();
		if (action === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime };
		if (action === 'Heartbeat') return { currentTime };
		return {};
	}

	say(ws, m) {
		if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(m));
	}

	note(ws, station, id, action, params) {
		const notes = this.notesOf(station);
		const note = { station, id, action, params, lane: ws.number, had: false, proved: false };
		const before = notes.findLast((n) => n.id === id);
		if (before) this.judgeRepeat(before, note, notes[notes.length - 1]);
		note.first = before ? before.first : note;
		notes.push(note);
		const does = this.mischief.get(station) || { kind: 'answer' };
		this.mischief.delete(station);
		if (does.kind === 'die') {
			ws._socket.resetAndDestroy(); // noted, and the answer is lost
			return;
		}
		if (does.kind === 'never') return;
		if (does.kind === 'late') setTimeout(() => this.answer(ws, note), does.ms);
		else if (does.kind === 'error') this.refuse(ws, note);
		else this.answer(ws, note);
	}

	judgeRepeat(before, note, last) {
		const what = `${note.station}: ${note.action} ${note.id} came again`;
		this.repeats++;
		if (last.id !== note.id) this.violation(`${what} after a later message (${last.action} ${last.id})`);
		if (before.proved) this.violation(`${what} although the station had its answer already`);
		if (before.lane === note.lane && before.had) this.violation(`${what} on the same link, which had brought its answer`);
		const content = (n) => JSON.stringify({ ...n.params, offline: 0, transactionId: 0 });
		if (content(before) !== content(note)) this.violation(`${what} with another content`);
	}

	refuse(ws, note) {
		this.say(ws, [4, note.id, 'InternalError', 'asked to fail', {}]);
	}

	// Answers carry a mark where OCPP has room for one, so that a station's having it proves that the gateway had it.
	answer(ws, note) {
		const mark = `m${this.marks.size}`;
		const { action } = note;
		let payload = {};
		this.marks.set(mark, note);
		if (action === 'StartTransaction') {
			note.tx = this.nextTx++;
			this.starts.set(note.tx, note);
			payload = { transactionId: note.tx, idTagInfo: { status: 'Accepted', parentIdTag: mark } };
		} else if (action === 'StopTransaction') {
			payload = { idTagInfo: { status: 'Accepted', parentIdTag: mark } };
		} else if (action === 'TransactionEvent') {
			payload = { updatedPersonalMessage: { format: 'UTF8', content: mark } };
		}
		this.say(ws, [3, note.id, payload]);
		if (ws.readyState === ws.OPEN) ws.ping(mark);
	}

	// From a station: it has this answer.
	prove(payload) {
		const mark = (payload.idTagInfo && payload.idTagInfo.parentIdTag) || (payload.updatedPersonalMessage && payload.updatedPersonalMessage.content);
		const note = mark && this.marks.get(mark);
		if (note) note.proved = true;
	}

	// Asks a station to end a transaction; its message id names the transaction as the CSMS knows it, so that the station can compare. The name
	// went out on the same connection: of one on another, the answer may have been lost, and then it is a name that nobody heard.
	remoteStop(station) {
		const ws = this.lanes.get(station);
		if (!ws || ws.readyState !== ws.OPEN) return false;
		const start = this.notesOf(station).findLast((n) => n.lane === ws.number && (n.tx || (n.params && n.params.eventType === 'Started')));
		if (!start) return false;
		const id = `remote-${this.nextCall++}`;
		if (start.tx) this.say(ws, [2, `${id}-${start.tx}`, 'RemoteStopTransaction', { transactionId: start.tx }]);
		else this.say(ws, [2, id, 'RequestStopTransaction', { transactionId: start.params.transactionInfo.transactionId }]);
		return true;
	}

	answered() {}
}

module.exports = { Csms };
