/**
 * The requests of one message of `/v1/stream`, decided in one call: frames `[id, bin]` one after the other in the input, the answers as
 * frames one after the other in the output. Each is a check of its own, as if it had come alone. What is saved is the host's way in and
 * out, and that all are read before the first is decided: the code that reads and the code that decides do not fit into the
 * processor's first cache together. Which frames there are is said in runtime/stream/frames.ts.
 */
import {
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  CONTROL_FRAMES_END,
  CONTROL_FUEL_USED,
  FORMAT_MSGPACK,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../abi";
import { beginKnownPrefixes } from "../decode/known-prefixes";
import { KEPT_SIZE, keepRequest } from "../decode/request";
import { readTogether } from "../decode/request-limits";
import { cursorStart, fits, outputAt, outputFromStart, position } from "../encode/cursor";
import { mark, resetArena } from "../memory/arena";
import { readRequest } from "./check";
import { clearControl, controlWord, setControl } from "./control";
import { addDecided, beginTogether, decided, decideKept, endTogether } from "./together";

const FIX_ARRAY_2: u32 = 0x92;
const LAST_FIX_INT: u32 = 0x7f;
const UINT_8: u32 = 0xcc;
const UINT_64: u32 = 0xcf;
const BIN_8: u32 = 0xc4;
const BIN_32: u32 = 0xc6;

/** Head of a `bin` that says its length in 16 bits, which every response gets; one that is longer is not answered here. */
const BIN_16: u32 = 0xc5;
const BIN_HEAD: usize = 3;
const MOST_BYTES: usize = 0xffff;

/** Answers up to so many bytes are written; what comes after them is left for the next call. */
const ENOUGH: usize = 65536;

/** Room that is wanted for a frame's head. */
const HEAD_ROOM: usize = 32;

/** Fuel after which no further frame is begun in a call, so that the host can look at the clock. */
const ENOUGH_FUEL: u32 = 50000;

/** Frames that are read before the first is decided, at most. */
const MOST_FRAMES: u32 = 32;

/** Frame that was read: | request as it was put away (KEPT_SIZE) | u32 bytes of the id | u32 end of the frame | */
const FRAME_ID_LENGTH: usize = KEPT_SIZE;
const FRAME_END: usize = FRAME_ID_LENGTH + 4;
const FRAME_SIZE: usize = FRAME_END + 4;
const kept = memory.data(<i32>MOST_FRAMES * <i32>FRAME_SIZE, 16);

/** Where the request of the frame that was read last lies. */
let body: usize = 0;
let bodyLength: u32 = 0;
/** Bytes of its id. */
let idLength: usize = 0;

/** Bytes of the answers that the last call has written, from the start of the output. */
export let answersLength: u32 = 0;

/**
 * Decides frames of the `length` bytes at `input`, `most` at most, and says in CONTROL_FRAMES and CONTROL_FRAMES_END how many and up to
 * where. It ends before what is not a whole frame with a request of at most `longest` bytes, and before a request that is not
 * decided: its status is returned, CONTROL_ERROR_* belong to it. STATUS_MEMORY and STATUS_OUTPUT_FULL may be the fault of those before
 * it, and of a response that is too long for a frame: the host asks for it alone. Otherwise the status is STATUS_OK. CONTROL_DECISIONS, CONTROL_ALLOWED and
 * CONTROL_CONDITION_ERRORS are sums over the decided ones.
 */
export function checkFrames(input: usize, length: u32, most: u32, longest: u32, flags: i32, now: f64): i32 {
  resetArena();
  beginKnownPrefixes();
  clearControl();
  const read = readFrames(input, input + <usize>length, most < MOST_FRAMES ? most : MOST_FRAMES, longest);
  const offset = controlWord(CONTROL_ERROR_OFFSET);
  const detail = controlWord(CONTROL_ERROR_DETAIL);
  const base = mark();
  const first = outputFromStart();
  let status: i32 = STATUS_OK;
  let at = input;
  let to = first;
  let fuel: u32 = 0;
  beginTogether();
  const count = framesRead;
  for (let index: u32 = 0; index < count && to - first < ENOUGH && fuel < ENOUGH_FUEL; index++) {
    const frame = kept + <usize>index * FRAME_SIZE;
    outputAt(to);
    if (!fits(HEAD_ROOM)) break;
    store<u8>(to, FIX_ARRAY_2);
    // An id has nine bytes at most; what is copied beyond it is written over.
    v128.store(to, v128.load(at, 1), 1);
    const head = to + 1 + <usize>load<u32>(frame, FRAME_ID_LENGTH);
    const end: usize = load<u32>(frame, FRAME_END);
    outputAt(head + BIN_HEAD);
    status = decideKept(frame, base, FORMAT_MSGPACK, flags, now);
    const size = position - cursorStart;
    if (status == STATUS_OK && size > MOST_BYTES) status = STATUS_OUTPUT_FULL;
    if (status != STATUS_OK) break;
    store<u8>(head, BIN_16);
    store<u16>(head, bswap<u16>(<u16>size), 1);
    to = position;
    fuel += controlWord(CONTROL_FUEL_USED);
    addDecided();
    at = end;
  }
  if (decided == count) {
    status = read;
    setControl(CONTROL_ERROR_OFFSET, offset);
    setControl(CONTROL_ERROR_DETAIL, detail);
  }
  outputFromStart();
  endTogether();
  setControl(CONTROL_FRAMES_END, <u32>(at - input));
  answersLength = <u32>(to - first);
  return status;
}

/** Frames that lie in `kept`. */
let framesRead: u32 = 0;

/** Reads the first frames between `at` and `end` as far as they are plain. The status of the one after them if it cannot be read. */
function readFrames(at: usize, end: usize, most: u32, longest: u32): i32 {
  let status: i32 = STATUS_OK;
  framesRead = 0;
  while (framesRead < most && readFrame(at, end) && bodyLength <= longest) {
    const frame = kept + <usize>framesRead * FRAME_SIZE;
    store<u32>(frame, <u32>idLength, FRAME_ID_LENGTH);
    at = body + <usize>bodyLength;
    store<u32>(frame, <u32>at, FRAME_END);
    status = readRequest(body, bodyLength, FORMAT_MSGPACK);
    if (status != STATUS_OK) break;
    keepRequest(frame);
    framesRead += 1;
    readTogether(true);
  }
  readTogether(false);
  return status;
}

/** Reads the head of the frame at `at`. False for what is not a whole frame whose request is a `bin`. */
function readFrame(at: usize, end: usize): bool {
  // The shortest head has four bytes; beyond the end of the input lie bytes that may be loaded, and are not used.
  if (at + 4 > end || <u32>load<u8>(at) != FIX_ARRAY_2) return false;
  const first: u32 = load<u8>(at, 1);
  if (first <= LAST_FIX_INT) idLength = 1;
  else if (first >= UINT_8 && first <= UINT_64) idLength = 1 + ((<usize>1) << (first - UINT_8));
  else return false;
  const head = at + 1 + idLength;
  const kind: u32 = load<u8>(head);
  if (kind < BIN_8 || kind > BIN_32) return false;
  const width = (<usize>1) << (kind - BIN_8);
  if (head + 1 + width > end) return false;
  body = head + 1 + width;
  const given: u32 = load<u32>(head, 1);
  if (width == 1) bodyLength = given & 0xff;
  else if (width == 2) bodyLength = bswap<u16>(<u16>given);
  else bodyLength = bswap<u32>(given);
  return <u64>body + <u64>bodyLength <= <u64>end;
}
