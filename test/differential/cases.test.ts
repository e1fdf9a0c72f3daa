/**
 * The decision cases in every mode: reference interpreter, debug and release WASM (JSON and msgpack), and the recorded
 * answers checked on the real Cerbos where it is installed.
 */
import { describe, expect, it } from "vitest";
import { readCases, requestOf, sourcesOf, withPolicyDirectory, type DecisionCase } from "../support/cases.ts";
import { findCerbos, INSTALL_CERBOS, startCerbos } from "../support/cerbos.ts";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf, type Build } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { cerbosSettings } from "./cerbos-settings.ts";
import { differences, type CompareOptions } from "./compare.ts";
import { check } from "./interpreter/decide.ts";

const NOW = 1_600_000_000_000_000_000n;
const NO_CERBOS = findCerbos() === undefined;
const CASES = readCases();

type Answerer = (request: unknown, index: number) => unknown;

/** Every difference between the answers of one mode and the recorded ones. */
function compareAll(data: DecisionCase, answer: Answerer, options: CompareOptions): readonly string[] {
  return data.checks.flatMap((each, index) =>
    differences(answer(requestOf(each), index), each.want, options).map(
      (line) => `checks[${index}] ${each.description ?? ""} ${line}`,
    ),
  );
}

describe.each(CASES)("$name", ({ data }) => {
  it("is answered by the interpreter as recorded", () => {
    const { program, diagnostics } = programOf(sourcesOf(data));
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    if (program === undefined) throw new Error("the policies do not compile");
    const settings = { onError: "compatible", ...data.engine, now: NOW } as const;
    const answer = (_: unknown, index: number): unknown => {
      const each = data.checks[index];
      return each === undefined ? undefined : check(program, requestOf(each), settings);
    };
    expect(compareAll(data, answer, { errorTexts: true })).toEqual([]);
  });

  it.skipIf(!CORE_IS_BUILT).each(["release", "debug"] satisfies Build[])(
    `is answered by the %s build as recorded${CORE_IS_BUILT ? "" : ` (${BUILD_CORE})`}`,
    async (build) => {
      const engine = await engineOf(sourcesOf(data), { onError: "compatible", ...data.engine }, build);
      const found = (["json", "msgpack"] as const).flatMap((format) =>
        compareAll(
          data,
          (request) => {
            const answer = ask(engine, request, format);
            return "response" in answer ? answer.response : answer;
          },
          {},
        ).map((line) => `${format} ${line}`),
      );
      expect(found).toEqual([]);
      expect(engine.traps).toBe(0);
    },
  );

  it.skipIf(NO_CERBOS || data.engine?.onError === "fail-closed")(
    `is answered by the real Cerbos as recorded${NO_CERBOS ? ` (${INSTALL_CERBOS})` : ""}`,
    async () => {
      const found = await withPolicyDirectory(sourcesOf(data), async (directory) => {
        const cerbos = await startCerbos(directory, cerbosSettings(data.engine));
        try {
          const lines: string[] = [];
          for (const [index, each] of data.checks.entries()) {
            if (each.differs !== undefined) continue;
            const { body } = await cerbos.check(requestOf(each));
            lines.push(
              ...differences(body, each.want, { errorTexts: true }).map((line) => `checks[${index}] ${line}`),
            );
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
