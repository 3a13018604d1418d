import { formatSecretNotice } from '../../worker/secret-age.js';
import { formatTable } from '../output.js';
import type { ConnectionStatus, StatusReport } from './collect-status.js';
import type { Problem } from './find-problems.js';
import { formatHeldPeople } from './held-people.js';

/** Returns the lines of the one screen of `status`. */
export function formatStatus({ connections, deliveries, problems }: StatusReport): readonly string[] {
  const { waiting, sent, overdue, failed, dead } = deliveries;
  return [
    ...connections.flatMap(formatConnection),
    `deliveries: ${waiting} waiting, ${sent} sent, ${overdue} overdue, ${failed} failed, ${dead} dead`,
    ...(problems.length === 0 ? ['No action needed.'] : problems.map(formatProblem)),
  ];
}

function formatConnection(connection: ConnectionStatus): readonly string[] {
  const { connectionId, secretSetAt, secretDueAt, endpoints, held, offices } = connection;
  const notice = formatSecretNotice(connectionId, secretSetAt, secretDueAt);
  const rows = endpoints.map(({ endpoint, outcome, ageSeconds, rows: count, nextRunAt }) => [
    `  ${endpoint}`,
    outcome ?? 'never ran',
    ageSeconds === null ? 'no success yet' : `success ${formatAge(ageSeconds)} ago`,
    `${count} rows`,
    `next ${nextRunAt ?? 'never'}`,
  ]);
  return [
    `connection ${connectionId}`,
    ...(notice === null ? [] : [`  ${notice}`]),
    ...formatTable(rows),
    ...formatHeldPeople(held),
    ...formatOffices('offices without a zone in the policy', offices.withoutZone),
    ...formatOffices('offices of the policy that no employee has', offices.unmatched),
  ];
}

const formatOffices = (heading: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`  ${heading}: ${names.join(', ')}`];

function formatProblem({ connectionId, endpoint, sentence, action }: Problem): string {
  const place = [connectionId, endpoint].filter((part) => part !== null).join(' ');
  return `! ${place === '' ? '' : `${place}: `}${sentence} ${action}`;
}

function formatAge(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
