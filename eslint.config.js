import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const noLiteralSpread = ['ObjectExpression', 'ArrayExpression'].map((type) => ({
  selector: [
    `SpreadElement[argument.type='${type}']`,
    `SpreadElement[argument.type='TSAsExpression'][argument.expression.type='${type}']`,
  ].join(', '),
  message: 'Write the members out: a spread of a literal only outwits the formatter.',
}));
const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only src/config reads the environment; take the value as an argument.',
};
const noClock = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Time is an argument here.',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is an argument here.' },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Chance is an argument here.',
  },
];
const sandboxed = {
  'no-restricted-globals': ['error', 'process', 'fetch', 'Buffer'],
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          group: ['node:*', 'got', 'pg', 'pino', '@temporalio/worker', '@temporalio/client', '@temporalio/activity'],
          message: 'This code runs in the workflow sandbox or must stay pure.',
        },
      ],
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist/', 'src/contracts/dist/', 'node_modules/', '.personio-sync/', 'coverage/', 'test/fixtures/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/method-signature-style': ['error', 'property'],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/promise-function-async': 'error',
      '@typescript-eslint/no-unsafe-type-assertion': 'error',
      '@typescript-eslint/strict-boolean-expressions': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      eqeqeq: 'error',
      'no-param-reassign': ['error', { props: true, ignorePropertyModificationsFor: ['state', 'tally', 'counts'] }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'no-console': 'error',
      'import-x/no-default-export': 'error',
      'no-restricted-syntax': ['error', noEnvironment, ...noLiteralSpread],
    },
  },
  { files: ['src/config/**/*.ts', 'test/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...noLiteralSpread] } },
  { files: ['src/contracts/**/*.ts', 'workflows/**/*.ts'], rules: sandboxed },
  {
    files: ['src/domain/**/*.ts'],
    rules: { ...sandboxed, 'no-restricted-syntax': ['error', noEnvironment, ...noClock, ...noLiteralSpread] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      complexity: 'off',
      'no-param-reassign': 'off',
      '@typescript-eslint/no-unsafe-type-assertion': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'it', 'describe'], package: '@jest/globals' }] },
      ],
    },
  },
  // Programs of other teams: they read their own environment and talk to their own terminal.
  {
    files: ['examples/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noLiteralSpread], 'no-console': 'off' },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', setTimeout: 'readonly' } },
    rules: { 'no-restricted-syntax': ['error', ...noLiteralSpread] },
  },
  prettier,
  {
    // Prettier leaves comments and templates alone, so a rule holds their width.
    files: ['**/*.ts', '**/*.js'],
    rules: {
      'max-len': ['error', { code: 120, ignoreStrings: true, ignoreUrls: true, ignoreRegExpLiterals: true }],
    },
  },
);
