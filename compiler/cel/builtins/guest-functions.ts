/**
 * The functions that the guest core exports to generated code: name to number of arguments. All take and return
 * tagged values (u64). Overloads that differ only in argument types are one guest function that looks at the tags;
 * overloads that differ in arity are separate ones, the arity in the name. An argument that is an error value is
 * returned as the result (strict functions); `compiler/cel/builtins/` maps every CEL overload to one of these,
 * `assembly/cel/` implements them, one file per family.
 */
export const GUEST_FUNCTIONS = {
  // comparison and logic (assembly/cel/equality.ts, order.ts)
  equals: 2, notEquals: 2, less: 2, lessEquals: 2, greater: 2, greaterEquals: 2, not: 1, isIn: 2,
  // arithmetic (arithmetic.ts)
  add: 2, subtract: 2, multiply: 2, divide: 2, modulo: 2, negate: 1,
  // selection (select.ts): key is a value; hasField/selectField take the field name as a string value
  index: 2, selectField: 2, hasField: 2, optionalIndex: 2, optionalSelectField: 2,
  // conversion (convert.ts)
  toBool: 1, toBytes: 1, toDouble: 1, toDuration: 1, toInt: 1, toText: 1, toTimestamp: 1, toUint: 1, typeOf: 1, toDyn: 1,
  // size and strings (size.ts, strings.ts)
  size: 1, contains: 2, startsWith: 2, endsWith: 2, charAt: 2, indexOf2: 2, indexOf3: 3, lastIndexOf2: 2, lastIndexOf3: 3,
  lowerAscii: 1, upperAscii: 1, replace3: 3, replace4: 4, split2: 2, split3: 3, substring2: 2, substring3: 3, trim: 1,
  join1: 1, join2: 2, reverse: 1, quote: 1, format: 2, matches: 2,
  // timestamps and durations (time.ts): the second argument is the time zone
  getFullYear1: 1, getFullYear2: 2, getMonth1: 1, getMonth2: 2, getDate1: 1, getDate2: 2, getDayOfMonth1: 1, getDayOfMonth2: 2,
  getDayOfWeek1: 1, getDayOfWeek2: 2, getDayOfYear1: 1, getDayOfYear2: 2, getHours1: 1, getHours2: 2, getMinutes1: 1, getMinutes2: 2,
  getSeconds1: 1, getSeconds2: 2, getMilliseconds1: 1, getMilliseconds2: 2,
  // lists and sets (lists.ts, sets.ts)
  slice: 3, flatten1: 1, flatten2: 2, distinct: 1, sort: 1, listsRange: 1, first: 1, last: 1,
  setsContains: 2, setsEquivalent: 2, setsIntersects: 2,
  except: 2, intersect: 2, hasIntersection: 2, isSubset: 2,
  // math (math.ts): greatest and least take a list
  mathGreatest: 1, mathLeast: 1, mathCeil: 1, mathFloor: 1, mathRound: 1, mathTrunc: 1, mathAbs: 1, mathSign: 1, mathIsNaN: 1,
  mathIsInf: 1, mathIsFinite: 1, mathSqrt: 1, mathBitAnd: 2, mathBitOr: 2, mathBitXor: 2, mathBitNot: 1, mathBitShiftLeft: 2,
  mathBitShiftRight: 2,
  // encoders (encoders.ts)
  base64Encode: 1, base64Decode: 1,
  // optionals (optionals.ts)
  optionalOf: 1, optionalOfNonZero: 1, optionalNone: 0, optionalHasValue: 1, optionalValue: 1, optionalOr: 2, optionalOrValue: 2,
  // Cerbos (addresses.ts, time.ts, hierarchy.ts)
  inIPAddrRange: 2, timeSince: 2, identity: 1,
  hierarchy1: 1, hierarchy2: 2, ancestorOf: 2, descendentOf: 2, immediateChildOf: 2, immediateParentOf: 2, overlaps: 2, siblingOf: 2,
  commonAncestors: 2,
} as const satisfies Record<string, number>;

export type GuestFunction = keyof typeof GUEST_FUNCTIONS;
