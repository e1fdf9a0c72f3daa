/** Secrets that stand in files, read again for every use so that they can be rotated. Nothing of them is ever logged. */
import { readFile } from "node:fs/promises";
import { SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

/** Most bytes of a file with a token. */
const MAX_TOKEN_SIZE = 64 * 1024;

/** The token in `file`, without the white space around it. Rejects with `SourceError`. */
export async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new SourceError("EDICT_SOURCE_CREDENTIALS", `the token cannot be read: ${oneLine(error)}`, {
      cause: error,
    });
  }
  // Whatever is outside this range would be refused by the HTTP client, in a message that holds it.
  if (text === "" || text.length > MAX_TOKEN_SIZE || !/^[\x21-\x7e]+$/.test(text)) {
    throw new SourceError("EDICT_SOURCE_CREDENTIALS", `\`${file}\` does not hold a token on one line`);
  }
  return text;
}
