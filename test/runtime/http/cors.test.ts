/** Which origins may read answers. Preflights are tested against a running daemon. */
import { describe, expect, it } from "vitest";
import { Cors, DEFAULT_CORS } from "../../../runtime/http/cors.ts";

const echoed = (origin: string): string => `\r\nVary: Origin\r\nAccess-Control-Allow-Origin: ${origin}`;
const allow = (...allowedOrigins: string[]): Cors => new Cors({ ...DEFAULT_CORS, allowedOrigins });

describe("Cors", () => {
  it("allows any origin by default without looking at it", () => {
    const cors = new Cors(DEFAULT_CORS);
    expect(cors.readsOrigin).toBe(false);
    expect(cors.headers("https://a.example")).toBe("\r\nVary: Origin\r\nAccess-Control-Allow-Origin: *");
  });

  it("says nothing when disabled", () => {
    expect(new Cors({ ...DEFAULT_CORS, disabled: true }).headers("https://a.example")).toBe("");
  });

  it("echoes allowed origins only", () => {
    const cors = allow("https://a.example", "https://*.b.example");
    expect(cors.headers("https://a.example")).toBe(echoed("https://a.example"));
    expect(cors.headers("https://A.example")).toBe(echoed("https://A.example"));
    expect(cors.headers("https://x.b.example")).toBe(echoed("https://x.b.example"));
    for (const other of ["", "https://a.example.evil", "https://b.example", "http://a.example", "null"]) {
      expect(cors.headers(other)).toBe("\r\nVary: Origin");
    }
  });

  it("never echoes anything that could break a header", () => {
    const cors = allow("https://*");
    expect(cors.headers("https://a\r\nSet-Cookie: x")).toBe("\r\nVary: Origin");
    expect(cors.headers("https://a b")).toBe("\r\nVary: Origin");
  });
});
