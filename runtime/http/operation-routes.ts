/** GET routes for operating the daemon: health in Cerbos's and in Kubernetes' form, and server information. */
import type { ServingState } from "../observe/serving-state.ts";
import type { Version } from "../version.ts";
import { CODE_NOT_FOUND, document, errorReply, type Reply } from "./replies.ts";

/** Names a gRPC health check may ask about on a Cerbos server. */
const SERVICES: ReadonlySet<string> = new Set(["", "cerbos.svc.v1.CerbosService"]);

const SERVING = document({ status: "SERVING" });
const UNKNOWN_SERVICE = errorReply("404 Not Found", CODE_NOT_FOUND, "unknown service");

/** `/_cerbos/health[?service=]`. */
export function cerbosHealth(state: ServingState, service: string): Reply {
  if (!SERVICES.has(service)) return UNKNOWN_SERVICE;
  return state.draining ? document({ status: "NOT_SERVING" }, "503 Service Unavailable") : SERVING;
}

/**
 * `/healthz` and `/readyz`. A failed reload does not make the daemon unready, since the old version still decides;
 * it shows in `lastReload`, and threads that have failed show in `degraded`, since the others decide. While draining, `/readyz` is 503 and `/healthz` stays 200.
 */
export function health(state: ServingState, readiness: boolean): Reply {
  const { engine, lastFailure } = state;
  const { sequence, gitCommit } = engine.bundle.manifest;
  const status = state.draining && readiness ? "503 Service Unavailable" : "200 OK";
  return document(
    {
      status: state.draining ? "NOT_SERVING" : "SERVING",
      bundle: engine.bundle.digest,
      ...(sequence === null ? {} : { sequence }),
      ...(gitCommit === null ? {} : { gitCommit }),
      since: state.since.toISOString(),
      lastReload:
        lastFailure === null
          ? { ok: true }
          : {
              ok: false,
              at: lastFailure.at,
              code: lastFailure.code,
              error: lastFailure.message,
              diagnostics: lastFailure.diagnostics,
            },
      traps: state.traps,
      shed: state.shed,
      threads: state.threads,
      ...(state.degraded.length === 0 ? {} : { degraded: state.degraded }),
    },
    status,
  );
}

/** `/api/server_info`. */
export function serverInfo(version: Version): Reply {
  return document(version);
}
