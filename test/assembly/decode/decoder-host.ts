/**
 * The host's side of the decoder tests: writes a body into guest memory between bytes of choice, decodes it, and
 * reads the request records of assembly/decode/request.ts back as plain objects.
 */
import {
  CONTROL_BASE,
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  IMAGE_BASE,
  TAG_ABSENT,
  TAG_BOOL,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_RAW_JSON,
  TAG_RAW_MSGPACK,
  TAG_STRING,
} from "../../../assembly/abi.ts";
import { type Build, buildGuest, type Guest } from "../support/build-guest.ts";

/** Regions of the test memory: name tables, known prefixes, input (1 MiB), arena. */
const TABLES = IMAGE_BASE;
const KNOWN = TABLES + 0x1_0000;
const INPUT = KNOWN + 0xa_0000;
const ARENA = INPUT + 0x10_0000;

const BOXED = 0xfff8_0000_0000_0000n;
const FIELDS = ["requestId", "principalId", "principalVersion", "principalScope"] as const;

export type Format = "json" | "msgpack";
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Text {
  readonly text: string;
  readonly set: boolean;
  readonly plain: boolean;
}

export interface DecodedResource {
  readonly kind: Text;
  readonly id: Text;
  readonly version: Text;
  readonly scope: Text;
  readonly actions: readonly Text[];
  /** Slot to value, lists and maps built. */
  readonly pairs: ReadonlyMap<number, Json>;
  readonly attr: Json | undefined;
  readonly offset: number;
}

export interface DecodedRequest {
  readonly requestId: Text;
  readonly principalId: Text;
  readonly principalVersion: Text;
  readonly principalScope: Text;
  readonly roles: readonly Text[];
  readonly pairs: ReadonlyMap<number, Json>;
  readonly attr: Json | undefined;
  readonly resources: readonly DecodedResource[];
  readonly includeMeta: boolean;
  readonly hasAuxData: boolean;
}

export interface Outcome {
  readonly status: number;
  readonly offset: number;
  readonly detail: number;
}

export interface DecodeOptions {
  readonly maxActions?: number;
  readonly maxResources?: number;
  /** Bytes to stand directly after the body; what was there before is left alone where absent. */
  readonly after?: Uint8Array;
}

export interface DecoderHost {
  readonly guest: Guest;
  /** The names that policies read, in slot order. */
  project(principal: readonly string[], resource: readonly string[]): void;
  decode(format: Format, body: Uint8Array, options?: DecodeOptions): Outcome;
  /** Status of validate.ts for the last decoded request. */
  validate(): Outcome;
  /** The records of the last accepted request. */
  request(): DecodedRequest;
  /** Any value, lists and maps built from raw ones by `materialize`. */
  value(bits: bigint): Json | undefined;
  /** Writes bytes at the input region; its address. */
  write(body: Uint8Array): number;
  resetArena(): void;
}

export async function startDecoder(build: Build): Promise<DecoderHost> {
  const guest = await buildGuest(build);
  const { view, bytes } = guest;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const functions = {
    json: guest.function("decodeJson"),
    msgpack: guest.function("decodeMsgpack"),
  };
  const validate = guest.function("validateRequest");
  const beginKnownPrefixes = guest.function("beginKnownPrefixes");
  const setArena = guest.function("setArena");
  const end = guest.memory.buffer.byteLength;

  const u32 = (at: number) => view.getUint32(at, true);
  const global = (name: string) => Number(guest.global(name)) >>> 0;

  function resetArena(): void {
    setArena(ARENA, end);
  }
  function outcome(status: number): Outcome {
    return {
      status,
      offset: u32(CONTROL_BASE + CONTROL_ERROR_OFFSET),
      detail: u32(CONTROL_BASE + CONTROL_ERROR_DETAIL),
    };
  }
  function readText(record: number): Text {
    const start = u32(record);
    const flags = u32(record + 8);
    const text = decoder.decode(bytes.subarray(start, start + u32(record + 4)));
    return { text, set: (flags & 1) !== 0, plain: (flags & 2) !== 0 };
  }
  function readTexts(start: number, count: number): Text[] {
    return Array.from({ length: count }, (_, index) => readText(start + index * 16));
  }
  function readPairs(start: number, count: number): Map<number, Json> {
    const pairs = new Map<number, Json>();
    for (let at = start; at < start + count * 16; at += 16) {
      const value = readValue(view.getBigUint64(at + 8, true));
      if (value !== undefined) pairs.set(u32(at), value);
    }
    return pairs;
  }
  function readValue(bits: bigint): Json | undefined {
    if (bits < BOXED) return new Float64Array(BigUint64Array.of(bits).buffer)[0] ?? 0;
    const cell = Number(bits & 0xffff_ffffn);
    const child = (at: number) => readValue(view.getBigUint64(at, true)) ?? null;
    switch (Number((bits >> 32n) & 0xffn)) {
      case TAG_ABSENT:
        return undefined;
      case TAG_NULL:
        return null;
      case TAG_BOOL:
        return cell === 1;
      case TAG_STRING:
        return decoder.decode(bytes.subarray(u32(cell), u32(cell) + u32(cell + 4)));
      case TAG_LIST:
        return Array.from({ length: u32(cell) }, (_, index) => child(cell + 8 + index * 8));
      case TAG_MAP: {
        const entries = Array.from({ length: u32(cell) }, (_, index) => [
          child(cell + 8 + index * 16),
          child(cell + 16 + index * 16),
        ]);
        return Object.fromEntries(entries) as Json;
      }
      case TAG_RAW_JSON:
      case TAG_RAW_MSGPACK:
        return readValue(guest.call("materialize", bits));
      default:
        throw new Error(`unexpected value ${bits.toString(16)}`);
    }
  }
  function readResource(at: number): DecodedResource {
    return {
      kind: readText(at),
      id: readText(at + 16),
      version: readText(at + 32),
      scope: readText(at + 48),
      pairs: readPairs(u32(at + 64), u32(at + 68)),
      actions: readTexts(u32(at + 72), u32(at + 76)),
      attr: readValue(view.getBigUint64(at + 80, true)),
      offset: u32(at + 88) - INPUT,
    };
  }

  if (Number(guest.function("placeKnownPrefixes")(KNOWN)) > INPUT) throw new Error("the input is too near");
  resetArena();
  return {
    guest,
    resetArena,
    value: readValue,
    write(body) {
      bytes.set(body, INPUT);
      return INPUT;
    },
    project(principal, resource) {
      const tables = [principal, resource].map((names) => writeTable(guest, names));
      let at = TABLES;
      const addresses = tables.map((table) => {
        const start = at;
        at = table(start);
        return start;
      });
      guest.function("setNameTables")(...addresses);
    },
    decode(format, body, options = {}) {
      resetArena();
      beginKnownPrefixes();
      bytes.set(body, INPUT);
      if (options.after !== undefined) bytes.set(options.after, INPUT + body.length);
      const { maxActions = 50, maxResources = 50 } = options;
      return outcome(Number(functions[format](INPUT, body.length, maxActions, maxResources)));
    },
    validate: () => outcome(Number(validate())),
    request() {
      const [requestId, principalId, principalVersion, principalScope] = FIELDS.map((name) =>
        readText(global(name)),
      ) as [Text, Text, Text, Text];
      return {
        requestId,
        principalId,
        principalVersion,
        principalScope,
        roles: readTexts(global("roles"), global("roleCount")),
        pairs: readPairs(global("principalPairs"), global("principalPairCount")),
        attr: readValue(BigInt.asUintN(64, BigInt(guest.global("principalAttr")))),
        resources: Array.from({ length: global("resourceCount") }, (_, index) =>
          readResource(global("resources") + index * 112),
        ),
        includeMeta: global("includeMeta") === 1,
        hasAuxData: global("hasAuxData") === 1,
      };
    },
  };
}

/** A name table of assembly/decide/attributes.ts; the answer writes it at an address and tells the next free one. */
function writeTable(guest: Guest, names: readonly string[]): (at: number) => number {
  const encoder = new TextEncoder();
  let capacity = 4;
  while (capacity < names.length * 2) capacity *= 2;
  return (at) => {
    const { view, bytes } = guest;
    bytes.fill(0, at, at + 8 + capacity * 16);
    view.setUint32(at, capacity - 1, true);
    let text = at + 8 + capacity * 16;
    names.forEach((name, slot) => {
      const encoded = encoder.encode(name);
      bytes.set(encoded, text);
      const hash = Number(guest.function("hashBytes")(text, encoded.length)) >>> 0;
      let index = hash & (capacity - 1);
      while (view.getUint32(at + 8 + index * 16 + 12, true) !== 0) index = (index + 1) & (capacity - 1);
      const entry = at + 8 + index * 16;
      view.setUint32(entry, hash, true);
      view.setUint32(entry + 4, text, true);
      view.setUint32(entry + 8, encoded.length, true);
      view.setUint32(entry + 12, slot + 1, true);
      text += encoded.length;
    });
    return (text + 15) & ~7;
  };
}
