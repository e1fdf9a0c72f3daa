/**
 * AuthZEN evaluations that bring different tokens, or one that is not accepted, which spoils its own items only. The guest takes the claims of one token message per call, so such
 * a batch is decided item by item: each item as a batch of one, with everything else of the body around it, byte for byte, and
 * the answers joined. Slower than a batch, and bounded: a body with large defaults would be decided once per item.
 */
import { Unpackr } from "msgpackr";
import {
  FLAG_DENY_ALL,
  FLAG_EVALUATIONS,
  FORMAT_MSGPACK,
  FUEL_BASE,
  FUEL_PER_DECISION,
  STATUS_FUEL,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import { type RequestToken, tokensByEvaluation } from "../aux-data/request-tokens.ts";
import { RequestError, TokenError } from "../errors.ts";
import type { PartFacts } from "../guest/guest.ts";
import { type Span, spansOfJson, spansOfMsgpack } from "./evaluation-spans.ts";

/** How many times the largest body all items together may come to, each with what stands around it. */
const MOST_BODIES = 4;

/** Most different tokens in one body. */
const MAX_TOKENS = 100;

/** Most bytes of the joined answer. */
const MAX_ANSWER = 64 * 1024 * 1024;

/** What deciding needs of an engine. */
export interface SeparateDecider {
  readonly options: { readonly maxBodyBytes: number };
  decide(bytes: Uint8Array, input: number, output: number, flags: number, claims?: Uint8Array): number;
  output(): Uint8Array;
  partFacts(): PartFacts;
  claimsFor(tokens: readonly RequestToken[]): Promise<Uint8Array>;
}

/** A body ready to be decided item by item. */
export interface SeparateEvaluations {
  readonly count: number;
  /** The body with one item only. */
  readonly body: (index: number) => Uint8Array;
  /** The claims of each item, empty for one without tokens; null when its tokens are not accepted. */
  readonly claims: readonly (Uint8Array | null)[];
  /** The decision after which the rest is not decided; null to decide all. */
  readonly last: boolean | null;
}

const NOTHING = new Uint8Array(0);
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/**
 * Takes apart a body that the guest found well-formed and verifies its tokens. Rejects with `RequestError` when it is too much, and
 * with `TokenOverloadError`. `bytes` must stay as they are until all is decided.
 */
export async function separate(
  engine: SeparateDecider,
  bytes: Uint8Array,
  input: number,
): Promise<SeparateEvaluations> {
  const found = input === FORMAT_MSGPACK ? spansOfMsgpack(bytes) : spansOfJson(bytes);
  if (found === null) throw new TokenError("the evaluations were not found again");
  const { list, items } = found;
  const around = bytes.byteLength - (list.end - list.start);
  const total = items.reduce((sum, { start, end }) => sum + around + end - start, 0);
  if (total > engine.options.maxBodyBytes * MOST_BODIES) {
    throw new RequestError(
      "EDICT_REQUEST_LIMIT",
      "`evaluations` whose tokens differ or are not accepted are too large to be decided one by one",
      "evaluations",
    );
  }
  const body = (index: number): Uint8Array => oneItem(bytes, list, items[index] ?? list, input);
  const tokens = tokensByEvaluation(bytes, input);
  if (tokens.length !== items.length) throw new TokenError("the evaluations were not found again");
  const different = new Set(tokens.flat().map(({ keySetId, token }) => `${keySetId} ${token}`));
  if (different.size > MAX_TOKENS) throw new TokenError(`more than ${MAX_TOKENS} tokens`);
  const claims = await Promise.all(tokens.map((some) => claimsOf(engine, some)));
  return { count: items.length, body, claims, last: lastDecision(bytes, input) };
}

async function claimsOf(
  engine: SeparateDecider,
  tokens: readonly RequestToken[],
): Promise<Uint8Array | null> {
  if (tokens.length === 0) return NOTHING;
  try {
    return await engine.claimsFor(tokens);
  } catch (error) {
    if (error instanceof TokenError) return null;
    throw error;
  }
}

/** Decides all of them by one engine: the response, or the status that stands in its way. */
export function decideSeparately(
  engine: SeparateDecider,
  { count, body, claims, last }: SeparateEvaluations,
  input: number,
  output: number,
): Uint8Array | number {
  const isMsgpack = output === FORMAT_MSGPACK;
  const head = isMsgpack ? MSGPACK_HEAD : JSON_HEAD;
  const tail = isMsgpack ? NOTHING : JSON_TAIL;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let fuel = FUEL_BASE + count * FUEL_PER_DECISION;
  for (let index = 0; index < count; index++) {
    const known = claims[index] ?? null;
    // Without claims nothing is evaluated: what comes back is what is wrong with the item beside its tokens, or a denial.
    const flags = known === null ? FLAG_EVALUATIONS | FLAG_DENY_ALL : FLAG_EVALUATIONS;
    const status = engine.decide(body(index), input, output, flags, known ?? NOTHING);
    if (status !== STATUS_OK) return status;
    const answer = engine.output();
    let piece: Uint8Array = answer.slice(head.byteLength, answer.byteLength - tail.byteLength);
    if (known === null && !isError(piece, isMsgpack)) piece = isMsgpack ? MSGPACK_REFUSED : JSON_REFUSED;
    const facts = engine.partFacts();
    const allowed = known !== null && facts.allowed > 0;
    fuel -= facts.fuelUsed;
    size += piece.byteLength + 1;
    if (fuel < 0) return STATUS_FUEL;
    if (size > MAX_ANSWER) return STATUS_OUTPUT_FULL;
    if (!isMsgpack && index > 0) pieces.push(COMMA);
    pieces.push(piece);
    if (allowed === last) break;
  }
  return Buffer.concat([isMsgpack ? msgpackHead(pieces.length) : head, ...pieces, tail]);
}

const encoder = new TextEncoder();
const JSON_HEAD = encoder.encode('{"evaluations":[');
const JSON_TAIL = encoder.encode("]}");
const COMMA = encoder.encode(",");
const MSGPACK_HEAD = msgpackHead(0);

/** An item whose tokens are not accepted, byte for byte as the guest writes errors; as elsewhere, the reason is not told. */
const MESSAGE = "invalid auxData";
const JSON_REFUSED = encoder.encode(
  `{"decision":false,"context":{"error":{"status":400,"message":"${MESSAGE}"}}}`,
);
const MSGPACK_REFUSED = new Uint8Array(
  [
    [0x82, ...packText("decision"), 0xc2],
    [...packText("context"), 0x81, ...packText("error"), 0x82],
    [...packText("status"), 0xcd, 0x01, 0x90],
    [...packText("message"), ...packText(MESSAGE)],
  ].flat(),
);

/** A text of at most 31 bytes. */
function packText(text: string): readonly number[] {
  return [0xa0 | text.length, ...encoder.encode(text)];
}

/** Whether a decision begins as one does that names an error. */
function isError(piece: Uint8Array, isMsgpack: boolean): boolean {
  const example = Buffer.from(isMsgpack ? MSGPACK_REFUSED : JSON_REFUSED);
  const length = example.indexOf(ERROR_KEY) + ERROR_KEY.length;
  return Buffer.from(piece).subarray(0, length).equals(example.subarray(0, length));
}

const ERROR_KEY = "error";

/** `{"evaluations": [` as the guest writes it: the count in four bytes. */
function msgpackHead(count: number): Uint8Array {
  const bytes = new Uint8Array([0x81, ...packText("evaluations"), 0xdd, 0, 0, 0, 0]);
  new DataView(bytes.buffer).setUint32(bytes.byteLength - 4, count);
  return bytes;
}

/** The body with `item` for its only evaluation. */
function oneItem(bytes: Uint8Array, list: Span, item: Span, input: number): Uint8Array {
  const [open, close] = input === FORMAT_MSGPACK ? [[0x91], []] : [[0x5b], [0x5d]];
  return Buffer.concat([
    bytes.subarray(0, list.start),
    new Uint8Array(open),
    bytes.subarray(item.start, item.end),
    new Uint8Array(close),
    bytes.subarray(list.end),
  ]);
}

/** The decision that ends the batch, as `options` say. */
function lastDecision(bytes: Uint8Array, input: number): boolean | null {
  const body: unknown =
    input === FORMAT_MSGPACK ? unpackr.unpack(bytes) : JSON.parse(new TextDecoder().decode(bytes));
  const options = memberOf(body, "options");
  switch (memberOf(options, "evaluations_semantic") ?? memberOf(options, "evaluationsSemantic")) {
    case "deny_on_first_deny":
      return false;
    case "permit_on_first_permit":
      return true;
    default:
      return null;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
