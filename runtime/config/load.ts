/**
 * Reads a configuration: file, then `--set`, checked key by key. All problems are reported together, each with its
 * place; keys of Cerbos that edict does not have yet become warnings.
 */
import { readFile } from "node:fs/promises";
import { type AuxDataOptions, DEFAULT_AUX_DATA } from "../aux-data/options.ts";
import { ConfigError, type ConfigProblem, formatProblem } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import {
  BODY_RANGE,
  LIMIT_RANGE,
  PAIR_LIMIT_RANGE,
  RESOURCE_LIMIT_RANGE,
  type OnError,
  ON_ERROR_MODES,
  SCHEMA_ENFORCEMENTS,
  type SchemaEnforcement,
} from "../guest/options.ts";
import { parseAddress } from "./address.ts";
import {
  CERBOS_ADDRESS,
  type Config,
  DEFAULT_CONFIG,
  MAX_THREADS,
  MAX_WORKERS,
  type PolicySource,
  type ShadowOptions,
} from "./config.ts";
import {
  applyOverride,
  type ConfigNode,
  type ConfigPlace,
  emptyMap,
  type Environment,
  parseConfigText,
  toJson,
} from "./document.ts";
import { parseLocation } from "../source/location.ts";
import { type BundleOptions, isDigestPrefix, POLL_RANGE, SIZE_RANGE } from "../source/options.ts";
import type { AdminOptions } from "../admin/options.ts";
import { parseShadowSource } from "../shadow/source.ts";
import { accessTokens, authzenOptions, discoveryOptions, tlsOptions } from "./data-port.ts";
import { directoryOptions, searchOptions } from "./entities.ts";
import { readKeySets } from "./key-sets.ts";
import { CONFIG_KEYS, type KeySpec } from "./keys.ts";
import { readValue } from "./values.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** One line each, with file and place. */
  readonly warnings: readonly string[];
}

/** Largest configuration file in bytes. */
const MAX_FILE_SIZE = 1024 * 1024;

/** Loads `file` (none: defaults) and applies `overrides` of the form `a.b=value`. Throws `ConfigError`. */
export async function loadConfig(
  file: string | null,
  overrides: readonly string[],
  environment: Environment,
): Promise<LoadedConfig> {
  if (file === null) return readConfig(null, "", overrides, environment);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigError([{ message: oneLine(error), source: file, line: 0, column: 0 }]);
  }
  return readConfig(text, file, overrides, environment);
}

/** The same for text that is already read; null when there is no file. */
export function readConfig(
  text: string | null,
  source: string,
  overrides: readonly string[],
  environment: Environment,
): LoadedConfig {
  const reader = new Reader();
  if (text !== null && text.length > MAX_FILE_SIZE) {
    throw new ConfigError([{ message: "the file is larger than 1 MiB", source, line: 0, column: 0 }]);
  }
  const root = text === null ? emptyMap(source) : parseConfigText(text, source, environment, reader.problems);
  for (const override of overrides) applyOverride(root, override, environment, reader.problems);
  reader.walk(root, CONFIG_KEYS, "");
  const config = buildConfig(reader, text !== null);
  if (reader.problems.length > 0) throw new ConfigError(reader.problems);
  return { config, warnings: reader.warnings };
}

/** Collects settings, problems and warnings. */
class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: string[] = [];
  readonly #settings = new Map<string, { readonly value: unknown; readonly place: ConfigPlace }>();

  walk(node: ConfigNode & { kind: "map" }, keys: Readonly<Record<string, KeySpec>>, prefix: string): void {
    for (const [key, entry] of node.entries) {
      const path = prefix + key;
      const spec = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (spec === undefined) this.#add(unknownKey(path, key, keys), entry.keyPlace);
      else this.#visit(path, spec, entry.node, entry.keyPlace);
    }
  }

  #visit(path: string, spec: KeySpec, node: ConfigNode, keyPlace: ConfigPlace): void {
    const isEmpty = node.kind === "scalar" && node.value === null;
    switch (spec.kind) {
      case "section":
        if (node.kind === "map") this.walk(node, spec.keys, `${path}.`);
        else if (!isEmpty) this.#add(`\`${path}\` must be a map`, node.place);
        break;
      case "setting": {
        if (isEmpty) break;
        const read = readValue(node, spec.type);
        if ("problem" in read) this.#add(`\`${path}\` ${read.problem}`, node.place);
        else this.#settings.set(path, { value: read.value, place: node.place });
        break;
      }
      case "later":
        if (!isEmpty && !spec.harmless.includes(toJson(node))) {
          const note = spec.note === "" ? "" : `: ${spec.note}`;
          this.warnings.push(
            formatProblem({ message: `\`${path}\` is not supported yet${note}`, ...keyPlace }),
          );
        }
        break;
    }
  }

  /** A setting's value, checked by `check`, which answers a reason to refuse it or null. */
  get<T>(path: string, fallback: T, check?: (value: T) => string | null): T {
    const found = this.#settings.get(path);
    if (found === undefined) return fallback;
    const value = found.value as T;
    const reason = check?.(value) ?? null;
    if (reason === null) return value;
    this.#add(`\`${path}\` ${reason}`, found.place);
    return fallback;
  }

  has(path: string): boolean {
    return this.#settings.has(path);
  }

  /** Refuses a setting for a reason that involves others. */
  refuse(path: string, reason: string): void {
    const place = this.#settings.get(path)?.place ?? { source: "configuration", line: 0, column: 0 };
    this.#add(`\`${path}\` ${reason}`, place);
  }

  #add(message: string, { source, line, column }: ConfigPlace): void {
    this.problems.push({ message, source, line, column });
  }
}

function buildConfig(reader: Reader, hasFile: boolean): Config {
  const { server, engine } = DEFAULT_CONFIG;
  const address = reader.get("server.httpListenAddr", "", (text) => {
    const parsed = parseAddress(text);
    return typeof parsed === "string" ? `is invalid: ${parsed}` : null;
  });
  const parsedAddress = parseAddress(address);
  const fallbackAddresses = hasFile ? [CERBOS_ADDRESS] : server.addresses;
  return {
    server: {
      addresses: typeof parsedAddress === "string" ? fallbackAddresses : [parsedAddress],
      cors: {
        disabled: reader.get("server.cors.disabled", server.cors.disabled),
        allowedOrigins: lowerCase(
          orDefault(reader.get("server.cors.allowedOrigins", []), server.cors.allowedOrigins),
        ),
        allowedHeaders: lowerCase(
          orDefault(reader.get("server.cors.allowedHeaders", []), server.cors.allowedHeaders),
        ),
        maxAgeSeconds: Math.floor(reader.get("server.cors.maxAge", server.cors.maxAgeSeconds)),
      },
      socketMode: reader.get("server.udsFileMode", server.socketMode),
      threads: reader.get("server.threads", server.threads, within([1, MAX_THREADS])),
      overload: {
        maxDelayMs:
          1000 * reader.get("server.overload.maxDelay", server.overload.maxDelayMs / 1000, delayRule),
        maxBufferedBytes: reader.get(
          "server.overload.maxBufferedBytes",
          server.overload.maxBufferedBytes,
          within(BUFFER_RANGE),
        ),
      },
      batches: {
        workers: reader.get<number | null>("server.batches.workers", server.batches.workers, (value) =>
          within([0, MAX_WORKERS])(value ?? 0),
        ),
        minBytes: reader.get("server.batches.minBytes", server.batches.minBytes, (value) =>
          value === 0 ? null : within(BODY_RANGE)(value),
        ),
      },
      search: searchOptions(reader),
      accessTokens: accessTokens(reader),
      tls: tlsOptions(reader),
      discovery: discoveryOptions(reader),
    },
    policies: policySource(reader),
    bundle: bundleOptions(reader),
    engine: {
      onError: errorMode(reader),
      schemaEnforcement: schemaEnforcement(reader),
      defaultPolicyVersion: reader.get("engine.defaultPolicyVersion", engine.defaultPolicyVersion, nameRule),
      defaultScope: reader.get("engine.defaultScope", engine.defaultScope, scopeRule),
      lenientScopeSearch: reader.get("engine.lenientScopeSearch", engine.lenientScopeSearch),
      globals: reader.get("engine.globals", engine.globals, (value) =>
        typeof value === "object" && value !== null && !Array.isArray(value) ? null : "must be a map",
      ),
      maxActionsPerResource: reader.get(
        "server.requestLimits.maxActionsPerResource",
        engine.maxActionsPerResource,
        within(LIMIT_RANGE),
      ),
      maxResourcesPerRequest: reader.get(
        "server.requestLimits.maxResourcesPerRequest",
        engine.maxResourcesPerRequest,
        within(RESOURCE_LIMIT_RANGE),
      ),
      maxPairsPerRequest: reader.get(
        "server.requestLimits.maxPairsPerRequest",
        engine.maxPairsPerRequest,
        within(PAIR_LIMIT_RANGE),
      ),
      maxBodyBytes: reader.get("server.requestLimits.maxBodyBytes", engine.maxBodyBytes, within(BODY_RANGE)),
      authzen: authzenOptions(reader),
    },
    auxData: auxData(reader),
    directory: directoryOptions(reader),
    admin: adminOptions(reader),
    shadow: shadowOptions(reader),
  };
}

/** How little and how much unfinished requests and unread answers may take, in bytes. */
const BUFFER_RANGE = [16 * 1024 * 1024, 64 * 1024 ** 3] as const;

/** Most verified tokens that may be remembered. */
const CACHE_RANGE = [0, 1_000_000] as const;

function auxData(reader: Reader): AuxDataOptions {
  const { keySets, disableVerification, acceptableTimeSkew, cacheSize } = DEFAULT_AUX_DATA;
  const given = readKeySets(
    reader.get<unknown>("auxData.jwt.keySets", keySets, (value) => {
      const sets = readKeySets(value);
      return typeof sets === "string" ? sets : null;
    }),
  );
  return {
    keySets: typeof given === "string" ? keySets : given,
    disableVerification: reader.get("auxData.jwt.disableVerification", disableVerification),
    acceptableTimeSkew: reader.get("auxData.jwt.acceptableTimeSkew", acceptableTimeSkew),
    cacheSize: reader.get("auxData.jwt.cacheSize", cacheSize, within(CACHE_RANGE)),
  };
}

function schemaEnforcement(reader: Reader): SchemaEnforcement {
  return reader.get<SchemaEnforcement>("schema.enforcement", "none", (mode) =>
    SCHEMA_ENFORCEMENTS.includes(mode) ? null : `must be one of ${SCHEMA_ENFORCEMENTS.join(", ")}`,
  );
}

/** Where bundles come from and how the daemon does without; seconds of the file become milliseconds. */
function bundleOptions(reader: Reader): BundleOptions {
  const base = DEFAULT_CONFIG.bundle;
  const text = (key: string): string | null => reader.get<string | null>(`bundle.${key}`, null);
  const age = (key: string): number | null => {
    const seconds = reader.get<number | null>(`bundle.${key}`, null, (value) =>
      value === null || value === 0 || value >= 1 ? null : "must be `0s` for never, or at least `1s`",
    );
    return seconds === null || seconds === 0 ? null : seconds * 1000;
  };
  const poll = reader.get("bundle.pollInterval", base.pollIntervalMs / 1000, (value) =>
    value >= POLL_RANGE[0] && value <= POLL_RANGE[1] ? null : "must be from `100ms` to `24h`",
  );
  return {
    verifyKeys: reader.get("bundle.verifyKeys", base.verifyKeys),
    tokenFile: text("tokenFile"),
    natsCredentials: text("natsCredentials"),
    pollIntervalMs: poll * 1000,
    maxBytes: reader.get("bundle.maxBytes", base.maxBytes, within(SIZE_RANGE)),
    stateDir: text("stateDir"),
    staleAfterMs: age("staleAfter"),
    failClosedAfterMs: age("failClosedAfter"),
    allowRollbackTo: reader.get<string | null>("bundle.allowRollbackTo", base.allowRollbackTo, (value) =>
      value === null || isDigestPrefix(value) ? null : "must be the digest of a bundle, 12 to 64 hex digits",
    ),
  };
}

function adminOptions(reader: Reader): AdminOptions {
  const address = parseAddress(
    reader.get("admin.listen", "", (text) => {
      const parsed = parseAddress(text);
      return typeof parsed === "string" ? `is invalid: ${parsed}` : null;
    }),
  );
  return {
    listen: typeof address === "string" ? null : address,
    tokenFile: reader.get<string | null>("admin.tokenFile", null),
  };
}

function shadowOptions(reader: Reader): ShadowOptions {
  const source = reader.has("shadow.source")
    ? parseShadowSource(
        reader.get("shadow.source", "", (text) => {
          const parsed = parseShadowSource(text);
          return typeof parsed === "string" ? `is invalid: ${parsed}` : null;
        }),
      )
    : null;
  return {
    source: typeof source === "string" ? null : source,
    sample: reader.get<unknown>("shadow.sample", DEFAULT_CONFIG.shadow.sample, sampleRule) as number,
    report: reader.get<string | null>("shadow.report", null),
  };
}

function sampleRule(value: unknown): string | null {
  return typeof value === "number" && value > 0 && value <= 1 ? null : "must be above 0 and at most 1";
}

function policySource(reader: Reader): PolicySource {
  if (reader.has("bundle.source")) {
    const parsed = parseLocation(
      reader.get("bundle.source", "", (text) => {
        const location = parseLocation(text);
        return typeof location === "string" ? `is invalid: ${location}` : null;
      }),
    );
    if (reader.has("storage.driver")) {
      reader.refuse("bundle.source", "and `storage.driver` both say where policies come from");
    }
    return typeof parsed === "string" ? DEFAULT_CONFIG.policies : parsed;
  }
  const driver = reader.get("storage.driver", reader.has("storage.bundle.file") ? "bundle" : "disk", (name) =>
    name === "disk" || name === "bundle"
      ? null
      : `is \`${name}\`, but only \`disk\` and \`bundle\` are available yet`,
  );
  if (driver === "bundle") {
    if (!reader.has("storage.bundle.file"))
      reader.refuse("storage.driver", "is `bundle`, but `storage.bundle.file` is missing");
    return { kind: "bundle", file: reader.get("storage.bundle.file", "") };
  }
  return {
    kind: "directory",
    directory: reader.get("storage.disk.directory", "policies"),
    watch: reader.get("storage.disk.watchForChanges", false),
  };
}

/** `engine.onError`, or what `engine.strictEvaluation` means when it is given (DESIGN.md 4.5). */
function errorMode(reader: Reader): OnError {
  const mode = reader.get<OnError | "">("engine.onError", "", (name) =>
    ON_ERROR_MODES.some((known) => known === name) ? null : `must be one of ${ON_ERROR_MODES.join(", ")}`,
  );
  if (!reader.has("engine.strictEvaluation")) return mode === "" ? "fail-closed" : mode;
  const strict: OnError = reader.get("engine.strictEvaluation", false) ? "strict" : "compatible";
  if (mode !== "" && mode !== strict) {
    reader.refuse(
      "engine.strictEvaluation",
      `means \`${strict}\`, but \`engine.onError\` is \`${mode}\`; remove one of them`,
    );
  }
  return strict;
}

function nameRule(text: string): string | null {
  return /^\w+$/.test(text) && text.length <= 1024 ? null : "must consist of letters, digits and underscores";
}

function scopeRule(text: string): string | null {
  return /^(?:$|\.|[0-9a-zA-Z][\w-]*(?:\.\w[\w-]*)*)$/.test(text) && text.length <= 1024
    ? null
    : "is not a scope such as `acme.hr`";
}

/** Seconds; see LoadGate. */
function delayRule(seconds: number): string | null {
  return seconds === 0 || (seconds >= 0.01 && seconds <= 60) ? null : "must be `0s` or from `10ms` to `60s`";
}

function within([least, most]: readonly [number, number]): (value: number) => string | null {
  return (value) => (value >= least && value <= most ? null : `must be from ${least} to ${most}`);
}

function orDefault(given: readonly string[], fallback: readonly string[]): readonly string[] {
  return given.length === 0 ? fallback : given;
}

function lowerCase(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.toLowerCase());
}

/** Names the key and, when one is close, the key that was probably meant. */
function unknownKey(path: string, key: string, keys: Readonly<Record<string, KeySpec>>): string {
  const similar = Object.keys(keys).find((known) => known.toLowerCase() === key.toLowerCase());
  return `unknown key \`${path}\`${similar === undefined ? "" : `, did you mean \`${similar}\``}`;
}
