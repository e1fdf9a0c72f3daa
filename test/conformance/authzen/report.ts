/** The report of a certification run, as text for people and as JSON for programs. */
import type { LevelResult, TestResult } from "./certification.ts";

/** Lines about one test in the text; when an API is missing altogether there are dozens. */
const SHOWN = 4;

const passed = ({ wrong }: TestResult): boolean => wrong.length === 0;

/** The first lines of many. */
function shortened(wrong: readonly string[]): readonly string[] {
  if (wrong.length <= SHOWN) return wrong;
  return [...wrong.slice(0, SHOWN), `and ${wrong.length - SHOWN} more, all of them in the report as JSON`];
}

/** One paragraph per sub-level: a line for every test by its id, and under it what was wrong. */
export function textReport(url: string, levels: readonly LevelResult[]): string {
  const lines = [`AuthZEN 1.0 certification scenario, ${url}`, ""];
  for (const { title, tests, certified } of levels) {
    const count = tests.filter(passed).length;
    lines.push(
      `${title}: ${count} of ${tests.length} tests passed, ${certified ? "certified" : "not certified"}`,
    );
    for (const test of tests) {
      lines.push(`  ${passed(test) ? "pass" : "FAIL"}  ${test.id.padEnd(8)} ${test.title}`);
      lines.push(...shortened(test.wrong).map((one) => `          ${one}`));
    }
    lines.push("");
  }
  const certifiedLevels = levels.filter(({ certified }) => certified).length;
  lines.push(`${certifiedLevels} of ${levels.length} sub-levels certified`);
  return `${lines.join("\n")}\n`;
}

/** The same as one JSON object, with a line break at its end. */
export function jsonReport(url: string, levels: readonly LevelResult[]): string {
  const report = {
    url,
    certified: levels.every(({ certified }) => certified),
    levels: levels.map(({ tests, ...level }) => ({
      ...level,
      tests: tests.map((test) => ({ ...test, passed: passed(test) })),
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
