/**
 * A small reader of `*_test.yaml` policy test suites (COMPAT.md section 15), enough to ask an engine what a suite
 * states: fixtures of the suite itself, the principal x resource x action matrix, DENY where nothing is expected. No
 * `testdata/` fixtures, groups, auxData, outputs, filters or reports; those belong to `edict test`.
 */
import { parse } from "yaml";
import type { Principal, Resource } from "../differential/interpreter/request.ts";

interface Suite {
  readonly name: string;
  readonly principals?: Readonly<Record<string, Principal>>;
  readonly resources?: Readonly<Record<string, Resource>>;
  readonly tests: readonly {
    readonly name: string;
    readonly input: {
      readonly principals: readonly string[];
      readonly resources: readonly string[];
      readonly actions: readonly string[];
    };
    readonly expected?: readonly {
      readonly principal: string;
      readonly resource: string;
      readonly actions: Readonly<Record<string, string>>;
    }[];
  }[];
}

/** One cell of a suite's matrix. */
export interface SuiteCell {
  readonly test: string;
  readonly principal: Principal;
  readonly resource: Resource;
  readonly action: string;
  readonly want: string;
}

/** Every cell of a suite; throws when a test names a fixture that the suite does not define. */
export function suiteCells(text: string): readonly SuiteCell[] {
  const suite: Suite = parse(text);
  return suite.tests.flatMap(({ name, input, expected }) =>
    input.principals.flatMap((principal) =>
      input.resources.flatMap((resource) =>
        input.actions.map((action) => {
          const stated = expected?.find((each) => each.principal === principal && each.resource === resource);
          return {
            test: `${suite.name}: ${name}`,
            principal: fixture(suite.principals, principal),
            // Suites may leave out the id, which a request must have.
            resource: {
              ...fixture(suite.resources, resource),
              id: suite.resources?.[resource]?.id ?? resource,
            },
            action,
            want: stated?.actions[action] ?? "EFFECT_DENY",
          };
        }),
      ),
    ),
  );
}

function fixture<T>(fixtures: Readonly<Record<string, T>> | undefined, name: string): T {
  const found = fixtures?.[name];
  if (found === undefined) throw new Error(`the suite has no fixture \`${name}\``);
  return found;
}
