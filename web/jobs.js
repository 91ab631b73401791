// Work on the box that takes a while: started by a verb, told step by step over the event stream, asked for where that is not there. What is known of
// it is in state.jobs, which outlives the pages; who shows it draws it from there.
import { run, state, onChange, changed, takeJob } from './api.js';

export const newest = (kind) => [...state.jobs.values()].filter((j) => j.kind === kind).reduce((a, b) => (a && a.job > b.job ? a : b), null);

// Starts and follows it; `see` gets each state of it. Resolves with the last.
export async function startJob(verb, args, see) {
	const { job } = await run(verb, args);
	return watchJob(job, see);
}

export function watchJob(id, see) {
	return new Promise((resolve, reject) => {
		let last = '', over = false;
		const end = (how, what) => {
			over = true;
			stop();
			clearInterval(timer);
			how(what);
		};
		const take = (j) => {
			const text = JSON.stringify(j);
			if (text === last) return;
			last = text;
			see?.(j);
			if (j.state !== 'running') end(resolve, j);
		};
		const stop = onChange((topic, d) => topic === 'job' && d?.job === id && take(d));
		const know = (j) => { // what was asked for before the end and answered after it says nothing any more
			if (over) return;
			takeJob(j);
			changed('job', j);
		};
		const ask = () => run('job.show', { job: id }).then(know).catch((e) => {
			if (over || !e.status) return; // a box that is away for a moment is asked again
			state.jobs.delete(String(id));
			end(reject, e);
		});
		const timer = setInterval(ask, 2000);
		ask();
	});
}
