/**
 * What the host reads of a search body that the guest has accepted: the types and ids of its entities, and the page, which is no business
 * of the guest's (Authorization API 1.0, sections 8.2 and 8.3).
 */
import { createHash } from "node:crypto";
import { Unpackr } from "msgpackr";
import { FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { RequestError } from "../errors.ts";
import type { Searched } from "../guest/search-request.ts";
import { DEFAULT_LIMIT, MAX_LIMIT } from "./options.ts";

/** A subject or resource of the body. */
export interface NamedEntity {
  readonly type: string;
  /** Empty for what is searched for. */
  readonly id: string;
  /** Whether the body says anything about it but who it is. */
  readonly hasProperties: boolean;
}

export interface SearchBody {
  readonly subject: NamedEntity;
  readonly resource: NamedEntity;
  /** Null for the first page. */
  readonly token: string | null;
  /** As asked for, at most MAX_LIMIT; null when the request does not say. */
  readonly limit: number | null;
  /** The members that the outcome depends on, as one object; the page is not among them. */
  readonly question: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

/** Reads a body in FORMAT_*. Throws `RequestError` for what is wrong with its page. */
export function readSearchBody(bytes: Uint8Array, format: number, searched: Searched): SearchBody {
  const fields = fieldsOf(parse(bytes, format));
  const page = pageOf(fields["page"]);
  const { action, context } = fields;
  return {
    subject: entityOf(fields["subject"]),
    resource: entityOf(fields["resource"]),
    ...page,
    question: {
      subject: searched === "subject" ? withoutId(fields["subject"]) : fields["subject"],
      resource: searched === "resource" ? withoutId(fields["resource"]) : fields["resource"],
      ...(searched === "action" ? {} : { action }),
      context: context ?? null,
    },
  };
}

/** A digest of the question, the same however its members are ordered. */
export function questionDigest(searched: Searched, { question }: SearchBody): Buffer {
  return createHash("sha256")
    .update(`${searched} ${canonical(question)}`)
    .digest();
}

function parse(bytes: Uint8Array, format: number): unknown {
  try {
    return format === FORMAT_MSGPACK ? unpackr.unpack(bytes) : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The guest reads what these do not, or the other way round; nobody is to be answered 500 for that.
    throw new RequestError("EDICT_REQUEST_MALFORMED", "the body cannot be read");
  }
}

function pageOf(value: unknown): { readonly token: string | null; readonly limit: number | null } {
  if (value === undefined || value === null) return { token: null, limit: null };
  if (typeof value !== "object" || Array.isArray(value)) throw wrong("page", "must be an object");
  const { token, limit, properties } = value as Fields;
  if (token !== undefined && typeof token !== "string") throw wrong("page.token", "must be a string");
  if (limit !== undefined && !(typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 0)) {
    throw wrong("page.limit", "must be a whole number from 0 on");
  }
  if (properties !== undefined && properties !== null) {
    if (typeof properties !== "object" || Array.isArray(properties)) {
      throw wrong("page.properties", "must be an object");
    }
  }
  return {
    token: token === undefined || token === "" ? null : token,
    limit: limit === undefined ? null : Math.min(limit, MAX_LIMIT),
  };
}

/** The limit of a page whose request says none. */
export function limitOr(limit: number | null, otherwise: number = DEFAULT_LIMIT): number {
  return limit ?? otherwise;
}

function wrong(field: string, what: string): RequestError {
  return new RequestError("EDICT_REQUEST_INVALID", `\`${field}\` ${what}`, field);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function entityOf(value: unknown): NamedEntity {
  const { type, id, properties } = fieldsOf(value);
  return {
    type: typeof type === "string" ? type : "",
    id: typeof id === "string" ? id : "",
    hasProperties: Object.keys(fieldsOf(properties)).length > 0,
  };
}

/** An id beside what is searched for means nothing (sections 8.4.1 and 8.5.1). */
function withoutId(value: unknown): Fields {
  const { id: _ignored, ...rest } = fieldsOf(value);
  return rest;
}

/** JSON with sorted keys. The guest has bounded the depth. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${(value as readonly unknown[]).map(canonical).join()}]`;
  const fields = value as Fields;
  const keys = Object.keys(fields).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`).join()}}`;
}
