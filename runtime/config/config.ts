/** The configuration of a daemon after files, `--set` and flags have been merged: plain values, all checked. */
import { type AdminOptions, DEFAULT_ADMIN_OPTIONS } from "../admin/options.ts";
import { type AuxDataOptions, DEFAULT_AUX_DATA } from "../aux-data/options.ts";
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from "../directory/options.ts";
import { DEFAULT_OPTIONS, type ResolvedOptions } from "../guest/options.ts";
import { type CorsOptions, DEFAULT_CORS } from "../http/cors.ts";
import { DEFAULT_DISCOVERY, type DiscoveryOptions } from "../http/discovery.ts";
import type { OverloadOptions } from "../http/load-gate.ts";
import type { TlsOptions } from "../http/tls.ts";
import { DEFAULT_SEARCH_OPTIONS, type SearchOptions } from "../search/options.ts";
import type { NatsObject } from "../source/location.ts";
import { type BundleOptions, DEFAULT_BUNDLE_OPTIONS } from "../source/options.ts";
import type { ListenAddress } from "./address.ts";

/** Where policies come from. */
export type PolicySource =
  | { readonly kind: "directory"; readonly directory: string; readonly watch: boolean }
  | { readonly kind: "bundle"; readonly file: string }
  /** A bundle behind an http or https URL. */
  | { readonly kind: "url"; readonly url: string }
  /** An object of a NATS JetStream bucket. */
  | { readonly kind: "nats"; readonly object: NatsObject };

/** How large requests are decided (docs/serving.md). */
export interface BatchOptions {
  /** Workers of each serving thread; 0 for none, null to choose by the machine's cores. */
  readonly workers: number | null;
  /** Bytes from which on a request goes to a worker; 0 for what is measured. */
  readonly minBytes: number;
}

/** A candidate that decides live requests without answering them (docs/operations.md). */
export interface ShadowOptions {
  /** Where it comes from; null for none. */
  readonly source: PolicySource | null;
  /** Share of the requests, above 0 and up to 1. */
  readonly sample: number;
  /** File to which the decisions that it would change are appended; null for standard error. */
  readonly report: string | null;
}

export interface Config {
  readonly server: {
    readonly addresses: readonly ListenAddress[];
    readonly cors: CorsOptions;
    /** Permission bits of a Unix socket. */
    readonly socketMode: number;
    /** Serving threads, each with a guest of its own. */
    readonly threads: number;
    readonly batches: BatchOptions;
    readonly overload: OverloadOptions;
    readonly search: SearchOptions;
    /** File with the bearer tokens that let somebody ask; null when everybody may. */
    readonly accessTokens: string | null;
    /** Null for plain text. */
    readonly tls: TlsOptions | null;
    /** What AuthZEN's metadata says about this server's address. */
    readonly discovery: DiscoveryOptions;
  };
  readonly policies: PolicySource;
  readonly bundle: BundleOptions;
  /** Everything a file can say: `tokens` are made of `auxData`, the clock is the system's. */
  readonly engine: Omit<ResolvedOptions, "clock" | "tokens" | "wholeGlobals">;
  readonly auxData: AuxDataOptions;
  readonly directory: DirectoryOptions;
  readonly admin: AdminOptions;
  readonly shadow: ShadowOptions;
}

/** Where edict listens when nobody says otherwise: this machine only. */
export const DEFAULT_ADDRESS: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 3592 };

/** Cerbos's default address, for its configuration files: every interface. */
export const CERBOS_ADDRESS: ListenAddress = { kind: "tcp", host: "", port: 3592 };

/** Most serving threads. */
export const MAX_THREADS = 256;

/** Most workers of a serving thread. */
export const MAX_WORKERS = 64;

/** What holds without a file, as in Cerbos: policies from `./policies`. */
export const DEFAULT_CONFIG: Config = {
  server: {
    addresses: [DEFAULT_ADDRESS],
    cors: DEFAULT_CORS,
    socketMode: 0o766,
    threads: 1,
    batches: { workers: null, minBytes: 0 },
    overload: { maxDelayMs: 250, maxBufferedBytes: 256 * 1024 * 1024 },
    search: DEFAULT_SEARCH_OPTIONS,
    accessTokens: null,
    tls: null,
    discovery: DEFAULT_DISCOVERY,
  },
  policies: { kind: "directory", directory: "policies", watch: false },
  bundle: DEFAULT_BUNDLE_OPTIONS,
  engine: DEFAULT_OPTIONS,
  auxData: DEFAULT_AUX_DATA,
  directory: DEFAULT_DIRECTORY_OPTIONS,
  admin: DEFAULT_ADMIN_OPTIONS,
  shadow: { source: null, sample: 1, report: null },
};
