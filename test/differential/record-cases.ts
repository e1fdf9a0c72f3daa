/**
 * Rewrites the `want` of every check in test/cases/ with what the real Cerbos answers, except where `differs` says why
 * edict answers otherwise. Run with `npx tsx test/differential/record-cases.ts [name...]`; review the diff.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMap, isSeq, parseDocument } from "yaml";
import { startCerbos } from "../support/cerbos.ts";
import {
  CASES,
  readCases,
  requestOf,
  sourcesOf,
  withPolicyDirectory,
  type NamedCase,
} from "../support/cases.ts";
import { cerbosSettings } from "./cerbos-settings.ts";
import { normalise } from "./compare.ts";

async function record({ name, data }: NamedCase): Promise<void> {
  const path = join(CASES, `${name}.yaml`);
  const document = parseDocument(await readFile(path, "utf8"));
  const checks = document.get("checks");
  if (!isSeq(checks)) throw new Error(`${name}: \`checks\` is not a list`);
  await withPolicyDirectory(sourcesOf(data), async (directory) => {
    const cerbos = await startCerbos(directory, cerbosSettings(data.engine));
    try {
      for (const [index, check] of data.checks.entries()) {
        const node = checks.get(index);
        if (check.differs !== undefined || !isMap(node)) continue;
        const { status, body } = await cerbos.check(requestOf(check));
        if (status !== 200) throw new Error(`${name}[${index}]: ${status} ${JSON.stringify(body)}`);
        node.set("want", document.createNode(normalise(body, { errorTexts: true }), { flow: false }));
      }
    } finally {
      await cerbos.stop();
    }
  });
  await writeFile(path, document.toString({ lineWidth: 120 }));
}

const wanted = process.argv.slice(2);
for (const each of readCases()) {
  if (wanted.length > 0 && !wanted.includes(each.name)) continue;
  await record(each);
  console.log(`recorded ${each.name}`);
}
