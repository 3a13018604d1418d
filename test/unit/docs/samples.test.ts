import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { listSamples, resolvePath } from '../../support/docs.js';

const CONTRACTS = resolvePath('src/contracts/public');

/** The options of this repository; the published package resolves to its source, so that no build is needed. */
function readOptions(): ts.CompilerOptions {
  const file = ts.readConfigFile(resolvePath('tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(file.config, ts.sys, resolvePath(''));
  return {
    ...options,
    noEmit: true,
    noUnusedLocals: false,
    paths: { 'personio-sync-contracts': [`${CONTRACTS}/index.ts`], 'personio-sync-contracts/*': [`${CONTRACTS}/*.ts`] },
  };
}

/** Returns the compiler's messages about the samples, each beginning with the page and the number of the sample. */
function compileSamples(): readonly string[] {
  // A sample stands beside its page as `docs/contract.md.1.ts`, in memory only.
  const samples = new Map(
    listSamples('ts').map((sample) => [`${resolvePath(sample.page)}.${sample.number}.ts`, sample]),
  );
  expect(samples.size).toBeGreaterThanOrEqual(3);
  const options = readOptions();
  const host = ts.createCompilerHost(options);
  const inherited = { ...host };
  host.fileExists = (path) => samples.has(path) || inherited.fileExists(path);
  host.readFile = (path) => samples.get(path)?.text ?? inherited.readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const sample = samples.get(path);
    if (sample === undefined) return inherited.getSourceFile(path, languageVersion, ...rest);
    return ts.createSourceFile(path, sample.text, languageVersion);
  };
  const program = ts.createProgram([...samples.keys()], options, host);
  return [...samples].flatMap(([path, sample]) => {
    const source = program.getSourceFile(path);
    const messages = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return messages.map(
      ({ messageText }) =>
        `${sample.page}, sample ${sample.number}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

test('the samples of all pages compile under strict TypeScript', () => {
  expect(compileSamples()).toEqual([]);
}, 60_000);
