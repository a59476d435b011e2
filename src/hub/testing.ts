/** A hub for tests, on a loopback port of its own. Not part of the product. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../kit/log.ts";
import type { HubOptions } from "./options.ts";
import { runHub } from "./run.ts";

export interface TestHub {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly adminToken: string;
  /** All that was logged, as JSON. */
  readonly logged: string[];
  readonly directory: string;
  /** @param token shown as a bearer's */
  fetch(path: string, init?: RequestInit & { token?: string | undefined }): Promise<Response>;
  /** Ends it, and keeps its directory. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestHub(more: Partial<HubOptions> & { directory?: string } = {}): Promise<TestHub> {
  const { directory = mkdtempSync(join(tmpdir(), "shoal-hub-")), ...options } = more;
  const logged: string[] = [];
  const stopping = new AbortController();
  let onAddress = (_address: string): void => {};
  const listening = new Promise<string>((resolve) => {
    onAddress = resolve;
  });
  const note = (message: string, fields: Record<string, unknown> = {}): void => {
    logged.push(JSON.stringify({ message, ...fields }));
    if (message === "listening") onAddress(String(fields.address));
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note, with: () => log };
  const adminTokenFile = join(directory, "admin-token");
  const running = runHub(
    {
      hosts: ["tcp://127.0.0.1:0"],
      store: `file://${directory}/store`,
      storeOptions: {},
      adminTokenFile,
      anonymous: false,
      tls: undefined,
      requireTls: false,
      allowHosts: [],
      ...options,
    },
    log,
    stopping.signal,
    () => {},
  );
  const address = await Promise.race([listening, running.then(() => "")]);
  const url = address.replace("tcp:", options.tls ? "https:" : "http:");
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return {
    url,
    adminToken: readFileSync(adminTokenFile, "utf8").trim(),
    logged,
    directory,
    fetch: (path, { token, headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      }),
    stop,
    async close() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
