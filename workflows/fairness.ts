import type { WorkflowInterceptors } from '@temporalio/workflow';

/**
 * Sets the connection as fairness key of each activity and child workflow, so that task queues serve connections in
 * turn: one with a long backlog does not delay the others. Takes effect if the server has fairness enabled.
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
