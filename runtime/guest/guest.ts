/**
 * One instance of the guest: the only code that touches WASM memory. Bytes go in, a status and a view of the
 * response come out; no JS object is made per request.
 *
 *   0        CONTROL_BASE    IMAGE_BASE              fixed        + input      + arena   + output
 *   | unused | control words | image, core's caches  | zones, input | arena      | output  | memory end
 *
 * Compiled patterns, shortlists and known prefixes, which core keeps from request to request, lie before the input, too, and take 2 MiB of
 * the arena.
 *
 * Memory has its final size from the start and is never grown, because growing detaches every view held here.
 * It knows nothing of JSON, HTTP or policies, and never retries: what a status means is decided in engine.ts.
 */
import { randomBytes } from "node:crypto";
import {
  ABI_VERSION,
  CONTROL_ALLOWED,
  CONTROL_BASE,
  CONTROL_CANDIDATES_LENGTH,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_CONDITION_ERRORS,
  CONTROL_DECISIONS,
  CONTROL_ENTITIES_LENGTH,
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  CONTROL_ERROR_TEXT_LENGTH,
  CONTROL_ERROR_TEXT_START,
  CONTROL_FIRST_RESOURCE,
  CONTROL_FRAMES,
  CONTROL_FRAMES_END,
  CONTROL_FUEL_USED,
  CONTROL_INPUT_CAPACITY,
  CONTROL_INPUT_START,
  CONTROL_OUTPUT_LENGTH,
  CONTROL_OUTPUT_START,
  CONTROL_RESOURCES,
  CONTROL_SEARCHED,
  CONTROL_SEARCH_LIMIT,
  CONTROL_TOTAL_RESOURCES,
  CONTROL_TRACE_LENGTH,
  CONTROL_TRACE_START,
  CONTROL_VERDICTS_LENGTH,
  CONTROL_WORDS,
  ENTITY_WORDS,
  IMAGE_BASE,
  MAX_CANDIDATES_SIZE,
  MAX_ENTITIES_SIZE,
  STATUS_OK,
  ZONES_CAPACITY,
} from "../../assembly/abi.ts";
import { MAX_CLAIMS_SIZE } from "../aux-data/options.ts";
import { MAX_VERDICTS_SIZE } from "../schema/verdicts.ts";
import { BundleError, EdictError, EngineError } from "../errors.ts";
import { BODY_TABLE_SIZE, type BodyTable } from "./body-table.ts";
import { type CompiledBundle, oneLine } from "./modules.ts";
import {
  wasm,
  type WasmExports,
  type WasmImports,
  type WasmMemory,
  type WasmModule,
  type WasmTable,
} from "./webassembly.ts";

/** What core.wasm exports. Statuses and formats are numbers of assembly/abi.ts. */
interface CoreExports {
  readonly table: WasmTable;
  abiVersion(): number;
  heapBase(): number;
  tableBase(): number;
  start(imageLength: number, inputCapacity: number, outputCapacity: number, memoryEnd: number): number;
  setMode(onError: number, lenientScopeSearch: number, maxActions: number, maxResources: number): void;
  setMaxPairs(pairs: number): void;
  setDefaults(versionLength: number, scopeLength: number): void;
  setGlobals(length: number): number;
  setAuthzen(roleSource: number, nameLength: number, reasons: number): void;
  seed(a: number, b: number, c: number, d: number, e: number, f: number): void;
  check(length: number, inputFormat: number, outputFormat: number, flags: number, nowMillis: number): number;
  checkFrames(length: number, most: number, longest: number, flags: number, nowMillis: number): number;
  checkBodies(length: number, count: number, flags: number, nowMillis: number): number;
  zonesStart(): number;
  useZones(length: number): number;
  evaluateCondition(id: number): number;
  usedNow(): number;
}

/** How an instance is set up; fixed for its lifetime. */
export interface GuestSettings {
  /** Largest request in bytes. */
  readonly inputCapacity: number;
  /** ON_ERROR_*. */
  readonly onError: number;
  readonly lenientScopeSearch: boolean;
  readonly maxActions: number;
  readonly maxResources: number;
  readonly maxPairs: number;
  readonly defaultPolicyVersion: string;
  readonly defaultScope: string;
  /** `engine.globals` as JSON text. */
  readonly globals: string;
  /** ROLES_FROM_* and the name of the property or claim; REASONS_*. */
  readonly roleSource: number;
  readonly roleName: string;
  readonly reasons: number;
  /** The instant of a request, in milliseconds since 1970. */
  readonly clock: () => number;
}

/** Figures of a decided part of a request. */
export interface PartFacts {
  readonly resources: number;
  /** Pairs of a resource and an action. */
  readonly decisions: number;
  /** Byte offset of the first entry of `resources`. */
  readonly firstResource: number;
  readonly fuelUsed: number;
  /** Decisions that came to ALLOW, and conditions that ended in an error. */
  readonly allowed: number;
  readonly conditionErrors: number;
}

const MIB = 1024 * 1024;

/** Bytes for what one request needs while it is decided; untouched pages cost nothing. */
const ARENA_CAPACITY = 64 * MIB;

/** Bytes for the largest response: 500 resources of 500 actions with long names fit. */
const OUTPUT_CAPACITY = 64 * MIB;

/** Room beside the request for the defaults and globals that are written to the input region at start. */
const INPUT_SLACK = 64 * 1024;

const PAGE = 64 * 1024;

/** Longest output, in bytes, whose view is kept. */
const CACHED_VIEWS = 4096;

const NOTHING = new Uint8Array(0);

/** A started guest. Not re-entrant: one request at a time, which one thread guarantees. */
export class Guest {
  readonly #core: CoreExports;
  /** The whole memory, its control words and its input region. INVARIANT: memory never grows, so these never detach. */
  readonly #memory: Uint8Array;
  readonly #control: Uint32Array;
  readonly #input: Uint8Array;
  /** Views of the output region by length: responses repeat their lengths, and a view costs more than a look-up. */
  readonly #views: (Uint8Array | undefined)[] = Array.from({ length: CACHED_VIEWS });
  readonly #clock: () => number;
  #outputStart = 0;
  #busy = false;

  /** Instantiates, links, loads the image and starts. Throws `BundleError` or `EngineError`. */
  static start(compiled: CompiledBundle, settings: GuestSettings): Guest {
    try {
      return Guest.#start(compiled, settings);
    } catch (error) {
      if (error instanceof EdictError) throw error;
      // Modules that lack an export, or trap before the first request.
      throw new BundleError(`the guest cannot be started: ${oneLine(error)}`, {
        cause: error,
        code: "EDICT_BUNDLE_START",
      });
    }
  }

  static #start(compiled: CompiledBundle, settings: GuestSettings): Guest {
    const { bundle } = compiled;
    const added = MAX_CLAIMS_SIZE + MAX_VERDICTS_SIZE + MAX_ENTITIES_SIZE + MAX_CANDIDATES_SIZE;
    const inputCapacity = settings.inputCapacity + added + INPUT_SLACK;
    const wanted =
      bundle.manifest.memory.fixed + ZONES_CAPACITY + inputCapacity + ARENA_CAPACITY + OUTPUT_CAPACITY;
    const pages = Math.ceil(wanted / PAGE);
    if (IMAGE_BASE + bundle.image.byteLength > bundle.manifest.memory.fixed) {
      throw new BundleError("the image is larger than the memory that the manifest plans for it");
    }

    const memory = allocateMemory(pages);
    const core = instantiate(compiled.core, { env: { memory } }, "core") as unknown as CoreExports;
    if (core.abiVersion() !== ABI_VERSION) {
      throw new BundleError(
        `the core has ABI version ${core.abiVersion()}, this edict runs version ${ABI_VERSION}`,
        { code: "EDICT_BUNDLE_ABI" },
      );
    }
    if (core.heapBase() > IMAGE_BASE) throw new BundleError("the core's static data reaches into the image");
    linkPolicy(compiled, core, memory);

    new Uint8Array(memory.buffer).set(bundle.image, IMAGE_BASE);
    const status = core.start(bundle.image.byteLength, inputCapacity, OUTPUT_CAPACITY, pages * PAGE);
    if (status !== STATUS_OK) {
      throw new BundleError(`the guest refused to start with status ${status}`, {
        code: "EDICT_BUNDLE_START",
      });
    }
    const guest = new Guest(core, memory, settings.clock);
    guest.#configure(settings);
    if (compiled.zones !== null) guest.#useZones(compiled.zones);
    guest.#outputStart = pages * PAGE - OUTPUT_CAPACITY;
    return guest;
  }

  private constructor(core: CoreExports, memory: WasmMemory, clock: () => number) {
    this.#core = core;
    this.#clock = clock;
    this.#memory = new Uint8Array(memory.buffer);
    this.#control = new Uint32Array(memory.buffer, CONTROL_BASE, CONTROL_WORDS);
    const start = this.#word(CONTROL_INPUT_START);
    const capacity = this.#word(CONTROL_INPUT_CAPACITY);
    if (start < IMAGE_BASE || start + capacity > memory.buffer.byteLength) {
      throw new BundleError("the guest placed its input outside memory", { code: "EDICT_BUNDLE_START" });
    }
    this.#input = new Uint8Array(memory.buffer, start, capacity);
  }

  #configure(settings: GuestSettings): void {
    const { onError, lenientScopeSearch, maxActions, maxResources } = settings;
    this.#core.setMode(onError, lenientScopeSearch ? 1 : 0, maxActions, maxResources);
    this.#core.setMaxPairs(settings.maxPairs);
    const version = this.#write(settings.defaultPolicyVersion, 0);
    const scope = this.#write(settings.defaultScope, version);
    this.#core.setDefaults(version, scope);
    const status = this.#core.setGlobals(this.#write(settings.globals, 0));
    if (status !== STATUS_OK) {
      throw new EngineError(
        "EDICT_ENGINE_START",
        `the guest refused \`engine.globals\` with status ${status}`,
      );
    }
    this.#core.setAuthzen(settings.roleSource, this.#write(settings.roleName, 0), settings.reasons);
    const seed = randomBytes(24);
    const word = (index: number): number => seed.readInt32LE(index * 4);
    this.#core.seed(word(0), word(1), word(2), word(3), word(4), word(5));
  }

  /** Copies the bundle's time zones behind the caches. Throws `BundleError` when they are damaged. */
  #useZones(zones: Uint8Array): void {
    const start = this.#core.zonesStart();
    if (
      zones.byteLength > ZONES_CAPACITY ||
      start < IMAGE_BASE ||
      start + ZONES_CAPACITY > this.#input.byteOffset
    ) {
      throw new BundleError("the guest has no room for the time zones", { code: "EDICT_BUNDLE_START" });
    }
    this.#memory.set(zones, start);
    if (this.#core.useZones(zones.byteLength) === 0) {
      throw new BundleError("the zones section is not a table of time zones");
    }
  }

  /**
   * Decides one request. `claims` is the value of `request.auxData` as JSON, for a request that STATUS_AUX_DATA asked
   * them for; empty otherwise. `verdicts` are what STATUS_SCHEMAS asked for (runtime/schema), `entities` what STATUS_ENTITIES
   * did, `candidates` those of a search; empty otherwise. Returns STATUS_*; on STATUS_OK `output` holds the response. Anything
   * thrown is a trap, after which the instance must not be used again.
   */
  decide(
    bytes: Uint8Array,
    inputFormat: number,
    outputFormat: number,
    flags: number,
    claims: Uint8Array,
    verdicts: Uint8Array,
    entities: Uint8Array = NOTHING,
    candidates: Uint8Array = NOTHING,
  ): number {
    this.#enter();
    this.#input.set(bytes);
    if (claims.byteLength > 0) {
      this.#input.set(claims, bytes.byteLength);
      this.#control[CONTROL_CLAIMS_LENGTH >> 2] = claims.byteLength;
    }
    if (verdicts.byteLength > 0) {
      this.#input.set(verdicts, bytes.byteLength + claims.byteLength);
      this.#control[CONTROL_VERDICTS_LENGTH >> 2] = verdicts.byteLength;
    }
    if (entities.byteLength > 0) {
      this.#input.set(entities, bytes.byteLength + claims.byteLength + verdicts.byteLength);
      this.#control[CONTROL_ENTITIES_LENGTH >> 2] = entities.byteLength;
    }
    if (candidates.byteLength > 0) {
      const before = bytes.byteLength + claims.byteLength + verdicts.byteLength + entities.byteLength;
      this.#input.set(candidates, before);
      this.#control[CONTROL_CANDIDATES_LENGTH >> 2] = candidates.byteLength;
    }
    const status = this.#core.check(bytes.byteLength, inputFormat, outputFormat, flags, this.#clock());
    // A trap skips this on purpose: an instance that trapped stays unusable.
    this.#busy = false;
    return status;
  }

  /**
   * Decides frames of a stream's message, as many as `most`, with requests of at most `longest` bytes. Returns a status: STATUS_OK, or that
   * of the request at `framesEnd`, which is not decided; `output` holds the answers to the `frames` before it. Throws as `decide` does.
   */
  decideFrames(bytes: Uint8Array, most: number, longest: number, flags: number): number {
    this.#enter();
    this.#input.set(bytes);
    const status = this.#core.checkFrames(bytes.byteLength, most, longest, flags, this.#clock());
    this.#busy = false;
    return status;
  }

  /**
   * Decides the bodies of `table`, as many as `count`, which lie in `bodies`. `table` says what came of each, `output` holds the responses.
   * False when nothing was decided. Throws as `decide` does.
   */
  decideBodies(table: BodyTable, bodies: Uint8Array, count: number, flags: number): boolean {
    this.#enter();
    this.#input.set(table.bytes);
    this.#input.set(bodies, BODY_TABLE_SIZE);
    const length = BODY_TABLE_SIZE + bodies.byteLength;
    const isDone = this.#core.checkBodies(length, count, flags, this.#clock()) !== 0;
    if (isDone) table.bytes.set(this.#input.subarray(0, BODY_TABLE_SIZE));
    this.#busy = false;
    return isDone;
  }

  #enter(): void {
    if (this.#busy) throw new EngineError("EDICT_ENGINE_BUSY", "a guest was entered while it was deciding");
    this.#busy = true;
  }

  /** Requests that `decideFrames` or `decideBodies` has decided. */
  get frames(): number {
    return this.#word(CONTROL_FRAMES);
  }

  /** Offset of what follows them. */
  get framesEnd(): number {
    return this.#word(CONTROL_FRAMES_END);
  }

  /** The last response, valid until the next `decide`. */
  output(): Uint8Array {
    const length = this.#word(CONTROL_OUTPUT_LENGTH);
    const start = this.#word(CONTROL_OUTPUT_START);
    if (length >= CACHED_VIEWS || start !== this.#outputStart)
      return this.#memory.subarray(start, start + length);
    return (this.#views[length] ??= this.#memory.subarray(start, start + length));
  }

  /** Byte offset where decoding the last request failed. */
  errorOffset(): number {
    return this.#word(CONTROL_ERROR_OFFSET);
  }

  /** The count found, when a limit was exceeded. */
  errorDetail(): number {
    return this.#word(CONTROL_ERROR_DETAIL);
  }

  /** Says how many entries the parts of a response have together, for the FLAG_UNFINISHED calls that follow. */
  expectEntries(count: number): void {
    this.#control[CONTROL_TOTAL_RESOURCES >> 2] = count;
  }

  /** What joining needs to know about the part that was decided last (runtime/batch). */
  partFacts(): PartFacts {
    return {
      resources: this.#word(CONTROL_RESOURCES),
      decisions: this.#word(CONTROL_DECISIONS),
      firstResource: this.#word(CONTROL_FIRST_RESOURCE),
      fuelUsed: this.#word(CONTROL_FUEL_USED),
      allowed: this.#word(CONTROL_ALLOWED),
      conditionErrors: this.#word(CONTROL_CONDITION_ERRORS),
    };
  }

  /** Figures of the last request; read one by one, so that counting makes no object. */
  get decisions(): number {
    return this.#word(CONTROL_DECISIONS);
  }

  get allowed(): number {
    return this.#word(CONTROL_ALLOWED);
  }

  get conditionErrors(): number {
    return this.#word(CONTROL_CONDITION_ERRORS);
  }

  /** A copy of the explain trace of the last request (u32 words), empty without FLAG_TRACE. */
  trace(): Uint32Array {
    const start = this.#word(CONTROL_TRACE_START);
    const length = this.#word(CONTROL_TRACE_LENGTH);
    // slice: the bytes must outlive the next call, and need not be aligned.
    return new Uint32Array(this.#memory.slice(start, start + (length & ~3)).buffer);
  }

  /** Whether a condition or output of the last request read the clock. */
  usedNow(): boolean {
    return this.#core.usedNow() !== 0;
  }

  /** OUTCOME_* of a condition for the last resource of the last request. */
  evaluateCondition(id: number): number {
    return this.#core.evaluateCondition(id);
  }

  /** What STATUS_ENTITIES asks for: `add` is called for every entity with views of its type and id. */
  askedEntities(add: (isSubject: boolean, type: Uint8Array, id: Uint8Array) => void): void {
    const words = this.trace();
    for (let at = 0; at + ENTITY_WORDS <= words.length; at += ENTITY_WORDS) {
      add(words[at] === 1, this.#view(words, at + 1), this.#view(words, at + 3));
    }
  }

  /** Says how many matches the search that follows wants. */
  limitSearch(matches: number): void {
    this.#control[CONTROL_SEARCH_LIMIT >> 2] = matches;
  }

  /** Bytes of the candidates that the last search has looked at. */
  searchedBytes(): number {
    return this.#word(CONTROL_SEARCHED);
  }

  /** The bytes whose address and length are two words of a list. */
  #view(words: Uint32Array, at: number): Uint8Array {
    const start = words[at] ?? 0;
    return this.#memory.subarray(start, start + (words[at + 1] ?? 0));
  }

  /** Text of the error that the last `evaluateCondition` met, or of what is wrong with an AuthZEN body; empty without one. */
  errorText(): string {
    const start = this.#word(CONTROL_ERROR_TEXT_START);
    const length = this.#word(CONTROL_ERROR_TEXT_LENGTH);
    return new TextDecoder().decode(this.#memory.subarray(start, start + length));
  }

  #word(offset: number): number {
    return this.#control[offset >> 2] ?? 0;
  }

  /** Writes `text` into the input region at `offset`; returns its length in bytes. */
  #write(text: string, offset: number): number {
    const bytes = text === "" ? NOTHING : new TextEncoder().encode(text);
    if (offset + bytes.byteLength > this.#input.byteLength) {
      throw new EngineError(
        "EDICT_ENGINE_START",
        "the engine's defaults or globals do not fit the input region",
      );
    }
    this.#input.set(bytes, offset);
    return bytes.byteLength;
  }
}

function allocateMemory(pages: number): WasmMemory {
  try {
    return new wasm.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw new EngineError("EDICT_ENGINE_START", `no memory for the guest: ${oneLine(error)}`, {
      cause: error,
    });
  }
}

/** Puts the policy module's condition and output functions into core's table, where core calls them by index. */
function linkPolicy(compiled: CompiledBundle, core: CoreExports, memory: WasmMemory): void {
  const { conditions, outputs } = compiled.bundle.manifest.functions;
  const imports = { env: { memory }, core: core as unknown as WasmExports };
  const policy = instantiate(compiled.policy, imports, "policy");
  const base = core.tableBase();
  const missing = base + conditions + outputs - core.table.length;
  if (missing > 0) core.table.grow(missing);
  for (let index = 0; index < conditions + outputs; index++) {
    const name = index < conditions ? `c${index}` : `o${index - conditions}`;
    const exported = policy[name];
    if (typeof exported !== "function")
      throw new BundleError(`the policy module does not export \`${name}\``);
    core.table.set(base + index, exported);
  }
}

function instantiate(module: WasmModule, imports: WasmImports, name: string): WasmExports {
  try {
    return new wasm.Instance(module, imports).exports;
  } catch (error) {
    // Linking fails when a module wants what it is not given; a module that traps while it starts ends up here too.
    const code = error instanceof wasm.LinkError ? "EDICT_BUNDLE_IMPORTS" : "EDICT_BUNDLE_START";
    throw new BundleError(`the ${name} module cannot be linked: ${oneLine(error)}`, { cause: error, code });
  }
}
