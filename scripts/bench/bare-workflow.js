import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';

const acknowledge = defineSignal('acknowledge');
const lifecycle = defineSignal('personio.lifecycle.v1');
const bare = proxyActivities({ startToCloseTimeout: '1 minute' });

/** The least that a delivery can take: a timer, one signal-with-start, one acknowledgement, one stored row. */
export async function bareDelivery({ id, dueAt }) {
  let isDone = false;
  setHandler(acknowledge, () => {
    isDone = true;
  });
  await sleep(Math.max(1, dueAt - Date.now()));
  await bare.signalSubscriber(id);
  await condition(() => isDone);
  await bare.storeRow(id);
}

/** The subscriber of both sides. It acknowledges at once, so that it adds as little as possible to the measurement. */
export async function acknowledgingSubscriber() {
  let event;
  setHandler(lifecycle, (signal) => {
    event = signal;
  });
  await condition(() => event !== undefined);
  const { workflowId, signal } = event.acknowledge;
  await getExternalWorkflowHandle(workflowId).signal(signal, { deliveryId: event.deliveryId, outcome: 'done' });
}
