/** The routes of the admin listener: which they are, what they take and what they answer. Who may ask is decided before. */
import type { Registry } from "prom-client";
import { AdminError } from "../errors.ts";
import type { Control } from "./control.ts";
import type { DirectoryRoutes } from "./directory-routes.ts";
import type { DaemonStatus } from "./status.ts";

export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A request's body. */
export interface AdminBody {
  /** All of it, when it is small. Rejects with `AdminError` when it is not. */
  text(): Promise<string>;
  readonly chunks: AsyncIterable<Buffer>;
}

export interface AdminParts {
  readonly control: Control;
  readonly directory: DirectoryRoutes;
  readonly metrics: Registry;
  readonly status: () => DaemonStatus;
}

interface Route {
  readonly methods: readonly string[];
  readonly answer: (body: AdminBody, method: string) => Promise<AdminReply>;
}

const get = (answer: () => Promise<AdminReply>): Route => ({
  methods: ["GET", "HEAD"],
  answer: async (body) => {
    await body.text();
    return answer();
  },
});
const post = (answer: (fields: Fields) => Promise<unknown>, ...allowed: string[]): Route => ({
  methods: ["POST"],
  answer: async (body) => json(await answer(fieldsOf(await body.text(), allowed))),
});

export class AdminRoutes {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor({ control, metrics, status, directory }: AdminParts) {
    this.#routes = new Map([
      ["/v1/status", get(async () => json(status()))],
      [
        "/metrics",
        get(async () => ({
          status: 200,
          contentType: metrics.contentType,
          body: await metrics.metrics(),
        })),
      ],
      [
        "/v1/reload",
        post(async () => {
          const outcome = await control.reload();
          const { lastFailure } = status();
          return lastFailure === null ? outcome : { ...outcome, failure: lastFailure };
        }),
      ],
      ["/v1/rollback", post((fields) => control.rollback(digestOf(fields)), "digest")],
      ["/v1/promote", post((fields) => control.promote(changesOf(fields)), "maxChanges")],
      ["/v1/directory", get(async () => json(directory.status))],
      ["/v1/directory/reload", post(() => directory.reload())],
      [
        "/v1/directory/entities",
        {
          methods: ["PUT", "DELETE"],
          answer: async ({ chunks }, method) => json(await directory.change(chunks, method === "DELETE")),
        },
      ],
    ]);
  }

  /** Throws `AdminError` for what there is not, and whatever the operation throws. */
  async answer(method: string, path: string, body: AdminBody): Promise<AdminReply> {
    const route = this.#routes.get(path);
    if (route === undefined) throw new AdminError("EDICT_ADMIN_NOT_FOUND", "no such route");
    if (!route.methods.includes(method)) {
      return {
        status: 405,
        contentType: "application/json",
        body: JSON.stringify({ code: "EDICT_ADMIN_REQUEST", message: `use ${route.methods.join(" or ")}` }),
      };
    }
    return route.answer(body, method);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The members of a body, which may be empty; a member that is not known is a mistake worth telling. */
function fieldsOf(body: string, allowed: readonly string[]): Fields {
  if (body.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AdminError("EDICT_ADMIN_REQUEST", "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AdminError("EDICT_ADMIN_REQUEST", "the body is not an object");
  }
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new AdminError("EDICT_ADMIN_REQUEST", `unknown field \`${unknown.slice(0, 64)}\``);
  }
  return value as Fields;
}

function digestOf({ digest }: Fields): string | null {
  if (digest === undefined || digest === null) return null;
  if (typeof digest === "string" && /^[0-9a-f]{12,64}$/.test(digest)) return digest;
  throw new AdminError("EDICT_ADMIN_REQUEST", "`digest` must be 12 to 64 hexadecimal digits");
}

function changesOf({ maxChanges }: Fields): number | null {
  if (maxChanges === undefined || maxChanges === null) return null;
  if (typeof maxChanges === "number" && Number.isSafeInteger(maxChanges) && maxChanges >= 0)
    return maxChanges;
  throw new AdminError("EDICT_ADMIN_REQUEST", "`maxChanges` must be a whole number");
}

function json(value: unknown): AdminReply {
  return { status: 200, contentType: "application/json", body: JSON.stringify(value) };
}
