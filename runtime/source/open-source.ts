/** Makes the source that a configuration names. The NATS client, which is large, is loaded for those who use it. */
import type { PolicySource } from "../config/config.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import { DirectorySource } from "./directory-source.ts";
import { FileSource } from "./file-source.ts";
import type { BundleOptions } from "./options.ts";
import type { BundleSource } from "./source.ts";
import { UrlSource } from "./url-source.ts";

/** Nothing is asked or connected before `fetch` or `watch`. */
export async function openSource(
  policies: PolicySource,
  options: BundleOptions,
  compiler: CompilePool,
): Promise<BundleSource> {
  const { pollIntervalMs, maxBytes, tokenFile, natsCredentials } = options;
  switch (policies.kind) {
    case "directory":
      return new DirectorySource(policies, compiler);
    case "bundle":
      return new FileSource({ file: policies.file, maxBytes, pollIntervalMs });
    case "url":
      return new UrlSource({ url: policies.url, tokenFile, maxBytes, pollIntervalMs });
    case "nats": {
      const { NatsSource } = await import("./nats-source.ts");
      return new NatsSource({
        object: policies.object,
        credentialsFile: natsCredentials,
        tokenFile,
        maxBytes,
        pollIntervalMs,
      });
    }
  }
}
