/** Cerbos's SPIFFE functions (COMPAT.md section 7.4). The rules for texts are in values.ts, where equality needs them. */
import {
  bool,
  error,
  noSuchOverload,
  spiffeDomainIn,
  spiffeIdIn,
  string,
  type SpiffeId,
  type Value,
} from "../values.ts";
import type { Family } from "./family.ts";

/** The ID that a value is or, being a string, spells; else an error. */
function idOf(value: Value): Value {
  if (value.kind === "spiffeID") return value;
  if (value.kind !== "string") return noSuchOverload();
  return spiffeIdIn(value.value) ?? error(`failed to parse SPIFFE ID: ${value.value}`);
}

function domainOf(value: Value): Value {
  if (value.kind === "spiffeTrustDomain") return value;
  if (value.kind !== "string") return noSuchOverload();
  const name = spiffeDomainIn(value.value);
  if (name === undefined) return error(`failed to parse SPIFFE trust domain: ${value.value}`);
  return { kind: "spiffeTrustDomain", name };
}

function matcher(matches: (id: SpiffeId) => boolean): Value {
  return { kind: "spiffeMatcher", matches };
}

function text(id: SpiffeId): string {
  return `spiffe://${id.domain}${id.path}`;
}

export const SPIFFE: Family<
  | "spiffeID"
  | "spiffeTrustDomain"
  | "spiffeMatchAny"
  | "spiffeMatchExact"
  | "spiffeMatchOneOf"
  | "spiffeMatchTrustDomain"
  | "spiffeMatchesID"
  | "spiffeIsMemberOf"
  | "spiffeDomainOf"
  | "spiffeName"
  | "spiffePath"
> = {
  spiffeID: (value) => (value.kind === "string" ? idOf(value) : noSuchOverload()),
  spiffeTrustDomain: (value) => (value.kind === "string" ? domainOf(value) : noSuchOverload()),
  spiffeMatchAny: () => matcher(() => true),
  spiffeMatchExact: (value) => {
    const wanted = idOf(value);
    return wanted.kind === "spiffeID" ? matcher((id) => text(id) === text(wanted)) : wanted;
  },
  spiffeMatchOneOf: (value) => {
    if (value.kind !== "list") return noSuchOverload();
    const wanted = new Set<string>();
    for (const item of value.items) {
      const id = idOf(item);
      if (id.kind !== "spiffeID") return id;
      wanted.add(text(id));
    }
    return matcher((id) => wanted.has(text(id)));
  },
  spiffeMatchTrustDomain: (value) => {
    const wanted = domainOf(value);
    return wanted.kind === "spiffeTrustDomain" ? matcher((id) => id.domain === wanted.name) : wanted;
  },
  spiffeMatchesID: (receiver, value) => {
    if (receiver.kind !== "spiffeMatcher") return noSuchOverload();
    const id = idOf(value);
    return id.kind === "spiffeID" ? bool(receiver.matches(id)) : id;
  },
  spiffeIsMemberOf: (id, domain) =>
    id.kind === "spiffeID" && domain.kind === "spiffeTrustDomain"
      ? bool(id.domain === domain.name)
      : noSuchOverload(),
  spiffeDomainOf: (id) =>
    id.kind === "spiffeID" ? { kind: "spiffeTrustDomain", name: id.domain } : noSuchOverload(),
  spiffeName: (domain) => (domain.kind === "spiffeTrustDomain" ? string(domain.name) : noSuchOverload()),
  spiffePath: (id) => (id.kind === "spiffeID" ? string(id.path) : noSuchOverload()),
};
