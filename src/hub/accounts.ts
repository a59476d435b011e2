/**
 * Who may have clusters: the admin, whose token is in a file, and users, whose tokens' hashes are in the store. Owns
 * them; must not know clusters.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { badRequest, conflict, DockerError, notFound } from "../docker/errors.ts";
import { HUB_USERS } from "../kit/limits.ts";
import type { Random } from "../kit/random.ts";
import { Mirror, type MirrorOptions } from "./mirror.ts";
import { accountToken, hashOf, sameHash } from "./secrets.ts";

export const ADMIN = "admin";
const NAME = /^[a-z0-9][a-z0-9_-]{0,38}$/;

interface User {
  readonly name: string;
  /** Of the token. */
  readonly hash: string;
}

export class Accounts {
  readonly #users: Mirror<User>;
  readonly #byHash = new Map<string, User>();
  readonly #adminHash: string;
  readonly #random: Random;

  constructor(options: Omit<MirrorOptions<User>, "prefix" | "onChange">, adminToken: string, random: Random) {
    this.#adminHash = hashOf(adminToken);
    this.#random = random;
    this.#users = new Mirror({
      ...options,
      prefix: "hub/users/",
      onChange: (before, now) => {
        if (before) this.#byHash.delete(before.hash);
        if (now) this.#byHash.set(now.hash, now);
      },
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#users.run(signal);
  }

  /** Whose token this is; undefined: nobody's. */
  holder(token: string): string | undefined {
    const hash = hashOf(token);
    if (sameHash(hash, this.#adminHash)) return ADMIN;
    const user = this.#byHash.get(hash);
    return user && sameHash(hash, user.hash) ? user.name : undefined;
  }

  names(): readonly string[] {
    return [...this.#users.values()].map(({ name }) => name).sort();
  }

  /** Makes an account and gives its token, which is not shown again. Throws DockerError. */
  async add(name: string): Promise<string> {
    if (!NAME.test(name) || name === ADMIN) {
      throw badRequest(`invalid user name ${JSON.stringify(name)}: a-z, 0-9, _ and -, 39 at most, and not ${ADMIN}`);
    }
    if (this.#users.size >= HUB_USERS) throw new DockerError(403, `this hub has ${HUB_USERS} users already`);
    const token = accountToken(this.#random);
    if (!(await this.#users.add(name, { name, hash: hashOf(token) })))
      throw conflict(`there is a user ${name} already`);
    return token;
  }

  /** Throws DockerError. */
  async remove(name: string): Promise<void> {
    if (!this.#users.get(name)) throw notFound(`no such user: ${name}`);
    await this.#users.put(name, undefined);
  }
}

/** The admin's token: read from its file, or made and written there for its owner's eyes alone. Throws Error for the operator. */
export function openAdminToken(path: string, random: Random): { readonly token: string; readonly isNew: boolean } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const token = accountToken(random);
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const kept = readFileSync(path, "utf8").trim();
    if (kept.length < 32)
      throw new Error(`${path} holds no token of 32 characters or more: remove it, and one is made`);
    return { token: kept, isNew: false };
  }
  try {
    writeSync(file, `${token}\n`);
  } finally {
    closeSync(file);
  }
  return { token, isNew: true };
}
