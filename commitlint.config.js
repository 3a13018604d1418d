/** CONTRIBUTING.md, "Commits". Bodies carry measurements and whole messages, so their lines may be long. */
export default {
  extends: ['@commitlint/config-conventional'],
  // Dependabot writes its own subjects, longer ones too.
  ignores: [(message) => message.includes('Signed-off-by: dependabot[bot]')],
  rules: {
    'header-max-length': [2, 'always', 72],
    // A subject may begin with a name: PostgreSQL, COPY, Temporal.
    'subject-case': [0],
    'body-max-line-length': [0],
    'footer-max-line-length': [0],
  },
};
