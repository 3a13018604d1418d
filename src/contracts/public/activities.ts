import type { Acknowledgement, LifecycleEvent } from './events.js';

/** An acknowledgement and the workflow that takes it. */
export interface AcknowledgeRequest {
  /** `acknowledge` of the event. */
  readonly to: LifecycleEvent['acknowledge'];
  /** The only argument of the signal. */
  readonly answer: Acknowledgement;
}

/** The activities that `createAcknowledgeActivities` returns. */
export interface AcknowledgeActivities {
  /**
   * Signals the workflow of personio-sync, in any namespace of the server. Returns false if it no longer runs, so that
   * nobody waits for the acknowledgement. Throws the client's own error for everything else, which Temporal retries.
   */
  readonly acknowledgeLifecycleEvent: (request: AcknowledgeRequest) => Promise<boolean>;
}

/** The part of `Client` in `@temporalio/client` that is needed here, so that this package depends on no client. */
export interface SignallingClient {
  /** Options that the client was created with; passed on to clients of other namespaces. */
  readonly options: { readonly namespace: string };
  /** Connection to the server, shared by the clients of all namespaces. */
  readonly connection: unknown;
  /** Signals workflows. */
  readonly workflow: {
    readonly getHandle: (workflowId: string) => {
      readonly signal: (name: string, ...args: [Acknowledgement]) => Promise<void>;
    };
  };
}

/**
 * Creates the activity through which `acknowledge` signals another namespace, since a workflow can signal its own only.
 * Register it with your worker: `activities: { ...yours, ...createAcknowledgeActivities(client) }`.
 *
 * @param client any `Client` of `@temporalio/client` connected to the server; its namespace does not matter.
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

/** Returns the same client (connection, codec, identity) for another namespace. */
function createSibling(client: SignallingClient, namespace: string): SignallingClient {
  // The caller's own SDK has the class; its constructor takes the options that an instance shows.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- see above
  const SameClient = client.constructor as new (options: object) => SignallingClient;
  return new SameClient({ ...client.options, connection: client.connection, namespace });
}
