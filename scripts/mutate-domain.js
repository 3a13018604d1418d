/**
 * Breaks the rules of src/domain one by one, in a copy, and runs the tests of the domain on each: every broken rule has to make one fail.
 * `node scripts/mutate-domain.js [WORD]`; a few minutes. Not part of `npm test`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'personio-sync-mutated-'));

const DECIDE = 'decide';
const PROPOSALS = 'proposals';
const STANDING = 'standing';
const MOVERS = 'movers';
const FACTS = 'event-facts';
const BRAKE = 'brake';

/** File, rule, what stands there (once), and what takes its place. */
const MUTATIONS = [
  [DECIDE, 'baseline-start', "this.news.planStart(start, 'baseline-start')", 'void 0'],
  [DECIDE, 'baseline-end', "this.news.planEnd(end, 'baseline-end')", 'void 0'],
  [DECIDE, 'baseline is silent', 'input.baseline && this.previous === null', 'false'],
  [DECIDE, 'start-announced', "this.news.propose('joiner.announced', start, 'start-announced');", ''],
  [DECIDE, 'start-planned', "this.news.planStart(start, 'start-planned');", ''],
  [DECIDE, 'start-first-seen', "this.news.planStart(start ?? this.today, 'start-first-seen')", 'void 0'],
  [DECIDE, 'first seen out is no news', "if (phase === 'out') return this.previous === null ? 'out' : 'none';", ''],
  [DECIDE, 'start-withdrawn', "this.news.withdrawStart('start-withdrawn');", ''],
  [DECIDE, 'start-withdrawn takes the end along', "this.news.withdrawEnd('start-withdrawn');", ''],
  [DECIDE, 'start-back-to-onboarding', 'isOnboarding && start !== null', 'start !== null'],
  [DECIDE, 'start-back-to-onboarding, same date', '&& start !== this.news.announcedStart', ''],
  [DECIDE, 'out', 'this.news.leave();', ''],
  [DECIDE, 'back-again', "this.news.beginEpisode('back-again');", ''],
  [DECIDE, 'back-again, rehired', "this.news.propose('joiner.rehired', begins, 'back-again');", ''],
  [DECIDE, 'back-again, from which day', 'start > formerEnd', 'start >= formerEnd'],
  [DECIDE, 'back-again, today', 'if (start > this.today) return true;', ''],
  [DECIDE, 'gone-deleted, twice', 'previous.missingSince !== null) return', 'true) return'],
  [DECIDE, 'gone-deleted, by id', 'input.confirmedGone && ', ''],
  [
    DECIDE,
    'gone-deleted, once',
    'if (previous.deletedAt !== null) return { ...unchanged',
    'if (false) return { ...unchanged',
  ],
  [DECIDE, 'gone-deleted, start', "this.news.withdrawStart('gone-deleted');", ''],
  [DECIDE, 'gone-deleted, back', "if (previous.deletedAt !== null) return 'out';", ''],
  [DECIDE, 'gone-deleted, the question', 'deleted.events, ...deleted.unmade', 'deleted.unmade'],
  [DECIDE, 'what has fallen due', '<= this.facts.input.collectedAt', '< this.facts.input.collectedAt'],
  [
    DECIDE,
    'an end that fell due',
    "this.hasFallenDue('leaver.left', this.previous?.announcedEnd ?? null) ? 'out' : phase",
    'phase',
  ],
  [DECIDE, 'a start that fell due', "this.hasFallenDue('joiner.started', previous.announcedStart)", 'false'],
  [DECIDE, 'kinds left out', '!isIgnored(event)', 'true'],
  [DECIDE, 'leaving', "if (this.news.announcedEnd !== null) return 'leaving';", ''],
  [PROPOSALS, 'out-by-status is due at once', 'isDueNow: isOutByStatus', 'isDueNow: false'],
  [PROPOSALS, 'out-by-status has an id of its own', "current.status === 'inactive' ? ['inactive'] : []", '[]'],
  [PROPOSALS, 'out-by-date corrects', 'planned !== undefined && planned.effectiveDate !== date', 'false'],
  [PROPOSALS, 'end-announced', "this.propose('leaver.announced', end, 'end-announced');", ''],
  [PROPOSALS, 'end-planned', "this.planEnd(end, 'end-planned');", ''],
  [PROPOSALS, 'end-moved', "this.planEnd(end, 'end-moved');", ''],
  [PROPOSALS, 'end-moved, earlier counts', 'this.isEarlierEnd = end < before;', ''],
  [PROPOSALS, 'end-moved, zone', '(before === null || planned === undefined || planned.timeZone === zone)', 'true'],
  [PROPOSALS, 'end-withdrawn', "this.withdrawEnd('end-withdrawn');", ''],
  [PROPOSALS, 'start-moved', "this.planStart(date, 'start-moved');", ''],
  [PROPOSALS, 'start-moved, zone', '&& (planned === undefined || planned.timeZone === this.facts.zone)', ''],
  [PROPOSALS, 'moved', "if (moves.length > 0) this.propose('mover.changed'", "if (false) this.propose('mover.changed'"],
  [PROPOSALS, 'renamed', 'if (renames.changes.length > 0)', 'if (false)'],
  [PROPOSALS, 'leave, of the employed', '!isEmployedTwice || wasOnLeave', 'wasOnLeave'],
  [PROPOSALS, 'leave-ended', "this.propose('mover.leave-ended', today, 'leave-ended', atOnce)", 'void 0'],
  [PROPOSALS, 'leave-started', "this.propose('mover.leave-started', today, 'leave-started', atOnce)", 'void 0'],
  [
    PROPOSALS,
    'withdrawals pass',
    "kind.startsWith('joiner.') && kind !== 'joiner.rescinded'",
    "kind.startsWith('joiner.')",
  ],
  [PROPOSALS, 'leavers count first', "if (this.isEarlierEnd) return 'leavers';", ''],
  [PROPOSALS, 'what fell due stays due', '> input.collectedAt,', "> '',"],
  [
    PROPOSALS,
    'superseded by the notice',
    'this.superseded.push({ eventId: planned.eventId, by: rescinded.eventId });',
    '',
  ],
  [STANDING, 'the earlier end', 'return a < b ? a : b;', 'return a;'],
  [STANDING, 'the last working day is advisory', "terminationDate !== null || status === 'inactive'", 'true'],
  [STANDING, 'an end before the start', 'end !== null && hireDate !== null && end < hireDate ? null : end', 'end'],
  [STANDING, 'leaverEndsOn', "endsOn === 'termination_date'", 'false'],
  [STANDING, 'the last day is a day at work', 'end !== null && end < today', 'end !== null && end <= today'],
  [STANDING, 'the first day is a day at work', "start > today ? 'announced'", "start >= today ? 'announced'"],
  [STANDING, 'inactive is out', 'phase: isInactive || isOutByDate', 'phase: isOutByDate'],
  [STANDING, 'onboarding without a date', "isOnboarding ? 'none' : 'employed'", "'employed'"],
  [STANDING, 'absent keeps its value', 'current.absentAttributes.length === 0) return current', 'true) return current'],
  [
    MOVERS,
    'departments by id',
    'r.departmentId === null || other.departmentId === null ? r.department : r.departmentId',
    'r.department',
  ],
  [
    MOVERS,
    'readable at last',
    'return value(before) !== null || !before.absentAttributes.includes(attribute);',
    'return true;',
  ],
  [MOVERS, 'order of cost centres', 'shares.sort()', 'shares'],
  [MOVERS, '40 and 40.0', 'Number.isNaN(number) ? text : number', 'text'],
  [
    MOVERS,
    'renames without values',
    'changed.map(({ attribute }) => ({ attribute }))',
    'changed.map(({ attribute, value }) => ({ attribute, to: value(after) }))',
  ],
  ...[
    'team',
    'office',
    'position',
    'supervisor',
    'subcompany',
    'cost_centers',
    'employment_type',
    'weekly_working_hours',
  ].map((name) => [
    MOVERS,
    `moved: ${name}`,
    `{ attribute: '${name}', identity:`,
    `{ attribute: '${name}', identity: () => 0, unused:`,
  ]),
  [FACTS, 'late', 'late: hasOwnMoment && !isToCome', 'late: false'],
  [FACTS, 'the version in the id', 'episode, kind, version, dates, newValues', 'episode, kind, dates, newValues'],
  [FACTS, 'leavers at the end of the day', "kind.startsWith('leaver.') ? endOfDay", 'false ? endOfDay'],
  [BRAKE, 'the larger limit', 'Math.max(limit.atLeast', 'Math.min(limit.atLeast'],
  [BRAKE, 'the rolling day', 'day > allowed && run > 0', 'false'],
  [BRAKE, 'one more than allowed', 'isOver: count > allowed', 'isOver: count >= allowed'],
];

const asked = process.argv[2] ?? '';
mkdirSync(`${copy}/test/unit`, { recursive: true });
for (const path of [
  'src',
  'docs',
  'test/unit/domain',
  'package.json',
  'jest.config.js',
  'jest.unit.config.js',
  'test/support',
])
  cpSync(`${root}${path}`, `${copy}/${path}`, { recursive: true });
symlinkSync(`${root}node_modules`, `${copy}/node_modules`);
// The year's simulation would catch most of it, and take its time; the test of the docs looks for the names of rules alone.
for (const name of ['year', 'lifecycle-doc']) rmSync(`${copy}/test/unit/domain/${name}.test.ts`);

function isCaught() {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['--config', 'jest.unit.config.js', '--bail', '--silent', 'test/unit/domain'];
  const args = [...flags, 'node_modules/jest/bin/jest.js', ...jest];
  return spawnSync(process.execPath, args, { cwd: copy, stdio: 'ignore' }).status !== 0;
}

let survivors = 0;
try {
  if (isCaught()) throw new Error('The tests fail without any change.');
  const chosen = MUTATIONS.filter(([, rule]) => rule.includes(asked));
  for (const [file, rule, from, to] of chosen) {
    const path = `${copy}/src/domain/${file}.ts`;
    const original = readFileSync(path, 'utf8');
    const times = original.split(from).length - 1;
    if (times !== 1) throw new Error(`${file}: "${from}" stands there ${times} times; correct the list.`);
    writeFileSync(
      path,
      original.replace(from, () => to),
    );
    const caught = isCaught();
    writeFileSync(path, original);
    if (!caught) survivors += 1;
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${file.padEnd(11)}  ${rule}`);
  }
  console.log(`${chosen.length} rules broken one by one, ${survivors} unnoticed.`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survivors === 0 ? 0 : 1;
