/**
 * Finding a PDP's endpoints by its metadata (section c-6 of the scenario), with the default paths where it has none, and judging the metadata.
 *
 * The scenario wants HTTPS. A PDP that listens on plain HTTP behind something that ends TLS learns of it by `X-Forwarded-Proto` and
 * `X-Forwarded-Host` or `Host`; for an `http:` address the suite sends these and expects metadata of the public address, but still talks to the plain one.
 */
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from "jose";
import { isJsonType, isObject, parseJson } from "./check-answer.ts";
import type { Answer, Pdp } from "./pdp.ts";
import type { Endpoint } from "./scenario.ts";

const WELL_KNOWN = "/.well-known/authzen-configuration";

/** Name in the metadata and default path of every endpoint. */
const LOCATIONS: Readonly<Record<Endpoint, { readonly parameter: string; readonly path: string }>> = {
  evaluation: { parameter: "access_evaluation_endpoint", path: "/access/v1/evaluation" },
  evaluations: { parameter: "access_evaluations_endpoint", path: "/access/v1/evaluations" },
  searchSubject: { parameter: "search_subject_endpoint", path: "/access/v1/search/subject" },
  searchResource: { parameter: "search_resource_endpoint", path: "/access/v1/search/resource" },
  searchAction: { parameter: "search_action_endpoint", path: "/access/v1/search/action" },
};

/** The addresses of a PDP. */
export interface Address {
  /** Where requests go. */
  readonly base: URL;
  /** The identifier that it publishes; `base` unless TLS ends in front of it. Without a slash at the end. */
  readonly publicBase: string;
  /** Headers of whatever ends TLS; empty for a PDP that does so itself. */
  readonly forwarded: Readonly<Record<string, string>>;
}

/** The addresses of the PDP at `url`. `publicUrl` names the public one where it is not the same host. */
export function addressOf(url: string, publicUrl?: string): Address {
  const base = new URL(url);
  const visible = new URL(publicUrl ?? url);
  visible.protocol = "https:";
  const forwarded: Record<string, string> =
    base.protocol === "https:"
      ? {}
      : { host: visible.host, "x-forwarded-proto": "https", "x-forwarded-host": visible.host };
  return { base, publicBase: visible.href.replace(/\/$/u, ""), forwarded };
}

/** Asks for the metadata: the well-known path stands between the host and the path of the PDP's address. */
export function fetchMetadata(pdp: Pdp, { base, forwarded }: Address): Promise<Answer> {
  const path = base.pathname === "/" ? "" : base.pathname.replace(/\/$/u, "");
  return pdp.send("GET", new URL(`${WELL_KNOWN}${path}${base.search}`, base), forwarded);
}

/** Where each API is: what the metadata say, and the default path where they say nothing. */
export function endpointsOf(metadata: Answer, address: Address): Readonly<Record<Endpoint, URL>> {
  const body = metadata.status === 200 ? parseJson(metadata.text) : undefined;
  const given = isObject(body) ? body : {};
  const at = (endpoint: Endpoint): URL => {
    const { parameter, path } = LOCATIONS[endpoint];
    const named = given[parameter];
    if (typeof named === "string" && URL.canParse(named)) return reachable(new URL(named), address);
    return new URL(address.base.pathname.replace(/\/$/u, "") + path, address.base);
  };
  return {
    evaluation: at("evaluation"),
    evaluations: at("evaluations"),
    searchSubject: at("searchSubject"),
    searchResource: at("searchResource"),
    searchAction: at("searchAction"),
  };
}

/** An endpoint of the public address is asked at the plain one. */
function reachable(named: URL, { base, publicBase }: Address): URL {
  if (named.origin !== new URL(publicBase).origin) return named;
  return new URL(named.pathname + named.search, base);
}

/** What is wrong with the metadata (c-6-1 to c-6-5), by test id; `keys` verify signed metadata. */
export async function checkMetadata(
  metadata: Answer,
  { publicBase }: Address,
  keys?: JSONWebKeySet,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const body = parseJson(metadata.text);
  const format: string[] = [];
  if (!isJsonType(metadata.headers["content-type"])) format.push("the content type is not application/json");
  if (!isObject(body)) format.push("the body is no JSON object");
  const given = isObject(body) ? body : {};
  const available = metadata.status === 200 ? [] : [`status ${metadata.status} instead of 200`];
  return {
    "c-6-1": available,
    "c-6-2": [...available, ...format],
    "c-6-3": [...checkIdentifier(given, publicBase), ...checkUrl(given, "access_evaluation_endpoint", true)],
    "c-6-4": Object.values(LOCATIONS).flatMap(({ parameter }) => checkUrl(given, parameter, false)),
    "c-6-5": [
      ...available,
      ...format,
      ...checkCapabilities(given["capabilities"]),
      ...(await checkSigned(given["signed_metadata"], keys)),
    ],
    "c-6-6": metadata.status === 404 ? ["the metadata are not there: status 404"] : available,
  };
}

function checkIdentifier(given: Readonly<Record<string, unknown>>, publicBase: string): readonly string[] {
  const found = given["policy_decision_point"];
  if (typeof found !== "string") return ["no `policy_decision_point`"];
  const wrong = checkUrl(given, "policy_decision_point", true).concat();
  if (/[?#]/u.test(found)) wrong.push("`policy_decision_point` has a query or a fragment");
  if (found.replace(/\/$/u, "") !== publicBase) {
    wrong.push(`\`policy_decision_point\` is \`${found}\`, not \`${publicBase}\``);
  }
  return wrong;
}

function checkUrl(
  given: Readonly<Record<string, unknown>>,
  parameter: string,
  required: boolean,
): readonly string[] {
  const found = given[parameter];
  if (found === undefined) return required ? [`no \`${parameter}\``] : [];
  if (typeof found !== "string" || !URL.canParse(found)) return [`\`${parameter}\` is no URL`];
  return new URL(found).protocol === "https:" ? [] : [`\`${parameter}\` is not HTTPS: \`${found}\``];
}

function checkCapabilities(found: unknown): readonly string[] {
  if (found === undefined) return [];
  const strings = Array.isArray(found) && found.every((one) => typeof one === "string");
  return strings ? [] : ["`capabilities` is no array of strings"];
}

async function checkSigned(found: unknown, keys: JSONWebKeySet | undefined): Promise<readonly string[]> {
  if (found === undefined) return [];
  if (typeof found !== "string") return ["`signed_metadata` is no string"];
  try {
    if (typeof decodeJwt(found).iss !== "string") return ["`signed_metadata` has no `iss`"];
    if (keys === undefined) return ["`signed_metadata` cannot be verified: give its keys with --jwks"];
    await jwtVerify(found, createLocalJWKSet(keys));
    return [];
  } catch (error) {
    return [`\`signed_metadata\`: ${error instanceof Error ? error.message : String(error)}`];
  }
}
