/** Who follows the calls that change something on an engine. Must not know what they are for. */

/** Takes the answer's status, undefined when no answer came. */
export type Outcome = (status: number | undefined) => void;

/**
 * Told before such a call is sent, and may refuse it by rejecting.
 * @param path without version, query included
 */
export type CallWatch = (method: string, path: string) => Promise<Outcome>;

/** Calls that only read are nobody's business. */
export const changesSomething = (method: string): boolean => method !== "GET" && method !== "HEAD";
