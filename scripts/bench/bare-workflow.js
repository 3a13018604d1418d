import { condition, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

const acknowledged = defineSignal('acknowledge');
const bare = proxyActivities({ startToCloseTimeout: '1 minute' });

/** The least that a delivery can take: a timer, one signal-with-start, one acknowledgement, one stored row. */
export async function bareDelivery({ id, dueAt }) {
  let isDone = false;
  setHandler(acknowledged, () => {
    isDone = true;
  });
  await sleep(Math.max(1, dueAt - Date.now()));
  await bare.signalSubscriber(id);
  await condition(() => isDone);
  await bare.storeRow(id);
}
