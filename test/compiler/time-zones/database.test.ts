/** The time zones that the compiler puts into bundles, against those of ICU. */
import { describe, expect, it } from "vitest";
import { ZONES_CAPACITY } from "../../../assembly/abi.ts";
import { ZONES_SIZE } from "../../../compiler/time-zones/database.ts";
import { readZones, ZONE_DATABASE } from "../../support/zones.ts";

const ZONES = readZones();

describe("the database", () => {
  it("has the size it says, which fits the guest", () => {
    expect(ZONE_DATABASE.byteLength).toBe(ZONES_SIZE);
    expect(ZONES_SIZE).toBeLessThanOrEqual(ZONES_CAPACITY);
  });

  it("is in the order that the guest searches in", () => {
    const names = [...ZONES.keys()];
    expect(names).toEqual(names.toSorted());
    for (const table of ZONES.values()) {
      expect(table.every(([second], index) => index === 0 || second > (table[index - 1]?.[0] ?? 0))).toBe(
        true,
      );
    }
  });

  it("has every zone of ICU, spelled like that", () => {
    expect(Intl.supportedValuesOf("timeZone").filter((name) => !ZONES.has(name))).toEqual([]);
  });

  // Node may have another version of the database, which changes a few zones at most; CET, EET, MET and WET became links.
  it("agrees with ICU on nearly all offsets around every transition from 1970 on", () => {
    const wrong = new Set<string>();
    for (const [zone, table] of ZONES) {
      const format = icuFormat(zone);
      if (format === null) continue;
      const late = table.filter(([second]) => second > 0);
      for (const [index, [second, offset]] of late.entries()) {
        const before = late[index - 1]?.[1];
        // The far future repeats itself: a look at every ninth is enough.
        if (second > 2_200_000_000 && index % 9 !== 0) continue;
        if (icuOffset(format, second) !== offset) wrong.add(zone);
        if (before !== undefined && icuOffset(format, second - 1) !== before) wrong.add(zone);
      }
    }
    expect([...wrong].slice(8)).toEqual([]);
  });
});

function icuFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  } catch {
    return null;
  }
}

function icuOffset(format: Intl.DateTimeFormat, second: number): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(second * 1000));
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = match ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}
