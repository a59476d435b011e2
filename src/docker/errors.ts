/**
 * Every error that reaches a client: one class, dockerd's status and words.
 * Owns the catalogue; must not know HTTP servers or engines.
 */

import { QueueFull } from "../kit/limit.ts";

/** Rendered at the edge as `{"message": …}` with `status`. */
export class DockerError extends Error {
  readonly status: number;
  /** Seconds after which the client may try again, where that is worth saying. */
  readonly retryAfter: number | undefined;
  constructor(status: number, message: string, options?: ErrorOptions & { readonly retryAfter?: number }) {
    super(message, options);
    this.name = "DockerError";
    this.status = status;
    this.retryAfter = options?.retryAfter;
  }
}

export const badRequest = (message: string): DockerError => new DockerError(400, message);
export const notFound = (message: string): DockerError => new DockerError(404, message);
export const conflict = (message: string): DockerError => new DockerError(409, message);
/** More is asked at once than the manager takes. */
export const overloaded = (why: string): DockerError =>
  new DockerError(503, `too much at once: ${why}; try again in a moment`, { retryAfter: 1 });
export const unavailable = (message: string): DockerError => new DockerError(503, message);

export const pageNotFound = (): DockerError => notFound("page not found");
export const noSuchContainer = (ref: string): DockerError => notFound(`No such container: ${ref}`);
export const noSuchImage = (ref: string): DockerError => notFound(`No such image: ${ref}`);
export const noSuchNetwork = (ref: string): DockerError => notFound(`network ${ref} not found`);
export const noSuchExec = (id: string): DockerError => notFound(`No such exec instance: ${id}`);
export const nameInUse = (name: string, id: string): DockerError =>
  conflict(
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
export const invalidName = (name: string): DockerError =>
  badRequest(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
export const ambiguousPrefix = (prefix: string): DockerError =>
  badRequest(`Multiple IDs found with provided prefix: ${prefix}`);
export const invalidFilter = (name: string): DockerError => badRequest(`invalid filter '${name}'`);
export const notSupportedYet = (what: string): DockerError =>
  new DockerError(501, `${what} is not supported on a shoal cluster yet`);
/** A node cannot be asked now; what lives there is unknown, not gone. */
export const nodeUnreachable = (node: string, why: string): DockerError =>
  unavailable(`node ${node} cannot be reached: ${why}`);

/** It is on no node, and waits for one. */
export const pendingContainer = (name: string, why: string | undefined): DockerError =>
  conflict(`container ${name} is pending: ${why ?? "another node is being looked for"}`);

/** The error of anything thrown: a DockerError as it is, a full queue as 503, all else as 500 with its message. */
export function toDockerError(error: unknown): DockerError {
  if (error instanceof DockerError) return error;
  if (error instanceof QueueFull) return overloaded(error.message);
  return new DockerError(500, error instanceof Error ? error.message : String(error), { cause: error });
}
