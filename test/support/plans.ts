import { jest } from '@jest/globals';
import pg from 'pg';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';

/** Tables that grow with time, however many people a company has. */
const GROWING_TABLES: ReadonlySet<string> = new Set([
  'attendance_periods',
  'decisions',
  'deliveries',
  'employee_history',
  'lifecycle_events',
  'lifecycle_proposals',
  'sync_runs',
]);

/** What a statement read of a table that grows with time. */
interface TableAccess {
  readonly statement: string;
  readonly table: string;
  readonly node: string;
  /** Rows that were returned or filtered out. */
  readonly rows: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface ExplainedPlan {
  readonly 'Query Text': string;
  readonly Plan: PlanNode;
}

const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_level': 'notice',
  'auto_explain.log_format': 'json',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
};

/** A second pool of a database, which records the plan of each statement. */
export class ExplainingDatabase {
  readonly database: Database;
  private accesses: TableAccess[] = [];

  constructor({ url }: Database) {
    const explained = new URL(url);
    const options = Object.entries(SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
    explained.searchParams.set('options', options.join(' '));
    // Parameters of a PostgreSQL URL know no `+` for a space.
    const text = explained.href.replaceAll('+', '%20');
    this.database = openDatabase({ url: text, applicationName: 'personio-sync plans', poolSize: 2 });
    // The pool keeps its clients to itself.
    const emit: unknown = Reflect.get(pg.Client.prototype, 'emit');
    if (typeof emit !== 'function') throw new TypeError('The driver has changed.');
    const record = this.record.bind(this);
    jest.spyOn(pg.Client.prototype, 'emit').mockImplementation(function handle(this: pg.Client, ...event: unknown[]) {
      record(event);
      return Reflect.apply(emit, this, event) === true;
    });
  }

  async close(): Promise<void> {
    jest.restoreAllMocks();
    await this.database.close();
  }

  /** Returns what the statements since the last call read, and forgets it. */
  takeAccesses(): readonly TableAccess[] {
    const { accesses } = this;
    this.accesses = [];
    return accesses;
  }

  private record([name, notice]: readonly unknown[]): void {
    const text = name === 'notice' && notice instanceof Object && 'message' in notice ? String(notice.message) : '';
    const [, json] = text.split('plan:\n');
    if (json === undefined) return;
    const plan = JSON.parse(json) as ExplainedPlan;
    this.accesses.push(...listAccesses(plan, plan.Plan));
  }
}

function listAccesses(plan: ExplainedPlan, node: PlanNode): readonly TableAccess[] {
  const { Plans: children = [], 'Relation Name': table = '', 'Node Type': type, 'Actual Loops': loops = 0 } = node;
  const below = children.flatMap((child) => listAccesses(plan, child));
  // The node that writes names the table too.
  if (!GROWING_TABLES.has(table) || type === 'ModifyTable') return below;
  const rows =
    (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const statement = plan['Query Text'].replaceAll(/\s+/g, ' ').trim();
  return [{ statement, table, node: type, rows: Math.round(rows * loops) }, ...below];
}
