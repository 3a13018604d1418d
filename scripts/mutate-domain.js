/**
 * Breaks the rules of src/domain one by one, in a copy, and runs the domain's tests on each. Every broken rule must
 * make at least one test fail. `node scripts/mutate-domain.js [WORD]` takes several minutes. `npm test` skips it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'personio-sync-mutated-'));

const DECIDE = 'decide';
const BUILDER = 'event-builder';
const EMPLOYMENT = 'employment';
const PHASE = 'phase';
const ZONES = 'zones';
const MOVERS = 'movers';
const DRAFT = 'event-draft';
const BRAKE = 'brake';

/** File, rule, source text (which occurs once), and its replacement. */
const MUTATIONS = [
  [DECIDE, 'baseline-start', "this.builder.planStart(start, 'baseline-start')", 'void 0'],
  [DECIDE, 'baseline-end', "this.builder.planEnd(end, 'baseline-end')", 'void 0'],
  [DECIDE, 'baseline emits nothing', 'input.isBaseline && this.previous === null', 'false'],
  [DECIDE, 'start-announced', "this.builder.addEvent('joiner.announced', start, 'start-announced');", ''],
  [DECIDE, 'start-planned', "this.builder.planStart(start, 'start-planned');", ''],
  [DECIDE, 'start-first-seen', "this.builder.planStart(start ?? this.today, 'start-first-seen')", 'void 0'],
  [DECIDE, 'first seen out', "if (phase === 'out') return this.previous === null ? 'out' : 'none';", ''],
  [DECIDE, 'start-withdrawn', "this.builder.withdrawStart('start-withdrawn');", ''],
  [DECIDE, 'start-withdrawn, the end', "this.builder.withdrawEnd('start-withdrawn');", ''],
  [DECIDE, 'start-back-to-onboarding', 'isOnboarding && start !== null', 'start !== null'],
  [DECIDE, 'start-back-to-onboarding, same date', '&& start !== this.builder.announcedStart', ''],
  [DECIDE, 'out', 'this.builder.endEmployment();', ''],
  [DECIDE, 'out, on the last day', 'this.builder.announcedEnd !== this.today', 'true'],
  [DECIDE, 'out, back to onboarding before', "if (phase === 'out') return this.leave();\n      this", 'this'],
  [DECIDE, 'start-withdrawn, of a return', "this.builder.episode > 1 ? 'out' : 'none'", "'none'"],
  [DECIDE, 'back-again', "this.builder.beginEpisode(this.findFormerEnd(previous), 'back-again');", ''],
  [DECIDE, 'back-again, rehired', "this.builder.addEvent('joiner.rehired', begins, 'back-again');", ''],
  [DECIDE, 'back-again, from which day', 'start > formerEnd', 'start >= formerEnd'],
  [DECIDE, 'back-again, today', 'start > this.today || formerEnd', 'formerEnd'],
  [DECIDE, 'back-again, after a deletion', 'this.builder.formerEnd = this.today;', ''],
  [DECIDE, 'gone-deleted, twice', 'previous.missingSince !== null) return', 'true) return'],
  [DECIDE, 'gone-deleted, by id', 'input.isConfirmedGone && ', ''],
  [
    DECIDE,
    'gone-deleted, once',
    'if (previous.deletedAt !== null) return { ...unchanged',
    'if (false) return { ...unchanged',
  ],
  [DECIDE, 'gone-deleted, start', "this.builder.withdrawStart('gone-deleted');", ''],
  [PHASE, 'gone-deleted, back', "if (previous.deletedAt !== null) return 'out';", ''],
  [DECIDE, 'gone-deleted, the hold', 'deleted.events, ...deleted.suppressedEvents', 'deleted.suppressedEvents'],
  [ZONES, 'fallen due', 'Date.parse(moment) <= Date.parse(now)', 'Date.parse(moment) < Date.parse(now)'],
  [ZONES, 'moments are numbers', 'Date.parse(moment) <= Date.parse(now)', 'moment <= now'],
  [PHASE, 'an end that fell due', "hasFallenDue('leaver.left', previous.announcedEnd)", 'false'],
  [PHASE, 'a start that fell due', "hasFallenDue('joiner.started', previous.announcedStart)", 'false'],
  [DECIDE, 'ignored kinds', '!isIgnored(event)', 'true'],
  [DECIDE, 'leaving', "if (this.builder.announcedEnd !== null) return 'leaving';", ''],
  [BUILDER, 'out-by-status is due at once', 'isDueNow: isOutByStatus', 'isDueNow: false'],
  [BUILDER, 'out-by-status has an id of its own', "current.status === 'inactive' ? ['inactive'] : []", '[]'],
  [BUILDER, 'out-by-date corrects', 'if (planned !== undefined) {', 'if (false) {'],
  [BUILDER, 'end-announced', "this.addEvent('leaver.announced', end, 'end-announced');", ''],
  [BUILDER, 'end-planned', "this.planEnd(end, 'end-planned');", ''],
  [BUILDER, 'end-moved', "this.planEnd(end, 'end-moved');", ''],
  [BUILDER, 'end-moved, earlier counts', 'this.hasEarlierEnd = end < before;', ''],
  [BUILDER, 'end-moved, zone', '(before === null || planned === undefined || planned.timeZone === zone)', 'true'],
  [BUILDER, 'end-withdrawn', "this.withdrawEnd('end-withdrawn');", ''],
  [BUILDER, 'start-moved', "this.planStart(date, 'start-moved');", ''],
  [BUILDER, 'start-moved, zone', '&& (planned === undefined || planned.timeZone === this.transition.zone)', ''],
  [BUILDER, 'moved', "if (moves.length > 0) this.addEvent('mover.changed'", "if (false) this.addEvent('mover.changed'"],
  [BUILDER, 'renamed', 'if (renames.changes.length > 0)', 'if (false)'],
  [BUILDER, 'leave, of the employed', '!isContinuouslyEmployed || wasOnLeave', 'wasOnLeave'],
  [BUILDER, 'leave-ended', "this.addEvent('mover.leave-ended', today, 'leave-ended', atOnce)", 'void 0'],
  [BUILDER, 'leave-started', "this.addEvent('mover.leave-started', today, 'leave-started', atOnce)", 'void 0'],
  [
    BUILDER,
    'withdrawals pass the brake',
    "kind.startsWith('joiner.') && kind !== 'joiner.rescinded'",
    "kind.startsWith('joiner.')",
  ],
  [BUILDER, 'withdrawals are counted', "kinds.includes('leaver.rescinded')", 'false'],
  [BUILDER, 'on hold is ahead', 'event.isOnHold === true ||', ''],
  [BUILDER, 'on hold falls due as planned', 'planned?.isOnHold === true && planned', 'false && planned'],
  [PHASE, 'on hold has not fallen due', 'event.isOnHold !== true && ', ''],
  [BUILDER, 'leavers count first', "if (this.hasEarlierEnd) return 'leavers';", ''],
  [
    BUILDER,
    'fallen due stays due',
    '!hasCome(toEffectiveMoment(kind, event.effectiveDate, event.timeZone), input.collectedAt)',
    'true',
  ],
  [
    BUILDER,
    'superseded by the notice',
    'this.superseded.push({ eventId: planned.eventId, by: rescinded.eventId });',
    '',
  ],
  [EMPLOYMENT, 'the earlier end', 'return a < b ? a : b;', 'return a;'],
  [EMPLOYMENT, 'the last working day is advisory', "terminationDate !== null || status === 'inactive'", 'true'],
  [EMPLOYMENT, 'an end before the start', 'isEndBeforeStart && !isStartOfNextContract ? null : lastEnd', 'lastEnd'],
  [EMPLOYMENT, 'the next contract', 'isEndBeforeStart && isEmployed && lastEnd >= today', 'false'],
  [EMPLOYMENT, 'a status that is no fact', 'isKnownStatus(current.status) ? current', 'true ? current'],
  [EMPLOYMENT, 'leaverEndsOn', "endsOn === 'termination_date'", 'false'],
  [EMPLOYMENT, 'the last day is a day at work', 'end !== null && end < today', 'end !== null && end <= today'],
  [EMPLOYMENT, 'the first day is a day at work', "start > today ? 'announced'", "start >= today ? 'announced'"],
  [EMPLOYMENT, 'inactive is out', 'phase: isInactive || isOutByDate', 'phase: isOutByDate'],
  [EMPLOYMENT, 'onboarding without a date', "isOnboarding ? 'none' : 'employed'", "'employed'"],
  [EMPLOYMENT, 'absent keeps its value', 'current.absentAttributes.length === 0) return filled', 'true) return filled'],
  [MOVERS, 'departments by id', 'r[id] === null || other[id] === null ? r[name] : r[id]', 'r[name]'],
  [
    MOVERS,
    'newly readable',
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
  ...['team', 'office', 'subcompany'].map((name) => [
    MOVERS,
    `moved: ${name}`,
    `  compareById('${name}', '${name}Id'),\n`,
    '',
  ]),
  ...['position', 'supervisor', 'cost_centers', 'employment_type', 'weekly_working_hours'].map((name) => [
    MOVERS,
    `moved: ${name}`,
    `{ attribute: '${name}', identity:`,
    `{ attribute: '${name}', identity: () => 0, unused:`,
  ]),
  [DRAFT, 'late', 'late: hasOwnMoment && !isStillAhead', 'late: false'],
  // Both the text of the id and its digest hold the version.
  [DRAFT, 'the version in the id', 'version, record, zone } = subject;', 'record, zone } = subject, version = 0;'],
  [DRAFT, 'leavers at the end of the day', "kind.startsWith('leaver.') ? endOfDay", 'false ? endOfDay'],
  [BRAKE, 'the larger limit', 'Math.max(limit.atLeast', 'Math.min(limit.atLeast'],
  [BRAKE, 'the rolling day', 'day > allowed && run > 0', 'false'],
  [BRAKE, 'one more than allowed', 'isOver: count > allowed', 'isOver: count >= allowed'],
];

const word = process.argv[2] ?? '';
mkdirSync(`${copy}/test/unit`, { recursive: true });
for (const path of [
  'src',
  'docs',
  'test/unit/domain',
  'test/fixtures/lifecycle-cases.json',
  'package.json',
  'jest.config.js',
  'test/support',
])
  cpSync(`${root}${path}`, `${copy}/${path}`, { recursive: true });
symlinkSync(`${root}node_modules`, `${copy}/node_modules`);
// The simulated year is slow and would catch most mutations. The test of the docs only looks for names of rules.
for (const name of ['year', 'lifecycle-doc']) rmSync(`${copy}/test/unit/domain/${name}.test.ts`);

function isCaught() {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['--selectProjects', 'unit', '--bail', '--silent', 'test/unit/domain'];
  const args = [...flags, 'node_modules/jest/bin/jest.js', ...jest];
  return spawnSync(process.execPath, args, { cwd: copy, stdio: 'ignore' }).status !== 0;
}

const toPath = (file) => `${copy}/src/domain/${file}.ts`;

/** Checks the list above before the first test run: a rename in src/domain must be followed there. */
function checkMutations(mutations) {
  for (const [file, rule, from] of mutations) {
    const count = readFileSync(toPath(file), 'utf8').split(from).length - 1;
    if (count !== 1) throw new Error(`${rule}: "${from}" occurs ${count} times in ${file}.ts. Update the list.`);
  }
}

let survivors = 0;
try {
  checkMutations(MUTATIONS);
  if (isCaught()) throw new Error('The tests fail without a mutation.');
  const chosen = MUTATIONS.filter(([, rule]) => rule.includes(word));
  for (const [file, rule, from, to] of chosen) {
    const path = toPath(file);
    const original = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      original.replace(from, () => to),
    );
    const caught = isCaught();
    writeFileSync(path, original);
    if (!caught) survivors += 1;
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${file.padEnd(13)}  ${rule}`);
  }
  console.log(`${chosen.length} rules broken, ${survivors} survived.`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survivors === 0 ? 0 : 1;
