/** docs/errors.md and compiler/diagnostics/errors-page.ts */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { codes } from "../../../compiler/diagnostics/codes.ts";
import { errorsPage } from "../../../compiler/diagnostics/errors-page.ts";

const PAGE = fileURLToPath(new URL("../../../docs/errors.md", import.meta.url));

it("is the page that the tables make (rewrite it with `vitest run test/compiler/diagnostics -u`)", async () => {
  await expect(errorsPage()).toMatchFileSnapshot(PAGE);
});

it("explains every code, and only codes that exist", () => {
  const explained = [...errorsPage().matchAll(/^### (EDICT\d{4})$/gm)].map(([, code]) => code);
  expect(new Set(explained)).toEqual(new Set(Object.keys(codes)));
  expect(explained).toHaveLength(Object.keys(codes).length);
});
