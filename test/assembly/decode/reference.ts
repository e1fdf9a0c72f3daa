/**
 * A slow and plain second opinion on request bodies: the same rules as the guest's decoders, from COMPAT.md 10.2 and
 * the JSON and msgpack specifications, written without looking at them. Values come as entry lists, so that repeated
 * keys stay visible; `undefined` means "refuse".
 */
import { MAX_DEPTH } from "../../../assembly/abi.ts";
import type { DecodedRequest, Json, Text } from "./decoder-host.ts";

/** A parsed value; objects as entries in order. */
export type Parsed =
  | null
  | boolean
  | number
  | string
  | readonly Parsed[]
  | { readonly members: readonly Entry[] };
type Entry = readonly [key: string, value: Parsed];

/** What a body says, without the details (flags, offsets) that have no meaning of their own. */
export interface Content {
  readonly requestId: string;
  readonly includeMeta: boolean;
  readonly hasAuxData: boolean;
  readonly principal: Party & { readonly roles: readonly string[] };
  readonly resources: readonly (Party & { readonly kind: string; readonly actions: readonly string[] })[];
}

interface Party {
  readonly id: string;
  readonly version: string;
  readonly scope: string;
  readonly attr: Json | undefined;
}

class Refused extends Error {}

function refuse(why: string): never {
  throw new Refused(why);
}

function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    // JSON.parse and TextDecoder refuse by SyntaxError and by a TypeError with a code.
    if (
      error instanceof Refused ||
      error instanceof SyntaxError ||
      (error instanceof TypeError && "code" in error)
    ) {
      return undefined;
    }
    throw error;
  }
}

const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The value of a JSON text, by JSON.parse and a second look at what JSON.parse forgives. Requests have a largest depth. */
export function parseJson(body: Uint8Array, maxDepth: number = MAX_DEPTH): Parsed | undefined {
  return orRefused(() => {
    const text = strictText.decode(body);
    JSON.parse(text);
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gsu) ?? [];
    return new TokenReader(tokens, maxDepth).value(0);
  });
}

/** Reads tokens of a text that JSON.parse has accepted. */
class TokenReader {
  readonly #tokens: readonly string[];
  readonly #maxDepth: number;
  #next = 0;

  constructor(tokens: readonly string[], maxDepth: number) {
    this.#tokens = tokens;
    this.#maxDepth = maxDepth;
  }

  #take(): string {
    return this.#tokens[this.#next++] ?? refuse("no token");
  }

  #string(token: string): string {
    const text = JSON.parse(token) as string;
    return /\p{Surrogate}/u.test(text) ? refuse("lone surrogate") : text;
  }

  value(depth: number): Parsed {
    if (depth > this.#maxDepth) refuse("depth");
    const token = this.#take();
    if (token === "{") return this.#object(depth + 1);
    if (token === "[") return this.#array(depth + 1);
    if (token.startsWith('"')) return this.#string(token);
    const scalar = JSON.parse(token) as Parsed;
    return typeof scalar === "number" && !Number.isFinite(scalar) ? refuse("overflow") : scalar;
  }

  #array(depth: number): Parsed {
    if (depth > this.#maxDepth) refuse("depth");
    const items: Parsed[] = [];
    if (this.#tokens[this.#next] === "]") this.#next += 1;
    else
      do items.push(this.value(depth));
      while (this.#take() === ",");
    return items;
  }

  #object(depth: number): Parsed {
    if (depth > this.#maxDepth) refuse("depth");
    const entries: Entry[] = [];
    if (this.#tokens[this.#next] === "}") {
      this.#next += 1;
      return { members: entries };
    }
    do {
      const key = this.#string(this.#take());
      this.#take();
      entries.push([key, this.value(depth)]);
    } while (this.#take() === ",");
    return unique(entries);
  }
}

function unique(entries: readonly Entry[]): Parsed {
  return new Set(entries.map(([key]) => key)).size === entries.length
    ? { members: entries }
    : refuse("repeated key");
}

/** The value of a msgpack body with the types that JSON has. Requests have a largest depth. */
export function parseMsgpack(body: Uint8Array, maxDepth: number = MAX_DEPTH): Parsed | undefined {
  return orRefused(() => {
    const reader = new PackReader(body, maxDepth);
    const value = reader.value(0);
    return reader.done() ? value : refuse("trailing");
  });
}

class PackReader {
  readonly #body: Uint8Array;
  readonly #view: DataView;
  readonly #maxDepth: number;
  #at = 0;

  constructor(body: Uint8Array, maxDepth: number) {
    this.#body = body;
    this.#maxDepth = maxDepth;
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }

  done(): boolean {
    return this.#at === this.#body.length;
  }

  #bytes(count: number): number {
    const at = this.#at;
    if (at + count > this.#body.length) refuse("truncated");
    this.#at += count;
    return at;
  }

  #uint(width: number): number {
    const at = this.#bytes(width);
    if (width === 8) return Number(this.#view.getBigUint64(at));
    return width === 4
      ? this.#view.getUint32(at)
      : width === 2
        ? this.#view.getUint16(at)
        : this.#view.getUint8(at);
  }

  #int(width: number): number {
    const at = this.#bytes(width);
    if (width === 8) return Number(this.#view.getBigInt64(at));
    return width === 4
      ? this.#view.getInt32(at)
      : width === 2
        ? this.#view.getInt16(at)
        : this.#view.getInt8(at);
  }

  #text(length: number): string {
    const at = this.#bytes(length);
    return strictText.decode(this.#body.subarray(at, at + length));
  }

  #finite(value: number): number {
    return Number.isFinite(value) ? value : refuse("not finite");
  }

  value(depth: number): Parsed {
    const byte = this.#uint(1);
    if (byte < 0x80) return byte;
    if (byte < 0x90) return this.#map(byte & 15, depth + 1);
    if (byte < 0xa0) return this.#list(byte & 15, depth + 1);
    if (byte < 0xc0) return this.#text(byte & 31);
    if (byte >= 0xe0) return byte - 256;
    return this.#wide(byte, depth);
  }

  #wide(byte: number, depth: number): Parsed {
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#finite(this.#view.getFloat32(this.#bytes(4)));
      case 0xcb:
        return this.#finite(this.#view.getFloat64(this.#bytes(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#uint(2 ** (byte - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.#int(2 ** (byte - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(2 ** (byte - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#uint(2 ** (byte - 0xdb)), depth + 1);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 ** (byte - 0xdd)), depth + 1);
      default:
        return refuse("type");
    }
  }

  #list(count: number, depth: number): Parsed {
    if (depth > this.#maxDepth || count > this.#body.length) refuse("depth or length");
    return Array.from({ length: count }, () => this.value(depth));
  }

  #map(count: number, depth: number): Parsed {
    if (depth > this.#maxDepth || count > this.#body.length) refuse("depth or length");
    return unique(
      Array.from({ length: count }, (): Entry => {
        const key = this.value(depth);
        return [typeof key === "string" ? key : refuse("key type"), this.value(depth)];
      }),
    );
  }
}

const CAMEL: Readonly<Record<string, string>> = {
  request_id: "requestId",
  include_meta: "includeMeta",
  aux_data: "auxData",
  request_context: "requestContext",
  policy_version: "policyVersion",
  key_set_id: "keySetId",
};

/** The fields of a message: known ones only, each once, nulls left out. */
function fields(value: Parsed, known: readonly string[]): ReadonlyMap<string, Parsed> {
  if (value === null || typeof value !== "object" || !("members" in value)) return refuse("no message");
  const seen = new Set<string>();
  const found = new Map<string, Parsed>();
  for (const [key, item] of value.members) {
    const name = CAMEL[key] ?? key;
    if (!known.includes(name) || seen.has(name)) refuse(`field ${key}`);
    seen.add(name);
    if (item !== null) found.set(name, item);
  }
  return found;
}

function textOf(value: Parsed | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : refuse("no string");
}

function listOf(value: Parsed | undefined): readonly Parsed[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Parsed[]) : refuse("no list");
}

function textsOf(value: Parsed | undefined): string[] {
  return listOf(value).map((item) => (typeof item === "string" ? item : refuse("no string")));
}

/** A plain JavaScript value. */
export function plain(value: Parsed): Json {
  if (value === null || typeof value !== "object") return value;
  if ("members" in value) {
    return Object.fromEntries(value.members.map(([key, item]) => [key, plain(item)]));
  }
  return value.map(plain);
}

function attrOf(value: Parsed | undefined): Json | undefined {
  if (value === undefined) return undefined;
  return typeof value === "object" && value !== null && "members" in value ? plain(value) : refuse("no map");
}

function partyOf(found: ReadonlyMap<string, Parsed>): Party {
  return {
    id: textOf(found.get("id")),
    version: textOf(found.get("policyVersion")),
    scope: textOf(found.get("scope")),
    attr: attrOf(found.get("attr")),
  };
}

function hasToken(value: Parsed): boolean {
  const found = fields(value, ["token", "keySetId"]);
  textOf(found.get("keySetId"));
  return textOf(found.get("token")) !== "";
}

function auxDataOf(value: Parsed | undefined): boolean {
  if (value === undefined) return false;
  const found = fields(value, ["jwt", "jwts"]);
  const single = found.get("jwt");
  const several = found.get("jwts") ?? { members: [] };
  if (typeof several !== "object" || several === null || !("members" in several)) return refuse("jwts");
  const tokens = several.members.map(([, item]) => hasToken(item));
  if (single !== undefined) tokens.push(hasToken(single));
  return tokens.includes(true);
}

const EMPTY: Parsed = { members: [] };

function entryOf(value: Parsed): Content["resources"][number] {
  const entry = fields(value, ["actions", "resource"]);
  const names = ["kind", "policyVersion", "id", "attr", "scope"];
  const resource = fields(entry.get("resource") ?? EMPTY, names);
  const party = partyOf(resource);
  return { ...party, kind: textOf(resource.get("kind")), actions: textsOf(entry.get("actions")) };
}

/** The content of a parsed body, or undefined when the message refuses it. */
export function contentOf(body: Parsed): Content | undefined {
  return orRefused(() => {
    const names = ["requestId", "includeMeta", "principal", "resources", "auxData", "requestContext"];
    const found = fields(body, names);
    const principal = fields(found.get("principal") ?? EMPTY, [
      "id",
      "policyVersion",
      "roles",
      "attr",
      "scope",
    ]);
    const includeMeta = found.get("includeMeta") ?? false;
    if (typeof includeMeta !== "boolean") return refuse("includeMeta");
    attrOf(fields(found.get("requestContext") ?? EMPTY, ["annotations"]).get("annotations"));
    return {
      requestId: textOf(found.get("requestId")),
      includeMeta,
      hasAuxData: auxDataOf(found.get("auxData")),
      principal: { ...partyOf(principal), roles: textsOf(principal.get("roles")) },
      resources: listOf(found.get("resources")).map(entryOf),
    };
  });
}

function texts(list: readonly Text[]): string[] {
  return list.map(({ text }) => text);
}

/** The content that the guest decoded, in the same form. */
export function contentOfDecoded(request: DecodedRequest): Content {
  return {
    requestId: request.requestId.text,
    includeMeta: request.includeMeta,
    hasAuxData: request.hasAuxData,
    principal: {
      id: request.principalId.text,
      version: request.principalVersion.text,
      scope: request.principalScope.text,
      attr: request.attr,
      roles: texts(request.roles),
    },
    resources: request.resources.map((resource) => ({
      id: resource.id.text,
      version: resource.version.text,
      scope: resource.scope.text,
      attr: resource.attr,
      kind: resource.kind.text,
      actions: texts(resource.actions),
    })),
  };
}
