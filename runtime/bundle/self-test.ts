/**
 * Decisions that were recorded when a bundle was built, made again before it serves: this host, with its Node and its
 * processor, has to decide as the builder's did, and what was signed is what was tested. A guest of its own makes them, in the mode
 * and with the options that they were recorded with, because those of the serving engine (error mode, defaults, globals, schemas) are the
 * operator's and unknown to whoever builds. Its modules are the very ones that then serve. Recording is in record-self-test.ts.
 *
 * The section is JSON: {"version": 1, "groups": [{"options": {...}, "cases": [{"now": ms, "request": {...}, "claims": {...},
 * "effects": "AD..."}]}]}, one letter per resource and action in the order of the request.
 */
import { setImmediate } from "node:timers/promises";
import { FORMAT_JSON, STATUS_OK } from "../../assembly/abi.ts";
import { BundleError } from "../errors.ts";
import { Guest } from "../guest/guest.ts";
import type { CheckRequest, CheckResponse, Json } from "../guest/messages.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import { guestSettings, type OnError, ON_ERROR_MODES, resolveOptions } from "../guest/options.ts";
import { parseJson } from "./manifest.ts";

export const SELF_TEST_VERSION = 1;

/** Most decisions of a self-test, and most sets of options, each of which costs a guest. */
export const MAX_SELF_TEST_DECISIONS = 200;
export const MAX_SELF_TEST_GROUPS = 4;

/** Largest section in bytes that is written. */
export const MAX_SELF_TEST_BYTES = 64 * 1024;

/** Largest request in bytes that is asked. */
const MAX_REQUEST_BYTES = 64 * 1024;

/**
 * Fuel that one recorded request, and all of them together, may use: plenty for real policies, and so little that no bundle
 * keeps a host busy with its self-test.
 */
export const MAX_REQUEST_FUEL = 500_000;
const MAX_FUEL = 50_000_000;

/** Requests between two yields to whatever else this thread does. */
const REQUESTS_PER_TURN = 8;

const NOTHING = new Uint8Array(0);

/** How the engine is set up for a group of questions. Whole numbers of `globals` are doubles, as in test suites. */
export interface SelfTestOptions {
  readonly onError: OnError;
  readonly defaultPolicyVersion: string;
  readonly defaultScope: string;
  readonly lenientScopeSearch: boolean;
  readonly globals: Readonly<Record<string, Json>>;
}

export interface SelfTestQuestion {
  /** What conditions read as `now`, in milliseconds since 1970. */
  readonly now: number;
  readonly request: CheckRequest;
  /** What conditions read as `request.auxData`. */
  readonly claims?: Readonly<Record<string, Json>>;
}

export interface SelfTestCase extends SelfTestQuestion {
  /** `A` or `D` per resource and action. */
  readonly effects: string;
}

export interface SelfTestGroup {
  readonly options: SelfTestOptions;
  readonly cases: readonly SelfTestCase[];
}

/** What a question came to. */
export interface SelfTestAnswer {
  readonly effects: string;
  /** Whether the time made a difference, or could have. */
  readonly usedNow: boolean;
  readonly fuelUsed: number;
}

/** A guest that answers questions of one group, and then is thrown away. */
export class SelfTestGuest {
  readonly #guest: Guest;
  #now = 0;

  /** Throws `BundleError` or `EngineError` when the bundle cannot be started. */
  constructor(compiled: CompiledBundle, options: SelfTestOptions) {
    const engine = { ...options, wholeGlobals: "double", maxBodyBytes: MAX_REQUEST_BYTES } as const;
    this.#guest = Guest.start(
      compiled,
      guestSettings(
        resolveOptions({
          ...engine,
          maxActionsPerResource: 500,
          maxResourcesPerRequest: 500,
          clock: () => this.#now,
        }),
      ),
    );
  }

  /** The answer, or why there is none. */
  ask(question: SelfTestQuestion): SelfTestAnswer | string {
    const bytes = encode(question.request);
    const claims = question.claims === undefined ? NOTHING : encode(question.claims);
    if (bytes.byteLength > MAX_REQUEST_BYTES || claims.byteLength > MAX_REQUEST_BYTES)
      return "it is too large";
    this.#now = question.now;
    try {
      const status = this.#guest.decide(bytes, FORMAT_JSON, FORMAT_JSON, 0, claims, NOTHING);
      if (status !== STATUS_OK) return `status ${status}`;
      const response = JSON.parse(new TextDecoder().decode(this.#guest.output())) as CheckResponse;
      return {
        effects: effectsOf(question.request, response),
        usedNow: this.#guest.usedNow(),
        fuelUsed: this.#guest.partFacts().fuelUsed,
      };
    } catch (error) {
      return `the guest trapped: ${oneLine(error)}`;
    }
  }
}

/** Makes every recorded decision again. Rejects with `BundleError` when one comes out differently; resolves at once without any. */
export async function checkSelfTest(compiled: CompiledBundle): Promise<void> {
  const { selfTest } = compiled.bundle;
  if (selfTest === null) return;
  const groups = readSelfTest(selfTest);
  let asked = 0;
  let fuel = 0;
  for (const { options, cases } of groups) {
    const guest = new SelfTestGuest(compiled, options);
    for (const one of cases) {
      const answer = guest.ask(one);
      asked++;
      if (typeof answer === "string") return refuse(`recorded request ${asked} is not decided: ${answer}`);
      if (answer.effects !== one.effects) return refuse(difference(one, answer.effects, asked));
      fuel += answer.fuelUsed;
      if (fuel > MAX_FUEL) return refuse("the recorded requests use up the evaluation budget");
      if (asked % REQUESTS_PER_TURN === 0) await setImmediate();
    }
  }
}

/** One letter per resource and action, in the order of the request. */
function effectsOf(request: CheckRequest, response: CheckResponse): string {
  return request.resources
    .flatMap(({ actions }, index) =>
      actions.map((action) => letterOf(response.results[index]?.actions?.[action])),
    )
    .join("");
}

function letterOf(effect: string | undefined): string {
  if (effect === "EFFECT_ALLOW") return "A";
  return effect === "EFFECT_DENY" ? "D" : "?";
}

function difference({ request, effects }: SelfTestCase, now: string, number: number): string {
  let at = 0;
  for (const { actions, resource } of request.resources) {
    for (const action of actions) {
      if (effects[at] !== now[at]) {
        const [was, is] = [effects[at], now[at]].map((letter) => (letter === "A" ? "allowed" : "denied"));
        return `recorded request ${number} comes out differently: \`${action}\` on \`${resource.kind}\` is ${is}, was ${was}`;
      }
      at++;
    }
  }
  return `recorded request ${number} comes out differently`;
}

/** Reads the section. Throws `BundleError`. */
export function readSelfTest(bytes: Uint8Array): readonly SelfTestGroup[] {
  const root = record(parseJson(bytes, "self-test"));
  if (root["version"] !== SELF_TEST_VERSION) {
    return refuse(`the self-test section has a version other than ${SELF_TEST_VERSION}`);
  }
  const groups = list(root["groups"], MAX_SELF_TEST_GROUPS).map((group) => {
    const { options, cases } = record(group);
    return {
      options: readOptions(record(options)),
      cases: list(cases, MAX_SELF_TEST_DECISIONS).map((one) => readCase(record(one))),
    };
  });
  const decisions = groups
    .flatMap(({ cases }) => cases)
    .reduce((sum, { effects }) => sum + effects.length, 0);
  return decisions > MAX_SELF_TEST_DECISIONS ? malformed() : groups;
}

function readOptions(fields: Readonly<Record<string, unknown>>): SelfTestOptions {
  const onError = ON_ERROR_MODES.find((mode) => mode === fields["onError"]);
  const { defaultPolicyVersion, defaultScope, lenientScopeSearch, globals } = fields;
  if (
    onError === undefined ||
    typeof defaultPolicyVersion !== "string" ||
    typeof defaultScope !== "string" ||
    typeof lenientScopeSearch !== "boolean"
  ) {
    return malformed();
  }
  return {
    onError,
    defaultPolicyVersion,
    defaultScope,
    lenientScopeSearch,
    globals: record(globals) as SelfTestOptions["globals"],
  };
}

function readCase(fields: Readonly<Record<string, unknown>>): SelfTestCase {
  const { now, effects, claims } = fields;
  const request = record(fields["request"]);
  let pairs = 0;
  for (const resource of list(request["resources"], MAX_SELF_TEST_DECISIONS)) {
    const entry = record(resource);
    const actions = list(entry["actions"], MAX_SELF_TEST_DECISIONS);
    if (typeof record(entry["resource"])["kind"] !== "string") return malformed();
    if (!actions.every((action) => typeof action === "string")) return malformed();
    pairs += actions.length;
  }
  if (typeof now !== "number" || !Number.isFinite(now)) return malformed();
  if (typeof effects !== "string" || !/^[AD]+$/.test(effects) || effects.length !== pairs) return malformed();
  return {
    now,
    effects,
    // Whatever else is wrong with it, the guest refuses.
    request: request as unknown as CheckRequest,
    ...(claims === undefined ? {} : { claims: record(claims) as Readonly<Record<string, Json>> }),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return malformed();
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) && value.length <= most ? (value as readonly unknown[]) : malformed();
}

function malformed(): never {
  throw new BundleError("the self-test section is not in the form that this edict reads");
}

function refuse(reason: string): never {
  throw new BundleError(`the self-test fails: ${reason}`, { code: "EDICT_BUNDLE_SELF_TEST" });
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
