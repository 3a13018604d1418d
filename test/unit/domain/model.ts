import type { EmployeeRecord } from '../../../src/domain/records.js';

/**
 * Brute-force model of one person's employment, written from the rules and not from the code. It lives through every
 * day, keeps a calendar of planned starts and ends, and knows time only as the current day at the office.
 */

type Place = 'nowhere' | 'coming' | 'here' | 'gone';

interface Entry {
  readonly what: 'start' | 'end';
  readonly day: string;
  readonly zone: string;
}

export class ModelPerson {
  private place: Place = 'nowhere';
  private last: EmployeeRecord | null = null;
  private calendar: Entry[] = [];
  private announcedStart: string | null = null;
  private announcedEnd: string | null = null;
  /** Days on which an employment ended: by an end, by its status, or by deletion. */
  private endedOn: string[] = [];
  /** Counts the returns. */
  private returns = 0;
  /** Former hire date, where no day of leaving is known. */
  private unknownEnd: string | null = null;
  /** True for somebody who was here and waits for another start of the same employment. */
  private wasHere = false;
  private missedReads = 0;
  private isDeleted = false;
  private lines: string[] = [];
  private readonly getZone: (office: string | null) => string;

  constructor(getZone: (office: string | null) => string) {
    this.getZone = getZone;
  }

  /** Applies one complete read, and returns its events, one line each. */
  read(now: Date, seen: EmployeeRecord | null, isBaseline: boolean): readonly string[] {
    this.lines = [];
    const isNew = this.last === null;
    const hadUntil = this.letTimePass(now);
    if (seen === null) this.miss(now);
    else this.see(now, this.fillAbsent(seen), { isSilent: isBaseline && isNew, isNew, hadUntil });
    return this.lines;
  }

  /** Applies what the calendar planned up to now, and returns the last known record. */
  private letTimePass(now: Date): EmployeeRecord | null {
    const happened = this.calendar.filter((entry) => this.isPast(now, entry));
    this.calendar = this.calendar.filter((entry) => !happened.includes(entry));
    for (const { what, day } of happened) {
      if (what === 'end') this.endedOn.push(day);
      if (this.isDeleted) continue;
      if (what === 'start' && this.place === 'coming') {
        this.place = 'here';
        this.wasHere = false;
      }
      if (what === 'end' && (this.place === 'here' || this.place === 'coming')) this.place = 'gone';
    }
    return this.last;
  }

  private isPast(now: Date, { what, day, zone }: Entry): boolean {
    const today = toLocalDay(now, zone);
    return what === 'start' ? today >= day : today > day;
  }

  private fillAbsent(seen: EmployeeRecord): EmployeeRecord {
    const { last } = this;
    const isStatus = ['onboarding', 'active', 'leave', 'inactive'].includes(seen.status ?? '');
    const status = isStatus ? seen.status : (last?.status ?? null);
    if (last === null) return { ...seen, status };
    const kept = {
      status,
      ...(seen.absentAttributes.includes('team') ? { teamId: last.teamId, team: last.team } : {}),
      ...(seen.absentAttributes.includes('termination_date') ? { terminationDate: last.terminationDate } : {}),
    };
    return { ...seen, ...kept };
  }

  private miss(now: Date): void {
    if (this.isDeleted || this.last === null) return;
    this.missedReads += 1;
    if (this.missedReads < 2) return;
    const start = this.findPending('start');
    if (start !== undefined) this.say('joiner.rescinded', start.day);
    this.drop('start');
    const today = toLocalDay(now, this.getZone(this.last.office));
    this.say('leaver.deleted', today);
    this.endedOn.push(today);
    this.isDeleted = true;
    this.place = 'gone';
  }

  private see(
    now: Date,
    record: EmployeeRecord,
    { isSilent, isNew, hadUntil }: { isSilent: boolean; isNew: boolean; hadUntil: EmployeeRecord | null },
  ): void {
    const zone = this.getZone(record.office);
    const today = toLocalDay(now, zone);
    const from = this.place;
    const isHere = from === 'here';
    const becomes = toPlace(today, record, isHere);
    this.last = record;
    this.missedReads = 0;
    this.isDeleted = false;
    const { hireDate } = record;
    const end = findEnd(record, isHere ? today : null);
    if (isSilent) {
      this.place = becomes;
      if (becomes === 'coming' && hireDate !== null) this.plan('start', hireDate, zone, today);
      if ((becomes === 'coming' || becomes === 'here') && end !== null) this.plan('end', end, zone, today);
      return;
    }
    switch (from) {
      case 'nowhere':
        if (becomes === 'gone') this.place = isNew ? 'gone' : 'nowhere';
        if (becomes === 'coming' || becomes === 'here') {
          if (becomes === 'coming') this.say('joiner.announced', hireDate ?? today);
          this.plan('start', hireDate ?? today, zone, today);
          this.place = becomes;
          this.followEnd(end, zone, today);
        }
        return;
      case 'coming':
        this.seeFromComing(becomes, record, hadUntil, { zone, today, end });
        return;
      case 'here':
        this.seeFromHere(becomes, record, hadUntil, { zone, today, end });
        return;
      case 'gone':
        if (becomes === 'gone' || becomes === 'nowhere') return;
        this.comeBack(becomes, record, hadUntil, { zone, today, end });
    }
  }

  private seeFromComing(becomes: Place, record: EmployeeRecord, before: EmployeeRecord | null, on: Today): void {
    if (becomes === 'nowhere' || becomes === 'gone') {
      this.rescind('start', 'joiner.rescinded');
      if (this.wasHere) {
        this.wasHere = false;
        this.place = 'here';
        if (becomes === 'gone') {
          this.seeFromHere(becomes, record, before, on);
          return;
        }
        this.followEnd(on.end, on.zone, on.today);
        this.compare(before, record, on.today, false);
        return;
      }
      this.rescind('end', 'leaver.rescinded');
      this.place = this.returns > 0 ? 'gone' : 'nowhere';
      return;
    }
    const day = this.chooseStart(record, on.today);
    if (becomes === 'here') this.wasHere = false;
    const planned = this.findPending('start');
    if (day !== this.announcedStart || (planned !== undefined && planned.zone !== on.zone)) {
      this.say('joiner.rescheduled', day);
      this.plan('start', day, on.zone, on.today);
    }
    this.place = becomes;
    this.followEnd(on.end, on.zone, on.today);
    this.compare(before, record, on.today, false);
  }

  private seeFromHere(becomes: Place, record: EmployeeRecord, before: EmployeeRecord | null, on: Today): void {
    if (becomes === 'gone') {
      const isLastDay = this.announcedEnd === on.today;
      if (isLastDay && !(on.end !== null && on.end < on.today)) {
        this.followEnd(on.today, on.zone, on.today);
        this.compare(before, record, on.today, false);
        return;
      }
      const isByStatus = !(on.end !== null && on.end < on.today);
      const day = on.end !== null && on.end <= on.today ? on.end : on.today;
      const planned = this.findPending('end');
      if (planned !== undefined) this.say('leaver.rescheduled', day);
      this.drop('end');
      this.say('leaver.left', day, isByStatus ? 'due' : 'late');
      this.announcedEnd = day;
      this.endedOn.push(day);
      this.place = 'gone';
      return;
    }
    const { hireDate } = record;
    const isRestarted =
      becomes === 'coming' && record.status === 'onboarding' && hireDate !== null && hireDate !== this.announcedStart;
    if (isRestarted) {
      this.say('joiner.rescheduled', hireDate);
      this.plan('start', hireDate, on.zone, on.today);
      this.wasHere = true;
      this.place = 'coming';
    }
    this.followEnd(on.end, on.zone, on.today);
    this.compare(before, record, on.today, !isRestarted);
  }

  private comeBack(becomes: Place, record: EmployeeRecord, before: EmployeeRecord | null, on: Today): void {
    if (this.endedOn.length === 0 && before !== null) this.unknownEnd = findEnd(before, null) ?? before.hireDate;
    this.returns += 1;
    const day = this.chooseStart(record, on.today);
    this.rescind('end', 'leaver.rescinded');
    this.say('joiner.rehired', day);
    this.plan('start', day, on.zone, on.today);
    this.place = becomes;
    this.followEnd(on.end, on.zone, on.today);
  }

  /** Chooses the day of a start: of a return, one after all days of leaving, or the day on which it is seen. */
  private chooseStart({ hireDate }: EmployeeRecord, today: string): string {
    if (hireDate === null) return today;
    if (hireDate > today || this.returns === 0) return hireDate;
    const ends = this.endedOn.length > 0 || this.unknownEnd === null ? this.endedOn : [this.unknownEnd];
    return ends.every((end) => end < hireDate) ? hireDate : today;
  }

  private followEnd(end: string | null, zone: string, today: string): void {
    const planned = this.findPending('end');
    if (end === null) {
      this.rescind('end', 'leaver.rescinded');
    } else if (this.announcedEnd === null) {
      this.say('leaver.announced', end);
      this.plan('end', end, zone, today);
    } else if (end !== this.announcedEnd || (planned !== undefined && planned.zone !== zone)) {
      this.say('leaver.rescheduled', end);
      this.plan('end', end, zone, today);
    }
  }

  private compare(before: EmployeeRecord | null, after: EmployeeRecord, today: string, isEmployed: boolean): void {
    if (before === null) return;
    // A team that could never be read has no value to compare with.
    const wasReadable = before.team !== null || !before.absentAttributes.includes('team');
    const haveIds = before.teamId !== null && after.teamId !== null;
    const hasOtherTeam = haveIds ? before.teamId !== after.teamId : before.team !== after.team;
    const hasMoved =
      (wasReadable && hasOtherTeam) || before.departmentId !== after.departmentId || before.office !== after.office;
    if (hasMoved) this.say('mover.changed', today);
    if (before.lastName !== after.lastName) this.say('mover.renamed', today);
    if (!isEmployed || (before.status === 'leave') === (after.status === 'leave')) return;
    this.say(after.status === 'leave' ? 'mover.leave-started' : 'mover.leave-ended', today);
  }

  private findPending(what: Entry['what']): Entry | undefined {
    return this.calendar.find((entry) => entry.what === what);
  }

  private drop(what: Entry['what']): void {
    this.calendar = this.calendar.filter((entry) => entry.what !== what);
  }

  private rescind(what: Entry['what'], kind: string): void {
    const planned = this.findPending(what);
    if (planned !== undefined) this.say(kind, planned.day);
    this.drop(what);
    if (what === 'start') this.announcedStart = null;
    else this.announcedEnd = null;
  }

  /** Replaces a planned start or end. One in the past happens now, late. */
  private plan(what: Entry['what'], day: string, zone: string, today: string): void {
    this.drop(what);
    if (what === 'start') this.announcedStart = day;
    else this.announcedEnd = day;
    const isPast = what === 'start' ? today >= day : today > day;
    if (!isPast) this.calendar.push({ what, day, zone });
    this.say(what === 'start' ? 'joiner.started' : 'leaver.left', day, isPast ? 'late' : 'planned');
  }

  private say(kind: string, day: string, state = 'due'): void {
    this.lines.push(`${kind} ${day} ${state}`);
  }
}

interface Today {
  readonly zone: string;
  readonly today: string;
  readonly end: string | null;
}

function toPlace(today: string, record: EmployeeRecord, isHere: boolean): Place {
  const end = findEnd(record, isHere ? today : null);
  if (record.status === 'inactive' || (end !== null && end < today)) return 'gone';
  // The hire date is that of the next contract.
  if (end !== null && record.hireDate !== null && end < record.hireDate) return 'here';
  if (record.hireDate === null) return record.status === 'onboarding' ? 'nowhere' : 'here';
  return record.hireDate > today ? 'coming' : 'here';
}

/**
 * Finds the earlier of both days. The last working day alone counts only for inactive people. An end before the hire
 * date counts only for people who are here on a day, up to that end.
 */
function findEnd(record: EmployeeRecord, hereOn: string | null): string | null {
  const { terminationDate, lastWorkingDay, hireDate, status } = record;
  const counted = [terminationDate, terminationDate !== null || status === 'inactive' ? lastWorkingDay : null];
  const [end] = counted.filter((day) => day !== null).sort();
  if (end === undefined) return null;
  const isFormer = hireDate !== null && end < hireDate && !(hereOn !== null && end >= hereOn);
  return isFormer ? null : end;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const days = new Map<string, string>();

/** Returns the calendar day that a clock on the wall of an office shows. */
function toLocalDay(now: Date, zone: string): string {
  const key = `${now.getTime()} ${zone}`;
  const known = days.get(key);
  if (known !== undefined) return known;
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  formats.set(zone, format);
  const day = format.format(now);
  days.set(key, day);
  return day;
}
