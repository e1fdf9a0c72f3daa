/** Breaks a policy set: one to three changes to the tree, the text or the name of its files. Never looks at what a change does. */
import type { Random } from "../random.ts";
import { mutateTree } from "./mutate-tree.ts";
import type { Files } from "./sets.ts";

/** Pieces that mean something to YAML or to CEL. */
const PIECES = [
  "'",
  '"',
  "{",
  "}",
  "[",
  "]",
  "(",
  ")",
  ":",
  ": ",
  "- ",
  "&a ",
  "*a",
  "<<: ",
  "|-\n",
  "---\n",
  "...\n",
  "\t",
  "#",
  " #",
  ",",
  "!",
  "!!str ",
  "? ",
  "%YAML 1.2\n",
  "\ufeff",
  "\u00a0",
  "\u2028",
  "\r\n",
  "\n",
  "  ",
  "\\",
  "~",
  "null",
  "é",
  "\u{1f600}",
  "0",
  "=",
  "@",
  "`",
  "&&",
  "||",
];

/** One change to the characters or lines of a text. */
export function mutateText(text: string, random: Random): string {
  const lines = text.split("\n");
  const line = random.below(lines.length);
  const at = random.below(text.length + 1);
  switch (random.below(9)) {
    case 0:
      return lines.toSpliced(line, 1).join("\n");
    case 1:
      return lines.toSpliced(line, 0, lines[line] ?? "").join("\n");
    case 2:
      return lines.with(line, `  ${lines[line] ?? ""}`).join("\n");
    case 3:
      return lines.with(line, (lines[line] ?? "").replace(/^ {2}/u, "")).join("\n");
    case 4:
      return text.slice(0, at) + text.slice(at + 1 + random.below(5));
    case 5:
      return text.slice(0, at);
    case 6:
      return random.pick(
        [
          `${text}\n---\n${text}`,
          `${text}\n---\n`,
          `---\n${text}`,
          `---\n---\n${text}`,
          "",
          "# x\n",
          "---\n",
          "null\n",
          "[]\n",
          "x\n",
          "{}\n",
        ],
        "",
      );
    default:
      return text.slice(0, at) + random.pick(PIECES, "'") + text.slice(at);
  }
}

/** Exchanges one word of a file for another of the set: a name that is used elsewhere, a value that another key has. */
export function exchangeWord(text: string, random: Random): string {
  const words = [...text.matchAll(/(?<=[:\-[,]\s*)["']?[\w.*:/-]+["']?(?=\s*(?:[,\]}\n]|$))/gu)];
  const word = random.pick(words, undefined);
  const other = random.pick(words, undefined);
  if (word === undefined || other === undefined) return text;
  const put = random.chance(0.6)
    ? other[0]
    : random.pick([`${word[0]}x`, "nope", "x.y", "default", "acme"], "nope");
  return text.slice(0, word.index) + put + text.slice(word.index + word[0].length);
}

function mutateFiles(files: Map<string, string>, path: string, random: Random): void {
  const text = files.get(path) ?? "";
  switch (random.below(7)) {
    case 0:
      files.delete(path);
      break;
    case 1:
      files.set(`copy-${path.replaceAll("/", "-")}`, text);
      break;
    case 2:
      files.set(`deeper/${path}`, text);
      break;
    case 3:
      files.delete(path);
      files.set(
        path.replace(/\.\w+$/u, random.pick([".yml", ".json", ".YAML", ".txt", "_test.yaml"], ".yml")),
        text,
      );
      break;
    case 4:
      files.delete(path);
      files.set(
        random.pick(
          [
            "testdata/p.yaml",
            ".hidden/p.yaml",
            ".p.yaml",
            "_schemas/p.yaml",
            "a/_schemas/p.json",
            "a/testdata/b/p.yaml",
            "x y/é.yaml",
          ],
          "p.yaml",
        ),
        text,
      );
      break;
    default:
      files.set(path, `disabled: true\n${text}`);
  }
}

/** A changed copy; now and then equal to the original. */
export function mutateSet(files: Files, random: Random): Files {
  const changed = new Map(files);
  const changes = random.chance(0.7) ? 1 : 1 + random.below(3);
  for (let turn = 0; turn < changes; turn += 1) {
    const path = random.pick(
      [...changed.keys()].filter((each) => !each.includes("_schemas/") || random.chance(0.1)),
      undefined,
    );
    if (path === undefined) continue;
    const text = changed.get(path) ?? "";
    const kind = random.next();
    if (kind < 0.65) changed.set(path, mutateTree(text, random));
    else if (kind < 0.8) changed.set(path, mutateText(text, random));
    else if (kind < 0.92) changed.set(path, exchangeWord(text, random));
    else mutateFiles(changed, path, random);
  }
  return changed;
}
