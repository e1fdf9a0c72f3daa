/**
 * The contract between the compiler, the WASM guest and the runtime; `asc` and `tsc` both read this file.
 *
 * Only un-annotated `export const` numbers live here, because that is the one form both compilers agree on.
 * Anything that changes the meaning of a number here must raise `ABI_VERSION`.
 */

/** Raised with every incompatible change; a bundle built for another version is refused. */
export const ABI_VERSION = 4;

// ---------------------------------------------------------------------------------------------------------
// Linear memory: fixed addresses
//
//   0        64           4096            IMAGE_BASE                                          memory end
//   | unused | control    | core statics  | image (tables, literals) | caches, time zones, patterns, shortlists, known prefixes | input | arena | output |
// ---------------------------------------------------------------------------------------------------------

/** Address of the control block: u32 words through which guest and host exchange results. */
export const CONTROL_BASE = 64;
/** First byte of the response. */
export const CONTROL_OUTPUT_START = 0;
/** Length of the response in bytes. */
export const CONTROL_OUTPUT_LENGTH = 4;
/** Byte offset in the request where decoding failed. */
export const CONTROL_ERROR_OFFSET = 8;
/** A second number describing the error, by status: the count found, for limits; unused otherwise. */
export const CONTROL_ERROR_DETAIL = 12;
/** Address where the host writes request bytes. */
export const CONTROL_INPUT_START = 16;
/** Capacity of the input region in bytes. */
export const CONTROL_INPUT_CAPACITY = 20;
/** Number of resources in the last request. */
export const CONTROL_RESOURCES = 24;
/** Number of decisions (resource, action pairs) in the last request. */
export const CONTROL_DECISIONS = 28;
/** Number of decisions of the last request that were ALLOW. */
export const CONTROL_ALLOWED = 32;
/** Number of conditions of the last request that ended in an error. */
export const CONTROL_CONDITION_ERRORS = 36;
/** First byte and length of the explain trace (u32 words), when `FLAG_TRACE` was set. */
export const CONTROL_TRACE_START = 40;
export const CONTROL_TRACE_LENGTH = 44;
/** Text of the error that the last `evaluateCondition` met (UTF-8); length 0 when there was none. */
export const CONTROL_ERROR_TEXT_START = 48;
export const CONTROL_ERROR_TEXT_LENGTH = 52;
/**
 * Written by the host before `check`, read and cleared by it: lengths of what the host adds behind the body, in this
 * order and without gaps. Claims: JSON text of the value of `request.auxData` (`{"jwt":{}}` or `{"jwts":{}}`), all
 * tokens verified. Verdicts: one record per resource, see assembly/decide/schema-verdicts.ts.
 */
export const CONTROL_CLAIMS_LENGTH = 56;
export const CONTROL_VERDICTS_LENGTH = 60;
/**
 * Written by the host before `check` with FLAG_UNFINISHED: how many entries the `results` of all parts of the response have
 * together, which the head of a msgpack response says.
 */
export const CONTROL_TOTAL_RESOURCES = 64;
/** Byte offset in the request of the first entry of `resources`, once it is decoded; 0 when there is none. */
export const CONTROL_FIRST_RESOURCE = 68;
/** Fuel that the last request has burnt. */
export const CONTROL_FUEL_USED = 72;
/**
 * Written by the host before `check` of an AuthZEN body, read and cleared by it, behind the verdicts: what STATUS_ENTITIES
 * asked for, and the candidates of a search.
 */
export const CONTROL_ENTITIES_LENGTH = 76;
export const CONTROL_CANDIDATES_LENGTH = 80;
/** Written by the host before a search: the most candidates that it wants. Left by it: how many were looked at, in bytes. */
export const CONTROL_SEARCH_LIMIT = 84;
export const CONTROL_SEARCHED = 88;
/** `checkBodies`: most bodies of one call, and bytes of an entry of its table (assembly/decide/bodies.ts). */
export const MOST_BODIES = 32;
export const BODY_ENTRY_SIZE = 16;
/** After `checkFrames` and `checkBodies`: how many requests were decided. After `checkFrames`: the offset in the input of what follows them. */
export const CONTROL_FRAMES = 92;
export const CONTROL_FRAMES_END = 96;
/** Words of the control block. */
export const CONTROL_WORDS = 25;

/** Where the image blob is linked and loaded; core's static data must end below it. */
export const IMAGE_BASE = 262144;

// ---------------------------------------------------------------------------------------------------------
// Formats and flags of a check
// ---------------------------------------------------------------------------------------------------------

export const FORMAT_JSON = 0;
export const FORMAT_MSGPACK = 1;

/** Record a trace of evaluated rules for `--explain`. */
export const FLAG_TRACE = 1;
/** Answer DENY for every action without evaluating anything (fail-closed replies). */
export const FLAG_DENY_ALL = 2;
/** Schemas are enforced: answer STATUS_SCHEMAS when a resource's policy has some and no verdicts came with the call. */
export const FLAG_SCHEMAS = 4;
/**
 * The request is one part of a larger one, cut between entries of `resources` (runtime/batch): the response goes on where that
 * of the part before ended, without a head; or it is left open for the part after, without a tail.
 */
export const FLAG_CONTINUES = 8;
export const FLAG_UNFINISHED = 16;
/**
 * The body is that of an AuthZEN evaluation, of several evaluations, or of a search (Authorization API 1.0, sections 6 to 8):
 * for subjects, resources or actions, which come as candidates.
 */
export const FLAG_EVALUATION = 32;
export const FLAG_EVALUATIONS = 64;
export const FLAG_SEARCH_SUBJECT = 128;
export const FLAG_SEARCH_RESOURCE = 256;
export const FLAG_SEARCH_ACTION = 512;
/** Stored properties of subjects and resources exist: answer STATUS_ENTITIES when none came with the call. */
export const FLAG_ENTITIES = 1024;

// ---------------------------------------------------------------------------------------------------------
// How an error in a condition counts (DESIGN.md 4.5)
// ---------------------------------------------------------------------------------------------------------

export const ON_ERROR_FAIL_CLOSED = 0;
export const ON_ERROR_COMPATIBLE = 1;
export const ON_ERROR_STRICT = 2;

// ---------------------------------------------------------------------------------------------------------
// Status codes returned by `check`: the guest never traps on input
// ---------------------------------------------------------------------------------------------------------

export const STATUS_OK = 0;
/** The bytes end inside a value. */
export const STATUS_TRUNCATED = 1;
/** A byte that cannot stand here. */
export const STATUS_SYNTAX = 2;
/** Something follows the complete message. */
export const STATUS_TRAILING = 3;
/** Nested deeper than `MAX_DEPTH`. */
export const STATUS_DEPTH = 4;
/** A string is not well-formed UTF-8, or an escape names a lone surrogate. */
export const STATUS_UTF8 = 5;
/** The same key twice in one object. */
export const STATUS_DUPLICATE_KEY = 6;
/** A field that the message does not have. */
export const STATUS_UNKNOWN_FIELD = 7;
/** A value of the wrong type for its field. */
export const STATUS_WRONG_TYPE = 8;
/** A number that is malformed, or does not fit a double. */
export const STATUS_NUMBER = 9;
/** A bad escape sequence, or a raw control character in a string. */
export const STATUS_ESCAPE = 10;
/** The decoded request does not fit the arena. */
export const STATUS_MEMORY = 11;
/** Well-formed, but it breaks a validation rule (missing id, no roles, repeated action...). */
export const STATUS_INVALID_REQUEST = 12;
/** More actions in one resource than configured. */
export const STATUS_TOO_MANY_ACTIONS = 13;
/** More resources than configured. */
export const STATUS_TOO_MANY_RESOURCES = 14;
/** The conditions used up the evaluation budget. */
export const STATUS_FUEL = 15;
/** The response does not fit the output region. */
export const STATUS_OUTPUT_FULL = 16;
/** `check` was called before `start` succeeded. */
export const STATUS_NOT_READY = 17;
/** The request carries tokens in `auxData` and came without claims: the host verifies them and calls again. */
export const STATUS_AUX_DATA = 18;
/** The image is not one this core can read. */
export const STATUS_BAD_IMAGE = 19;
/**
 * The host must validate attributes against JSON schemas and call again with verdicts. CONTROL_TRACE_START and
 * CONTROL_TRACE_LENGTH give one u32 per resource: the schema set of its policy (index + 1 into the list of the
 * schemas section), 0 for none.
 */
export const STATUS_SCHEMAS = 20;
/** More pairs of a resource and an action than configured; CONTROL_ERROR_DETAIL is their number. */
export const STATUS_TOO_MANY_PAIRS = 21;
/**
 * The host looks up the stored properties of the body's subjects and resources and calls again with them. CONTROL_TRACE_START and
 * CONTROL_TRACE_LENGTH give ENTITY_WORDS u32 words per entity: 1 for a subject, 0 for a resource; address and length of its
 * type; address and length of its id. The answer has for each of them, in this order: u32 length, and as many bytes of a
 * msgpack map; length 0 for none.
 */
export const STATUS_ENTITIES = 22;
export const ENTITY_WORDS = 5;

/** Most bytes of stored properties, and of candidates, that come with one call. */
export const MAX_ENTITIES_SIZE = 4194304;
export const MAX_CANDIDATES_SIZE = 1048576;

/** Where the roles of AuthZEN subjects come from, and which decisions say why. */
export const ROLES_FROM_PROPERTY = 0;
export const ROLES_FROM_TYPE = 1;
export const ROLES_FROM_TOKEN = 2;
export const REASONS_NONE = 0;
export const REASONS_DENIED = 1;
export const REASONS_ALL = 2;

// ---------------------------------------------------------------------------------------------------------
// The evaluation budget of a request: a fixed part, and a part for every decision it asks for
// ---------------------------------------------------------------------------------------------------------

export const FUEL_BASE = 20000000;
export const FUEL_PER_DECISION = 2000;

/** Room for the time zone database of a bundle (assembly/cel/zones.ts). */
export const ZONES_CAPACITY = 524288;

/** Deepest nesting of arrays and objects in a request. */
export const MAX_DEPTH = 64;

// ---------------------------------------------------------------------------------------------------------
// Which rule a request breaks: CONTROL_ERROR_DETAIL of STATUS_INVALID_REQUEST; CONTROL_ERROR_OFFSET is then the
// index of the resource (0 for rules on the rest of the request)
// ---------------------------------------------------------------------------------------------------------

/** `principal` or its `id` is missing or empty. */
export const INVALID_PRINCIPAL_ID = 1;
export const INVALID_PRINCIPAL_VERSION = 2;
export const INVALID_NO_ROLES = 3;
export const INVALID_ROLE_EMPTY = 4;
export const INVALID_ROLE_REPEATED = 5;
export const INVALID_PRINCIPAL_SCOPE = 6;
export const INVALID_NO_RESOURCES = 7;
export const INVALID_NO_ACTIONS = 8;
export const INVALID_ACTION_EMPTY = 9;
export const INVALID_ACTION_REPEATED = 10;
/** `resource` or its `kind` is missing or empty. */
export const INVALID_RESOURCE_KIND = 11;
export const INVALID_RESOURCE_VERSION = 12;
export const INVALID_RESOURCE_ID = 13;
export const INVALID_RESOURCE_SCOPE = 14;
/** Both `jwt` and `jwts` are given. */
export const INVALID_AUX_DATA_BOTH = 15;
/** A token message without a token. */
export const INVALID_AUX_DATA_TOKEN = 16;

/**
 * Rules of AuthZEN bodies. CONTROL_ERROR_TEXT_* holds the words for them, CONTROL_ERROR_OFFSET the byte offset of the value at fault,
 * 0 when one is missing. First what is missing or empty, then what has the wrong type, then what has a wrong value.
 */
export const INVALID_AUTHZEN_SUBJECT = 32;
export const INVALID_AUTHZEN_SUBJECT_KIND = 33;
export const INVALID_AUTHZEN_SUBJECT_ID = 34;
export const INVALID_AUTHZEN_ACTION = 35;
export const INVALID_AUTHZEN_ACTION_NAME = 36;
export const INVALID_AUTHZEN_RESOURCE = 37;
export const INVALID_AUTHZEN_RESOURCE_KIND = 38;
export const INVALID_AUTHZEN_RESOURCE_ID = 39;
export const INVALID_AUTHZEN_SUBJECT_TYPE = 40;
export const INVALID_AUTHZEN_SUBJECT_KIND_TYPE = 41;
export const INVALID_AUTHZEN_SUBJECT_ID_TYPE = 42;
export const INVALID_AUTHZEN_SUBJECT_PROPERTIES = 43;
export const INVALID_AUTHZEN_ACTION_TYPE = 44;
export const INVALID_AUTHZEN_ACTION_NAME_TYPE = 45;
export const INVALID_AUTHZEN_ACTION_PROPERTIES = 46;
export const INVALID_AUTHZEN_RESOURCE_TYPE = 47;
export const INVALID_AUTHZEN_RESOURCE_KIND_TYPE = 48;
export const INVALID_AUTHZEN_RESOURCE_ID_TYPE = 49;
export const INVALID_AUTHZEN_RESOURCE_PROPERTIES = 50;
export const INVALID_AUTHZEN_CONTEXT = 51;
export const INVALID_AUTHZEN_EVALUATION = 52;
export const INVALID_AUTHZEN_EVALUATIONS = 53;
export const INVALID_AUTHZEN_OPTIONS = 54;
export const INVALID_AUTHZEN_SEMANTIC = 55;
export const INVALID_AUTHZEN_ROLES = 56;
export const INVALID_AUTHZEN_NO_ROLES = 57;
export const INVALID_AUTHZEN_SUBJECT_VERSION = 58;
export const INVALID_AUTHZEN_SUBJECT_SCOPE = 59;
export const INVALID_AUTHZEN_RESOURCE_VERSION = 60;
export const INVALID_AUTHZEN_RESOURCE_SCOPE = 61;
export const INVALID_AUTHZEN_REQUEST_ID = 62;
export const INVALID_AUTHZEN_INCLUDE_META = 63;
export const INVALID_AUTHZEN_AUX_DATA = 64;
export const INVALID_AUTHZEN_STORED = 65;

// ---------------------------------------------------------------------------------------------------------
// Value tags (see assembly/value/value.ts for the bit layout)
// ---------------------------------------------------------------------------------------------------------

/** Never stored: what `tagOf` answers for a plain double. */
export const TAG_DOUBLE = 0;
export const TAG_NULL = 1;
export const TAG_BOOL = 2;
export const TAG_INT = 3;
export const TAG_UINT = 4;
export const TAG_STRING = 5;
export const TAG_BYTES = 6;
export const TAG_LIST = 7;
export const TAG_MAP = 8;
export const TAG_TIMESTAMP = 9;
export const TAG_DURATION = 10;
export const TAG_TYPE = 11;
export const TAG_OPTIONAL = 12;
export const TAG_HIERARCHY = 13;
export const TAG_SPIFFE_ID = 14;
export const TAG_SPIFFE_TRUST_DOMAIN = 15;
export const TAG_SPIFFE_MATCHER = 16;
export const TAG_IP = 17;
export const TAG_CIDR = 18;
/** A part of the request as a whole value, see assembly/cel/messages.ts. */
export const TAG_MESSAGE = 19;
/** An error value; the payload points to an error cell. */
export const TAG_ERROR = 20;
/** An attribute that the request does not have. */
export const TAG_ABSENT = 21;
/** A list or map of the request not yet built: the payload points to a raw cell. */
export const TAG_RAW_JSON = 22;
export const TAG_RAW_MSGPACK = 23;

// ---------------------------------------------------------------------------------------------------------
// Error codes in error cells (CEL run-time errors)
// ---------------------------------------------------------------------------------------------------------

/** `no such key: <detail>`: a missing attribute or map key; detail is the key. */
export const ERROR_NO_SUCH_KEY = 1;
/** `no such overload`. */
export const ERROR_NO_SUCH_OVERLOAD = 2;
export const ERROR_DIVISION_BY_ZERO = 3;
export const ERROR_MODULUS_BY_ZERO = 4;
/** Integer, timestamp or duration overflow, or a conversion out of range. */
export const ERROR_OVERFLOW = 5;
export const ERROR_INDEX_OUT_OF_RANGE = 6;
/** A string that cannot be converted (timestamp, duration, int, IP address...). */
export const ERROR_BAD_CONVERSION = 7;
export const ERROR_BAD_ARGUMENT = 8;
/** The evaluation budget of the request is used up. */
export const ERROR_FUEL = 9;
/** The arena is full. */
export const ERROR_MEMORY = 10;
/** `runtime.effectiveDerivedRoles` could not be computed because a derived role's condition failed. */
export const ERROR_DERIVED_ROLES = 11;
/** `optional.none()` dereferenced. */
export const ERROR_OPTIONAL_NONE = 12;
/** `unknown time zone <detail>`. */
export const ERROR_UNKNOWN_ZONE = 13;
/** A text that no time zone may have as its name. */
export const ERROR_ZONE_NAME = 14;
/** `failed to parse SPIFFE ID: <detail>`; detail says what is wrong. */
export const ERROR_SPIFFE_ID = 15;
/** `failed to parse SPIFFE trust domain: <detail>`. */
export const ERROR_SPIFFE_TRUST_DOMAIN = 16;
/** `invalid SPIFFE ID: <detail>`: a string given to a matcher. */
export const ERROR_SPIFFE_MATCH = 17;
/** A text that is no IP address, or no range; detail is the text, as in the next two. */
export const ERROR_IP = 18;
export const ERROR_CIDR = 19;
/** An address or range that is IPv4-mapped IPv6. */
export const ERROR_MAPPED_ADDRESS = 20;
/** An address with a zone. */
export const ERROR_ADDRESS_ZONE = 21;
/** `no such field '<detail>'`: a part of the request has no field of that name. */
export const ERROR_NO_SUCH_FIELD = 22;

// ---------------------------------------------------------------------------------------------------------
// Outcome of a condition
// ---------------------------------------------------------------------------------------------------------

export const OUTCOME_FALSE = 0;
export const OUTCOME_TRUE = 1;
/** An error that counts three-valued (fail-closed mode). */
export const OUTCOME_ERROR = 2;
/** An error that ends the whole condition at once (strict mode). */
export const OUTCOME_STOP = 3;

// ---------------------------------------------------------------------------------------------------------
// Trace events (FLAG_TRACE): records of four u32 words, in the order things happened
// ---------------------------------------------------------------------------------------------------------

export const TRACE_WORDS = 4;
/** resource index, action index, 0: what follows belongs to this action. */
export const TRACE_ACTION = 1;
/** rule id, role index, outcome of the derived role's condition << 8 | outcome of the rule's condition. */
export const TRACE_RULE = 2;
/** derived role index, outcome, 0. */
export const TRACE_DERIVED_ROLE = 3;
/** effect (EFFECT_*), deciding rule id or 0xffffffff, pass (PASS_*). Ends the action. */
export const TRACE_DECISION = 4;

export const EFFECT_ALLOW = 1;
export const EFFECT_DENY = 2;

/** Nothing matched. */
export const PASS_NONE = 0;
export const PASS_PRINCIPAL = 1;
export const PASS_RESOURCE = 2;
/** Denied because a role policy does not allow the action. */
export const PASS_ROLE = 3;

// ---------------------------------------------------------------------------------------------------------
// Bundle file (DESIGN.md 4.4), all numbers little-endian:
//
//   0 magic "EDICTBDL" | 8 u32 format version | 12 u32 section count | section table | sections, 8-byte aligned
//   section table entry (48 bytes): u32 kind | u32 zero | u32 offset | u32 length | 32 bytes SHA-256 of the section
//
// The bundle digest is the SHA-256 of bytes 0 .. end of the section table, so it covers every section.
//
// A signed bundle has a trailer at the next multiple of 8 behind its last section, which the digest does not cover:
//   magic "EDICTSIG" | u32 length | u32 zero | JSON: a JWS in general serialisation with detached payload (docs/bundles.md)
// ---------------------------------------------------------------------------------------------------------

export const BUNDLE_FORMAT_VERSION = 1;
export const BUNDLE_HEADER_SIZE = 16;
export const BUNDLE_ENTRY_SIZE = 48;
/** JSON: versions, sources, sizes, counts. */
export const SECTION_MANIFEST = 1;
/** The guest core. */
export const SECTION_CORE = 2;
/** The policy module. */
export const SECTION_POLICY = 3;
/** Tables and literals, loaded at IMAGE_BASE. */
export const SECTION_IMAGE = 4;
/** JSON: rules, conditions and derived roles with their places, for explanations. */
export const SECTION_RULES = 5;
/** JSON: `sets` of schemas that policies have, and the `documents` of `_schemas/` by id. */
export const SECTION_SCHEMAS = 6;
/** 7 is never used: signatures stand behind the sections, as a trailer. */
/** The time zones by name (assembly/cel/zones.ts), compressed with Brotli; there when a condition may ask for one. */
export const SECTION_ZONES = 8;
/** JSON: requests and what they came to when the bundle was built (runtime/bundle/self-test.ts). Optional. */
export const SECTION_SELF_TEST = 9;
