/** A batch of AuthZEN evaluations as a user interface asks them: may alice view these records? Decided by the policy of search.ts. */
import { recordOf } from "./search.ts";

/** What is said of it in reports. */
export const ONE_TYPE = "one type, five properties, condition on two";

const ALICE = {
  type: "user",
  id: "alice",
  properties: { "cerbos.roles": ["user"], department: "sales", level: 6 },
};

/** One subject and action, and so many resources, no two with the same id. */
export function oneTypeBody(items: number): object {
  const evaluations = Array.from({ length: items }, (_, index) => ({
    resource: { type: "record", id: `record-${index}`, properties: recordOf(index) },
  }));
  return { subject: ALICE, action: { name: "view" }, evaluations };
}
