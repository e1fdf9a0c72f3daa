/** `edict verify`: whether a bundle is whole, signed by one of the keys, and decides as it did when it was built. */
import { readBundleFile } from "../bundle/policy-source.ts";
import { readBundle } from "../bundle/bundle-file.ts";
import { checkSelfTest } from "../bundle/self-test.ts";
import { VerifyKeys } from "../bundle/signature.ts";
import { UsageError } from "../errors.ts";
import { compileModules } from "../guest/modules.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { VERIFY_KEY_OPTION } from "./engine-options.ts";

export const verifyCommand: Command = {
  name: "verify",
  summary: "check digests, signature and recorded decisions of a bundle",
  usage: "<bundle> --verify-key <file>",
  options: {
    "verify-key": VERIFY_KEY_OPTION,
    json: { type: "boolean", help: "print digest and signer as JSON" },
  },
  examples: [
    "edict verify policies.edict --verify-key release.public.jwk",
    "exit codes: 0 verified, 2 wrong use, 4 refused, with the reason",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const files = given.texts("verify-key");
    if (files.length === 0) throw new UsageError("give a public key with `--verify-key`", "verify");
    const keys = await VerifyKeys.load(files);
    const bundle = readBundle(await readBundleFile(given.positionals[0] ?? ""));
    const signer = await keys.verify(bundle, new Date());
    await checkSelfTest(await compileModules(bundle));
    const { sequence, gitCommit } = bundle.manifest;
    if (given.flag("json")) {
      io.stdout(`${JSON.stringify({ digest: bundle.digest, sequence, gitCommit, signer }, null, 2)}\n`);
    } else {
      io.stdout(`bundle ${bundle.digest} is signed by ${signer.kid} (${signer.alg})\n`);
    }
    return EXIT_OK;
  },
};
