/** Listen addresses. */
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../runtime/config/address.ts";

describe("parseAddress", () => {
  it.each([
    [":3592", { kind: "tcp", host: "", port: 3592 }],
    ["127.0.0.1:0", { kind: "tcp", host: "127.0.0.1", port: 0 }],
    ["localhost:65535", { kind: "tcp", host: "localhost", port: 65_535 }],
    ["[::1]:80", { kind: "tcp", host: "::1", port: 80 }],
    ["unix:/run/edict.sock", { kind: "unix", path: "/run/edict.sock" }],
  ])("reads %s", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each([
    "",
    "3592",
    "host",
    "host:",
    "host:x",
    ":65536",
    ":99999999",
    "::1:80",
    "a b:80",
    "unix:",
    `unix:/${"x".repeat(120)}`,
  ])("refuses %j with a reason", (text) => {
    expect(parseAddress(text)).toBeTypeOf("string");
  });
});
