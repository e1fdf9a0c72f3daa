/** Codes of the cel stage, EDICT3xxx. A code is never used twice, nor for another meaning. */
import type { CodeTable } from "./code-table.ts";

export const celCodes = {
  // syntax
  EDICT3001: {
    message: "unexpected `{found}` in the expression, expected {expected}",
    help: "check the syntax of the expression around this place",
  },
  EDICT3002: {
    message: "the expression ends too early, expected {expected}",
    help: "finish the expression, or close what is still open",
  },
  EDICT3003: {
    message: "the character `{found}` means nothing in an expression",
    help: "names hold letters, digits and `_` only; put other text between quotes",
  },
  EDICT3004: {
    message: "the string is not closed",
    help: "end it with the quote that began it; only triple-quoted strings may span lines",
  },
  EDICT3005: {
    message: "invalid escape `{escape}`",
    help: 'write a backslash as `\\\\`, or use a raw string such as r"\\d+"',
  },
  EDICT3006: {
    message: "`{number}` is out of range for {type}",
    help: "int is 64 bits with a sign, uint is 64 bits without, double is IEEE 754",
  },
  EDICT3007: { message: "`{name}` is a reserved word", help: "choose another name" },
  EDICT3008: {
    message: "the expression is nested too deeply, at most {limit} levels are allowed",
    help: "move parts of it into variables",
  },
  EDICT3009: {
    message: "the expression has {length} characters, at most {limit} are allowed",
    help: "move parts of it into variables, or the data into constants",
  },
  EDICT3010: {
    message: "the expression is too complex to check",
    help: "move parts of it into variables",
  },
  EDICT3011: {
    message: "the expression holds half of a surrogate pair",
    help: "save the file as valid UTF-8",
  },
  // names
  EDICT3020: {
    message: "unknown name `{name}`",
    help: "the names at hand are request, P, R, V, C, G and runtime; text goes between quotes",
  },
  EDICT3021: { message: "`{object}` has no field `{field}`", help: "the fields are {fields}" },
  EDICT3022: {
    message: "a value of type `{type}` has no fields, so `.{field}` cannot be selected",
    help: "only maps, messages and dynamic values have fields",
  },
  EDICT3023: { message: "undefined variable `{name}`", help: "define it under `variables`, or import it" },
  EDICT3024: { message: "undefined constant `{name}`", help: "define it under `constants`, or import it" },
  EDICT3025: {
    message: "undefined variable `{name}` referenced in variable `{variable}`",
    help: "define it under `variables`, or import it",
  },
  EDICT3026: {
    message: "undefined constant `{name}` referenced in variable `{variable}`",
    help: "define it under `constants`, or import it",
  },
  EDICT3027: { message: "variable `{name}` references itself", help: "a variable cannot need its own value" },
  EDICT3028: {
    message: "variables {members} form a cycle",
    help: "break the cycle by writing out one of them",
  },
  // functions and types
  EDICT3030: { message: "unknown function `{name}`", help: "check the spelling and the number of arguments" },
  EDICT3031: {
    message: "function `{name}` cannot be applied to {types}",
    help: "convert the arguments, or wrap one in dyn() to decide when the request is checked",
  },
  EDICT3032: {
    message: "operator `{name}` cannot be applied to {types}",
    help: "convert one side, as in double(x), or wrap it in dyn() to compare when the request is checked",
  },
  EDICT3034: {
    message: "`{name}` is not supported yet",
    help: "edict does not have this part of the language yet",
  },
  EDICT3035: {
    message: "expected a value of type `{expected}` but this is `{found}`",
    help: "compare the value with something, or convert it",
  },
  EDICT3036: {
    message: "`{macro}` cannot iterate over a value of type `{type}`",
    help: "only lists, maps and dynamic values can be iterated over",
  },
  // macros
  EDICT3040: {
    message: "`{macro}` expects a simple name here",
    help: "name the variable, as in list.exists(item, item > 1)",
  },
  EDICT3041: { message: "`has` expects a field selection", help: "write it as in has(P.attr.team)" },
  EDICT3042: {
    message: "variable `{name}` is named twice in one `{macro}`",
    help: "give the two variables two names",
  },
  EDICT3043: { message: "`{name}` cannot be used as a variable of `{macro}`", help: "choose another name" },
  EDICT3044: {
    message: "`{macro}` expects numbers or a list of numbers",
    help: "write it as in math.greatest(1, 2)",
  },
  EDICT3045: {
    message: "`sortBy` cannot be applied to this",
    help: "apply it to a list, a name, a field or the result of a function",
  },
  // literal arguments
  EDICT3050: {
    message: "`{text}` is not a duration",
    help: "write it as in 1h30m, 45s or 300ms; the largest unit is h",
  },
  EDICT3051: {
    message: "`{text}` is not a timestamp",
    help: "write it as in 2026-01-31T09:30:00Z, between the years 1 and 9999",
  },
  EDICT3052: {
    message: "`{text}` is not an IP address",
    help: "write it as in 10.0.0.1 or 2001:db8::1, without a zone; IPv4 addresses are not written as IPv6",
  },
  EDICT3053: {
    message: "invalid format string: {reason}",
    help: "the clauses are %s %d %f %e %b %x %X %o and %%",
  },
  EDICT3054: {
    message: "`{text}` is not an IP range",
    help: "write it as in 10.0.0.0/8 or 2001:db8::/32, without a zone; IPv4 ranges are not written as IPv6",
  },
  EDICT3055: {
    message: "invalid regular expression: {reason}",
    help: "patterns have RE2's syntax: no look-around, no back references, counts up to 1000; backslashes are doubled in CEL texts",
  },
} as const satisfies CodeTable;
