/** What `--shadow` may name: a bundle, wherever bundles come from, or a directory of policies. */
import { statSync } from "node:fs";
import type { PolicySource } from "../config/config.ts";
import { parseLocation } from "../source/location.ts";

/** The source that `text` names; the reason as a string when it names none. A directory is watched. */
export function parseShadowSource(text: string): PolicySource | string {
  if (!text.includes("://") && isDirectory(text)) return { kind: "directory", directory: text, watch: true };
  return parseLocation(text);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
