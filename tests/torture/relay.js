'use strict';
// A TCP relay between two of our parties, which does to connections what networks do: cuts them, swallows one or both directions without a
// word (half-open), delays them, refuses new ones. It knows nothing of what passes.
const net = require('net');

class Link {
	constructor(relay, near) {
		this.relay = relay;
		this.near = near; // who connected to us
		this.far = net.connect(relay.target, '127.0.0.1');
		this.lagMs = 0;
		this.swallowUp = this.swallowDown = false;
		this.ended = false;
		near.setNoDelay(true);
		this.far.setNoDelay(true);
		this.carry(near, this.far, () => this.swallowUp);
		this.carry(this.far, near, () => this.swallowDown);
		relay.links.add(this);
	}

	carry(from, to, swallows) {
		const late = []; // what is under way, in order
		const deliver = () => {
			while (late.length && late[0].due <= Date.now()) {
				const { data } = late.shift();
				if (!swallows() && !to.destroyed) to.write(data);
			}
			if (late.length) setTimeout(deliver, Math.max(1, late[0].due - Date.now()));
		};
		from.on('data', (data) => {
			if (swallows()) return;
			if (!this.lagMs && !late.length) {
				to.write(data);
				return;
			}
			late.push({ data, due: Date.now() + this.lagMs });
			if (late.length === 1) deliver();
		});
		from.on('error', () => {});
		from.on('close', () => {
			// A swallowed direction swallows the end of the connection too: the other side learns nothing until the cut.
			if (!swallows()) this.cut();
		});
	}

	cut() {
		if (this.ended) return;
		this.ended = true;
		this.relay.links.delete(this);
		this.near.resetAndDestroy();
		this.far.resetAndDestroy();
	}

	swallow(up, down, ms) {
		this.swallowUp = this.swallowUp || up;
		this.swallowDown = this.swallowDown || down;
		setTimeout(() => this.cut(), ms);
	}

	lag(ms, forMs) {
		this.lagMs = ms;
		setTimeout(() => (this.lagMs = 0), forMs);
	}
}

class Relay {
	constructor(port, target) {
		this.port = port;
		this.target = target;
		this.links = new Set();
		this.refuses = false;
	}

	listen() {
		this.server = net.createServer((s) => {
			if (this.refuses) s.resetAndDestroy();
			else new Link(this, s);
		});
		return new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
	}

	cutAll() {
		this.links.forEach((l) => l.cut());
	}
}

module.exports = { Relay };
