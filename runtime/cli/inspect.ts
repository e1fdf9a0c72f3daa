/** `edict inspect`: what is in a bundle, without running any of it. */
import { type Bundle, readBundle } from "../bundle/bundle-file.ts";
import { readBundleFile } from "../bundle/policy-source.ts";
import { type Command, EXIT_OK } from "./command.ts";

export const inspectCommand: Command = {
  name: "inspect",
  summary: "show what a bundle holds",
  usage: "<bundle>",
  options: { json: { type: "boolean", help: "print it as JSON" } },
  examples: ["edict inspect policies.edict", "edict inspect policies.edict --json"],
  positionals: [1, 1],
  async run(given, io) {
    const bundle = readBundle(await readBundleFile(given.positionals[0] ?? ""));
    io.stdout(
      given.flag("json") ? `${JSON.stringify(describe(bundle), null, 2)}\n` : `${text(bundle).join("\n")}\n`,
    );
    return EXIT_OK;
  },
};

function describe(bundle: Bundle): Readonly<Record<string, unknown>> {
  const { manifest } = bundle;
  return {
    digest: bundle.digest,
    size: bundle.size,
    formatVersion: manifest.formatVersion,
    abiVersion: manifest.abiVersion,
    compiler: manifest.compiler,
    policyDigest: manifest.policyDigest,
    sizes: sizes(bundle),
    memory: manifest.memory,
    functions: manifest.functions,
    counts: manifest.counts,
    attributes: manifest.attributes,
    schemasUsed: manifest.schemasUsed,
    timeZones: manifest.timeZones,
    sources: manifest.sources,
  };
}

function sizes(bundle: Bundle): Readonly<Record<string, number>> {
  return {
    core: bundle.core.byteLength,
    policy: bundle.policy.byteLength,
    image: bundle.image.byteLength,
    rules: bundle.rules.byteLength,
    schemas: bundle.schemas?.byteLength ?? 0,
    zones: bundle.zones?.byteLength ?? 0,
  };
}

function list(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function text(bundle: Bundle): string[] {
  const { manifest } = bundle;
  return [
    `bundle      ${bundle.digest}`,
    `policies    ${manifest.policyDigest}`,
    `compiler    ${manifest.compiler} (format ${manifest.formatVersion}, ABI ${manifest.abiVersion})`,
    `size        ${bundle.size} bytes: ${list(sizes(bundle))}`,
    `functions   ${list(manifest.functions)}`,
    `counts      ${list(manifest.counts)}`,
    `attributes  ${manifest.attributes.map(({ root, key }) => `${root}.${key}`).join(", ")}`,
    ...(manifest.timeZones === null ? [] : [`time zones  ${manifest.timeZones}`]),
    "sources",
    ...manifest.sources.map((source) => `  ${source.digest.slice(0, 12)}  ${source.path}`),
  ];
}
