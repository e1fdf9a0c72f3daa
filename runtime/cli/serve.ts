/** `edict serve`: turns flags and a configuration file into a configuration, and starts the daemon. */
import { parseAddress, type ListenAddress } from "../config/address.ts";
import { type Config, MAX_THREADS } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { policyFiles } from "../bundle/manifest.ts";
import { UsageError } from "../errors.ts";
import { serve } from "../main.ts";
import { log } from "../observe/log.ts";
import { BUNDLE_FLAGS, bundleOptionsFrom } from "./bundle-flags.ts";
import type { Arguments, Command } from "./command.ts";
import { showDemo } from "./demo.ts";
import { ON_ERROR_OPTION, onErrorFrom, POLICY_OPTIONS, policySourceFrom } from "./engine-options.ts";
import { ACCESS_FLAGS, accessTokensFrom, tlsFrom } from "./access-flags.ts";
import { adminOptionsFrom, OPERATION_FLAGS, shadowOptionsFrom } from "./operation-flags.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "answer check requests over HTTP",
  usage: "[--policies <dir> [--watch] | --bundle <file|url>] [--config <file>]",
  options: {
    ...POLICY_OPTIONS,
    bundle: {
      type: "string",
      value: "<file|url>",
      help: "bundle file (watched), http(s) URL, or nats://host:port/bucket/name",
    },
    ...BUNDLE_FLAGS,
    ...ACCESS_FLAGS,
    ...OPERATION_FLAGS,
    watch: { type: "boolean", help: "reload the policy directory when it changes; a bundle always is" },
    config: { type: "string", value: "<file>", help: "YAML or JSON, also a Cerbos configuration file" },
    set: {
      type: "string",
      value: "<key=value>",
      multiple: true,
      help: "override a key of the configuration",
    },
    http: {
      type: "string",
      value: "<host:port>",
      help: "listen on TCP; 127.0.0.1:3592 unless told otherwise",
    },
    unix: { type: "string", value: "<path>", help: "listen on a Unix socket" },
    threads: {
      type: "string",
      value: "<n>",
      help: "serving threads, each with its own guest; 1 unless told",
    },
    directory: {
      type: "string",
      value: "<file|dir>",
      multiple: true,
      help: "subjects and resources with their properties, NDJSON or JSON (repeatable)",
    },
    "on-error": ON_ERROR_OPTION,
    demo: { type: "boolean", help: "show how to ask, and one decision, once it is ready" },
  },
  examples: [
    "edict serve --policies policies --watch",
    "edict serve --bundle policies.edict --http 0.0.0.0:3592",
    "edict serve --bundle https://example.com/policies.edict --verify-key policies.pub.jwk --state-dir /var/lib/edict",
    "edict serve --config .cerbos.yaml --set server.httpListenAddr=127.0.0.1:8080",
    "edict serve --policies policies --unix /run/edict.sock",
  ],
  positionals: [0, 0],
  async run(given, io) {
    const { config, warnings } = await loadConfig(
      given.text("config") ?? null,
      given.texts("set"),
      io.environment,
    );
    for (const warning of warnings) log(`warning: ${warning}`);
    const merged = applyFlags(config, given);
    return serve(merged, async (server, state) => {
      const { bundle } = state.engine;
      const policies = policyFiles(bundle.manifest);
      io.stdout(
        `edict ready on ${server.addresses.join(" and ")} (bundle ${bundle.shortDigest}, ${policies} policy files)\n`,
      );
      if (given.flag("demo")) await showDemo(server.addresses[0] ?? "", merged.policies, io);
    });
  },
};

/** Flags win over the file. */
function applyFlags(config: Config, given: Arguments): Config {
  const source = policySourceFrom(given, "serve") ?? config.policies;
  const watch = given.flag("watch");
  const onError = onErrorFrom(given, "serve");
  const addresses = addressesFrom(given);
  return {
    ...config,
    server: {
      ...config.server,
      addresses: addresses.length === 0 ? config.server.addresses : addresses,
      threads: threadsFrom(given) ?? config.server.threads,
      accessTokens: accessTokensFrom(given, config.server.accessTokens),
      tls: tlsFrom(given, config.server.tls),
    },
    policies: source.kind === "directory" ? { ...source, watch: watch || source.watch } : source,
    bundle: bundleOptionsFrom(given, config.bundle, source),
    directory: { ...config.directory, files: filesFrom(given, config.directory.files) },
    admin: adminOptionsFrom(given, config.admin),
    shadow: shadowOptionsFrom(given, config.shadow),
    engine: onError === undefined ? config.engine : { ...config.engine, onError },
  };
}

function filesFrom(given: Arguments, configured: readonly string[]): readonly string[] {
  const files = given.texts("directory");
  return files.length === 0 ? configured : files;
}

function threadsFrom(given: Arguments): number | undefined {
  const text = given.text("threads");
  if (text === undefined) return undefined;
  const threads = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (threads < 1 || threads > MAX_THREADS) {
    throw new UsageError(`\`--threads\` must be from 1 to ${MAX_THREADS}, not \`${text}\``, "serve");
  }
  return threads;
}

function addressesFrom(given: Arguments): ListenAddress[] {
  const addresses: ListenAddress[] = [];
  const http = given.text("http");
  if (http !== undefined) addresses.push(addressFrom(http));
  const unix = given.text("unix");
  if (unix !== undefined) addresses.push(addressFrom(unix.startsWith("unix:") ? unix : `unix:${unix}`));
  return addresses;
}

function addressFrom(text: string): ListenAddress {
  const address = parseAddress(text);
  if (typeof address === "string") throw new UsageError(address, "serve");
  return address;
}
