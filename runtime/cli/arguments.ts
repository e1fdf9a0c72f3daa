/** Parses a command's arguments with node's `parseArgs`, and answers mistakes with the option that was probably meant. */
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import type { Arguments, Command } from "./command.ts";

/** Options that every command has. */
const COMMON = ["help"];

/** Most edits between what was typed and what is suggested. */
const MAX_DISTANCE = 3;

/** Parses; throws `UsageError`. `--help` must have been handled before. */
export function parseArguments(command: Command, given: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, spec]) => [
      name,
      { type: spec.type, multiple: true, ...(spec.short === undefined ? {} : { short: spec.short }) },
    ]),
  );
  const { tokens, positionals } = parseArgs({
    args: [...given],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (spec === undefined) throw unknownOption(command, token.rawName, token.name);
    if (spec.type === "boolean" && token.value !== undefined) {
      throw new UsageError(`option \`${token.rawName}\` takes no value`, command.name);
    }
    const looksLikeOption = token.value !== undefined && !token.inlineValue && /^-./.test(token.value);
    if (spec.type === "string" && (token.value === undefined || token.value === "" || looksLikeOption)) {
      throw new UsageError(
        `option \`${token.rawName}\` needs a value ${spec.value ?? ""}`.trimEnd(),
        command.name,
      );
    }
    const list = values.get(token.name) ?? [];
    if (list.length > 0 && spec.multiple !== true && spec.type === "string") {
      throw new UsageError(`option \`${token.rawName}\` is given twice`, command.name);
    }
    list.push(token.value ?? "");
    values.set(token.name, list);
  }
  const [least, most] = command.positionals;
  if (positionals.length < least)
    throw new UsageError(`usage: edict ${command.name} ${command.usage}`, command.name);
  if (positionals.length > most) {
    throw new UsageError(`unexpected argument \`${positionals[most] ?? ""}\``, command.name);
  }
  return {
    positionals,
    flag: (name) => values.has(name),
    text: (name) => values.get(name)?.at(-1),
    texts: (name) => values.get(name) ?? [],
  };
}

function unknownOption(command: Command, rawName: string, name: string): UsageError {
  const similar = suggest(name, [...Object.keys(command.options), ...COMMON]);
  const hint = similar === null ? "" : `, did you mean \`--${similar}\``;
  return new UsageError(`unknown option \`${rawName}\`${hint}`, command.name);
}

/** The candidate nearest to `text`, null when none is near. */
export function suggest(text: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.min(MAX_DISTANCE, Math.floor(text.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein distance; words longer than 64 characters count as far apart. */
function editDistance(left: string, right: string): number {
  if (left.length > 64 || right.length > 64) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + same,
        ),
      );
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
