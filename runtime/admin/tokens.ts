/**
 * Who may talk to the admin listener: whoever has one of the tokens of a file. The file is read again for every request, so tokens
 * are rotated by editing it; several lines let the old and the new one overlap. What cannot be read lets nobody in.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

/** Shortest token in characters: 16 random ones of base 64 are 96 bits. */
const MIN_LENGTH = 16;

/** Most characters of a token, and most tokens of a file. */
const MAX_LENGTH = 4096;
const MAX_TOKENS = 16;

/** Reads the tokens. Throws `ServeError` when the file does not hold any, or one that is too easily guessed. */
export async function readTokens(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw refusal(`the admin token cannot be read: ${oneLine(error)}`, error);
  }
  const tokens = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (tokens.length === 0) throw refusal(`\`${file}\` holds no admin token`);
  if (tokens.length > MAX_TOKENS) throw refusal(`\`${file}\` holds more than ${MAX_TOKENS} admin tokens`);
  for (const token of tokens) {
    if (token.length < MIN_LENGTH || token.length > MAX_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
      throw refusal(
        `an admin token in \`${file}\` is not ${MIN_LENGTH} to ${MAX_LENGTH} printable characters without spaces`,
      );
    }
  }
  return tokens;
}

/** Whether an `Authorization` header carries one of the tokens; takes the same time whatever it carries. */
export function isAuthorized(header: string | undefined, tokens: readonly string[]): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "";
  const digest = digestOf(given);
  let found = false;
  for (const token of tokens) {
    // All are compared, so that the time does not tell which one it was.
    if (timingSafeEqual(digest, digestOf(token))) found = true;
  }
  return found && given !== "";
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function refusal(message: string, cause?: unknown): ServeError {
  return new ServeError("EDICT_ADMIN_TOKEN", message, { cause });
}
