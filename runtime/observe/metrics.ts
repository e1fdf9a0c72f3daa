/**
 * The daemon's metrics in Prometheus' form. Nothing is counted here: when somebody asks, the counters that the threads share are
 * read (counters.ts), so requests pay nothing for it. docs/operations.md lists every metric.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { DirectoryStatus } from "../directory/directory.ts";
import { countersByThread, type SlotName, sumOfCounters } from "./counters.ts";
import type { ServingState } from "./serving-state.ts";

/** The version that serves, as labels. */
export interface BundleLabels {
  readonly digest: string;
  readonly sequence: string;
  readonly signer: string;
  readonly git_commit: string;
}

export interface MetricsParts {
  readonly state: ServingState;
  readonly bundle: () => BundleLabels;
  /** Whether the newest version is known to serve. */
  readonly isStale: () => boolean;
  /** Digest of the shadow's candidate; null without one. */
  readonly shadow: () => string | null;
  readonly directory: () => DirectoryStatus;
}

/** `result` of `edict_requests_total`, and the slot that counts it. */
const RESULTS: Readonly<Record<string, SlotName>> = {
  decided: "decided",
  decided_large: "large",
  fail_closed: "failClosed",
  invalid: "invalid",
  too_large: "tooLarge",
  token_refused: "tokens",
  unauthorized: "unauthorized",
  searched: "searched",
  failed: "failed",
};

/** `result` of `edict_shadow_requests_total`, and the slot that counts it. */
const SHADOW_RESULTS: Readonly<Record<string, SlotName>> = {
  compared: "shadowed",
  changed: "shadowChanged",
  dropped: "shadowDropped",
  failed: "shadowFailed",
};

const DELAYS: Readonly<Record<string, SlotName>> = {
  mean: "loopDelayMean",
  p99: "loopDelayP99",
  max: "loopDelayMax",
};

/** A registry of its own: several daemons in one process, as in tests, do not share one. */
export function createMetrics(parts: MetricsParts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addRequests(registry, parts.state);
  addVersions(registry, parts);
  addThreads(registry, parts.state);
  addShadow(registry, parts);
  addDirectory(registry, parts);
  return registry;
}

function addRequests(registry: Registry, state: ServingState): void {
  const { all } = state.counters;
  addCounter(registry, "edict_requests_total", "Check requests by what became of them.", "result", () => [
    ...Object.entries(RESULTS).map(([result, slot]) => [result, sumOfCounters(all, slot)] as const),
    ["shed", state.shed] as const,
  ]);
  addCounter(registry, "edict_decisions_total", "Decisions by effect.", "effect", () => {
    const allowed = sumOfCounters(all, "allowed");
    return [
      ["allow", allowed],
      ["deny", Math.max(0, sumOfCounters(all, "decisions") - allowed)],
    ];
  });
  addCounter(
    registry,
    "edict_condition_errors_total",
    "Conditions that could not be evaluated.",
    null,
    () => [["", sumOfCounters(all, "conditionErrors")]],
  );
  addCounter(
    registry,
    "edict_guest_traps_total",
    "Guests that trapped and were replaced; any is a bug.",
    null,
    () => [["", state.traps]],
  );
}

function addVersions(registry: Registry, { state, bundle, isStale }: MetricsParts): void {
  addCounter(registry, "edict_swaps_total", "Times that another version came to serve.", null, () => [
    ["", state.swaps],
  ]);
  addCounter(
    registry,
    "edict_swap_failures_total",
    "Attempts to serve another version that failed, by the code of the reason.",
    "code",
    () => [...state.failures],
  );
  const info = new Gauge({
    name: "edict_bundle_info",
    help: "The version that serves; always 1.",
    labelNames: ["digest", "sequence", "signer", "git_commit"],
    registers: [registry],
    collect: () => {
      info.reset();
      info.set({ ...bundle() }, 1);
    },
  });
  addGauge(registry, "edict_bundle_age_seconds", "How long this version has served.", () =>
    Math.max(0, (Date.now() - state.since.getTime()) / 1000),
  );
  addGauge(
    registry,
    "edict_bundle_stale",
    "1 when the source has not confirmed for too long that this is the newest version.",
    () => (isStale() ? 1 : 0),
  );
  addGauge(registry, "edict_reload_failed", "1 when the last attempt to serve another version failed.", () =>
    state.lastFailure === null ? 0 : 1,
  );
}

function addThreads(registry: Registry, state: ServingState): void {
  addGauge(registry, "edict_threads", "Serving threads.", () => state.threads);
  addGauge(
    registry,
    "edict_threads_degraded",
    "Serving threads that are down or do not answer.",
    () => state.degraded.length,
  );
  const delay = new Gauge({
    name: "edict_event_loop_delay_seconds",
    help: "How long the event loop of a serving thread kept others waiting over the last 5 seconds.",
    labelNames: ["thread", "statistic"],
    registers: [registry],
    collect: () => {
      for (const [statistic, slot] of Object.entries(DELAYS)) {
        for (const [thread, seconds] of countersByThread(state.counters.all, slot).entries()) {
          delay.set({ thread: String(thread), statistic }, seconds);
        }
      }
    },
  });
}

function addShadow(registry: Registry, { state, shadow }: MetricsParts): void {
  const { all } = state.counters;
  addCounter(
    registry,
    "edict_shadow_requests_total",
    "Sampled requests by what came of deciding them by the shadow's candidate.",
    "result",
    () => Object.entries(SHADOW_RESULTS).map(([result, slot]) => [result, sumOfCounters(all, slot)]),
  );
  addCounter(
    registry,
    "edict_shadow_decisions_total",
    "Decisions of sampled requests by whether the candidate would change them.",
    "result",
    () => {
      const changed = sumOfCounters(all, "shadowDecisionsChanged");
      return [
        ["same", Math.max(0, sumOfCounters(all, "shadowDecisions") - changed)],
        ["changed", changed],
      ];
    },
  );
  const info = new Gauge({
    name: "edict_shadow_info",
    help: "The candidate that decides beside the version that serves; always 1, absent without one.",
    labelNames: ["digest"],
    registers: [registry],
    collect: () => {
      info.reset();
      const digest = shadow();
      if (digest !== null) info.set({ digest }, 1);
    },
  });
}

function addDirectory(registry: Registry, { directory }: MetricsParts): void {
  const entities = new Gauge({
    name: "edict_directory_entities",
    help: "Entities of the directory by kind.",
    labelNames: ["kind"],
    registers: [registry],
    collect: () => {
      const counts = { subject: 0, resource: 0 };
      for (const { kind, entities: count } of directory().types) counts[kind] += count;
      for (const [kind, count] of Object.entries(counts)) entities.set({ kind }, count);
    },
  });
  addGauge(registry, "edict_directory_bytes", "Memory of the directory's tables.", () => directory().bytes);
  addGauge(
    registry,
    "edict_directory_revision",
    "Changes of the directory since the start.",
    () => directory().revision,
  );
}

/** A counter whose values are read, by one label or (null) by none. */
function addCounter(
  registry: Registry,
  name: string,
  help: string,
  label: string | null,
  read: () => readonly (readonly [string, number])[],
): void {
  const counter = new Counter({
    name,
    help,
    labelNames: label === null ? [] : [label],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [value, count] of read()) {
        if (label === null) counter.inc(count);
        else counter.inc({ [label]: value }, count);
      }
    },
  });
}

function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: () => {
      gauge.set(read());
    },
  });
}
