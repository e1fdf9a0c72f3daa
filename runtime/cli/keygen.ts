/** `edict keygen`: a key pair to sign bundles with, as two files. */
import { link, open, rm } from "node:fs/promises";
import { SIGNATURE_ALGORITHMS } from "../bundle/signature-trailer.ts";
import { generateKeys } from "../bundle/signing-key.ts";
import { UsageError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { expiryFrom } from "./expiry.ts";

export const keygenCommand: Command = {
  name: "keygen",
  summary: "make a key pair to sign bundles with",
  usage: "[--alg EdDSA|ES256] [--expires 90d] -o <prefix>",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "<prefix>",
      help: "write `<prefix>.private.jwk` (only its owner may read it) and `<prefix>.public.jwk`",
    },
    alg: { type: "string", value: "<name>", help: "EdDSA (default) or ES256" },
    expires: {
      type: "string",
      value: "<duration>",
      help: "time until the key may no longer be used, as in 90d or 12h; never unless told",
    },
    json: { type: "boolean", help: "print key id and files as JSON" },
  },
  examples: ["edict keygen -o release", "edict keygen --alg ES256 --expires 90d -o release-2027"],
  positionals: [0, 0],
  async run(given, io) {
    const prefix = given.text("output");
    if (prefix === undefined) throw new UsageError("say where to with `-o <prefix>`", "keygen");
    const name = given.text("alg") ?? "EdDSA";
    const alg = SIGNATURE_ALGORITHMS.find((known) => known === name);
    if (alg === undefined)
      throw new UsageError(`\`--alg\` must be EdDSA or ES256, not \`${name}\``, "keygen");
    const exp = expiryFrom(given, "expires", "keygen", new Date());
    const { kid, privateJwk, publicJwk } = await generateKeys(alg, exp);
    const files = { private: `${prefix}.private.jwk`, public: `${prefix}.public.jwk` };
    await writeNew(files.private, privateJwk, 0o600);
    // Without its other half a private key is only in the way of the next attempt.
    await writeNew(files.public, publicJwk, 0o644).catch(async (error: unknown) => {
      await rm(files.private, { force: true });
      throw error;
    });
    if (given.flag("json")) {
      io.stdout(`${JSON.stringify({ kid, alg, expires: exp, files }, null, 2)}\n`);
    } else {
      const until = exp === null ? "does not expire" : `expires ${new Date(exp * 1000).toISOString()}`;
      io.stdout(`key ${kid} (${alg}, ${until})\n  ${files.private}  keep secret\n  ${files.public}\n`);
    }
    return EXIT_OK;
  },
};

/** Writes a JWK to a file that must not exist: a key that is overwritten is lost. The name appears with the whole content. */
async function writeNew(file: string, jwk: unknown, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(`${JSON.stringify(jwk, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file);
  } catch (error) {
    throw new UsageError(`cannot write \`${file}\`: ${oneLine(error)}`, "keygen");
  } finally {
    await rm(temporary, { force: true });
  }
}
