/**
 * A transform for `asc`, used for the release core: the functions listed in hot-functions.json, which every request
 * calls many times, are expanded where they are called, as if each were declared `@inline` (tsc, which reads assembly/
 * too, does not accept a decorator on a function). The debug core is built without it, so tests that compare the two
 * cores check the expansion as well.
 *
 * How the list was found: V8 can inline by call counts (`node --experimental-wasm-inlining --trace-wasm-inlining`), and
 * what it picked on the load-test bodies is listed, as far as it measured faster.
 */
import { readFileSync } from "node:fs";
import { Node, NodeKind } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** File (below assembly/, without extension) to names of functions. */
const HOT = JSON.parse(readFileSync(new URL("hot-functions.json", import.meta.url), "utf8"));

// oxlint-disable-next-line import/no-default-export -- asc asks for it
export default class InlineHotFunctions extends Transform {
  /** Called by asc with everything parsed. Throws for a function that is listed but does not exist. */
  afterParse(parser) {
    for (const [path, names] of Object.entries(HOT)) {
      const source = parser.sources.find((one) => one.normalizedPath === `assembly/${path}.ts`);
      for (const name of names) inline(source, path, name);
    }
  }
}

function inline(source, path, name) {
  const declaration = source?.statements.find(
    (statement) => statement.kind === NodeKind.FunctionDeclaration && statement.name.text === name,
  );
  if (declaration === undefined) {
    throw new Error(`hot-functions.json names \`${name}\`, which assembly/${path}.ts does not declare`);
  }
  const word = Node.createIdentifierExpression("inline", declaration.range);
  declaration.decorators ??= [];
  declaration.decorators.push(Node.createDecorator(word, null, declaration.range));
}
