/** `edict sign`: puts signatures behind a bundle. Its digest stays what it was. */
import { readBundle } from "../bundle/bundle-file.ts";
import { readBundleFile } from "../bundle/policy-source.ts";
import { readSignatures } from "../bundle/signature-trailer.ts";
import { loadSigningKey, signBundle } from "../bundle/signing-key.ts";
import { writeFileAtomically } from "../bundle/write-file.ts";
import { UsageError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { expiryFrom } from "./expiry.ts";

export const signCommand: Command = {
  name: "sign",
  summary: "sign a bundle",
  usage: "<bundle> --key <file> [-o signed.edict]",
  options: {
    key: {
      type: "string",
      value: "<file>",
      multiple: true,
      help: "private key, a JWK or PEM; several add several signatures",
    },
    output: { type: "string", short: "o", value: "<file>", help: "write here instead of over the bundle" },
    expires: {
      type: "string",
      value: "<duration>",
      help: "time until the signature stops to count; never unless told",
    },
    json: { type: "boolean", help: "print digest and signatures as JSON" },
  },
  examples: [
    "edict sign policies.edict --key release.private.jwk",
    "edict sign policies.edict --key old.private.jwk --key new.private.jwk",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const [file = ""] = given.positionals;
    const keyFiles = given.texts("key");
    if (keyFiles.length === 0) throw new UsageError("give a private key with `--key`", "sign");
    const now = new Date();
    const expires = expiryFrom(given, "expires", "sign", now);
    const keys = await Promise.all(keyFiles.map(loadSigningKey));
    const signed = await signBundle(await readBundleFile(file), keys, now, expires);
    const target = given.text("output") ?? file;
    await writeFileAtomically(target, signed).catch((error: unknown) => {
      throw new UsageError(`cannot write the bundle: ${oneLine(error)}`, "sign");
    });
    const bundle = readBundle(signed);
    const signers = readSignatures(bundle).map(({ header }) => header);
    if (given.flag("json")) {
      io.stdout(`${JSON.stringify({ digest: bundle.digest, file: target, signatures: signers }, null, 2)}\n`);
    } else {
      const names = signers.map(({ kid, alg }) => `${kid} (${alg})`).join(", ");
      io.stdout(`bundle ${bundle.shortDigest} is signed by ${names}\n`);
    }
    return EXIT_OK;
  },
};
