/**
 * Cases of corpus/cel_spec that Cerbos 0.55 does not satisfy either, with the reason. Every one was put to the real binary, as
 * an output of a rule. That edict gives the very value of Cerbos is for test/differential/expressions.yaml to show.
 */
import type { KnownFailures } from "./targets.ts";

const NO_BLOCK = "Cerbos has no `cel.block`: it does not compile";
const ALWAYS_CHECKED = "Cerbos always type-checks: the expression does not compile";
const DOUBLE_KEYS = "Cerbos accepts doubles as keys of a map literal";
const REPEATED_KEYS = "in Cerbos the last of equal keys of a map literal wins";
const MIXED_KEYS = "Cerbos accepts `0` and `0u` as keys of one map literal";
const OPTIONAL_FIELD = "in Cerbos an optional field of a value that is no map is none";
const INDEX_PAST_END = "in Cerbos a search from past the end finds nothing";
const MILLISECONDS = "in Cerbos the milliseconds of a duration are all of it, 123321";
const MAPPED_ADDRESS = "Cerbos refuses IPv4-mapped IPv6 addresses: it does not compile";

export const CEL_SPEC_KNOWN: KnownFailures = {
  "basic/functions/unbound_is_runtime_error": ALWAYS_CHECKED,
  "basic/variables/unbound_is_runtime_error": ALWAYS_CHECKED,
  "block_ext/basic/adjacent_macros": NO_BLOCK,
  "block_ext/basic/call": NO_BLOCK,
  "block_ext/basic/inclusion_list": NO_BLOCK,
  "block_ext/basic/inclusion_map": NO_BLOCK,
  "block_ext/basic/int_add": NO_BLOCK,
  "block_ext/basic/macro_shadowed_variable_1": NO_BLOCK,
  "block_ext/basic/macro_shadowed_variable_2": NO_BLOCK,
  "block_ext/basic/map_index": NO_BLOCK,
  "block_ext/basic/multiple_macros_1": NO_BLOCK,
  "block_ext/basic/multiple_macros_2": NO_BLOCK,
  "block_ext/basic/multiple_macros_3": NO_BLOCK,
  "block_ext/basic/nested_list_construction": NO_BLOCK,
  "block_ext/basic/nested_macros_1": NO_BLOCK,
  "block_ext/basic/nested_macros_2": NO_BLOCK,
  "block_ext/basic/nested_map_construction": NO_BLOCK,
  "block_ext/basic/optional_list": NO_BLOCK,
  "block_ext/basic/optional_map": NO_BLOCK,
  "block_ext/basic/optional_map_chained": NO_BLOCK,
  "block_ext/basic/presence_test": NO_BLOCK,
  "block_ext/basic/presence_test_2": NO_BLOCK,
  "block_ext/basic/size_1": NO_BLOCK,
  "block_ext/basic/size_2": NO_BLOCK,
  "block_ext/basic/size_3": NO_BLOCK,
  "block_ext/basic/size_4": NO_BLOCK,
  "block_ext/basic/timestamp": NO_BLOCK,
  "comparisons/eq_literal/eq_list_elem_mixed_types": ALWAYS_CHECKED,
  "comparisons/eq_literal/eq_mixed_types": ALWAYS_CHECKED,
  "comparisons/eq_literal/not_eq_list_length": ALWAYS_CHECKED,
  "comparisons/ne_literal/ne_mixed_types": ALWAYS_CHECKED,
  "fields/qualified_identifier_resolution/map_key_float": DOUBLE_KEYS,
  "fields/qualified_identifier_resolution/map_value_repeat_key": REPEATED_KEYS,
  "fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous": MIXED_KEYS,
  "logic/AND/short_circuit_type_left": ALWAYS_CHECKED,
  "logic/AND/short_circuit_type_right": ALWAYS_CHECKED,
  "logic/OR/short_circuit_type_left": ALWAYS_CHECKED,
  "logic/OR/short_circuit_type_right": ALWAYS_CHECKED,
  "logic/conditional/mixed_type": ALWAYS_CHECKED,
  "network_ext/ipv4/ipv4_equals_ipv6": MAPPED_ADDRESS,
  "network_ext/ipv4/ipv4_not_equals_ipv6": MAPPED_ADDRESS,
  "optionals/optionals/map_null_entry_no_such_key": OPTIONAL_FIELD,
  "optionals/optionals/map_present_key_invalid_field": OPTIONAL_FIELD,
  "parse/receiver_function_names/as": ALWAYS_CHECKED,
  "parse/receiver_function_names/break": ALWAYS_CHECKED,
  "parse/receiver_function_names/const": ALWAYS_CHECKED,
  "parse/receiver_function_names/continue": ALWAYS_CHECKED,
  "parse/receiver_function_names/else": ALWAYS_CHECKED,
  "parse/receiver_function_names/for": ALWAYS_CHECKED,
  "parse/receiver_function_names/function": ALWAYS_CHECKED,
  "parse/receiver_function_names/if": ALWAYS_CHECKED,
  "parse/receiver_function_names/import": ALWAYS_CHECKED,
  "parse/receiver_function_names/let": ALWAYS_CHECKED,
  "parse/receiver_function_names/loop": ALWAYS_CHECKED,
  "parse/receiver_function_names/namespace": ALWAYS_CHECKED,
  "parse/receiver_function_names/package": ALWAYS_CHECKED,
  "parse/receiver_function_names/return": ALWAYS_CHECKED,
  "parse/receiver_function_names/var": ALWAYS_CHECKED,
  "parse/receiver_function_names/void": ALWAYS_CHECKED,
  "parse/receiver_function_names/while": ALWAYS_CHECKED,
  "string_ext/value_errors/indexof_out_of_range": INDEX_PAST_END,
  "string_ext/value_errors/lastindexof_out_of_range": INDEX_PAST_END,
  "timestamps/duration_converters/get_milliseconds": MILLISECONDS,
};
