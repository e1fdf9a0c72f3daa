/** The decision cases on the reference interpreter, and the recorded answers on the real Cerbos. */
import { describe, expect, it } from "vitest";
import { findCerbos, INSTALL_CERBOS, startCerbos } from "../support/cerbos.ts";
import { readCases, requestOf, sourcesOf, withPolicyDirectory } from "../support/cases.ts";
import { programOf } from "../support/programs.ts";
import { cerbosSettings } from "./cerbos-settings.ts";
import { differences } from "./compare.ts";
import { check } from "./interpreter/decide.ts";

const NOW = 1_600_000_000_000_000_000n;

describe.each(readCases())("$name", ({ data }) => {
  it("is answered by the interpreter as recorded", () => {
    const { program, diagnostics } = programOf(sourcesOf(data));
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    if (program === undefined) throw new Error("the policies do not compile");
    const settings = { onError: "compatible", ...data.engine, now: NOW } as const;
    const found = data.checks.flatMap((each, index) =>
      differences(check(program, requestOf(each), settings), each.want, { errorTexts: true }).map(
        (line) => `checks[${index}] ${each.description ?? ""} ${line}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it.skipIf(findCerbos() === undefined || data.engine?.onError === "fail-closed")(
    `is answered by the real Cerbos as recorded${findCerbos() === undefined ? ` (${INSTALL_CERBOS})` : ""}`,
    async () => {
      const found = await withPolicyDirectory(sourcesOf(data), async (directory) => {
        const cerbos = await startCerbos(directory, cerbosSettings(data.engine));
        try {
          const lines: string[] = [];
          for (const [index, each] of data.checks.entries()) {
            if (each.differs !== undefined) continue;
            const { body } = await cerbos.check(requestOf(each));
            lines.push(...differences(body, each.want, { errorTexts: true }).map((line) => `checks[${index}] ${line}`));
          }
          return lines;
        } finally {
          await cerbos.stop();
        }
      });
      expect(found).toEqual([]);
    },
  );
});
