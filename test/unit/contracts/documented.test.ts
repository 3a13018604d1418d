import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { readText, resolvePath } from '../../support/docs.js';

/** The package that other teams install. */
const FOLDER = 'src/contracts/public';

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** Returns the exported declarations of a file, and the fields of its exported interfaces. */
function listDeclarations(file: ts.SourceFile): readonly ts.Node[] {
  return file.statements.filter(isExported).flatMap((node): readonly ts.Node[] => {
    const fields = ts.isInterfaceDeclaration(node) ? node.members.filter((one) => ts.isPropertySignature(one)) : [];
    return [node, ...fields];
  });
}

test('everything that subscribers import has a doc comment', () => {
  const declarations = readdirSync(resolvePath(FOLDER)).flatMap((name) =>
    listDeclarations(ts.createSourceFile(name, readText(`${FOLDER}/${name}`), ts.ScriptTarget.ES2022, true)),
  );
  expect(declarations.length).toBeGreaterThan(40);
  const bare = declarations.filter((node) => ts.getJSDocCommentsAndTags(node).length === 0);
  expect(bare.map((node) => node.getText().split('\n')[0])).toEqual([]);
});
