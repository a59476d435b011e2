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
/** Engines that wait for their turn to be read. */
export const ENGINES_WAITING = 20_000;
/** Background inspects under way over all engines. */
export const INSPECTS_AT_ONCE = 32;
/** Background inspects that wait for their turn; what does not fit is tried again with its node's next list. */
export const INSPECTS_WAITING = 200_000;
/** Connections kept to one engine for ordinary calls (hijacked ones are extra). */
export const ENGINE_CONNECTIONS = 32;
/** An engine's error body that is read to be translated; beyond this it is cut. */
export const ERROR_BODY_BYTES = 1 << 20;
/** An answer that is read whole into memory (list, inspect, info). */
export const ANSWER_BYTES = 64 << 20;
/** A JSON request body (create, update, exec …): engines take any size, and clients were seen to send 10 MB of environment. */
export const REQUEST_BODY_BYTES = 32 << 20;
/** All JSON request bodies that are held at one time. */
export const BODIES_BYTES = 256 << 20;
/** Reading a JSON request body. */
export const REQUEST_BODY_MS = 30_000;
/** A client that sends nothing more of a body that streams through (docker cp, image import), while it is waited for. */
export const UPLOAD_STALL_MS = 600_000;
/** Reading a request's headers. */
export const REQUEST_HEADERS_MS = 30_000;
/** What streams through until the memory of its dead chunks is collected. */
export const STREAM_COLLECT_BYTES = 16 << 20;
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
/** Nodes asked for the paths that one create mounts, until it is refused. */
export const BIND_NODES_ASKED = 16;
/** Creates in a row that fail for a node's own reason until it is asked last. */
export const DISTRESS_FAILURES = 3;
/** Then it is tried again like any other. */
export const DISTRESS_MS = 30_000;
/** Containers removed while their node was lost, whose copies the nodes may still have. */
export const TOMBSTONES_KEPT = 10_000;
/** Execs whose node is remembered. */
export const EXECS_REMEMBERED = 100_000;
/** Placement decisions kept for `shoal why`. */
export const DECISIONS_KEPT = 10_000;
/** A change is read back from the engine this long after it, unless somebody asks before. */
export const REFRESH_DELAY_MS = 200;
/** What could not be read back is tried again this much later. */
export const REFRESH_RETRY_MS = 1_000;
/** Readings that a list waits for when each is overtaken by news of what it reads. */
export const REFRESH_TRIES = 3;
/** A miss on a cluster with nodes never heard of is 503, not 404, for this long after start or joining. */
export const UNKNOWN_GRACE_MS = 60_000;
/** Connections to one engine for calls that may stay open (logs, wait, stats, pull). */
export const ENGINE_LONG_CONNECTIONS = 1_024;
/** Connections to one engine for pings, so that no other call can delay one. */
export const ENGINE_HEALTH_CONNECTIONS = 4;
/** An idle connection to an engine is closed after this. */
export const ENGINE_IDLE_MS = 30_000;
/** First TCP keepalive probe on an idle connection to an engine. */
export const ENGINE_KEEPALIVE_MS = 15_000;
/** Between two pings while one is unanswered. */
export const ENGINE_MISS_EVERY_MS = 1_500;
/** Unanswered pings in a row until an engine counts as silent: with the two intervals above, within 10 s. */
export const ENGINE_PING_MISSES = 3;
/** When an engine's event stream ends: this long to answer a ping, or it is unhealthy. */
export const ENGINE_VERDICT_MS = 3_000;
/** Between two tries within that time. */
export const ENGINE_VERDICT_TRY_MS = 1_000;
/** A timer that fires this late shows that shoal itself stood still: no engine is blamed for it. */
export const LAG_MS = 500;
/** An event stream that lived shorter than this is not reopened at once. */
export const ENGINE_SHORT_SESSION_MS = 5_000;
/** Events remembered to recognise those that a reopened stream repeats (an engine itself remembers 256). */
export const EVENTS_REMEMBERED = 1_024;
/** Events that shoal told because no engine could any more, kept for readers of the past. */
export const MISSED_EVENTS_REMEMBERED = 1_024;
/** Networks that are gone whose cluster IDs are kept for events of theirs that are still to come. */
export const FORMER_NETWORKS_REMEMBERED = 1_024;
/** Characters of a label's value that names a group. */
export const GROUP_VALUE_CHARS = 1_024;
/** A new group without a container counts as one that is about to come for this long. */
export const GROUP_EXPECTED_MS = 300_000;
/** Placement expressions of one kind in one create body. */
export const EXPRESSIONS_PER_REQUEST = 256;
/** Links, volumes-from, named volumes and networks of one create body: each is looked up before it is placed. */
export const REFERENCES_PER_REQUEST = 1_024;
/** Characters of one placement expression; a whitelist may name a whole cluster. */
export const EXPRESSION_CHARS = 16 << 10;
/** Characters of a `/regex/` in a placement expression. */
export const EXPRESSION_REGEX_CHARS = 256;
/** Characters of a value that a `/regex/` is tried on; a longer value does not match. */
export const EXPRESSION_SUBJECT_CHARS = 1024;
/** Compiled placement expressions kept (with the nodes that they match). */
export const EXPRESSIONS_KEPT = 1_000;
/** Best nodes that a placement decision keeps. */
export const RANKED_KEPT = 16;
/** Excluded nodes that a placement decision keeps for each filter, with the reason. */
export const EXCLUDED_KEPT = 20;
/** Nodes or containers that one sentence names; of the others it tells how many. */
export const NAMED = 10;
/** Header lines of one request. */
export const REQUEST_HEADERS_COUNT = 256;
/** Characters of a client's own request ID; a longer one is replaced. */
export const REQUEST_ID_CHARS = 128;
/** Characters of one name, path or parameter in an audit line. */
export const AUDIT_FIELD_CHARS = 256;
/** One line of a progress stream (pull). */
export const PROGRESS_LINE_BYTES = 1 << 20;
/** An audit line is on the disk within this, or the answer that waits for it is 503. */
export const AUDIT_WRITE_MS = 10_000;
/** Audit lines that wait for the disk; beyond, changes are refused. */
export const AUDIT_LINES_WAITING = 10_000;
/** Between two looks whether the audit log was moved away by a rotation. */
export const AUDIT_ROTATION_MS = 1_000;
/** A client's connection without a request is kept open this long. */
export const CLIENT_KEEP_ALIVE_MS = 300_000;
/** Silence on a client's connection before the kernel probes whether the client still lives (then each second, ten times). */
export const CLIENT_PROBE_MS = 5_000;
/** A TLS handshake with a client. */
export const CLIENT_HANDSHAKE_MS = 10_000;
/** What a client still sends after its answer was given is read and thrown away this long, so that it can read the answer. */
export const CLIENT_LINGER_MS = 5_000;
/** Clients' connections to one listener at once. */
export const CLIENT_CONNECTIONS = 20_000;
/** Characters of a regular expression in a list's `filters`; a longer one matches nothing. */
export const REGEXP_CHARS = 1_024;
/** Steps of such an expression's program; a larger one matches nothing. */
export const REGEXP_STEPS = 5_000;
/** Entries that one discovery list, ranges expanded, may hold. */
export const DISCOVERY_ENTRIES = 10_000;
/** A node's record in a store or at a hub. */
export const DISCOVERY_RECORD_BYTES = 16 << 10;
/** Labels that a node's record may hold. */
export const DISCOVERY_LABELS = 64;
/** Characters of a node's name in its record: what a host name may have. */
export const DISCOVERY_NAME_CHARS = 253;
/** A fence's record: with what its agent stopped, as many containers as a machine runs. */
export const FENCE_RECORD_BYTES = 48 << 10;
/** Containers that a fence stopped and that are named in its record, to be started again. */
export const FENCE_STOPPED = 2_000;
/** An agent renews its fence this often within the fence's time. */
export const FENCE_BEATS = 5;
/** Share of a fence's time without a renewal after which its agent begins to stop containers. */
export const FENCE_BEGINS = 0.6;
/** Share after which it waits for no engine any more: what still runs is frozen. The rest is for clocks that do not run alike. */
export const FENCE_FREEZES = 0.8;
/** Between two passes of an agent over its node's containers while a fence is on, and between two looks whether one is due. */
export const FENCE_PASS_MS = 250;
/** A question of an agent to its engine; without an answer it goes on alone. */
export const FENCE_ASK_MS = 2_000;
/** A stop or kill that an agent asks of its engine. */
export const FENCE_STOP_MS = 30_000;
/** A frozen container's engine is to have noted within this that it was told to kill it: then the container is let die. */
export const FENCE_KILL_MS = 300;
/** A cgroup is frozen within this, or the pass has failed. */
export const FENCE_FREEZE_MS = 1_000;
/** Between two looks of a manager at fences. */
export const FENCE_LOOK_MS = 1_000;
/** Between two looks whether nodes still beat. */
export const DISCOVERY_LOOK_MS = 1_000;
/** One call of a hub: a list, a heartbeat. */
export const HUB_CALL_MS = 10_000;
/** Between two questions of a manager to a hub, unless its heartbeat is shorter. */
export const HUB_POLL_MS = 5_000;
/** Tries of an agent to register when it failed: first and longest pause, never more than its heartbeat. */
export const AGENT_RETRY = { first: 1_000, longest: 15_000 } as const;
/** A JSON request body to a hub. */
export const HUB_BODY_BYTES = 64 << 10;
/** Reading it. */
export const HUB_BODY_MS = 10_000;
/** Clusters that a hub keeps. */
export const HUB_CLUSTERS = 10_000;
/** Clusters of one user. */
export const HUB_CLUSTERS_EACH = 1_000;
/** Users of a hub. */
export const HUB_USERS = 10_000;
/** Seconds that a node may ask to be kept without a heartbeat. */
export const HUB_TTL_SECONDS = 7 * 24 * 3600;
/** A node that fell silent is shown for this long, unless it is removed. */
export const HUB_SILENT_MS = 24 * 3_600_000;
/** Requests that one address may send to a hub: at once, and each second after that. */
export const HUB_REQUESTS = { burst: 5_000, perSecond: 500 } as const;
/** Wrong tokens that one address may show: at once, and each second after that. */
export const HUB_REFUSALS = { burst: 30, perSecond: 0.2 } as const;
/** Clusters that one address may create without signing in: at once, and each second after that. */
export const HUB_CREATES = { burst: 20, perSecond: 0.02 } as const;
/** Addresses whose rates are counted. */
export const HUB_ADDRESSES = 10_000;
/** An answer of a hub. */
export const HUB_ANSWER_BYTES = 32 << 20;
/** A discovery file. */
export const DISCOVERY_FILE_BYTES = 1 << 20;
/** A create waits this long for nodes that are being read, when no other node can take it. */
export const SETTLING_MS = 10_000;
/** How often it looks. */
export const SETTLING_POLL_MS = 50;
/** A create or start on an engine: volume drivers and slow disks take their time. */
export const CREATE_MS = 300_000;
/** A local machine's engine answers its first call within this. */
export const MACHINE_BOOT_MS = 120_000;
/** One question to a local machine's engine. */
export const MACHINE_PROBE_MS = 2_000;
/** Between two looks at a local machine that starts or stops. */
export const MACHINE_POLL_MS = 50;
/** A local machine's polite shutdown; then it is killed. */
export const MACHINE_STOP_MS = 30_000;
/** Tries to invent a container name that is free. */
export const NAME_TRIES = 32;
/** Characters of an image reference: more than a name, a tag and the longest digest have. */
export const REFERENCE_CHARS = 1_024;
/** Characters of a duration such as `1h30m`. */
export const DURATION_CHARS = 100;
/** A discovery file is read this long after it was seen to change, so that its writer can finish. */
export const DISCOVERY_SETTLE_MS = 50;
/** Images whose exposed ports are remembered. */
export const IMAGES_REMEMBERED = 10_000;
/** An engine's event of an end comes this long after its answer to wait, at most; then its list is asked. */
export const END_EVENT_MS = 250;
/** Between two looks for that event. */
export const END_POLL_MS = 5;
/** Between two tries of an engine that measures its disk for somebody else. */
export const DISK_BUSY_MS = 100;
/** After a list: an event that explains what it shows has come until then. */
export const EVENTS_LATE_MS = 2_000;
/** Objects that one prune removes at the same time. */
export const PRUNED_AT_ONCE = 8;
/** Objects that one prune asks an engine about in one request. */
export const PRUNED_PER_QUESTION = 100;
/** Requests that a client sent before the answer to its first; a connection with more is closed. */
export const PIPELINED_REQUESTS = 64;
/** What a client that has left sent before is kept for its container this long, when the engine does not read it. */
export const ENGINE_UNREAD_MS = 60_000;
/** What an engine said before it ended a hijacked stream waits this long for a client that does not read it. */
export const CLIENT_STALL_MS = 3_600_000;
/** A host that gives no sign counts as lost this long after its engine was found silent: with the pings, within 12 s. */
export const HOST_LOST_MS = 2_000;
/** Its engine takes connections and does not answer: its containers run on, and it may wake up. */
export const ENGINE_HUNG_MS = 20_000;
/** Its host answers and its engine is down: it is being restarted, or repaired. */
export const ENGINE_GRACE_MS = 300_000;
/** More than this share of the nodes, and at least two of them, gone at once: the manager suspects itself. */
export const BRAKE_SHARE = 1 / 3;
/** So are more than this many, however large the cluster is: hosts rarely die by the dozen, switches and managers do. */
export const BRAKE_NODES = 10;
/** Nodes that went within this went at once. */
export const BRAKE_WINDOW_MS = 60_000;
/** Between two looks at lost nodes and pending containers. */
export const RESCHEDULE_EVERY_MS = 500;
/** A pull that the manager makes for a container which has to run elsewhere. */
export const PULL_MS = 1_800_000;
/** Containers that are brought to other nodes at the same time. */
export const RESCHEDULES_AT_ONCE = 16;
/** Containers, or wholes of them, that leave drained nodes at the same time: each is away while it moves. */
export const DRAINS_AT_ONCE = 4;
/** Of these, how many wait for their turn; the rest is looked for again. */
export const DRAINS_WAITING = 10_000;
/** What was stopped to leave a drained node, and could not after all, runs at least this long before that is tried again. */
export const DRAIN_REST_MS = 60_000;
/** A copy without a healthcheck, started on another node before the one on a drained node is stopped, still runs after this. */
export const REPLACEMENT_STEADY_MS = 1_000;
/** Between two looks at the health of such a copy. */
export const REPLACEMENT_LOOK_MS = 500;
/** One with a healthcheck that is not healthy by then does not take over. */
export const REPLACEMENT_HEALTHY_MS = 300_000;
/** One whose create was not answered is not made any more when lists this far apart do not have it. */
export const REPLACEMENT_LATE_MS = 600_000;
/** Moves that `shoal rebalance` proposes at once. */
export const REBALANCE_MOVES = 100;
/** Containers, or wholes of them, that it looks at, those of the fullest nodes first. */
export const REBALANCE_WHOLES = 10_000;
/** Percent, of CPU and memory together, that a node must be less full than another one for a move to be proposed. */
export const REBALANCE_GAIN = 10;
/** Between two looks of a command line that waits for a node to be empty. */
export const DRAIN_POLL_MS = 500;
/** A list of discovery that lost this share of its nodes at once, and at least two, is not believed. */
export const DOUBTED_SHARE = 1 / 3;
/** A create whose node does not come back to tell what became of it holds its name and needs this long. */
export const OUTCOME_MS = 600_000;
/** Creates that were decided not to have been made, remembered in case an engine makes one of them after all. */
export const UNDONE_REMEMBERED = 10_000;
/** For how long their node is looked at for that: by then its sender, and the sender's machine, have given it up. */
export const UNDONE_MS = 600_000;
/** Requests that change something, answered at once. */
export const CHANGES_AT_ONCE = 2_000;
/** Requests that only read, answered at once. */
export const READS_AT_ONCE = 2_000;
/** Requests that may stay open for hours (attach, exec, logs, events, wait, pull, cp), answered at once. */
export const STREAMS_AT_ONCE = 10_000;
/** Connections that one client address may have to one listener; a unix socket knows no addresses. */
export const CLIENT_CONNECTIONS_EACH = 10_000;
/** A burst of refusals is over when there was none for this long. */
export const OVERLOAD_QUIET_MS = 5_000;
/** Characters of a create body that are kept until the container's first start, so that another node can take it then. */
export const RECIPE_CHARS = 256 << 10;
/** What an answer that is no stream may take of an engine that still answers pings; a stop's own `t` comes on top. */
export const ANSWER_MS = 600_000;
