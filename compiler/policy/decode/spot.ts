/**
 * Where a value stands in a document: its node, and the chain of keys and indices that leads to it. Paths are text only
 * when somebody asks, because most values never appear in a message.
 */
import { diagnose, type Code, type Params } from "../../diagnostics/codes.ts";
import type { Diagnostic, Place } from "../../diagnostics/diagnostic.ts";
import type { Node } from "../../load/node.ts";
import { childPath, type PolicyDocument } from "../../load/policy-document.ts";

export interface Spot {
  readonly parent: Spot | undefined;
  /** Map key or list index below the parent; "$" for the root. */
  readonly segment: string | number;
  readonly node: Node;
  /** Offset of the key, or of the item in a list. */
  readonly keyOffset: number;
}

/** The spot of a document's root. */
export function rootSpot(document: PolicyDocument): Spot {
  return { parent: undefined, segment: "$", node: document.root, keyOffset: document.root.offset };
}

/** YAML path of a spot, as in `$.resourcePolicy.rules[0]`. */
export function pathOf(spot: Spot): string {
  return spot.parent === undefined ? "$" : childPath(anchoredPath(spot.parent), spot.segment);
}

/** Path of the node itself: behind an alias, that of the anchored one. */
function anchoredPath(spot: Spot): string {
  return spot.node.alias?.path ?? pathOf(spot);
}

/** Place of the key of a value, or of the item itself in a list: what a message about a field points at. */
export function keyPlace(document: PolicyDocument, spot: Spot): Place {
  const { alias } = spot.node;
  const offset = typeof spot.segment === "number" && alias !== undefined ? alias.offset : spot.keyOffset;
  return document.place(offset, pathOf(spot));
}

/** Place of the first character of a scalar's content, inside quotes and after the header of a block. */
export function contentPlace(document: PolicyDocument, spot: Spot): Place {
  const { node } = spot;
  if (node.alias !== undefined) {
    return document.place(node.alias.offset, pathOf(spot));
  }
  return document.place(node.kind === "scalar" ? node.contentOffset : node.offset, pathOf(spot));
}

/** Place of a value, quotes and block header included; behind an alias, that of the anchored value. */
export function valuePlace(document: PolicyDocument, spot: Spot): Place {
  return document.place(spot.node.offset, anchoredPath(spot));
}

/** Place of a value as it stands here: the alias, where it is one. */
export function usePlace(document: PolicyDocument, spot: Spot): Place {
  return document.place(spot.node.alias?.offset ?? spot.node.offset, pathOf(spot));
}

/** A document being read, and the problems found in it. */
export class Reader {
  readonly document: PolicyDocument;
  readonly diagnostics: Diagnostic[];

  constructor(document: PolicyDocument, diagnostics: Diagnostic[]) {
    this.document = document;
    this.diagnostics = diagnostics;
  }

  /** Reports a problem at the key of a field, or at the item in a list. */
  atKey(code: Code, params: Params, spot: Spot): void {
    const length = typeof spot.segment === "string" ? spot.segment.length : lengthOf(spot.node);
    this.diagnostics.push(diagnose(code, params, keyPlace(this.document, spot), length));
  }

  /** Reports a problem at a value. */
  atValue(code: Code, params: Params, spot: Spot): void {
    this.diagnostics.push(diagnose(code, params, valuePlace(this.document, spot), lengthOf(spot.node)));
  }

  /** Reports that a value has another shape than this place wants. */
  atUse(code: Code, params: Params, spot: Spot): void {
    this.diagnostics.push(diagnose(code, params, usePlace(this.document, spot), lengthOf(spot.node)));
  }
}

function lengthOf(node: Node): number {
  return node.kind === "scalar" ? Math.max(1, node.text.split("\n", 1)[0]?.length ?? 1) : 1;
}
