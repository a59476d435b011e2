/** Tokens: made, compared in constant time, kept as hashes. They have 128 bits and more of chance, so a plain hash will do. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "../kit/random.ts";

/** SHA-256, hexadecimal. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Whether two hashes of `hashOf` are the same, in a time that does not tell how far they agree. */
export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** As classic Swarm's: 32 hexadecimal digits. */
export const clusterToken = (random: Random): string => random.hex(16);

/** Opens an account. */
export const accountToken = (random: Random): string => random.hex(32);
