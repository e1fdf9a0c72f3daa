/** Hierarchies (Cerbos, "Hierarchies"): dot-separated paths and their relations. `size` is with the strings. */
import { BOOL, STRING, listOf, objectType } from "../types.ts";
import { globals, members, type Overload } from "./overload.ts";

export const HIERARCHY = objectType("cerbos.lib.hierarchy");

export const hierarchies: readonly Overload[] = [
  ...globals("hierarchy", "hierarchy1", [[STRING], HIERARCHY], [[listOf(STRING)], HIERARCHY]),
  ...globals("hierarchy", "hierarchy2", [[STRING, STRING], HIERARCHY]),
  ...members("ancestorOf", "ancestorOf", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("descendentOf", "descendentOf", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("immediateChildOf", "immediateChildOf", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("immediateParentOf", "immediateParentOf", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("overlaps", "overlaps", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("siblingOf", "siblingOf", [[HIERARCHY, HIERARCHY], BOOL]),
  ...members("commonAncestors", "commonAncestors", [[HIERARCHY, HIERARCHY], HIERARCHY]),
];
