/** Both may be repeated: Temporal tries again after a failure, and after a success whose answer was lost. */
export interface DirectoryActivities {
  readonly disableAccounts: (employeeId: string) => Promise<void>;
  readonly enableAccounts: (employeeId: string) => Promise<void>;
}

/** Your identity provider instead: the example only says what it would do. */
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
