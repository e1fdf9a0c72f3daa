/**
 * The evaluation budget of a request: every loop over request or policy data burns fuel, so no condition can
 * hold a serving thread. When it runs out the request is denied with STATUS_FUEL.
 */

let remaining: i64 = 0;

/** Gives the request `units` of fuel (about one unit per loop turn or 16 bytes of string work). */
export function refuel(units: i64): void {
  remaining = units;
}

/** Takes `units`; false when the budget is used up. Callers then answer `fail(ERROR_FUEL, NULL)`. */
export function burn(units: u32): bool {
  remaining -= <i64>units;
  return remaining >= 0;
}

/** Whether the request used more than it had. */
export function outOfFuel(): bool {
  return remaining < 0;
}

/** What is left; what two calls differ by was burnt between them. */
export function fuelLeft(): i64 {
  return remaining;
}
