/**
 * Type inference: which type a type variable stands for, and whether one type may stand where another is expected.
 * The rules are those of cel-go's checker: `dyn` fits everywhere, null fits messages, timestamps, durations and
 * optionals, and a variable that meets several types takes the most general. Work is bounded: after MAX_TYPE_STEPS
 * everything is `dyn` and `exhausted` says so.
 */
import type { CelType } from "./expression.ts";
import { MAX_TYPE_STEPS } from "./limits.ts";
import { DYN, parameter, typeArguments, withArguments } from "./types.ts";

type Parameter = CelType & { readonly kind: "parameter" };

export class TypeVariables {
  readonly #bindings = new Map<string, CelType>();
  /** Changes since the outermost comparison began, to be undone when it fails: name and what it was bound to. */
  #trail: (readonly [string, CelType | undefined])[] = [];
  #count = 0;
  #steps = 0;

  get exhausted(): boolean {
    return this.#steps > MAX_TYPE_STEPS;
  }

  fresh(): CelType {
    return parameter(`_${this.#count++}`);
  }

  /** `types` with each parameter replaced by a variable that nothing else uses. */
  instantiate(types: readonly CelType[]): readonly CelType[] {
    const renamed = new Map<string, CelType>();
    const rename = (type: CelType): CelType => {
      if (type.kind === "parameter") {
        const known = renamed.get(type.name) ?? this.fresh();
        renamed.set(type.name, known);
        return known;
      }
      const args = typeArguments(type);
      return args.length === 0 ? type : withArguments(type, args.map(rename));
    };
    return types.map(rename);
  }

  /** Whether every type of `given` may stand for the one of `expected`; if not, nothing is bound. */
  assignAll(given: readonly CelType[], expected: readonly CelType[]): boolean {
    if (given.length !== expected.length) return false;
    this.#trail = [];
    const fits = given.every((type, index) => this.#fits(type, expected[index] ?? DYN));
    if (!fits) this.#undo();
    return fits;
  }

  /** Whether `given` may stand for `expected`; if not, nothing is bound. */
  assign(given: CelType, expected: CelType): boolean {
    return this.assignAll([given], [expected]);
  }

  /** The type of an aggregate that holds both: the more general of the two, `dyn` where they do not meet. */
  join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.assign(previous, current) ? this.#mostGeneral(previous, current) : DYN;
  }

  /** `type` with every bound variable replaced; `final` replaces the unbound ones by dyn. */
  substitute(type: CelType, final = false): CelType {
    this.#steps++;
    if (this.exhausted) return DYN;
    if (type.kind === "parameter") {
      const bound = this.#bindings.get(type.name);
      if (bound !== undefined) return this.substitute(bound, final);
      return final ? DYN : type;
    }
    const args = typeArguments(type);
    if (args.length === 0) return type;
    const replaced = args.map((arg) => this.substitute(arg, final));
    return replaced.every((arg, index) => arg === args[index]) ? type : withArguments(type, replaced);
  }

  #fits(given: CelType, expected: CelType): boolean {
    this.#steps++;
    if (this.exhausted) return true;
    if (expected.kind === "parameter") {
      const outcome = this.#unify(given, expected);
      if (outcome !== "unrelated") return outcome === "fits";
    }
    if (given.kind === "parameter") return this.#unify(expected, given) === "fits";
    if (given.kind === "dyn" || expected.kind === "dyn") return true;
    if (given.kind === "null") return isNullable(expected);
    if (expected.kind === "null") return isNullable(given);
    if (given.kind !== expected.kind) return false;
    if (given.kind === "object") return expected.kind === "object" && given.name === expected.name;
    const expectedArgs = typeArguments(expected);
    return typeArguments(given).every((arg, index) => this.#fits(arg, expectedArgs[index] ?? DYN));
  }

  /** Tries `type` as what `variable` stands for. `unrelated`: it cannot be bound, but was not bound before either. */
  #unify(type: CelType, variable: Parameter): "fits" | "clashes" | "unrelated" {
    if (this.#same(type, variable)) return "fits";
    const bound = this.#bindings.get(variable.name);
    if (bound === undefined) {
      if (!this.#isFree(variable, type)) return "unrelated";
      this.#bind(variable, type);
      return "fits";
    }
    if (this.#same(type, bound)) return "fits";
    if (!this.#fits(type, bound)) return "clashes";
    const general = this.#mostGeneral(type, bound);
    if (general !== bound && this.#isFree(variable, general)) this.#bind(variable, general);
    return "fits";
  }

  #bind(variable: Parameter, type: CelType): void {
    this.#trail.push([variable.name, this.#bindings.get(variable.name)]);
    this.#bindings.set(variable.name, type);
  }

  #undo(): void {
    for (const [name, before] of this.#trail.reverse()) {
      if (before === undefined) this.#bindings.delete(name);
      else this.#bindings.set(name, before);
    }
    this.#trail = [];
  }

  /** Whether `variable` does not occur in `type`, so that binding it makes no endless type. */
  #isFree(variable: Parameter, type: CelType): boolean {
    this.#steps++;
    if (this.exhausted) return false;
    if (type.kind === "parameter") {
      if (type.name === variable.name) return false;
      const bound = this.#bindings.get(type.name);
      return bound === undefined || this.#isFree(variable, bound);
    }
    return typeArguments(type).every((arg) => this.#isFree(variable, arg));
  }

  #mostGeneral(a: CelType, b: CelType): CelType {
    return this.#isAsGeneral(a, b) ? a : b;
  }

  #isAsGeneral(a: CelType, b: CelType): boolean {
    this.#steps++;
    if (this.exhausted || a.kind === "dyn" || a.kind === "parameter") return true;
    if (b.kind === "dyn" || b.kind === "parameter" || a.kind !== b.kind) return false;
    if (a.kind === "object") return b.kind === "object" && a.name === b.name;
    const bArgs = typeArguments(b);
    return typeArguments(a).every((arg, index) => this.#isAsGeneral(arg, bArgs[index] ?? DYN));
  }

  /** Whether both are written alike; bound variables are not looked through. */
  #same(a: CelType, b: CelType): boolean {
    this.#steps++;
    if (a === b || this.exhausted) return true;
    if (a.kind !== b.kind) return false;
    if ((a.kind === "object" || a.kind === "parameter") && (b.kind === "object" || b.kind === "parameter")) {
      return a.name === b.name;
    }
    const bArgs = typeArguments(b);
    return typeArguments(a).every((arg, index) => this.#same(arg, bArgs[index] ?? DYN));
  }

  /** Whether two types are the same once variables are replaced. */
  equal(a: CelType, b: CelType): boolean {
    return this.#same(this.substitute(a), this.substitute(b));
  }
}

function isNullable(type: CelType): boolean {
  return ["null", "object", "optional", "timestamp", "duration"].includes(type.kind);
}
