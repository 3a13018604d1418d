/** The made-up company in a process of its own, which the benchmark asks over IPC. */
import { PERSONIO_LIMITS } from '../../dist/src/fake-personio/rate-limits.js';
import { startFakePersonio } from '../../dist/src/fake-personio/server.js';

const [, , employees = '10000'] = process.argv;
const today = new Date().toISOString().slice(0, 10);
const dayBefore = (days) => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
const fake = await startFakePersonio({ employees: Number(employees), seed: 1, foundedOn: today });
fake.behaviour.employeesPerPage = 200;

/** @returns the shortest window up to yesterday with at least so many attendances. */
function windowOf(attendances) {
  let count = 0;
  for (let days = 1; ; days++) {
    count += fake.attendances.listBetween(dayBefore(days), dayBefore(days)).length;
    if (count >= attendances) return { from: dayBefore(days), to: dayBefore(1), count };
  }
}

const answers = {
  url: () => fake.url,
  window: (attendances) => windowOf(attendances),
  requests: () => fake.countRequests(),
  refused: () => fake.log.filter(({ status }) => status === 429).length,
  exchanges: () => fake.log.filter(({ method }) => method === 'POST').length,
  limit: () => void fake.limitRequests(PERSONIO_LIMITS),
};
process.on('message', ({ id, ask, argument }) => process.send({ id, answer: answers[ask](argument) }));
process.on('disconnect', () => process.exit(0));
