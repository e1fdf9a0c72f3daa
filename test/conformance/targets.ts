/**
 * What conformance tests run on: the reference interpreter and release WASM, both answering CheckResources requests on
 * the same sources. Known failures are lists that must fail (HABITS.md 21).
 */
import { expect } from "vitest";
import { readSources } from "../../compiler/directory.ts";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { SchemaEnforcement } from "../../runtime/guest/options.ts";
import { check } from "../differential/interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "../differential/interpreter/request.ts";
import type { EngineSettings } from "../differential/interpreter/settings.ts";
import { ask, bundleOf, CORE_IS_BUILT, loadEngine } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";

export interface Target {
  readonly name: string;
  /** Prepares `sources`; the result answers requests under the given settings. */
  prepare(sources: readonly SourceFile[]): Promise<Prepared>;
}

/** The interpreter decides only: the host validates attributes against schemas before it. */
export type TargetSettings = Omit<Partial<EngineSettings>, "now"> & {
  readonly schemaEnforcement?: SchemaEnforcement;
};
export type Ask = (request: CheckRequest) => CheckResponse;
export interface Prepared {
  withSettings(settings: TargetSettings): Promise<Ask>;
}

const interpreter: Target = {
  name: "interpreter",
  prepare: async (sources) => {
    const { program, diagnostics } = programOf(sources);
    if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
    const now = BigInt(Date.now()) * 1_000_000n;
    return {
      withSettings: async (settings) => (request) => check(program, request, { ...settings, now }),
    };
  },
};

const release: Target = {
  name: "release WASM",
  prepare: async (sources) => {
    const bundle = await bundleOf(sources);
    return {
      withSettings: async (settings) => {
        const engine = await loadEngine(bundle, settings);
        return (request) => {
          // Claims in a case are those of tokens that were verified.
          const { auxData, ...rest } = request;
          if (auxData !== undefined) {
            return JSON.parse(JSON.stringify(engine.checkWithClaims(rest, { ...auxData })));
          }
          const answer = ask(engine, request, "json");
          if ("failure" in answer) throw new Error(answer.failure);
          return answer.response;
        };
      },
    };
  },
};

/** Release WASM is left out where the guest core has not been built. */
export const TARGETS: readonly Target[] = CORE_IS_BUILT ? [interpreter, release] : [interpreter];

/** Reads a policy directory; none where it does not exist, so that a file can be collected without the corpus. */
export async function sourcesFrom(directory: string): Promise<readonly SourceFile[]> {
  return (await readSources(directory)).sources;
}

/** Cases that fail, by name, with the reason. A listed case that passes breaks the build. */
export type KnownFailures = Readonly<Record<string, string>>;

/** Runs `body`, which must fail when `name` is listed. */
export async function unlessKnown(
  known: KnownFailures,
  name: string,
  body: () => Promise<void>,
): Promise<void> {
  const reason = known[name];
  if (reason === undefined) return body();
  const failed = await body().then(
    () => false,
    () => true,
  );
  expect(
    failed,
    `\`${name}\` is listed as a known failure (${reason}) but passes: take it off the list`,
  ).toBe(true);
}
