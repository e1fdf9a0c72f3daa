/**
 * Documents to compiled schemas: loads what references lead to, checks every document against the meta-schema of its draft, and
 * fills the nodes. One compiler serves one schema of a policy, so that what is wrong with one cannot show in another. Fetches
 * nothing: documents come from the function it is given.
 */
import { Budget } from "./budget.ts";
import { checkValue } from "./check-value.ts";
import { type Draft, DRAFT_2020, findDraft } from "./dialects.ts";
import { quote } from "./go-text.ts";
import { resolveUrl, splitUrl } from "./go-url.ts";
import { fill } from "./keywords.ts";
import { META_SCHEMAS } from "./meta-schemas.ts";
import { draftOf, isObject, type Place, Resource, SchemaError } from "./resources.ts";
import { SchemaNode } from "./schema-node.ts";

/** A schema on the way to the one that is compiled; null in front of members and items, which start anew. */
export type Stack = readonly { readonly step: string; readonly node: SchemaNode }[];

export interface CompiledSchema {
  readonly root: SchemaNode;
  /** Whether any schema asks for unevaluated members or items. */
  readonly tracks: boolean;
}

/** Steps for checking one document against its meta-schema: documents come with the policies. */
const META_STEPS = 50_000_000;
const OFFICIAL = /^https?:\/\/json-schema\.org\//;
const metaNodes = new Map<string, SchemaNode>();

/** The compiled meta-schema of a draft. */
function metaNode({ meta }: Draft): SchemaNode {
  const known = metaNodes.get(meta);
  if (known !== undefined) return known;
  const node = new Compiler(() => undefined).compile(meta, true).root;
  metaNodes.set(meta, node);
  return node;
}

export class Compiler {
  readonly #load: (url: string) => unknown;
  readonly #resources = new Map<string, Resource>();
  tracks = false;

  /** @param load the document at an address without fragment; throws `SchemaError` when there is none */
  constructor(load: (url: string) => unknown) {
    this.#load = load;
  }

  /** Throws `SchemaError`. */
  compile(url: string, isMeta = false): CompiledSchema {
    const root = this.#compileUrl(url, [], "#", isMeta);
    return { root, tracks: this.tracks };
  }

  #compileUrl(url: string, stack: Stack, step: string, isMeta = false): SchemaNode {
    const draft = isMeta ? undefined : findDraft(url);
    if (draft !== undefined) return metaNode(draft);
    const [address, fragment] = splitUrl(url);
    const resource = this.#resourceAt(address);
    return this.reference(resource, resource.root, stack, step, fragment);
  }

  #resourceAt(url: string): Resource {
    const known = this.#resources.get(url);
    if (known !== undefined) return known;
    const document = META_SCHEMAS.get(url) ?? this.#load(url);
    const found = draftOf(document, url);
    const draft =
      found === null ? DRAFT_2020 : typeof found === "string" ? this.#resourceAt(found).draft : found;
    const resource = new Resource(url, document, draft);
    this.#validate(resource, resource.root);
    this.#resources.set(url, resource);
    return resource;
  }

  #validate(resource: Resource, { schema, fragment }: Place): void {
    if (OFFICIAL.test(resource.url)) return;
    const meta = metaNode(resource.draft);
    const budget = new Budget(META_STEPS);
    const [first] = checkValue(meta, schema, { budget, tracks: false, locates: true, at: fragment.slice(1) });
    if (first === undefined) return;
    const [url] = splitUrl(meta.location);
    throw new SchemaError(
      `${quote(first.instance)} does not validate with ${url}#${first.keyword}: ${first.message}`,
    );
  }

  /** The schema that a reference at a place leads to. Throws `SchemaError`. */
  reference(resource: Resource, place: Place, stack: Stack, step: string, target: string): SchemaNode {
    const url = resolveUrl(resource.baseOf(place.fragment), target);
    if (url === null) throw new SchemaError(`parse "${target}": not a valid reference`);
    const [address, fragment] = splitUrl(url);
    const from = resource.withUrl(address);
    if (from === undefined) return this.#compileUrl(url, stack, step);
    // The root comes first: it says which vocabularies hold.
    if (resource.root.node === null) this.#node(resource, resource.root, [], "#");
    const found = resource.resolve(from, fragment);
    if (found === undefined) throw new SchemaError(`${url} not found`);
    if (found.isNew) this.#validate(resource, found.place);
    return this.#node(resource, found.place, stack, step);
  }

  /** The schema at `tokens` below a place. */
  below(resource: Resource, place: Place, stack: Stack, ...tokens: readonly string[]): SchemaNode {
    const step = tokens.join("/");
    const known = resource.below(place, ...tokens);
    if (known !== undefined) return this.#node(resource, known, stack, step);
    const pointer = `#/${tokens.map((token) => encodeURIComponent(token.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
    const found = resource.resolve(place, pointer);
    if (found === undefined) throw new SchemaError(`${resource.url}${place.fragment}/${step} not found`);
    if (found.isNew) this.#validate(resource, found.place);
    return this.#node(resource, found.place, stack, step);
  }

  #node(resource: Resource, place: Place, stack: Stack, step: string): SchemaNode {
    const { schema } = place;
    if (place.node !== null) {
      refuseLoop(stack, step, place.node);
      return place.node;
    }
    const node = new SchemaNode(resource.url + place.fragment);
    place.node = node;
    if (isObject(schema)) {
      const { version } = resource.draft;
      if (version === 2019) node.recursiveAnchor = schema["$recursiveAnchor"] === true;
      const anchor = schema["$dynamicAnchor"];
      if (version >= 2020 && typeof anchor === "string") node.dynamicAnchor = anchor;
    }
    node.dynamicAnchors = resource
      .dynamicAnchors(place)
      .map((anchor) => this.#node(resource, anchor, [], anchor.fragment));
    if (typeof schema === "boolean") node.always = schema;
    else if (isObject(schema)) {
      fill({ compiler: this, resource, place, node, schema, stack: [...stack, { step, node }] });
    } else throw new SchemaError(`${node.location} is not a schema`);
    return node;
  }
}

function refuseLoop(stack: Stack, step: string, node: SchemaNode): void {
  if (!stack.some((one) => one.node === node)) return;
  const [first, ...others] = stack;
  const steps = [...others.map((one) => one.step), step].join("/");
  throw new SchemaError(`infinite loop ${first?.node.location ?? ""}/${steps}`);
}
