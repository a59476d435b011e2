/**
 * What the file store needs of a disk: the seam where tests and the simulator stand in, with disks that fill up, fail and
 * lose what was not synced. Owns the promises; must not know what is written.
 *
 * Errors are the system's, with its `code` (`ENOSPC`, `EIO` …), unless said otherwise.
 */

export interface Disk {
  /** Makes a directory that only its owner may enter, with its parents, unless it is there; durable when it resolves. */
  makeDirectory(path: string): Promise<void>;
  /** Rejects with `DiskLockedError` while another process, or another lock of this one, holds it. */
  lock(path: string): Promise<DiskLock>;
  /** The whole file; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** An empty file that only its owner may read, in the place of what was there. */
  create(path: string): Promise<DiskFile>;
  /** Durable, as a file's coming and going, only after `syncDirectory`; what a crash leaves is the old or the new. */
  rename(from: string, to: string): Promise<void>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export interface DiskFile {
  /** When it rejects, any part of the bytes may be in the file. */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Everything appended is durable when it resolves. When it rejects, any part may be lost, and another sync that resolves
   * promises nothing for it: the kernel forgets what it failed to write.
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Ends with its holder, however that ends. */
export interface DiskLock {
  release(): Promise<void>;
}

export class DiskLockedError extends Error {
  /** The holder's process ID as far as it is known. */
  readonly pid: number | undefined;
  constructor(pid: number | undefined) {
    super(pid === undefined ? "locked by another process" : `locked by process ${pid}`);
    this.name = "DiskLockedError";
    this.pid = pid;
  }
}
