import type { Acknowledgement, LifecycleEvent } from './events.js';

/** Where an answer goes, and which. */
export interface AcknowledgeRequest {
  readonly to: LifecycleEvent['acknowledge'];
  readonly answer: Acknowledgement;
}

export interface AcknowledgeActivities {
  /** Signals the workflow of personio-sync, in whatever namespace it is. False: it does not run, so nobody waits for the answer. */
  readonly acknowledgeLifecycleEvent: (request: AcknowledgeRequest) => Promise<boolean>;
}

/** Of `Client` in `@temporalio/client`, what is needed here; so this package depends on no client. */
export interface SignallingClient {
  readonly options: { readonly namespace: string };
  readonly connection: unknown;
  readonly workflow: {
    readonly getHandle: (workflowId: string) => {
      readonly signal: (name: string, ...args: [Acknowledgement]) => Promise<void>;
    };
  };
}

/**
 * The activity that `acknowledge` needs across namespaces, since a workflow can signal its own namespace only. Give it to your worker:
 * `activities: { ...yours, ...createAcknowledgeActivities(client) }`.
 *
 * @param client any `Client` of `@temporalio/client` that is connected to the server; its namespace does not matter.
 */
export function createAcknowledgeActivities(client: SignallingClient): AcknowledgeActivities {
  const clients = new Map([[client.options.namespace, client]]);
  const getClient = (namespace: string): SignallingClient => {
    const known = clients.get(namespace) ?? createSibling(client, namespace);
    clients.set(namespace, known);
    return known;
  };
  return {
    acknowledgeLifecycleEvent: async ({ to, answer }) => {
      try {
        await getClient(to.namespace).workflow.getHandle(to.workflowId).signal(to.signal, answer);
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
        throw error;
      }
    },
  };
}

/** The same client (connection, codec, identity) for another namespace. */
function createSibling(client: SignallingClient, namespace: string): SignallingClient {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the class of the caller's own SDK, whose constructor takes the options that it shows
  const SameClient = client.constructor as new (options: object) => SignallingClient;
  return new SameClient({ ...client.options, connection: client.connection, namespace });
}
