/** Formats by Content-Type and Accept. */
import { describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { inputFormat, outputFormat, strictInputFormat } from "../../../runtime/http/media-type.ts";

describe("inputFormat", () => {
  it.each([
    "application/msgpack",
    "application/x-msgpack",
    "application/vnd.msgpack",
    "APPLICATION/MSGPACK",
    "application/msgpack; q=1",
  ])("takes %s for msgpack", (type) => {
    expect(inputFormat(type)).toBe(FORMAT_MSGPACK);
  });

  it.each([
    "",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/msgpackx",
  ])("takes %j for JSON", (type) => {
    expect(inputFormat(type)).toBe(FORMAT_JSON);
  });
});

describe("strictInputFormat", () => {
  it.each([
    ["application/json", FORMAT_JSON],
    ["Application/JSON ; charset=utf-8", FORMAT_JSON],
    ["application/msgpack", FORMAT_MSGPACK],
    ["application/x-msgpack;v=1", FORMAT_MSGPACK],
    ["application/vnd.msgpack", FORMAT_MSGPACK],
    ["", -1],
    ["text/plain", -1],
    ["application/jsonp", -1],
    ["application/json-patch+json", -1],
    ["text/plain; a=application/json", -1],
    ["application/msgpackx", -1],
    ["application/msgpack+json", -1],
  ])("takes %j for %i", (type, format) => {
    expect(strictInputFormat(type)).toBe(format);
  });
});

describe("outputFormat", () => {
  it.each([
    ["", FORMAT_JSON, FORMAT_JSON],
    ["", FORMAT_MSGPACK, FORMAT_MSGPACK],
    ["*/*", FORMAT_MSGPACK, FORMAT_MSGPACK],
    ["application/json", FORMAT_MSGPACK, FORMAT_JSON],
    ["application/msgpack", FORMAT_JSON, FORMAT_MSGPACK],
    ["application/vnd.msgpack, application/json", FORMAT_JSON, FORMAT_MSGPACK],
    ["text/html", FORMAT_JSON, FORMAT_JSON],
  ])("answers Accept %j to format %i in format %i", (accept, input, output) => {
    expect(outputFormat(accept, input)).toBe(output);
  });
});
