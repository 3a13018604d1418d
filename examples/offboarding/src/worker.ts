import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createAcknowledgeActivities } from 'personio-sync-contracts/activities';
import { createDirectoryActivities } from './activities.js';

const address = process.env.TEMPORAL_ADDRESS ?? 'localhost:7233';
const namespace = process.env.TEMPORAL_NAMESPACE ?? 'default';

const client = new Client({ connection: await Connection.connect({ address }), namespace });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  namespace,
  taskQueue: 'it',
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities: {
    ...createDirectoryActivities(),
    // Needed if personio-sync runs in another namespace; harmless otherwise.
    ...createAcknowledgeActivities(client),
  },
  shutdownGraceTime: '20 seconds',
});
console.log(`Waiting for events on the task queue "it" of namespace ${namespace} at ${address}`);
await worker.run();
