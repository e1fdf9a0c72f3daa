/** compiler/cel/builtins: the overload table against the guest's functions. */
import { describe, expect, it } from "vitest";
import { GUEST_FUNCTIONS } from "../../../compiler/cel/builtins/guest-functions.ts";
import { overloads } from "../../../compiler/cel/builtins/overload-table.ts";

const rows = [...overloads.values()].flat();

/** Guest functions that no row names: nodes and methods of the language other than calls. */
const OTHER_USES = new Set(["selectField", "hasField", "optionalSelectField", "succeeds", "variableValue"]);

/** Functions whose arguments are packed differently for the guest. */
const REPACKED = new Set(["math.greatest", "math.least", "timeSince"]);

describe("the overload table", () => {
  it("names one guest function per name, call style and number of arguments", () => {
    const guests = new Map<string, Set<string>>();
    for (const { name, style, parameters, guest } of rows) {
      // The index operator of optionals is told from the others by its first argument.
      if (name === "_[_]") continue;
      const key = `${style} ${name}/${parameters.length}`;
      guests.set(key, (guests.get(key) ?? new Set()).add(guest));
    }
    expect([...guests].filter(([, names]) => names.size > 1)).toEqual([]);
  });

  it("passes as many arguments as the guest function takes", () => {
    const wrong = rows.filter(
      ({ name, parameters, guest }) => !REPACKED.has(name) && parameters.length !== GUEST_FUNCTIONS[guest],
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("uses every guest function", () => {
    const used = new Set<string>(rows.map(({ guest }) => guest));
    expect(
      Object.keys(GUEST_FUNCTIONS).filter((guest) => !used.has(guest) && !OTHER_USES.has(guest)),
    ).toEqual([]);
  });

  it("holds no row twice", () => {
    const keys = rows.map(({ name, style, parameters }) => `${style} ${name} ${JSON.stringify(parameters)}`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });
});
