/** The named principals, resources, claims and groups that a suite file or the files of `testdata/` define. */
import { FieldReader, quotedKey } from "./read-fields.ts";
import type { SuiteNode, SuiteProblem } from "./suite-tree.ts";
import type { Claims, Fixtures, Principal, Resource } from "./suite.ts";

/** Reads whichever of the fixture fields the file has. */
export function readFixtureFields(
  fields: FieldReader,
  parse: SuiteProblem[],
  content: SuiteProblem[],
): Fixtures {
  return {
    principals: named(fields, "principals", (node, path) => readPrincipal(node, path, parse, content)),
    resources: named(fields, "resources", (node, path) => readResource(node, path, parse, content)),
    auxData: named(fields, "auxData", (node) => readClaims(node, parse)),
    principalGroups: named(fields, "principalGroups", (node, path) =>
      group(node, "principals", path, parse, content),
    ),
    resourceGroups: named(fields, "resourceGroups", (node, path) =>
      group(node, "resources", path, parse, content),
    ),
  };
}

function named<T>(
  fields: FieldReader,
  field: string,
  read: (node: SuiteNode, path: string) => T,
): Map<string, T> {
  return new Map(
    fields.entries(field).map(([name, { node }]) => [name, read(node, `${field}[${quotedKey(name)}]`)]),
  );
}

function readPrincipal(
  node: SuiteNode,
  path: string,
  parse: SuiteProblem[],
  content: SuiteProblem[],
): Principal {
  const fields = new FieldReader(node, ["id", "policyVersion", "roles", "attr", "scope"], parse);
  const roles = fields.names("roles", path, content);
  require(fields, ["id"], path, content);
  if (roles.length === 0) {
    content.push({ place: fields.keyPlace("roles"), message: `${path}.roles: value is required` });
  }
  return { id: fields.text("id"), roles, attr: fields.values("attr"), ...common(fields) };
}

function readResource(
  node: SuiteNode,
  path: string,
  parse: SuiteProblem[],
  content: SuiteProblem[],
): Resource {
  const fields = new FieldReader(node, ["kind", "policyVersion", "id", "attr", "scope"], parse);
  require(fields, ["kind", "id"], path, content);
  return { kind: fields.text("kind"), id: fields.text("id"), attr: fields.values("attr"), ...common(fields) };
}

function common(fields: FieldReader): { policyVersion?: string; scope?: string } {
  const [policyVersion, scope] = [fields.text("policyVersion"), fields.text("scope")];
  return { ...(policyVersion === "" ? {} : { policyVersion }), ...(scope === "" ? {} : { scope }) };
}

function require(fields: FieldReader, names: readonly string[], path: string, content: SuiteProblem[]): void {
  for (const name of names) {
    if (fields.text(name) === "") {
      content.push({ place: fields.keyPlace(name), message: `${path}.${name}: value is required` });
    }
  }
}

function readClaims(node: SuiteNode, parse: SuiteProblem[]): Claims {
  const fields = new FieldReader(node, ["jwt", "jwts"], parse);
  const jwts = fields.entries("jwts").map(([name, field]) => {
    const token = new FieldReader(field.node, ["claims"], parse);
    return [name, { claims: token.values("claims") }] as const;
  });
  return {
    ...(fields.has("jwt") ? { jwt: fields.values("jwt") } : {}),
    ...(jwts.length === 0 ? {} : { jwts: Object.fromEntries(jwts) }),
  };
}

function group(
  node: SuiteNode,
  members: string,
  path: string,
  parse: SuiteProblem[],
  content: SuiteProblem[],
): readonly string[] {
  const fields = new FieldReader(node, [members], parse);
  const names = fields.names(members, path, content);
  if (names.length === 0) {
    content.push({ place: fields.keyPlace(members), message: `${path}.${members}: value is required` });
  }
  return names;
}
