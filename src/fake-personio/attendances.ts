import { addDays, countDaysBetween } from '../domain/zones.js';
import type { Company } from './company.js';

export interface DemoAttendance {
  readonly id: number;
  readonly employee: number;
  readonly date: string;
  readonly start: string;
  readonly end: string;
  readonly break: number;
}

const EPOCH = '1970-01-01';
/** A sync asks for the same days page after page. */
const MAX_CACHED_WINDOWS = 4;
const PERIODS: readonly Pick<DemoAttendance, 'start' | 'end' | 'break'>[] = [
  { start: '08:00', end: '12:00', break: 0 },
  { start: '12:30', end: '17:00', break: 15 },
];

/** Working hours of all employees, generated on request. The same day always has the same periods. */
export class Attendances {
  /** Ids of deleted periods. */
  readonly deleted = new Set<number>();
  private readonly company: Company;
  private readonly today: () => string;
  private readonly windows = new Map<string, readonly DemoAttendance[]>();

  constructor(company: Company, today: () => string) {
    this.company = company;
    this.today = today;
  }

  /** Returns the periods between two days, inclusive, ordered by date and employee. */
  listBetween(from: string, to: string): readonly DemoAttendance[] {
    const key = `${from} ${to} ${this.today()} ${this.company.size} ${this.deleted.size}`;
    const known = this.windows.get(key);
    if (known !== undefined) return known;
    const periods: DemoAttendance[] = [];
    const last = to < this.today() ? to : addDays(this.today(), -1);
    for (let date = from; date <= last; date = addDays(date, 1)) this.addDay(date, periods);
    const [oldest] = this.windows.keys();
    if (this.windows.size >= MAX_CACHED_WINDOWS && oldest !== undefined) this.windows.delete(oldest);
    this.windows.set(key, periods);
    return periods;
  }

  private addDay(date: string, periods: DemoAttendance[]): void {
    const day = countDaysBetween(EPOCH, date);
    // 1 January 1970 was a Thursday.
    if ([5, 6].includes((day + 3) % 7)) return;
    for (const person of this.company.employees) {
      const isHere = person.hireDate !== null && person.hireDate <= date && (person.lastWorkingDay ?? date) >= date;
      if (!isHere || person.isOnLeave) continue;
      PERIODS.forEach((period, index) => {
        const id = day * 10_000_000 + person.id * 10 + index;
        if (!this.deleted.has(id)) periods.push({ id, employee: person.id, date, ...period });
      });
    }
  }
}
