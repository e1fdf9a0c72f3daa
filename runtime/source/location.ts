/** Reads what `--bundle` names: a file, an `http(s)` URL, or an object of a NATS bucket (`nats://host:port/bucket/name`). */
import type { PolicySource } from "../config/config.ts";

/** The NATS server, bucket and object that a URL names. */
export interface NatsObject {
  /** `host:port`. */
  readonly server: string;
  /** Whether the connection must be encrypted (`tls://`). */
  readonly tls: boolean;
  readonly bucket: string;
  readonly object: string;
}

const DEFAULT_NATS_PORT = "4222";

/** What NATS allows in the name of a bucket. */
const BUCKET = /^[-\w]{1,255}$/;

/** Longest name of an object. */
const MAX_OBJECT_NAME = 255;

/** The source that `text` names, or why it names none. Everything without `://` is a file. */
export function parseLocation(text: string): PolicySource | string {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "bundle", file: text };
  if (scheme === "http" || scheme === "https") return parseHttp(text);
  if (scheme === "nats" || scheme === "tls") {
    const object = parseNatsObject(text);
    return typeof object === "string" ? object : { kind: "nats", object };
  }
  return `\`${scheme}://\` is no place for bundles; use a file, http://, https://, nats:// or tls://`;
}

function parseHttp(text: string): PolicySource | string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === "") return "the bundle URL is not a valid URL";
  if (url.username !== "" || url.password !== "") {
    return "a bundle URL must not hold a user or password; use `--bundle-token-file`";
  }
  url.hash = "";
  return { kind: "url", url: url.href };
}

/** Reads `nats://host[:port]/<bucket>/<object>`; the reason as a string when it is none. */
export function parseNatsObject(text: string): NatsObject | string {
  const expected = "expected `nats://host:port/bucket/name`";
  const match = /^(nats|tls):\/\/([^/?#\s]*)\/([^?#\s]*)$/i.exec(text);
  if (match === null) return `the NATS address is not valid, ${expected}`;
  const [, scheme = "", authority = "", path = ""] = match;
  if (authority.includes("@")) {
    return "a NATS address must not hold a user or password; use `--nats-creds` or `--bundle-token-file`";
  }
  if (!/^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.test(authority)) {
    return `the NATS address names no host, ${expected}`;
  }
  const slash = path.indexOf("/");
  const bucket = slash < 0 ? path : path.slice(0, slash);
  const object = slash < 0 ? "" : path.slice(slash + 1);
  if (!BUCKET.test(bucket)) return `the NATS address names no bucket, ${expected}`;
  if (object === "" || object.length > MAX_OBJECT_NAME) {
    return `the NATS address names no object, ${expected}`;
  }
  const server = /:\d+$/.test(authority) ? authority : `${authority}:${DEFAULT_NATS_PORT}`;
  return { server, tls: scheme.toLowerCase() === "tls", bucket, object };
}

/** How a source is called in the log and in health; queries of URLs can hold secrets and are left out. */
export function sourceName(source: PolicySource): string {
  switch (source.kind) {
    case "directory":
      return source.directory;
    case "bundle":
      return source.file;
    case "url": {
      const { origin, pathname } = new URL(source.url);
      return origin + pathname;
    }
    case "nats": {
      const { tls, server, bucket, object } = source.object;
      return `${tls ? "tls" : "nats"}://${server}/${bucket}/${object}`;
    }
  }
}
