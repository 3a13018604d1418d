/** Activities that are safe to repeat: Temporal retries after a failure, and after a success whose result was lost. */
export interface DirectoryActivities {
  readonly disableAccounts: (employeeId: string) => Promise<void>;
  readonly enableAccounts: (employeeId: string) => Promise<void>;
}

/** Creates the activities. Call your identity provider here; the example only logs. */
export function createDirectoryActivities(): DirectoryActivities {
  return {
    disableAccounts: async (employeeId) => {
      console.log(`disabling the accounts of employee ${employeeId}`);
      await Promise.resolve();
    },
    enableAccounts: async (employeeId) => {
      console.log(`enabling the accounts of employee ${employeeId}`);
      await Promise.resolve();
    },
  };
}
