/**
 * The columns of a table by the fields of its row type, each with its type in PostgreSQL: the one list that statements,
 * temporary tables and rows for `jsonb_to_recordset` are made from. A column is named as its field, in snake_case.
 */
export class ColumnMap<Row> {
  private readonly types: Readonly<Record<keyof Row & string, string>>;

  constructor(types: Readonly<Record<keyof Row & string, string>>) {
    this.types = types;
  }

  /** Returns `events.event_id as "eventId", …`: a select list that gives rows of the type, one column a line. */
  select(table: string, fields: readonly (keyof Row & string)[]): string {
    return fields
      .map((field) => {
        const column = toColumnName(field);
        return column === field ? `${table}.${column}` : `${table}.${column} as "${field}"`;
      })
      .join(',\n');
  }

  /** Returns `event_id, class, …`. */
  list(fields: readonly (keyof Row & string)[]): string {
    return fields.map(toColumnName).join(', ');
  }

  /** Returns `event_id text, class text, …`. */
  define(fields: readonly (keyof Row & string)[]): string {
    return fields.map((field) => `${toColumnName(field)} ${this.types[field]}`).join(', ');
  }

  /** Returns an object with the values of these fields, named as the columns. */
  toRow<F extends keyof Row & string>(record: Pick<Row, F>, fields: readonly F[]): Readonly<Record<string, unknown>> {
    return Object.fromEntries(fields.map((field) => [toColumnName(field), record[field]]));
  }
}

/** Returns the name of a field's column. */
export function toColumnName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
