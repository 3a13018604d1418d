/** The demo company in a process of its own, which the benchmark asks over IPC. */
import { PERSONIO_LIMITS } from '../../dist/src/fake-personio/rate-limits.js';
import { startFakePersonio } from '../../dist/src/fake-personio/server.js';

const [, , employees = '10000'] = process.argv;
const today = new Date().toISOString().slice(0, 10);
const toDayBefore = (days) => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
const fake = await startFakePersonio({ employees: Number(employees), seed: 1, foundedOn: today });
fake.behaviour.employeesPerPage = 200;

/** Returns the shortest window up to yesterday that has at least `attendances` attendances. */
function findWindow(attendances) {
  let count = 0;
  for (let days = 1; ; days++) {
    count += fake.attendances.listBetween(toDayBefore(days), toDayBefore(days)).length;
    if (count >= attendances) return { from: toDayBefore(days), to: toDayBefore(1), count };
  }
}

const handlers = {
  url: () => fake.url,
  window: (attendances) => findWindow(attendances),
  requests: () => fake.countRequests(),
  refused: () => fake.log.filter(({ status }) => status === 429).length,
  exchanges: () => fake.log.filter(({ method }) => method === 'POST').length,
  limit: () => void fake.limitRequests(PERSONIO_LIMITS),
};
process.on('message', ({ id, question, argument }) => process.send({ id, answer: handlers[question](argument) }));
process.on('disconnect', () => process.exit(0));
