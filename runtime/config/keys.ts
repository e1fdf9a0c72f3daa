/**
 * Every configuration key: those that edict reads, and those of Cerbos that it knows but does not have yet (COMPAT.md
 * section 13). A key that is in neither group is a mistake. Meanings and defaults are in docs/configuration.md.
 */

/** What a setting's value must be. */
export type ValueType = "text" | "boolean" | "integer" | "duration" | "texts" | "mode" | "any";

export type KeySpec =
  | { readonly kind: "section"; readonly keys: Readonly<Record<string, KeySpec>> }
  | { readonly kind: "setting"; readonly type: ValueType }
  /** Known to Cerbos, without effect here; no warning for values that ask for nothing edict would not do anyway. */
  | { readonly kind: "later"; readonly harmless: readonly unknown[]; readonly note: string };

const section = (keys: Readonly<Record<string, KeySpec>>): KeySpec => ({ kind: "section", keys });
const setting = (type: ValueType): KeySpec => ({ kind: "setting", type });
const later = (...harmless: readonly unknown[]): KeySpec => ({ kind: "later", harmless, note: "" });
const noted = (note: string): KeySpec => ({ kind: "later", harmless: [], note });

/** A section in which every key is `later`. */
const laterKeys = (...names: readonly string[]): KeySpec =>
  section(Object.fromEntries(names.map((name) => [name, later()])));

const FIXED_TIMEOUT = "connections without traffic are closed after 10 seconds, which cannot be changed";

export const CONFIG_KEYS: Readonly<Record<string, KeySpec>> = {
  server: section({
    httpListenAddr: setting("text"),
    grpcListenAddr: noted("there is no gRPC server yet"),
    udsFileMode: setting("mode"),
    threads: setting("integer"),
    overload: section({ maxDelay: setting("duration"), maxBufferedBytes: setting("integer") }),
    batches: section({ workers: setting("integer"), minBytes: setting("integer") }),
    search: section({ maxCandidates: setting("integer") }),
    metricsEnabled: later(false),
    logRequestPayloads: later(false),
    apiExplorerEnabled: later(false),
    playgroundEnabled: later(false),
    tls: section({
      cert: setting("text"),
      key: setting("text"),
      caCert: setting("text"),
      watchInterval: noted("certificates are read when the daemon starts"),
    }),
    auth: section({ tokenFile: setting("text") }),
    cors: section({
      disabled: setting("boolean"),
      allowedOrigins: setting("texts"),
      allowedHeaders: setting("texts"),
      maxAge: setting("duration"),
    }),
    requestLimits: section({
      maxActionsPerResource: setting("integer"),
      maxResourcesPerRequest: setting("integer"),
      maxPairsPerRequest: setting("integer"),
      maxBodyBytes: setting("integer"),
    }),
    adminAPI: section({ enabled: later(false), adminCredentials: laterKeys("username", "passwordHash") }),
    advanced: section({
      http: section({
        readTimeout: noted(FIXED_TIMEOUT),
        readHeaderTimeout: noted(FIXED_TIMEOUT),
        writeTimeout: noted(FIXED_TIMEOUT),
        idleTimeout: noted(FIXED_TIMEOUT),
      }),
      grpc: laterKeys("connectionTimeout", "maxConnectionAge", "maxConcurrentStreams", "maxRecvMsgSizeBytes"),
    }),
  }),
  engine: section({
    defaultPolicyVersion: setting("text"),
    defaultScope: setting("text"),
    globals: setting("any"),
    lenientScopeSearch: setting("boolean"),
    strictEvaluation: setting("boolean"),
    onError: setting("text"),
    policyLoaderTimeout: later(),
    celErrorLogLevel: later(),
  }),
  schema: section({ enforcement: setting("text"), cacheSize: setting("integer") }),
  auxData: section({
    jwt: section({
      disableVerification: setting("boolean"),
      acceptableTimeSkew: setting("duration"),
      cacheSize: setting("integer"),
      keySets: setting("any"),
    }),
  }),
  // edict's own: where bundles come from, and what holds when their source is gone (docs/sources.md).
  bundle: section({
    source: setting("text"),
    verifyKeys: setting("texts"),
    tokenFile: setting("text"),
    natsCredentials: setting("text"),
    pollInterval: setting("duration"),
    maxBytes: setting("integer"),
    stateDir: setting("text"),
    staleAfter: setting("duration"),
    failClosedAfter: setting("duration"),
    allowRollbackTo: setting("text"),
  }),
  // edict's own: the AuthZEN routes (docs/authzen.md).
  authzen: section({
    roles: setting("text"),
    reasons: setting("text"),
    baseUrl: setting("text"),
    trustForwarded: setting("boolean"),
  }),
  // edict's own: subjects and resources with their properties (docs/authzen.md).
  directory: section({
    files: setting("texts"),
    maxEntities: setting("integer"),
    maxBytes: setting("integer"),
  }),
  // edict's own: what operators ask of a running daemon, and the candidate beside what serves (docs/operations.md).
  admin: section({ listen: setting("text"), tokenFile: setting("text") }),
  shadow: section({ source: setting("text"), sample: setting("any"), report: setting("text") }),
  storage: section({
    driver: setting("text"),
    disk: section({ directory: setting("text"), watchForChanges: setting("boolean") }),
    bundle: section({ file: setting("text") }),
    git: laterKeys(
      "protocol",
      "url",
      "branch",
      "subDir",
      "checkoutDir",
      "operationTimeout",
      "updatePollInterval",
      "https",
      "ssh",
    ),
    blob: laterKeys("bucket", "prefix", "workDir", "downloadTimeout", "requestTimeout", "updatePollInterval"),
    sqlite3: laterKeys("dsn"),
    postgres: laterKeys("url", "connPool", "connRetry", "skipSchemaCheck"),
    mysql: laterKeys("dsn", "tls", "serverPubKey", "connPool", "connRetry", "skipSchemaCheck"),
    hub: laterKeys("cacheSize", "local", "remote"),
    overlay: laterKeys("baseDriver", "fallbackDriver", "fallbackErrorThreshold", "fallbackErrorWindow"),
  }),
  audit: section({
    enabled: later(false),
    backend: later(),
    accessLogsEnabled: later(false),
    decisionLogsEnabled: later(false),
    includeMetadataKeys: later(),
    excludeMetadataKeys: later(),
    decisionLogFilters: later(),
    local: laterKeys("storagePath", "retentionPeriod", "advanced"),
    file: laterKeys("path", "additionalPaths", "logRotation"),
    kafka: laterKeys(
      "brokers",
      "topic",
      "ack",
      "encoding",
      "clientID",
      "compression",
      "produceSync",
      "maxBufferedRecords",
      "closeTimeout",
      "authentication",
    ),
    hub: laterKeys("storagePath", "retentionPeriod", "advanced", "mask", "pipeOutput"),
  }),
  // edict sends no telemetry, so every wish about it is met.
  telemetry: section({
    disabled: later(true, false),
    reportInterval: later(),
    stateDir: later(),
  }),
  hub: section({ credentials: laterKeys("clientID", "clientSecret", "pdpID") }),
};
