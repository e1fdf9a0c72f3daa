/** The functions of CEL that generated code imports, one line per family; compiler/cel/builtins/guest-functions.ts lists them. */
export { inIPAddrRange } from "./addresses";
export { add, divide, modulo, multiply, negate, subtract } from "./arithmetic";
export {
  append,
  appendOptional,
  count,
  fuelError,
  item,
  listBuilder,
  mapBuilder,
  pairKey,
  pairValue,
  put,
  putNew,
  putEntry,
  putOptional,
  rangeItems,
  rangeList,
  rangePairs,
  tick,
} from "./comprehension";
export { and, asBool, notABool, or } from "./control-flow";
export { toBool, toBytes, toDouble, toDyn, toInt, toText, toUint } from "./convert";
export { jsonEncode } from "./json-encode";
export { base64Decode, base64Encode } from "./encoders";
export { equals, notEquals } from "./equality";
export {
  ancestorOf,
  commonAncestors,
  descendentOf,
  hierarchy1,
  hierarchy2,
  immediateChildOf,
  immediateParentOf,
  overlaps,
  siblingOf,
} from "./hierarchy";
export { identity } from "./identity";
export {
  cidrContainsCIDR,
  cidrContainsIP,
  cidrIP,
  cidrIsMask,
  cidrMasked,
  cidrOfText,
  cidrPrefixLength,
  ipFamily,
  ipIsCanonical,
  ipIsGlobalUnicast,
  ipIsLinkLocalMulticast,
  ipIsLinkLocalUnicast,
  ipIsLoopback,
  ipIsUnspecified,
  ipOfText,
  isCIDR,
  isIP,
} from "./network";
export { succeeds } from "./presence";
export { variableValue } from "./variables";
export { pathMatch, pathMatchAnyOf } from "./path-match";
export { basePath, dirPath, extPath, joinPath, pathHasPrefix, relPath, volumeName } from "./paths";
export {
  distinct,
  first,
  flatten1,
  flatten2,
  last,
  listsRange,
  reverse,
  slice,
  sort,
  sortByKeys,
} from "./lists";
export { not } from "./logic";

export {
  mathAbs,
  mathBitAnd,
  mathBitNot,
  mathBitOr,
  mathBitShiftLeft,
  mathBitShiftRight,
  mathBitXor,
  mathCeil,
  mathFloor,
  mathGreatest,
  mathIsFinite,
  mathIsInf,
  mathIsNaN,
  mathLeast,
  mathRound,
  mathSign,
  mathSqrt,
  mathTrunc,
} from "./math";
export {
  optionalHasValue,
  optionalNone,
  optionalOf,
  optionalOfNonZero,
  optionalOr,
  optionalOrValue,
  optionalUnwrap,
  optionalValue,
} from "./optionals";
export { greater, greaterEquals, less, lessEquals } from "./order";
export { matches, regexExtract, regexExtractAll, regexReplace3, regexReplace4 } from "./regex";
export { hasField, index, isIn, optionalIndex, optionalSelectField, selectField } from "./select";
export {
  except,
  hasIntersection,
  intersect,
  isSubset,
  setsContains,
  setsEquivalent,
  setsIntersects,
} from "./sets";
export { size } from "./size";
export {
  spiffeDomainOf,
  spiffeID,
  spiffeIsMemberOf,
  spiffeMatchAny,
  spiffeMatchesID,
  spiffeMatchExact,
  spiffeMatchOneOf,
  spiffeMatchTrustDomain,
  spiffeName,
  spiffePath,
  spiffeTrustDomain,
} from "./spiffe";
export { join1, join2, quote, replace3, replace4 } from "./string-building";
export {
  charAt,
  indexOf2,
  indexOf3,
  lastIndexOf2,
  lastIndexOf3,
  lowerAscii,
  split2,
  split3,
  substring2,
  substring3,
  trim,
  upperAscii,
} from "./string-extension";
export { contains, endsWith, startsWith } from "./strings";
export {
  getDate1,
  getDate2,
  getDayOfMonth1,
  getDayOfMonth2,
  getDayOfWeek1,
  getDayOfWeek2,
  getDayOfYear1,
  getDayOfYear2,
  getFullYear1,
  getFullYear2,
  getHours1,
  getHours2,
  getMilliseconds1,
  getMilliseconds2,
  getMinutes1,
  getMinutes2,
  getMonth1,
  getMonth2,
  getSeconds1,
  getSeconds2,
  timeSince,
  toDuration,
  toTimestamp,
} from "./time";
export { typeOf } from "./types";
export { isError } from "../value/value";
export { format } from "./format";
