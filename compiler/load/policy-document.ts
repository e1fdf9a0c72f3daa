/** One policy file as a tree with positions: what stage 1 hands to stage 2. */
import type { Place } from "../diagnostics/diagnostic.ts";
import { LineIndex } from "./line-index.ts";
import type { MapNode } from "./node.ts";
import { StringTable } from "./string-table.ts";

/** A file of a policy directory. */
export interface SourceFile {
  /** Relative to the policy directory, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export class PolicyDocument {
  readonly file: string;
  readonly root: MapNode;
  private readonly text: string;
  private readonly strings: StringTable;
  private index: LineIndex | undefined;

  /** @param strings shared by the documents of one policy set */
  constructor(file: string, text: string, root: MapNode, strings = new StringTable()) {
    this.file = file;
    this.text = text;
    this.root = root;
    this.strings = strings;
  }

  /** The place of an offset in this file. The lines are counted at the first call only. */
  place(offset: number, path: string): Place {
    this.index ??= new LineIndex(this.text);
    const { line, column } = this.index.position(offset);
    return { file: this.file, line, column, path: this.strings.intern(path) };
  }
}

/** Characters that would be read as path syntax, so that a key holding one of them is quoted. */
const PATH_SYNTAX = /[$*.[\]]/;

/** Extends a YAML path by a map key (`$.a` + `b` = `$.a.b`) or a list index (`$.a[0]`). */
export function childPath(path: string, segment: string | number): string {
  if (typeof segment === "number") {
    return `${path}[${segment}]`;
  }
  return PATH_SYNTAX.test(segment) ? `${path}.'${segment}'` : `${path}.${segment}`;
}
