/** Zones by name through the engine: what a request may ask for, and what it may not. */
import { describe, expect, it } from "vitest";
import { STATUS_FUEL, STATUS_OK } from "../../../assembly/abi.ts";
import { transitionsOf } from "../../../runtime/time-zones/transitions.ts";
import { EXPRESSION_REQUEST, expressionPolicy } from "../../differential/expression-table.ts";
import { engineOf } from "../../support/engines.ts";

const NAMES = ["Africa/Cairo", "America/Lima", "Asia/Tokyo", "Asia/Dubai", "Europe/Rome", "Europe/Oslo"];
const MORE = [
  "Asia/Seoul",
  "Asia/Manila",
  "Europe/Paris",
  "Europe/Madrid",
  "America/Bogota",
  "America/Toronto",
];

describe("zone names", () => {
  it.each([
    "europe/berlin",
    "US/EASTERN",
    "PST",
    "../UTC",
    "/etc/localtime",
    "SystemV/PST8",
    "",
    "A".repeat(999),
  ])("%s is none", (name) => expect(transitionsOf(name)).toBeNull());
  it.each(["Europe/Berlin", "US/Eastern", "EST", "Local", "Etc/GMT+5"])("%s is one", (name) =>
    expect(transitionsOf(name)).not.toBeNull(),
  );
});

describe("a request", () => {
  const statusOf = async (names: readonly string[]): Promise<number> => {
    const expr = `${JSON.stringify(names)}.map(z, timestamp(0).getHours(z))`;
    const engine = await engineOf([expressionPolicy([{ expr }])]);
    return engine.checkBytes(new TextEncoder().encode(JSON.stringify(EXPRESSION_REQUEST)), "json").status;
  };
  it("may need several zones", async () => expect(await statusOf(NAMES)).toBe(STATUS_OK));
  it("that needs too many new ones is over its budget", async () =>
    expect(await statusOf([...NAMES, ...MORE])).toBe(STATUS_FUEL));
});
