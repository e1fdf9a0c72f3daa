/**
 * Damaged bodies: whatever stands in the input, the decoders answer a status, never a trap, and accept exactly what the
 * slow reference accepts, with the same content.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { STATUS_OK, STATUS_WRONG_TYPE, STATUS_MEMORY } from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { FULL_REQUEST, loadTestRequests, mutate, random, toJson, toMsgpack } from "./bodies.ts";
import { type DecoderHost, type Format, startDecoder } from "./decoder-host.ts";
import { contentOf, contentOfDecoded, parseJson, parseMsgpack } from "./reference.ts";
import { timesEffort } from "../../support/effort.ts";

const ROUNDS = { debug: timesEffort(800), release: timesEffort(3_000) } as const;
const LAST_STATUS = 19;
const requests = [FULL_REQUEST, ...loadTestRequests()];

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
    host.project(["department", "tags", "age"], ["owner", "department", "amount", "team"]);
  });

  /** Decodes both ways and compares; the status. */
  function compare(format: Format, body: Uint8Array, after?: Uint8Array): number {
    const outcome = host.decode(format, body, after === undefined ? {} : { after });
    const parsed = format === "json" ? parseJson(body) : parseMsgpack(body);
    const wanted = parsed === undefined ? undefined : contentOf(parsed);
    const label = () => `${format} ${Buffer.from(body).toString("latin1")}`;
    if (wanted === undefined) {
      expect(outcome.status, label()).not.toBe(STATUS_OK);
      expect(outcome.status).toBeLessThanOrEqual(LAST_STATUS);
      expect(outcome.status).not.toBe(STATUS_MEMORY);
      expect(outcome.offset).toBeLessThanOrEqual(body.length);
    } else {
      expect(outcome.status, label()).toBe(STATUS_OK);
      expect(contentOfDecoded(host.request()), label()).toEqual(wanted);
      host.validate();
    }
    return outcome.status;
  }

  it.each(["json", "msgpack"] as const)("answers as the reference does on mutated %s bodies", (format) => {
    const next = random(0x5eed);
    const encode = format === "json" ? (value: unknown) => toJson(value, next(3)) : toMsgpack;
    let accepted = 0;
    for (let round = 0; round < ROUNDS[build]; round++) {
      const body = mutate(encode(requests[next(requests.length)]), next);
      if (compare(format, body) === STATUS_OK) accepted += 1;
    }
    // Damage inside strings is no damage to the format, so both sides of the comparison are exercised.
    expect(accepted).toBeGreaterThan(ROUNDS[build] / 100);
    expect(accepted).toBeLessThan(ROUNDS[build] / 2);
  });

  it.each(["json", "msgpack"] as const)(
    "refuses every truncation of a %s body, whatever follows it",
    (format) => {
      for (const request of requests) {
        for (const whole of format === "json"
          ? [toJson(request), toJson(request, 2)]
          : [toMsgpack(request)]) {
          const other = format === "json" ? toJson(requests[0]) : toMsgpack(requests[0]);
          for (let length = 0; length < whole.length; length++) {
            const body = whole.subarray(0, length);
            const rest = whole.subarray(length);
            for (const after of [rest, other, new Uint8Array(32).fill(0x20), new Uint8Array(32)]) {
              const { status, offset } = host.decode(format, body, { after });
              expect(status, `${length} of ${whole.length}`).not.toBe(STATUS_OK);
              expect(offset).toBeLessThanOrEqual(length);
            }
          }
          expect(compare(format, whole, other)).toBe(STATUS_OK);
        }
      }
    },
  );

  it("leaves the bytes after the body as they were", () => {
    const body = toJson(FULL_REQUEST);
    const after = Uint8Array.from({ length: 32 }, (_, index) => index + 1);
    const at = host.write(body);
    host.decode("json", body, { after });
    expect([...host.guest.bytes.subarray(at + body.length, at + body.length + 32)]).toEqual([...after]);
  });

  it("refuses random bytes", () => {
    const next = random(7);
    for (let round = 0; round < timesEffort(1_000); round++) {
      const body = Uint8Array.from({ length: next(40) }, () => next(256));
      compare("json", body);
      compare("msgpack", body);
    }
  });

  it("says wrong type for a body that is no object", () => {
    expect(host.decode("json", toJson([])).status).toBe(STATUS_WRONG_TYPE);
    expect(host.decode("msgpack", toMsgpack([])).status).toBe(STATUS_WRONG_TYPE);
  });
});
