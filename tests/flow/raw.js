'use strict';
// Peers that see every byte: a CSMS and stations that speak WebSocket (npm ws) and leave the text of OCPP to the test.
const { within } = require('./lib.js');
const WebSocket = require('../node_modules/ws');

// One end of a conversation: texts as they came, in order, for whoever waits for one.
class Peer {
	constructor(ws, identity) {
		this.ws = ws;
		this.identity = identity;
		this.texts = [];
		this.waiting = [];
		this.ended = new Promise((resolve) => ws.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
		ws.on('error', () => {});
		ws.on('message', (data) => this.take(String(data)));
		this.answer = null; // (message, text) => text or nothing: answers at once instead of keeping the text
	}

	take(text) {
		let message = null;
		try {
			message = JSON.parse(text);
		} catch (e) {
			message = [];
		}
		const said = this.answer && this.answer(message, text);
		if (said) {
			this.ws.send(said);
			return;
		}
		this.texts.push(text);
		this.serve();
	}

	serve() {
		for (const w of [...this.waiting]) {
			const i = this.texts.findIndex(w.fits);
			if (i < 0) continue;
			this.waiting.splice(this.waiting.indexOf(w), 1);
			w.resolve(this.texts.splice(i, 1)[0]);
		}
	}

	send(text) {
		this.ws.send(text);
	}

	// The next text (that fits); the others stay.
	next(what = 'a message', fits = () => true, ms = 5000) {
		const w = { fits };
		return within(ms, `${this.identity}: ${what}`, new Promise((resolve) => {
			w.resolve = resolve;
			this.waiting.push(w);
			this.serve();
		})).finally(() => (this.waiting = this.waiting.filter((other) => other !== w)));
	}

	action(name, ms) {
		return this.next(name, (t) => { try { return JSON.parse(t)[2] === name; } catch (e) { return false; } }, ms);
	}

	answerTo(id, ms) {
		return this.next(`answer to ${id}`, (t) => { try { const m = JSON.parse(t); return (m[0] === 3 || m[0] === 4) && m[1] === id; } catch (e) { return false; } }, ms);
	}

	// Sends a CALL and waits for its answer, both as values.
	async ask(id, action, payload, ms) {
		this.send(JSON.stringify([2, id, action, payload]));
		return JSON.parse(await this.answerTo(id, ms));
	}

	close(code = 1000) {
		this.ws.close(code);
		return within(5000, `${this.identity} closes`, this.ended);
	}
}

// What the gateway asks a station about itself, when it has time: a station that knows none of it.
const QUESTIONS = /MaxStackLevel|AllowedChargingRateUnit|ProfileStackLevel|RateUnit|MeterValueSampleInterval|TxUpdatedInterval/;
function knowsNothing(id, action, payload) {
	const unknown = (list) => list.map(({ component, variable }) => ({ attributeStatus: 'UnknownVariable', component, variable }));
	const answers = {
		GetConfiguration: () => ({ unknownKey: payload.key }),
		ChangeConfiguration: () => ({ status: 'NotSupported' }),
		GetVariables: () => ({ getVariableResult: unknown(payload.getVariableData) }),
		SetVariables: () => ({ setVariableResult: unknown(payload.setVariableData) }),
	};
	return answers[action] && JSON.stringify([3, id, answers[action]()]);
}

async function rawStation(port, identity, protocols, options = {}) {
	const { scheme = 'ws', path = encodeURIComponent(identity), ...rest } = options;
	const ws = new WebSocket(`${scheme}://127.0.0.1:${port}/${path}`, protocols, rest);
	const peer = new Peer(ws, identity);
	// The gateway's own limits and questions, which no test about bytes wants to see.
	peer.answer = (m, text) => m[0] === 2 && (/^(Set|Clear)ChargingProfile$/.test(m[2]) ? `[3,"${m[1]}",{"status":"Accepted"}]`
		: QUESTIONS.test(text) && knowsNothing(m[1], m[2], m[3]));
	await within(5000, `${identity} connects`, new Promise((resolve, reject) => {
		ws.once('open', resolve);
		ws.once('unexpected-response', (rq, answer) => {
			reject(Object.assign(new Error(`${identity}: HTTP ${answer.statusCode}`), { status: answer.statusCode }));
			rq.destroy();
		});
		ws.once('error', reject);
	}));
	peer.protocol = ws.protocol;
	return peer;
}

class RawCsms {
	constructor(port, options = {}) {
		this.port = port;
		this.options = options;
		this.lanes = new Map(); // the newest of each identity
		this.opened = [];       // {identity, protocol, authorization} in order
		this.waiting = [];
		this.answer = null;     // for every new lane
	}

	async listen() {
		const server = this.options.server;
		this.wss = new WebSocket.Server({
			...(server ? { server } : { port: this.port, host: '127.0.0.1' }),
			handleProtocols: (offered) => [...offered][0] || false,
			maxPayload: 64 << 20,
			...(this.options.ws || {}),
		});
		this.wss.on('connection', (ws, rq) => {
			const identity = decodeURIComponent(rq.url.split('/').pop());
			const peer = new Peer(ws, `lane ${identity}`);
			peer.protocol = ws.protocol;
			if (this.answer) peer.answer = (m, t) => this.answer(identity, m, t);
			this.lanes.set(identity, peer);
			this.opened.push({ identity, protocol: ws.protocol, url: rq.url, authorization: rq.headers.authorization });
			this.waiting = this.waiting.filter((w) => w.identity !== identity || void w.resolve(peer));
		});
		if (server) await new Promise((resolve) => server.listen(this.port, '127.0.0.1', resolve));
		else await new Promise((resolve) => this.wss.once('listening', resolve));
	}

	// The lane of a station, now or when it comes.
	lane(identity, ms = 5000) {
		const peer = this.lanes.get(identity);
		if (peer && peer.ws.readyState === WebSocket.OPEN) return Promise.resolve(peer);
		return within(ms, `lane of ${identity}`, new Promise((resolve) => this.waiting.push({ identity, resolve })));
	}

	async close() {
		for (const p of this.wss.clients) p.terminate();
		await new Promise((resolve) => this.wss.close(resolve));
		if (this.options.server) await new Promise((resolve) => this.options.server.close(resolve));
		this.lanes.clear();
	}
}

// What most tests need in the file; `more` is appended, options replace single lines.
function conf({ port, csmsPort, stations = '{"S-[01-20]": {circuit: grid}}', onboarding = 'reject', defaults = '', uplink = '', listen = '',
	circuits = '{grid: {kind: grid_connection, limit_a: 1000}}', endpoints, more = '' }) {
	return `
version: 1
site: {id: flow}
onboarding: ${onboarding}
listen: {ocpp: {lan: {address: 127.0.0.1, port: ${port}, tls: none, min_security_profile: 0${listen}}}}
circuits: ${circuits}
station_defaults: {uplink: cpo, subprotocols: [ocpp1.6, ocpp2.0.1, ocpp2.1]${defaults}}
stations: ${stations}
uplinks:
  cpo:
    security_profile: 0
    endpoints: ${endpoints || `[{url: "ws://127.0.0.1:${csmsPort}/{id}"}]`}
    reconnect: {min: 100ms, max: 1s, jitter: 50%}${uplink}
log: {level: info, target: stderr}
${more}`;
}

module.exports = { Peer, RawCsms, rawStation, conf, WebSocket };
