// Work on the box that takes a while: started by a verb, told step by step over the event stream, asked for where that is not there.
import { run, state, onChange } from './api.js';

// Starts and follows it; `see` gets each state of it. Resolves with the last.
export async function startJob(verb, args, see) {
	const { job } = await run(verb, args);
	return watchJob(job, see);
}

export function watchJob(id, see) {
	return new Promise((resolve, reject) => {
		let last = '';
		const take = (j) => {
			const text = JSON.stringify(j);
			if (text === last) return;
			last = text;
			see(j);
			if (j.state === 'running') return;
			stop();
			clearInterval(timer);
			resolve(j);
		};
		const stop = onChange((topic, d) => topic === 'job' && d?.job === id && take(d));
		const ask = () => run('job.show', { job: id }).then(take).catch((e) => {
			stop();
			clearInterval(timer);
			reject(e);
		});
		const timer = setInterval(ask, 2000);
		ask();
	});
}
