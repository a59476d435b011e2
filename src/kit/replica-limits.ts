/** Deadlines, bounds and cadences of several managers of one cluster. */
/** Left of a leader's lease when it sends a change to an engine: as long as that may take to leave the process. */
export const LEASE_SEND_MS = 250;
/** Between two signs of life that a manager gives at a hub, hearing of promotions. */
export const MANAGER_BEAT_MS = 2_000;
/** A manager without a sign of life counts as silent. */
export const MANAGER_TTL_MS = 15_000;
/** What is under way at a manager that hands the lead over; what takes longer is broken off. */
export const HANDOVER_MS = 3_000;
/** A master asks for the lead when it has run for so long, so that one that comes and goes does not take it along. */
export const MASTER_STEADY_MS = 30_000;
/** Between two times that a master asks for the lead. */
export const MASTER_RECALL_MS = 30_000;
/** Changes that a manager which leads keeps for those that follow it; who missed more of them begins anew. */
export const CHANGES_KEPT = 10_000;
/** Between two questions of a manager to the one it follows, when no client asks for anything. */
export const CHANGES_EVERY_MS = 1_000;
/** A manager that leads tells its changes within this, or counts as lost; longer than a leader's lease. */
export const CHANGES_MS = 5_000;
/** A cluster that a manager has begun to follow is shown when each of its nodes was tried, or after this. */
export const FOLLOW_SETTLE_MS = 30_000;
/** What a leading manager tells in one answer of its changes. */
export const CHANGES_BYTES = 64 << 20;
/** A manager that was elected tries its nodes for this long before it answers. */
export const LEADER_SETTLE_MS = 1_000;
/** A request that needs a manager which leads waits this long for one; a read no longer than until so long after a loss. */
export const LEADER_WAIT_MS = 8_000;
/** Between two looks whether there is one. */
export const LEADER_POLL_MS = 50;
/** Requests that do so at once; more are refused. */
export const LEADER_WAITING = 1_000;
/** What a replica has begun to answer from a cluster that it no longer follows is given this long. */
export const FOLLOW_LINGER_MS = 10_000;
