/** A vitest reporter that prints a failure when it happens: a run that is stopped from outside never reaches the summary. */
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly diff?: string | undefined;
}

/** Longest text of one failure. */
const MAX_LENGTH = 4000;

export class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "failed") print(`${test.module.relativeModuleId} > ${test.fullName}`, errors ?? []);
  }

  onTestSuiteResult(suite: TestSuite): void {
    print(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    print(module.relativeModuleId, module.errors());
  }
}

function print(name: string, failures: readonly Failure[]): void {
  for (const { message, stack, diff } of failures) {
    const text = [
      `FAILED ${name}`,
      stack?.includes(message) === true ? stack : `${message}\n${stack ?? ""}`,
      diff ?? "",
    ];
    process.stderr.write(`${text.join("\n").slice(0, MAX_LENGTH)}\n`);
  }
}
