/**
 * Moves messages and stacks of failures into a payload, which the codec encrypts; the type remains readable. CommonJS,
 * because the SDK loads it with `require` and bundles it into workflow code.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
