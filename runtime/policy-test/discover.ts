/** Finds test suites below a policy directory: `*_test.yaml`, `.yml` and `.json`, not in `testdata/` or hidden directories. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const SUITE_FILE = /_test\.(yaml|yml|json)$/i;

/** Paths relative to `directory`, with forward slashes, sorted. */
export async function discoverSuites(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== "testdata" && entry.name !== "_schemas") await walk(path);
      } else if (entry.isFile() && SUITE_FILE.test(entry.name)) {
        found.push(path);
      }
    }
  };
  await walk("");
  return found.sort((left, right) => (left < right ? -1 : 1));
}
