/**
 * What engines mean by their error texts, from 20.10 to 28: the only place that matches them. Must not know what is done
 * about it. Engines have few status codes and change words between releases, so patterns are loose on purpose.
 */

/** Would be refused on any node alike; said in the same breath as a runtime error. */
const CALLERS_OWN = [
  /executable file not found/i,
  /exec: .*(?:permission denied|no such file or directory|is a directory|exec format error)/i,
  /are you trying to mount a directory onto a file/i,
  /unable to find (?:user|group)/i,
  /invalid (?:mount|reference)/i,
];

/** The node has no room, or something below the engine is broken (status 500 and above). */
const NODE_BROKEN = [
  /no space left on device/i,
  /disk quota exceeded/i,
  /read-only file system/i,
  /input\/output error/i,
  /structure needs cleaning/i,
  /thin pool has .* free/i,
  /too many open files/i,
  /too many levels of|too many links/i,
  /cannot allocate memory/i,
  /resource temporarily unavailable/i,
  /error creating (?:overlay|aufs|zfs|btrfs) mount/i,
  /failed to mount|error while mounting|error mounting/i,
  /\b(?:overlay2?|devmapper|devicemapper|btrfs|zfs|fuse-overlayfs|vfs): /i,
  /failed to create (?:prepare )?(?:snapshot|rwlayer)|error creating read-write layer/i,
  /layer does not exist|failed to get layer/i,
  /OCI runtime (?:create|start)? ?(?:failed|error)/i,
  /failed to create (?:shim|task|containerd)|failed to start shim/i,
  /runc did not terminate|runc create failed/i,
  /cgroups?: |cgroup mount|failed to write .*cgroup/i,
  /containerd.*(?:connection refused|unavailable|not running)|transport is closing|error while dialing/i,
  /context deadline exceeded/i,
];

/** No address pool is left for another network. */
const POOL_EXHAUSTED = [/non-overlapping IPv[46] address pool/i, /predefined address pools have been fully subnetted/i];

/** The node's network cannot take it (status 500; a refused address pool is 400 or 403 in some releases). */
const NODE_NETWORK = [
  /no available IPv[46] addresses/i,
  ...POOL_EXHAUSTED,
  /pool overlaps with other one/i,
  /driver failed programming external connectivity/i,
  /failed to set up container networking/i,
  /failed to (?:add the host|create endpoint|add interface)/i,
  /(?:ip6?tables|nftables) failed|No chain\/target\/match by that name/i,
  /exchange full/i,
];

/** A host port is held by something on the node that the ledger does not know. */
const PORT_TAKEN = [
  /port is already allocated/i,
  /(?:bind|listen \w+ \S+|host port[^:]*(?::\S+)*): (?:bind: )?address already in use/i,
  /starting userland proxy.*address already in use/i,
];

/** The node lacks what the request needs: another may have it (any status). */
const NODE_LACKS = [
  /unknown (?:or invalid )?runtime/i,
  /could not select device driver/i,
  /error gathering device information/i,
  /kernel does not support/i,
  /as there are only [\d.]+ CPUs? available/i,
  /requested (?:CPUs|memory nodes) are not available/i,
];

function says(message: string, patterns: readonly RegExp[]): boolean {
  return patterns.some((pattern) => pattern.test(message));
}

/** A create or start failed for the node's own reason, so that the next node may well take it. */
export function isNodesOwnFault(status: number, message: string): boolean {
  if (status < 400) return false;
  if (says(message, NODE_LACKS) || isPortTaken(status, message)) return true;
  if (says(message, NODE_NETWORK)) return true;
  return status >= 500 && says(message, NODE_BROKEN) && !says(message, CALLERS_OWN);
}

/** The node has no addresses left for another network. */
export function isPoolExhausted(message: string): boolean {
  return says(message, POOL_EXHAUSTED);
}

/** A published port is taken on the node. */
export function isPortTaken(status: number, message: string): boolean {
  return status >= 400 && says(message, PORT_TAKEN);
}

/** A create named an image that the engine does not have, or not for this platform; podman says it in other words. */
export function isImageMissing(status: number, message: string): boolean {
  return status === 404 && /no such image|image not known|does not match the specified platform/i.test(message);
}

/** The container is not (or no longer) on the engine. */
export function isContainerMissing(status: number, message: string): boolean {
  return status === 404 && /no such container/i.test(message);
}

/** A container's name is taken on the engine; `id` is its holder's, where the text names it. */
export function nameConflict(status: number, message: string): { id: string | undefined } | undefined {
  if (status !== 409 || !/name "?[^"]*"? is already in use/i.test(message)) return undefined;
  return { id: /by container "?([0-9a-f]{12,64})/i.exec(message)?.[1] };
}

/** Somebody else is removing it already: as good as removed. */
export function isRemovalInProgress(status: number, message: string): boolean {
  return status === 409 && /removal of container .* is already in progress/i.test(message);
}
