/**
 * The only place in compiler/ that throws: a broken invariant is a bug in edict, never a problem in a policy.
 * Problems in policies are `Diagnostic` values.
 */

/** Thrown for bugs only; the message is for us, not for the author of a policy. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Asserts what the surrounding code relies on. Throws `InvariantError`. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) {
    throw new InvariantError(`invariant broken: ${message}`);
  }
}

/** Marks a branch that no value can reach; the type checker proves it where it can. Throws `InvariantError`. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${String(value)}`);
}
