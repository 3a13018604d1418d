import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';

const acknowledged = defineSignal('acknowledge');
const told = defineSignal('personio.lifecycle.v1');
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

/** The team that is told, by ours and by the bare one: it answers at once, so that as little as possible of what is measured is its. */
export async function answeringTeam() {
  let event;
  setHandler(told, (signal) => {
    event = signal;
  });
  await condition(() => event !== undefined);
  const { workflowId, signal } = event.acknowledge;
  await getExternalWorkflowHandle(workflowId).signal(signal, { deliveryId: event.deliveryId, outcome: 'done' });
}
