/** Makes the source that a configuration names. */
import type { PolicySource } from "../config/config.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import { DirectorySource } from "./directory-source.ts";
import { FileSource } from "./file-source.ts";
import { NatsSource } from "./nats-source.ts";
import type { BundleOptions } from "./options.ts";
import type { BundleSource } from "./source.ts";
import { UrlSource } from "./url-source.ts";

/** Nothing is asked or connected before `fetch` or `watch`. */
export function openSource(
  policies: PolicySource,
  options: BundleOptions,
  compiler: CompilePool,
): BundleSource {
  const { pollIntervalMs, maxBytes, tokenFile, natsCredentials } = options;
  switch (policies.kind) {
    case "directory":
      return new DirectorySource(policies, compiler);
    case "bundle":
      return new FileSource({ file: policies.file, maxBytes, pollIntervalMs });
    case "url":
      return new UrlSource({ url: policies.url, tokenFile, maxBytes, pollIntervalMs });
    case "nats":
      return new NatsSource({
        object: policies.object,
        credentialsFile: natsCredentials,
        tokenFile,
        maxBytes,
        pollIntervalMs,
      });
  }
}
