export { applyRetention } from './apply-retention.js';
export { detectLifecycleTransitions } from './detect-lifecycle-transitions.js';
export { employeeLifecycle } from './employee-lifecycle.js';
export { syncAttendances, syncDepartments, syncTimeOffTypes } from './sync-collections.js';
export { refreshEmployee, syncEmployees } from './sync-employees.js';
