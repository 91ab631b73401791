'use strict';
// Composite schedules from tests/vectors/composite.jsonl, in each version a case does not exclude: tests/tools/composite must say what is
// written there, and say it in a message that is valid.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const tools = path.join(process.env.top_builddir || path.resolve(__dirname, '../..'), 'tests/tools');
const cases = fs.readFileSync(path.join(__dirname, 'composite.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
let failed = 0;

function judge(version, answer, want) {
	if (want.status) return answer.status === want.status;
	const schedule = answer.chargingSchedule || answer.schedule;
	const periods = schedule.chargingSchedulePeriod;
	const check = spawnSync(path.join(tools, 'ocpp-check'), [version, 'GetCompositeSchedule', 'response'], { input: JSON.stringify(answer) });
	return check.status === 0 && JSON.stringify(periods.map((p) => [p.startPeriod, p.limit])) === JSON.stringify(want.expect) &&
		(!want.phases_of || JSON.stringify(periods.map((p) => p.numberPhases)) === JSON.stringify(want.phases_of));
}

for (const one of cases) {
	for (const version of one.version ? [one.version] : ['1.6', '2.0.1', '2.1']) {
		const ran = spawnSync(path.join(tools, 'composite'), [version], { input: JSON.stringify(one), encoding: 'utf8' });
		const answers = ran.stdout.trim().split('\n').map((l) => JSON.parse(l || 'null'));
		const wants = one.steps || [one];
		const good = ran.status === 0 && answers.length === wants.length && wants.every((w, i) => judge(version, answers[i], w));
		if (!good) console.log(`not ok - ${version}: ${one.what}\n${ran.stdout}${ran.stderr}`);
		failed += !good;
	}
}
console.log(`${cases.length} cases, ${failed} failed`);
process.exit(failed || cases.length < 20 ? 1 : 0);
