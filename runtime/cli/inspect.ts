/** `edict inspect`: what is in a bundle, without running any of it. */
import { type Bundle, readBundle } from "../bundle/bundle-file.ts";
import { readBundleFile } from "../bundle/policy-source.ts";
import { readSelfTest } from "../bundle/self-test.ts";
import { type SignatureReport, VerifyKeys } from "../bundle/signature.ts";
import { readSignatures, type SignatureHeader } from "../bundle/signature-trailer.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { VERIFY_KEY_OPTION } from "./engine-options.ts";

export const inspectCommand: Command = {
  name: "inspect",
  summary: "show what a bundle holds",
  usage: "<bundle> [--verify-key <file>]",
  options: {
    "verify-key": VERIFY_KEY_OPTION,
    json: { type: "boolean", help: "print it as JSON" },
  },
  examples: [
    "edict inspect policies.edict",
    "edict inspect policies.edict --verify-key release.public.jwk",
    "edict inspect policies.edict --json",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const bundle = readBundle(await readBundleFile(given.positionals[0] ?? ""));
    const files = given.texts("verify-key");
    const keys = files.length === 0 ? null : await VerifyKeys.load(files);
    const signatures = keys === null ? headers(bundle) : await keys.examine(bundle, new Date());
    io.stdout(
      given.flag("json")
        ? `${JSON.stringify(describe(bundle, signatures), null, 2)}\n`
        : `${text(bundle, signatures).join("\n")}\n`,
    );
    // Everything is shown first, what is wrong with the signatures last.
    await keys?.verify(bundle, new Date());
    return EXIT_OK;
  },
};

/** A signature, and with verify keys what it is worth. */
type Signature = SignatureHeader & { readonly state?: SignatureReport["state"] };

function headers(bundle: Bundle): readonly Signature[] {
  return readSignatures(bundle).map(({ header }) => header);
}

function describe(bundle: Bundle, signatures: readonly Signature[]): Readonly<Record<string, unknown>> {
  const { manifest } = bundle;
  return {
    digest: bundle.digest,
    sequence: manifest.sequence,
    gitCommit: manifest.gitCommit,
    signatures,
    selfTest: { decisions: recordedDecisions(bundle) },
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
    selfTest: bundle.selfTest?.byteLength ?? 0,
    signatures: bundle.signatures?.byteLength ?? 0,
  };
}

function recordedDecisions({ selfTest }: Bundle): number {
  const groups = selfTest === null ? [] : readSelfTest(selfTest);
  return groups.flatMap(({ cases }) => cases).reduce((sum, { effects }) => sum + effects.length, 0);
}

const STATES: Readonly<Record<SignatureReport["state"], string>> = {
  valid: "verified",
  bad: "NOT a signature of this bundle",
  "key-expired": "the key has expired",
  expired: "the signature has expired",
  "unknown-key": "the key is none of the verify keys",
};

function signatureLines(signatures: readonly Signature[]): string[] {
  if (signatures.length === 0) return ["signed by   nobody"];
  return signatures.map(({ kid, alg, iat, exp, state }) => {
    const times = [
      ...(iat === null ? [] : [`on ${instant(iat)}`]),
      ...(exp === null ? [] : [`until ${instant(exp)}`]),
    ];
    const verdict = state === undefined ? "not verified, give --verify-key" : STATES[state];
    return `signed by   ${kid} (${[alg, ...times].join(", ")}): ${verdict}`;
  });
}

/** Seconds since 1970 as people write them; as they are when no calendar has them. */
function instant(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function list(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function text(bundle: Bundle, signatures: readonly Signature[]): string[] {
  const { manifest } = bundle;
  return [
    `bundle      ${bundle.digest}`,
    `sequence    ${manifest.sequence ?? "none"}`,
    `git commit  ${manifest.gitCommit ?? "not known"}`,
    ...signatureLines(signatures),
    `policies    ${manifest.policyDigest}`,
    `compiler    ${manifest.compiler} (format ${manifest.formatVersion}, ABI ${manifest.abiVersion})`,
    `size        ${bundle.size} bytes: ${list(sizes(bundle))}`,
    `functions   ${list(manifest.functions)}`,
    `counts      ${list(manifest.counts)}`,
    `attributes  ${manifest.attributes.map(({ root, key }) => `${root}.${key}`).join(", ")}`,
    ...(manifest.timeZones === null ? [] : [`time zones  ${manifest.timeZones}`]),
    `self-test   ${recordedDecisions(bundle)} decisions`,
    "sources",
    ...manifest.sources.map((source) => `  ${source.digest.slice(0, 12)}  ${source.path}`),
  ];
}
