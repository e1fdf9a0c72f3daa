/**
 * Why the binary answered otherwise than the interpreter: known defects of it, resource by resource. An explanation that says
 * "the answer changes from start to start" is put to the test by starting the binary again; one that says "the call fails"
 * by asking for every resource and action alone.
 */
import type { Program } from "../../../compiler/ir/program.ts";
import { differences } from "../compare.ts";
import { explanation, hasNoJsonForm } from "../defects.ts";
import { check } from "../interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "../interpreter/request.ts";
import type { EngineSettings } from "../interpreter/settings.ts";
import type { Reply } from "./peers.ts";

/** One resource for which the binary is said to answer otherwise at another start. */
export interface Suspect {
  readonly request: CheckRequest;
  readonly answer: CheckResponse;
}

export interface Explained {
  /** Names of the defects. */
  readonly names: readonly string[];
  readonly suspects: readonly Suspect[];
}

type Ask = (request: CheckRequest) => Promise<Reply>;

const FAILED_CALL = "an infinity or NaN in an output fails the call (COMPAT.md 6.3)";

/** Undefined when no defect, or not only defects, account for the reply. */
export async function explain(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings>,
  { status, body }: Reply,
  ask: Ask,
): Promise<Explained | undefined> {
  if (status >= 500) return explainFailure(program, request, settings, ask);
  const defects = isResponse(body) ? explanation(program, request, settings, body) : undefined;
  if (defects === undefined || !isResponse(body)) return undefined;
  const names = new Set(defects.flatMap((defect) => (defect === undefined ? [] : [defect.name])));
  const suspects = defects.flatMap((defect, index) =>
    defect?.varies === true
      ? [
          {
            request: { ...request, resources: request.resources.slice(index, index + 1) },
            answer: { ...body, results: body.results.slice(index, index + 1) },
          },
        ]
      : [],
  );
  return { names: [...names], suspects };
}

/** Every action of every resource alone: those with such an output must fail, the others must not differ. */
async function explainFailure(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings>,
  ask: Ask,
): Promise<Explained | undefined> {
  if (!hasNoJsonForm(check(program, request, settings))) return undefined;
  const names = new Set([FAILED_CALL]);
  const suspects: Suspect[] = [];
  for (const { resource, actions } of request.resources) {
    for (const action of actions) {
      const one = { ...request, resources: [{ resource, actions: [action] }] };
      const want = check(program, one, settings);
      const reply = await ask(one);
      if (reply.status >= 500 ? hasNoJsonForm(want) : differences(reply.body, want).length === 0) continue;
      if (reply.status >= 500) return undefined;
      const explained = await explain(program, one, settings, reply, ask);
      if (explained === undefined) return undefined;
      for (const name of explained.names) names.add(name);
      suspects.push(...explained.suspects);
    }
  }
  return { names: [...names], suspects };
}

function isResponse(body: unknown): body is CheckResponse {
  return typeof body === "object" && body !== null && "results" in body;
}

/** Starts that must all answer alike before an answer counts as one that does not change. */
const STARTS = 8;
/** Suspects of one set that are asked again; more say nothing new. */
const MAX_SUSPECTS = 40;

/** The suspects whose answer is the same at every start of the binary: their explanation is wrong. */
export async function unchanging(
  suspects: readonly Suspect[],
  start: () => Promise<{ ask: Ask; stop: () => Promise<unknown> }>,
): Promise<readonly Suspect[]> {
  let left = suspects.slice(0, MAX_SUSPECTS);
  for (let turn = 0; turn < STARTS && left.length > 0; turn += 1) {
    const { ask, stop } = await start();
    try {
      const same: Suspect[] = [];
      for (const suspect of left) {
        const { body } = await ask(suspect.request);
        if (differences(body, suspect.answer).length === 0) same.push(suspect);
      }
      left = same;
    } finally {
      await stop();
    }
  }
  return left;
}
