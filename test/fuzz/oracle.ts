/**
 * What a body must be answered, found without edict: the decode test's reference reader (JSON.parse and a msgpack reader
 * of its own), the rules of COMPAT.md 10.2 once more, and the reference interpreter. Slow and plain.
 */
import type { CheckRequest, CheckResponse } from "../differential/interpreter/request.ts";
import { check } from "../differential/interpreter/decide.ts";
import { MAX_DEPTH } from "../../assembly/abi.ts";
import type { Format } from "../../runtime/index.ts";
import {
  type Content,
  contentOf,
  parseJson,
  parseMsgpack,
  type Parsed,
  plain,
} from "../assembly/decode/reference.ts";
import { CLOCK_MS, type World } from "./worlds.ts";

export type Wanted =
  | { readonly kind: "refused"; readonly why: string }
  /** Carries tokens: what it comes to depends on whether they are accepted. */
  | { readonly kind: "tokens"; readonly content: Content; readonly parsed: Parsed }
  | { readonly kind: "answer"; readonly request: CheckRequest };

export interface Limits {
  readonly maxActions: number;
  readonly maxResources: number;
}

/** What a body is. */
export function judge(body: Uint8Array, format: Format, limits: Limits): Wanted {
  const parsed = format === "json" ? parseJson(body) : parseMsgpack(body);
  if (parsed === undefined) return { kind: "refused", why: "no message" };
  const content = contentOf(parsed);
  if (content === undefined) return { kind: "refused", why: "not this message" };
  const why = problem(content, limits) ?? tokenProblem(parsed);
  if (why !== undefined) return { kind: "refused", why };
  return content.hasAuxData
    ? { kind: "tokens", content, parsed }
    : { kind: "answer", request: requestOf(content) };
}

/** The interpreter's answer. */
export function decide(world: World, request: CheckRequest, nowMs = CLOCK_MS): CheckResponse {
  return check(world.program, request, { ...world.settings, now: BigInt(nowMs) * 1_000_000n });
}

function isVersion(text: string): boolean {
  return /^[0-9A-Za-z_]*$/.test(text);
}

function isScope(text: string): boolean {
  return (
    text === "" || text === "." || /^[0-9A-Za-z][0-9A-Za-z_-]*(?:\.[0-9A-Za-z_][0-9A-Za-z_-]*)*$/.test(text)
  );
}

function areNames(names: readonly string[]): boolean {
  return names.length > 0 && !names.includes("") && new Set(names).size === names.length;
}

function problem({ principal, resources }: Content, limits: Limits): string | undefined {
  if (principal.id === "" || !isVersion(principal.version) || !isScope(principal.scope)) return "principal";
  if (!areNames(principal.roles)) return "roles";
  if (resources.length === 0 || resources.length > limits.maxResources) return "resources";
  for (const { kind, id, version, scope, actions } of resources) {
    if (!areNames(actions) || actions.length > limits.maxActions) return "actions";
    if (kind === "" || id === "" || !isVersion(version) || !isScope(scope)) return "resource";
  }
  return undefined;
}

/** Tokens that are named both ways, or are none. */
function tokenProblem(parsed: Parsed): string | undefined {
  const auxData = member(member(parsed, "auxData", "aux_data"));
  const single = auxData?.get("jwt") ?? null;
  const named = member(auxData?.get("jwts") ?? null);
  const tokens = [...(single === null ? [] : [single]), ...(named?.values() ?? [])];
  if (single !== null && (named?.size ?? 0) > 0) return "both kinds of tokens";
  return tokens.every((token) => (member(token)?.get("token") ?? "") !== "") ? undefined : "no token";
}

function member(value: Parsed | undefined): ReadonlyMap<string, Parsed> | undefined;
function member(value: Parsed | undefined, ...names: readonly string[]): Parsed | undefined;
function member(
  value: Parsed | undefined,
  ...names: readonly string[]
): Parsed | ReadonlyMap<string, Parsed> | undefined {
  const members =
    typeof value === "object" && value !== null && "members" in value ? new Map(value.members) : undefined;
  if (names.length === 0) return members;
  return names.map((name) => members?.get(name)).find((found) => found !== undefined);
}

/** The request that the interpreter is asked; without tokens. */
export function requestOf(content: Content): CheckRequest {
  const { principal } = content;
  return {
    requestId: content.requestId,
    includeMeta: content.includeMeta,
    principal: { id: principal.id, roles: principal.roles, ...targetOf(principal) },
    resources: content.resources.map((resource) => ({
      actions: resource.actions,
      resource: { kind: resource.kind, id: resource.id, ...targetOf(resource) },
    })),
  };
}

function targetOf(party: Pick<Content["principal"], "attr" | "version" | "scope">): object {
  return {
    ...(party.attr === undefined ? {} : { attr: party.attr }),
    ...(party.version === "" ? {} : { policyVersion: party.version }),
    ...(party.scope === "" ? {} : { scope: party.scope }),
  };
}

/** The claims of a request's tokens, whose signatures nobody looks at; undefined where one is no token. */
export function claimsOf(parsed: Parsed): CheckRequest["auxData"] | undefined {
  const auxData = member(member(parsed, "auxData", "aux_data"));
  const single = auxData?.get("jwt") ?? null;
  const named = member(auxData?.get("jwts") ?? null) ?? new Map<string, Parsed>();
  try {
    return {
      ...(single === null ? {} : { jwt: payloadOf(single) }),
      ...(named.size === 0
        ? {}
        : {
            jwts: Object.fromEntries([...named].map(([name, token]) => [name, { claims: payloadOf(token) }])),
          }),
    };
  } catch {
    return undefined;
  }
}

function payloadOf(token: Parsed): Readonly<Record<string, never>> {
  const text = member(token)?.get("token");
  if (typeof text !== "string") throw new Error("no token");
  const payload: unknown = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8"));
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) throw new Error("no claims");
  return payload as Readonly<Record<string, never>>;
}

/** Outputs may hold a whole request, deep in a response. */
const RESPONSE_DEPTH = 2 * MAX_DEPTH;

/** The value of a response, null when it is malformed. */
export function readResponse(bytes: Uint8Array, format: Format): unknown {
  const parsed = format === "json" ? parseJson(bytes, RESPONSE_DEPTH) : parseMsgpack(bytes, RESPONSE_DEPTH);
  return parsed === undefined ? null : plain(parsed);
}
