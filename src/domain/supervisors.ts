/**
 * Finds circles of people who are, directly or indirectly, their own supervisor. People who report into a circle
 * without being part of it do not count. Each circle is in reporting order, from its smallest id.
 *
 * @param supervisorByEmployee the supervisor's id by employee id.
 */
export function findSupervisorLoops(supervisorByEmployee: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const loops: (readonly string[])[] = [];
  const done = new Set<string>();
  for (const start of supervisorByEmployee.keys()) {
    const path: string[] = [];
    const onPath = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at) && !onPath.has(at)) {
      path.push(at);
      onPath.add(at);
      at = supervisorByEmployee.get(at);
    }
    if (at !== undefined && onPath.has(at)) loops.push(rotateToSmallest(path.slice(path.indexOf(at))));
    for (const passed of path) done.add(passed);
  }
  return loops.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

function rotateToSmallest(loop: readonly string[]): readonly string[] {
  const smallest = loop.reduce((least, id) => (id < least ? id : least));
  const index = loop.indexOf(smallest);
  return [...loop.slice(index), ...loop.slice(0, index)];
}
