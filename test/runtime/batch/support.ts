/** What tests of large requests need: policies, requests in both formats, and a division whose workers run in this thread. */
import { Packr } from "msgpackr";
import { FORMAT_JSON, FORMAT_MSGPACK, STATUS_OK } from "../../../assembly/abi.ts";
import { decideLarge, type LargeAnswer, type Surroundings } from "../../../runtime/batch/division.ts";
import type { PartResult, PartTask } from "../../../runtime/batch/messages.ts";
import { PartDecider } from "../../../runtime/batch/part-decider.ts";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { bundleForWorkers } from "../../../runtime/batch/worker-bundle.ts";
import { plainOptions } from "../../../runtime/guest/options.ts";
import { failureReply } from "../../../runtime/http/replies.ts";
import type { Engine } from "../../../runtime/index.ts";

/** A derived role, outputs, tokens, a condition that fails, one that takes long, and `now`. */
export const BATCH_POLICIES: readonly { readonly path: string; readonly text: string }[] = [
  {
    path: "doc.yaml",
    text: `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  importDerivedRoles: [people]
  rules:
    - name: public
      actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: "R.attr.public == true"}}
      output: {when: {ruleActivated: "{'id': R.id, 'at': now(), 'tags': R.attr.tags}", conditionNotMet: "P.attr.team"}}
    - actions: ["*"]
      effect: EFFECT_ALLOW
      derivedRoles: [owner]
    - name: levels
      actions: [edit]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: "request.auxData.jwt.level > R.attr.level"}}
    - name: long
      actions: [ponder]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: "R.attr.tags.all(a, R.attr.tags.all(b, R.attr.tags.all(c, a + b + c != 'x')))"}}
`,
  },
  {
    path: "people.yaml",
    text: `apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: people
  definitions:
    - name: owner
      parentRoles: [user]
      condition: {match: {expr: R.attr.owner == P.id}}
`,
  },
];

export const INSTANT = Date.UTC(2026, 10, 21, 12);

const packr = new Packr({ useRecords: false, variableMapSize: true });

export type Encoding = "json" | "indented" | "msgpack";

export function encodeRequest(request: unknown, encoding: Encoding): Uint8Array {
  if (encoding === "msgpack") return new Uint8Array(packr.pack(request));
  return new TextEncoder().encode(
    JSON.stringify(request, undefined, encoding === "indented" ? 2 : undefined),
  );
}

export const formatOf = (encoding: Encoding): number =>
  encoding === "msgpack" ? FORMAT_MSGPACK : FORMAT_JSON;

/** A large request as the pool takes it. */
export function largeRequest(bytes: Uint8Array, input: number, output: number) {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return { bytes: shared, input, output, cancelled: new Int32Array(new SharedArrayBuffer(4)) };
}

/** Workers in this thread, which can be made to fail, and which remember what they were asked. */
export class LocalWorkers implements Surroundings {
  readonly memory = new SharedMemory();
  readonly tasks: PartTask[] = [];
  readonly results: PartResult[] = [];
  readonly failures: string[] = [];
  /** Called before a task is decided; may throw, as Piscina does when a worker dies. */
  before: (task: PartTask, index: number) => void = () => undefined;
  readonly #engine: Engine;
  readonly #decider: PartDecider;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#decider = new PartDecider(plainOptions(engine.options));
  }

  async run(task: PartTask): Promise<PartResult> {
    this.before(task, this.tasks.length);
    this.tasks.push(task);
    const result = this.#decider.decide({ ...task, compiled: bundleForWorkers(this.#engine.compiled) });
    this.results.push(result);
    return result;
  }

  failed(message: string): void {
    this.failures.push(message);
  }

  trapped(): void {
    this.failures.push("trapped");
  }

  decide(bytes: Uint8Array, input: number, output: number, parts: number): Promise<LargeAnswer> {
    this.tasks.length = 0;
    this.results.length = 0;
    return decideLarge(largeRequest(bytes, input, output), this.#engine, parts, this);
  }
}

/** The answer as the HTTP route gives it, without the call id: the response's text or bytes, or the reply. */
export function shown(answer: LargeAnswer, output: number): unknown {
  if (answer.kind === "refused") return answer.reply;
  const response = withoutCallId(Buffer.concat(answer.pieces), output);
  answer.release();
  return { denied: answer.denied, response };
}

/** What the serving thread would answer if it decided the request itself. */
export function undivided(
  engine: Engine,
  bytes: Uint8Array,
  input: number,
  output: number,
  claims?: Uint8Array,
): unknown {
  const status = engine.decide(bytes, input, output, 0, claims);
  if (status !== STATUS_OK) return failureReply(engine.failure(status, bytes, input));
  return { denied: false, response: withoutCallId(Buffer.from(engine.output()), output) };
}

/** The call id is the last field: 26 characters, in JSON with `"}` behind them. */
function withoutCallId(response: Buffer, output: number): string {
  const end = output === FORMAT_JSON ? 28 : 26;
  return response.toString("latin1", 0, response.length - end);
}
