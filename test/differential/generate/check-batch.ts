/**
 * Asks everybody the requests of a batch: the interpreter, release WASM in both formats, and the real Cerbos where it is
 * installed. Fails closed too, where only edict's own engines are compared.
 */
import type { SourceFile } from "../../../compiler/load/index.ts";
import type { Program } from "../../../compiler/ir/program.ts";
import type { Engine } from "../../../runtime/index.ts";
import { sourcesOf, withPolicyDirectory, type CaseEngine } from "../../support/cases.ts";
import { startCerbos, type Cerbos } from "../../support/cerbos.ts";
import { ask, bundleOf, loadEngine } from "../../support/engines.ts";
import { programOf } from "../../support/programs.ts";
import { cerbosSettings } from "../cerbos-settings.ts";
import { differences } from "../compare.ts";
import { explanation, hasNoJsonForm, type Defect } from "../defects.ts";
import { check } from "../interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "../interpreter/request.ts";

/** Somebody answered otherwise than the interpreter. */
export interface Difference {
  readonly who: string;
  readonly settings: CaseEngine;
  readonly request: CheckRequest;
  readonly lines: readonly string[];
}

export interface BatchResult {
  readonly differences: readonly Difference[];
  readonly explained: ReadonlyMap<string, number>;
  readonly requests: number;
  readonly decisions: number;
  readonly allowed: number;
  readonly outputs: number;
  readonly outputErrors: number;
  readonly traps: number;
}

/** Every fourth request is also asked failing closed. */
const CLOSED_EVERY = 4;

/** Runs the requests; `request(turn)` makes them one by one. */
export async function checkBatch(
  policies: readonly object[],
  settings: CaseEngine,
  requests: readonly CheckRequest[],
  withCerbos: boolean,
): Promise<BatchResult> {
  const sources = sourcesOf({ description: "", policies, checks: [] });
  const { program, diagnostics } = programOf(sources);
  if (program === undefined) {
    throw new Error(`edict refuses the set: ${diagnostics.map(({ message }) => message).join("; ")}`);
  }
  const bundle = await bundleOf(sources);
  const engine = await loadEngine(bundle, settings);
  const closed = await loadEngine(bundle, { ...settings, onError: "fail-closed" });
  const run = new Run(program, settings, engine, closed);
  if (!withCerbos) {
    for (const request of requests) await run.ask(request);
    return run.result();
  }
  return withPolicyDirectory(spread(sources), async (directory) => {
    const cerbos = await startCerbos(directory, cerbosSettings(settings));
    try {
      for (const request of requests) await run.ask(request, cerbos);
    } finally {
      await cerbos.stop();
    }
    return run.result();
  });
}

/** On many lines: error contexts of one long line make Cerbos slow to start. */
function spread(sources: readonly SourceFile[]): readonly SourceFile[] {
  return sources.map(({ path, text }) => ({ path, text: JSON.stringify(JSON.parse(text), null, 1) }));
}

class Run {
  readonly #program: Program;
  readonly #settings: CaseEngine;
  readonly #engine: Engine;
  readonly #closed: Engine;
  readonly #found: Difference[] = [];
  readonly #explained = new Map<string, number>();
  readonly #counts = { requests: 0, decisions: 0, allowed: 0, outputs: 0, outputErrors: 0 };

  constructor(program: Program, settings: CaseEngine, engine: Engine, closed: Engine) {
    this.#program = program;
    this.#settings = settings;
    this.#engine = engine;
    this.#closed = closed;
  }

  async ask(request: CheckRequest, cerbos?: Cerbos): Promise<void> {
    const now = BigInt(Date.now()) * 1_000_000n;
    const settings = { ...this.#settings, now };
    const want = check(this.#program, request, settings);
    this.#count(want);
    const format = this.#counts.requests % 2 === 0 ? "json" : "msgpack";
    this.#compare(
      `release WASM (${format})`,
      this.#settings,
      request,
      responseOf(this.#engine, request, format),
      want,
    );
    if (this.#counts.requests % CLOSED_EVERY === 0) {
      const closed = { ...this.#settings, onError: "fail-closed" } as const;
      const answer = responseOf(this.#closed, request, format);
      this.#compare(
        `release WASM (${format})`,
        closed,
        request,
        answer,
        check(this.#program, request, { ...closed, now }),
      );
    }
    if (cerbos === undefined) return;
    const { status, body } = await cerbos.check(request);
    if (differences(body, want).length === 0) return;
    const defects = this.#defects(request, status, body, want);
    if (defects === undefined) return this.#compare("Cerbos", this.#settings, request, body, want);
    for (const name of defects) this.#explained.set(name, (this.#explained.get(name) ?? 0) + 1);
  }

  #defects(
    request: CheckRequest,
    status: number,
    body: CheckResponse,
    want: CheckResponse,
  ): readonly string[] | undefined {
    if (status >= 500)
      return hasNoJsonForm(want)
        ? ["an infinity or NaN in an output fails the call (COMPAT.md 6.3)"]
        : undefined;
    const defects: ReadonlySet<Defect> | undefined = explanation(
      this.#program,
      request,
      this.#settings,
      body,
    );
    return defects === undefined ? undefined : [...defects].map(({ name }) => name);
  }

  #compare(
    who: string,
    settings: CaseEngine,
    request: CheckRequest,
    answer: unknown,
    want: CheckResponse,
  ): void {
    const lines = differences(answer, want);
    if (lines.length > 0) this.#found.push({ who, settings, request, lines });
  }

  #count({ results }: CheckResponse): void {
    this.#counts.requests += 1;
    for (const { actions, outputs = [] } of results) {
      const effects = Object.values(actions);
      this.#counts.decisions += effects.length;
      this.#counts.allowed += effects.filter((effect) => effect === "EFFECT_ALLOW").length;
      this.#counts.outputs += outputs.length;
      this.#counts.outputErrors += outputs.filter(({ error }) => error !== undefined).length;
    }
  }

  result(): BatchResult {
    return {
      differences: this.#found,
      explained: this.#explained,
      ...this.#counts,
      traps: this.#engine.traps + this.#closed.traps,
    };
  }
}

function responseOf(engine: Engine, request: CheckRequest, format: "json" | "msgpack"): unknown {
  const answer = ask(engine, request, format);
  return "response" in answer ? answer.response : answer;
}
