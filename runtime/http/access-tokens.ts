/**
 * The file with the bearer tokens of the data port: read at start, looked at every second, and read again when it has changed. A
 * file that cannot be read or understood any more leaves the tokens as they were, and the log says so; to let nobody in, leave a
 * file without tokens. One that cannot be read is tried again at every look. Nothing of a token is ever logged.
 */
import { readFile, stat } from "node:fs/promises";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import { type AccessTokens, type Grant, type Permission, PERMISSIONS, tokenKey } from "./access.ts";

/** Milliseconds between two looks at the file. */
const INTERVAL = 1000;

/** Shortest token in characters: 16 random ones of base 64 are 96 bits. */
const MIN_LENGTH = 16;
const MAX_LENGTH = 4096;

/** Most tokens, and most bytes of the file. */
const MAX_TOKENS = 10_000;
const MAX_SIZE = 4 * 1024 * 1024;

export class AccessTokenFile implements AccessTokens {
  readonly #file: string;
  #grants: ReadonlyMap<string, Grant>;
  /** What tells one version of the file from another; that of the bytes that were read last, whether they were understood or not. */
  #version: string;
  /** Why the file was of no use when it was looked at last; said once, not every second. */
  #problem = "";
  #isLooking = false;
  readonly #timer: NodeJS.Timeout;

  /** Reads the file and begins to watch it. Rejects with `ServeError`. */
  static async open(file: string): Promise<AccessTokenFile> {
    // Before reading: a change in between is seen at the next look.
    const version = await versionOf(file);
    return new AccessTokenFile(file, version, grantsOf(await readBytes(file), file));
  }

  private constructor(file: string, version: string, grants: ReadonlyMap<string, Grant>) {
    this.#file = file;
    this.#version = version;
    this.#grants = grants;
    this.#timer = setInterval(() => void this.look(), INTERVAL);
    this.#timer.unref();
  }

  get grants(): ReadonlyMap<string, Grant> {
    return this.#grants;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Reads the file again if it has changed. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const version = await versionOf(this.#file);
      if (version === this.#version) return;
      const bytes = await readBytes(this.#file);
      // Not before: what could not be read may take a token away, and nobody would look at it again.
      this.#version = version;
      this.#problem = "";
      this.#grants = grantsOf(bytes, this.#file);
      log(`the access tokens were read again: ${this.#grants.size}`);
    } catch (error) {
      const problem = oneLine(error);
      if (problem !== this.#problem) log(`the access tokens stay as they were: ${problem}`);
      this.#problem = problem;
    } finally {
      this.#isLooking = false;
    }
  }
}

async function versionOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    // Reading it will say why.
    return "";
  }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw refusal(`the file with the access tokens cannot be read: ${oneLine(error)}`, error);
  }
}

function grantsOf(bytes: Buffer, file: string): ReadonlyMap<string, Grant> {
  if (bytes.byteLength > MAX_SIZE) throw refusal(`\`${file}\` is larger than ${MAX_SIZE} bytes`);
  return parseAccessTokens(bytes.toString("utf8"), file);
}

/** `name:sha256=<hex>`: a token of which the file knows the digest alone. */
const DIGEST = /^[\w.@-]{1,64}:sha256=([0-9a-f]{64})$/i;

/**
 * The tokens of a file's text: one per line, as itself or as `name:sha256=<hex>`, behind it the routes that it is limited to
 * (`check,evaluate`). Empty lines and those that begin with `#` are skipped. Throws `ServeError` naming the line, never the token.
 */
export function parseAccessTokens(text: string, file: string): ReadonlyMap<string, Grant> {
  const grants = new Map<string, Grant>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const place = `\`${file}\` line ${index + 1}`;
    const [token = "", routes, ...rest] = line.split(/[ \t]+/);
    if (rest.length > 0) throw refusal(`${place} has more than a token and its routes`);
    const key = keyOf(token);
    if (key === null) {
      throw refusal(`${place} is not a token of ${MIN_LENGTH} to ${MAX_LENGTH} printable characters`);
    }
    if (grants.has(key)) throw refusal(`${place} repeats a token`);
    const permissions = permissionsOf(routes);
    if (permissions === null) {
      throw refusal(`${place} names routes other than ${PERMISSIONS.join(", ")}`);
    }
    grants.set(key, { permissions });
    if (grants.size > MAX_TOKENS) throw refusal(`\`${file}\` holds more than ${MAX_TOKENS} tokens`);
  }
  return grants;
}

function keyOf(token: string): string | null {
  const hex = DIGEST.exec(token)?.[1];
  if (hex !== undefined) return Buffer.from(hex, "hex").toString("base64");
  // A digest with a slip in it must not become a token that can be guessed from the file.
  if (/:sha256=/i.test(token)) return null;
  return token.length >= MIN_LENGTH && token.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(token)
    ? tokenKey(token)
    : null;
}

/** All of them unless the line names some; null for one that does not exist. */
function permissionsOf(routes: string | undefined): ReadonlySet<Permission> | null {
  if (routes === undefined) return new Set(PERMISSIONS);
  const found = routes.split(",").map((name) => PERMISSIONS.find((known) => known === name));
  return found.every((permission) => permission !== undefined) ? new Set(found) : null;
}

function refusal(message: string, cause?: unknown): ServeError {
  return new ServeError("EDICT_ACCESS_TOKENS", message, { cause });
}
