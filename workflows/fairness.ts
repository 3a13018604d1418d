import type { WorkflowInterceptors } from '@temporalio/workflow';

/**
 * Gives each activity and child workflow the connection as its fairness key, so that task queues serve connections in turn: one with a
 * long backlog does not stand before the others. Takes effect where the server has fairness switched on.
 */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: async (input, next) =>
        next({ ...input, options: { ...input.options, ...toPriority(input.args) } }),
      startChildWorkflowExecution: async (input, next) =>
        next({ ...input, options: { ...input.options, ...toPriority(input.options.args) } }),
    },
  ],
});

function toPriority(args: readonly unknown[]): { readonly priority?: { readonly fairnessKey: string } } {
  const [request] = args;
  const hasConnection = typeof request === 'object' && request !== null && 'connectionId' in request;
  return hasConnection && typeof request.connectionId === 'string'
    ? { priority: { fairnessKey: request.connectionId } }
    : {};
}
