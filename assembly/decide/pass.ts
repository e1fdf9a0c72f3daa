/** What a scope, a role or a whole pass of a decision came to (decide.ts). */
export const UNDECIDED: i32 = 0;
export const ALLOWED: i32 = 1;
export const DENIED: i32 = 2;
/** Strict mode: the whole action is denied at once. */
export const ABORTED: i32 = 3;

/** Fuel for one role at one scope, rows aside: what it takes in time, since a request may name a hundred thousand roles. */
export const SCOPE_FUEL: u32 = 4;
