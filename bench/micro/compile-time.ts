/**
 * Compile time of the load-test set: policy texts in memory in, bundle out, nothing cached. The first compile of the
 * process pays for loading the AssemblyScript compiler and for cold code; it is reported apart.
 */
import { compile } from "../../compiler/index.ts";
import { loadtestPolicies } from "../load/loadtest-set.ts";
import { median } from "../report/statistics.ts";

export interface CompileResult {
  readonly copies: number;
  /** Policies, schemas not counted. */
  readonly policies: number;
  readonly files: number;
  /** Median over the compiles after the first; of the first, when there is only one. */
  readonly milliseconds: number;
  readonly firstMilliseconds: number;
  readonly bundleBytes: number;
}

/** The result, and the bundle, which the other measurements run on. */
export interface CompileMeasurement {
  readonly result: CompileResult;
  readonly bundle: Uint8Array;
}

/** Compiles `copies` copies once, and then `rounds` times more. */
export async function measureCompile(copies: number, rounds: number): Promise<CompileMeasurement> {
  const sources = loadtestPolicies(copies);
  const times: number[] = [];
  let bundle: Uint8Array | undefined;
  for (let round = 0; round <= rounds; round++) {
    const started = performance.now();
    const compiled = await compile(sources);
    times.push(performance.now() - started);
    if (compiled.bundle === undefined) {
      throw new Error(
        `the load-test set does not compile: ${compiled.diagnostics[0]?.message ?? "no reason given"}`,
      );
    }
    ({ bundle } = compiled);
  }
  if (bundle === undefined) throw new Error("nothing was compiled");
  const [first = 0, ...others] = times;
  return {
    bundle,
    result: {
      copies,
      policies: sources.filter(({ path }) => path.endsWith(".yaml")).length,
      files: sources.length,
      milliseconds: others.length === 0 ? first : median(others),
      firstMilliseconds: first,
      bundleBytes: bundle.byteLength,
    },
  };
}
