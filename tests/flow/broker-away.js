'use strict';
// The broker is away for OUTAGE_S seconds (6 here; 3600 for the hour) while things go on happening: no event is missing afterwards, in order,
// and no command runs twice, although its client sends it again and again, before, during and after, and the daemon is killed in between. Real
// broker (mosquitto, killed without a goodbye), independent client (npm mqtt); commands are counted where they arrive: at the station.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { freePort, tempDir, within, until, Daemon, equal, ok, run, children } = require('./lib.js');
const { RawCsms, rawStation, conf } = require('./raw.js');
const mqtt = require('../node_modules/mqtt');

const BROKER = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((p) => fs.existsSync(p));
if (!BROKER) {
	console.log('skipped: mosquitto is not installed');
	process.exit(77);
}
const OUTAGE_S = Number(process.env.OUTAGE_S || 6);
const AGAIN_MS = OUTAGE_S > 120 ? 60000 : 1000;           // how often the client repeats what is not answered
const PACE_MS = Math.min(OUTAGE_S * 1000 / 60, 10000);    // between two changes of the uplink

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

async function main() {
	const dir = tempDir();
	const [port, csmsPort, brokerPort] = [await freePort(), await freePort(), await freePort()];
	const daemon = new Daemon(dir, conf({ port, csmsPort, circuits: '{grid: {kind: grid_connection, limit_a: 100}}',
		stations: '{S-01: {circuit: grid}}', more: `mqtt: {url: "mqtt://127.0.0.1:${brokerPort}", telemetry_interval: 1s, commands: [call, limit.set]}` }));
	const csms = new RawCsms(csmsPort);
	csms.answer = (id, m) => m[0] === 2 && JSON.stringify([3, m[1], m[2] === 'BootNotification'
		? { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() } : {}]);
	const B = 'ampgate/flow';
	fs.writeFileSync(path.join(dir, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\npersistence true\n`
		+ `persistence_location ${dir}/\nautosave_interval 1\nuser root\n`);

	// What the broker brought.
	const arrived = [];        // events, in the order of their arrival
	const samples = [];        // of the time without a broker
	const take = (e) => (e.code ? arrived : samples).push(e);
	const answers = new Map(); // id of a command -> its answers as text
	const hear = (topic, payload) => {
		const said = JSON.parse(payload);
		if (topic.endsWith('/event')) take(said);
		else if (topic.endsWith('/backlog')) said.forEach(take);
		else answers.set(said.id, [...(answers.get(said.id) || []), String(payload)]);
	};
	let broker;
	const startBroker = () => {
		broker = spawn(BROKER, ['-c', path.join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
		children.add(broker);
	};
	const client = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion: 5, reconnectPeriod: 500, connectTimeout: 2000,
		clientId: 'fleet', clean: false, properties: { sessionExpiryInterval: 86400 }, manualConnect: true });
	client.on('error', () => {});
	client.on('message', hear);

	// The client: whatever has no answer is sent again, with the same id. What it sends without a broker it sends when there is one.
	const asked = new Map();
	let sent = 0;
	const send = (id) => {
		sent++;
		client.publish(`${B}/cmd/${asked.get(id).verb}`, JSON.stringify({ id, ...asked.get(id).args }), { qos: 1 }, () => {});
	};
	const ask = (id, verb, args) => {
		asked.set(id, { verb, args });
		send(id);
	};
	const again = setInterval(() => [...asked.keys()].filter((id) => !answers.has(id)).forEach(send), AGAIN_MS);
	const order = (id) => ask(id, 'call', { station: 'S-01', action: 'DataTransfer', payload: { vendorId: 'flow', messageId: id } });

	// The station: counts orders, and leaves those unanswered that it is told to.
	const done = [];
	const unanswered = new Set();
	const held = [];
	let station;
	const connectStation = async () => {
		station = await rawStation(port, 'S-01', ['ocpp1.6']);
		const other = station.answer, s = station;
		station.answer = (m, text) => {
			if (m[0] !== 2 || m[2] !== 'DataTransfer') return other(m, text);
			done.push(m[3].messageId);
			const answer = JSON.stringify([3, m[1], { status: 'Accepted' }]);
			if (!unanswered.has(m[3].messageId)) return answer;
			held.push(() => s.send(answer));
			return null;
		};
		const boot = await station.ask('b', 'BootNotification', { chargePointVendor: 'Flow', chargePointModel: 'One' });
		ok(boot[0] === 3, JSON.stringify(boot));
	};
	let after = 0;
	const told = (code) => until(20000, `${code} is told`, async () => {
		const last = (await daemon.ask('event.list')).filter((e) => e.obj === 'uplink/cpo').pop();
		return last && last.code === code && last.seq > after && (after = last.seq);
	});
	const all = async () => {
		const list = [];
		for (let page; (page = await daemon.ask('event.list', { after: list.length ? list[list.length - 1].seq : 0, most: 500 })).length;) list.push(...page);
		return list.map((e) => e.seq);
	};

	await run([
		['a box with a station, a broker and a client', async () => {
			startBroker();
			await csms.listen();
			client.connect();
			await within(10000, 'the client connects', new Promise((resolve) => client.once('connect', resolve)));
			await client.subscribeAsync([`${B}/event`, `${B}/backlog`, `${B}/rsp/+`], { qos: 1 });
			await daemon.start();
			await connectStation();
			await told('uplink.up');
			await until(20000, 'MQTT is up', async () => (await daemon.ask('status')).mqtt);
			order('before');
			await until(10000, 'an answer', () => answers.has('before'));
		}],
		['orders reach the station, and the broker dies before it answers', async () => {
			['late answer', 'daemon dies'].forEach((id) => unanswered.add(id));
			order('late answer');
			await until(2000, 'the station has it', () => done.includes('late answer')).catch((e) => { console.log(station.texts, done, [...answers]); throw e; });
			broker.kill('SIGKILL');
			await until(20000, 'the daemon notices', async () => !(await daemon.ask('status')).mqtt);
			held.shift()(); // answered while nobody hears it
			ask('limit', 'limit.set', { circuit: 'grid', limit_a: 50, for: '4h' });
		}],
		[`${OUTAGE_S} s without a broker: the uplink comes and goes, the daemon is killed twice`, async () => {
			const begun = Date.now(), passed = () => (Date.now() - begun) / 1000 / OUTAGE_S;
			for (let kills = 0, n = 0; passed() < 1 || kills < 2; n++) {
				order(`during ${n}`);
				await csms.close();
				await told('uplink.down');
				await sleep(PACE_MS);
				await csms.listen();
				await told('uplink.up');
				await sleep(PACE_MS);
				if (passed() < (kills + 1) / 3) continue;
				kills++;
				await daemon.kill();
				await daemon.start();
				await connectStation();
				await told('uplink.up');
			}
			ok(!done.some((id) => id.startsWith('during')), 'no command comes through');
		}],
		['every event arrives, in order, each late one marked', async () => {
			startBroker();
			await until(70000, 'MQTT is up', async () => (await daemon.ask('status')).mqtt);
			const numbers = await all();
			await until(60000, 'all events', () => numbers.every((seq) => arrived.some((e) => e.seq === seq)));
			const came = [...new Set(arrived.map((e) => e.seq))];
			equal(came, [...came].sort((a, b) => a - b), 'order');
			equal(came[came.length - 1] - came[0] + 1 - came.length, 0, 'gaps');
			ok(arrived.filter((e) => e.hist).length > 5, 'most of them late');
			await until(20000, 'samples of the site, one a minute', () => samples.length >= Math.max(1, Math.floor(OUTAGE_S / 60) - 5));
			console.log(`# ${came.length} events, ${arrived.filter((e) => e.hist).length} of them late; ${arrived.length - came.length} twice, under their own numbers; ${samples.length} samples`);
		}],
		['every command has run once and has one answer, whatever its client repeated; no sample came twice', async () => {
			await until(60000, 'all answers', () => [...asked.keys()].every((id) => answers.has(id)));
			[...asked.keys()].forEach(send); // a client that lost all it knew
			await until(60000, 'answers again', () => [...asked.keys()].every((id) => answers.get(id).length > 1));
			for (const [id, texts] of answers) equal([...new Set(texts)].length, 1, `one answer to ${id}: ${texts}`);
			const orders = [...asked].filter(([, a]) => a.verb === 'call').map(([id]) => id);
			equal(orders.map((id) => done.filter((d) => d === id).length), orders.map(() => 1), 'how often the station got each');
			equal((await daemon.ask('limit.list')).length, 1, 'limits');
			equal(new Set(samples.map((x) => x.ts)).size, samples.length, 'each sample came once');
			console.log(`# ${asked.size} commands sent ${sent} times`);
		}],
		['a command that a kill interrupts is not run again: its client is told so', async () => {
			order('daemon dies');
			await until(10000, 'the station has it', () => done.includes('daemon dies'));
			await daemon.kill();
			await daemon.start();
			await connectStation();
			await until(70000, 'an answer', () => answers.has('daemon dies'));
			equal(JSON.parse(answers.get('daemon dies')[0]).error.code, 'interrupted', 'the answer');
			equal(done.filter((id) => id === 'daemon dies').length, 1, 'how often the station got it');
			clearInterval(again);
			await client.endAsync(true);
			await daemon.stop();
			broker.kill();
		}],
	]);
}

main();
