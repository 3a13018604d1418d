const STATEMENT =
  /\b(insert into|update|delete from|copy|merge into|create table|drop table|lock table|from)\s+([\w."]+)/i;

/** Returns the name of a statement: what it does and to which table, such as `insert into personio.employees`. */
export function nameStatement(sql: string): string {
  const [, verb = '', table = ''] = STATEMENT.exec(sql.replaceAll(/'[^']*'/g, "''")) ?? [];
  const name = verb === '' ? (/\w+/.exec(sql)?.[0] ?? '') : `${verb === 'from' ? 'select from' : verb} ${table}`;
  return name.toLowerCase().replaceAll('"', '').slice(0, 100);
}
