/** Deadlines, bounds and cadences of what is kept in stores, whoever keeps it. */
/** A change is durable within this, or it is refused. */
export const STORE_WRITE_MS = 10_000;
/** Keys that one transaction names, in conditions and writes: Consul takes no more. */
export const STORE_TXN_KEYS = 64;
/** Changes that wait for the store, each with somebody waiting for it. */
export const STORE_QUEUE = 10_000;
/** Keys whose last value waits to be written when there is time. */
export const STORE_LATER_KEYS = 200_000;
/** What the store did not take, and nobody waits for, is tried again this much later. */
export const STORE_RETRY_MS = 1_000;
/** Characters of a key of the store. */
export const STORE_KEY_CHARS = 1_024;
/** A value in the store, UTF-8. */
export const STORE_VALUE_BYTES = 256 << 10;
/** Keys and values that one transaction writes, UTF-8: Consul takes 512 KiB with the values in base64. */
export const STORE_TXN_BYTES = 352 << 10;
/** Written with one sync of the file store; what waits beyond it comes in the next. */
export const STORE_BATCH_BYTES = 4 << 20;
/** One record of a file store's snapshot. */
export const STORE_CHUNK_BYTES = 256 << 10;
/** A file store's journal is written anew when it is larger than what it holds by this factor, and this many bytes. */
export const STORE_GROWTH = { factor: 2, bytes: 1 << 20 } as const;
/** A file store that closes waits this long for a disk that does not answer. */
export const STORE_CLOSE_MS = 10_000;
/** How often a file store that cannot be written tries again, and looks whether a backup is to be restored. */
export const STORE_TICK_MS = 1_000;
/** A running manager takes a backup that was placed beside its store within this. */
export const STORE_RESTORE_MS = 30_000;
/** Between two looks whether it did. */
export const STORE_RESTORE_LOOK_MS = 100;
/** Reading the whole store when the manager starts. */
export const STORE_LOAD_MS = 60_000;
/** One question to a store that other machines keep, a transaction included. */
export const STORE_CALL_MS = 10_000;
/** A server of such a store that says nothing for this long is left for the next one, or asked on another connection. */
export const STORE_TRY_MS = 4_000;
/** Opening a connection to a server of a store. */
export const STORE_DIAL_MS = 3_000;
/** Tries to watch a store again after an interruption: first and longest pause. */
export const STORE_RECONNECT = { first: 100, longest: 5_000 } as const;
/** Between two looks whether the server that a watch listens to is still there. */
export const STORE_WATCH_CHECK_MS = 5_000;
/** One answer of a store's server; a list that a server gives whole is one. */
export const STORE_ANSWER_BYTES = 256 << 20;
/** Connections to one server of a store, a watch takes one of its own. */
export const STORE_CONNECTIONS = 128;
/** Entries in one answer of etcd to a list. */
export const STORE_PAGE_ENTRIES = 500;
/** Seconds that Consul keeps a watch's question open while nothing changes. */
export const CONSUL_WAIT_S = 60;
/** A session with ZooKeeper; a server that says nothing for two thirds of it is left. */
export const ZOOKEEPER_SESSION_MS = 9_000;
/** Questions that a list or a watch has under way at one ZooKeeper server. */
export const ZOOKEEPER_AT_ONCE = 500;
/** One request to ZooKeeper: a server closes the connection on what is larger than its `jute.maxbuffer`. */
export const ZOOKEEPER_REQUEST_BYTES = 1_000 << 10;
/** Nodes known to be there for others to lie below. */
export const ZOOKEEPER_PARENTS = 10_000;
