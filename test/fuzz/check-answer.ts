/** Holds answers against the oracle: nothing is allowed that the interpreter does not allow, nothing decided that is no request. */
import type { Format } from "../../runtime/index.ts";
import { differences } from "../differential/compare.ts";
import type { CheckRequest, CheckResponse } from "../differential/interpreter/request.ts";
import type { Body } from "./bodies.ts";
import type { Findings } from "./findings.ts";
import { claimsOf, decide, judge, type Limits, readResponse, requestOf } from "./oracle.ts";
import { CLOCK_MS } from "./worlds.ts";

const ALLOW = Buffer.from("EFFECT_ALLOW");

/** Whether some action may be allowed by this answer: its bytes say so, perhaps only in a name. */
export function mayAllow(answer: Uint8Array): boolean {
  return Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).includes(ALLOW);
}

export class AnswerCheck {
  readonly #findings: Findings;
  readonly #limits: Limits;
  /** Answers compared with the interpreter's, and ALLOWs among their decisions. */
  compared = 0;
  allowed = 0;

  constructor(findings: Findings, limits: Limits) {
    this.#findings = findings;
    this.#limits = limits;
  }

  /** An answer that holds decisions. `nowMs` are instants at which it may have been decided, `hasClaims` whether with its tokens. */
  decided(
    body: Body,
    answer: Uint8Array,
    output: Format,
    nowMs: readonly number[] = [CLOCK_MS],
    hasClaims = false,
  ): void {
    const wanted = judge(body.bytes, body.format, this.#limits);
    if (wanted.kind === "answer") this.compare(body, wanted.request, answer, output, nowMs);
    else if (wanted.kind === "tokens" && hasClaims) {
      const auxData = claimsOf(wanted.parsed);
      if (auxData === undefined) this.#findings.add("accepted what is no token", "", body);
      else this.compare(body, { ...requestOf(wanted.content), auxData }, answer, output, nowMs);
    } else if (wanted.kind === "tokens")
      this.#findings.add("tokens not looked at", "decided without claims", body);
    else this.#findings.add("decided what is no request", wanted.why, body);
  }

  /** An answer to a request whose tokens are replaced by their claims. */
  compare(
    body: Body,
    request: CheckRequest,
    answer: Uint8Array,
    output: Format,
    nowMs: readonly number[] = [CLOCK_MS],
  ): void {
    const response = readResponse(answer, output);
    if (response === null) {
      this.#findings.add(
        `malformed ${output} answer`,
        Buffer.from(answer).toString("latin1").slice(0, 400),
        body,
      );
      return;
    }
    this.compared += 1;
    this.allowed += allows(response).length;
    const { options, settings } = body.world;
    // The interpreter knows the schemas of generated sets only.
    if (options.schemaEnforcement === "reject" && settings.validate === undefined) {
      this.#isSubset(body, response, decide(body.world, request));
      return;
    }
    let lines: readonly string[] = [];
    for (const now of nowMs) {
      lines = differences(response, decide(body.world, request, now));
      if (lines.length === 0) return;
    }
    const wrongAllow = lines.some((line) => line.includes('got "EFFECT_ALLOW"'));
    this.#findings.add(wrongAllow ? "wrong allow" : "wrong answer", lines.slice(0, 3).join("; "), body);
  }

  /** A body that was refused as a bad request: the oracle must not know better. */
  refused(body: Body, status: string): void {
    const { kind } = judge(body.bytes, body.format, this.#limits);
    if (kind === "answer") this.#findings.add("refused a good request", `status ${status}`, body);
  }

  /** An answer for lack of budget: everything is denied. */
  denied(body: Body, answer: Uint8Array, output: Format): void {
    const response = readResponse(answer, output);
    if (response === null) this.#findings.add(`malformed ${output} answer`, "of a request over budget", body);
    else if (allows(response).length > 0) this.#findings.add("allowed over budget", "", body);
  }

  /** What schemas refuse is denied, and they allow nothing. */
  #isSubset(body: Body, response: unknown, wanted: CheckResponse): void {
    const may = new Set(allows(wanted));
    const more = allows(response).find((action) => !may.has(action));
    if (more !== undefined) this.#findings.add("wrong allow", more, body);
  }
}

/** Every allowed action as `resource index, action`. */
export function allows(response: unknown): readonly string[] {
  const { results = [] } = response as Partial<CheckResponse>;
  return results.flatMap(({ actions }, index) =>
    Object.entries(actions)
      .filter(([, effect]) => effect !== "EFFECT_DENY")
      .map(([action]) => `${index} ${action}`),
  );
}
