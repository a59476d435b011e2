/** Every number that bounds a wait, a queue or a size. Times in milliseconds, sizes in bytes, unless the name says otherwise. */

/** A whole answer of an engine to a small question (info, version, ping, a list of few). */
export const ENGINE_CALL_MS = 30_000;
/** Opening a connection to an engine. */
export const ENGINE_DIAL_MS = 5_000;
/** A ping that decides about health. */
export const ENGINE_PING_MS = 4_000;
/** Between two pings of a healthy engine whose event stream is up. */
export const ENGINE_PING_EVERY_MS = 3_000;
/** Between two full comparisons of the cache with an engine, jittered by half of it. */
export const ENGINE_RESYNC_EVERY_MS = 45_000;
/** Tries to reach an engine that is down: first and longest pause. */
export const ENGINE_RECONNECT = { first: 500, longest: 10_000 } as const;
/** Engines that are being read at the same time when the manager starts. */
export const ENGINES_AT_ONCE = 64;
/** Background inspects under way over all engines. */
export const INSPECTS_AT_ONCE = 32;
/** Connections kept to one engine for ordinary calls (hijacked ones are extra). */
export const ENGINE_CONNECTIONS = 32;
/** An engine's error body that is read to be translated; beyond this it is cut. */
export const ERROR_BODY_BYTES = 1 << 20;
/** An answer that is read whole into memory (list, inspect, info). */
export const ANSWER_BYTES = 64 << 20;
/** A JSON request body (create, update, exec …). */
export const REQUEST_BODY_BYTES = 4 << 20;
/** Reading a JSON request body. */
export const REQUEST_BODY_MS = 30_000;
/** Reading a request's headers. */
export const REQUEST_HEADERS_MS = 30_000;
/** Headers of one request. */
export const REQUEST_HEADERS_BYTES = 64 << 10;
/** The head of an upgrade's answer. */
export const UPGRADE_HEAD_BYTES = 64 << 10;
/** A graceful stop: open requests get this long. */
export const SHUTDOWN_MS = 10_000;
/** Events that wait for one slow reader of /events; then it is cut off with a log line. */
export const EVENT_QUEUE = 10_000;
/** One line of an engine's event stream. */
export const EVENT_LINE_BYTES = 4 << 20;
/** How long a create that missed its image guides the client's pull and its next create. */
export const PULL_MEMORY_MS = 60_000;
/** Clients whose misses are remembered at once. */
export const PULL_MEMORY_ENTRIES = 10_000;
/** Nodes tried for one create or start when a node fails for its own reason. */
export const NODES_TRIED = 3;
/** Execs whose node is remembered. */
export const EXECS_REMEMBERED = 100_000;
/** Placement decisions kept for `shoal why`. */
export const DECISIONS_KEPT = 10_000;
/** A change is read back from the engine this long after it, unless somebody asks before. */
export const REFRESH_DELAY_MS = 200;
/** A miss on a cluster with nodes never heard of is 503, not 404, for this long after start or joining. */
export const UNKNOWN_GRACE_MS = 60_000;
