/**
 * Names for containers that were given none: an adjective and a creature of the sea, such as `brisk_marlin`. The manager
 * makes them, since engines that do not know each other would invent the same one. Must not know which names exist.
 */

import { NAME_TRIES } from "../kit/limits.ts";
import { pick, type Random } from "../kit/random.ts";
import { ADJECTIVES, CREATURES } from "./name-words.ts";

/**
 * A name for which `taken` is false. From the third try on a number is added, with more digits the longer it takes, so that
 * a few tries do on any number of containers.
 * @throws Error when NAME_TRIES names in a row are taken
 */
export function generateName(random: Random, taken: (name: string) => boolean): string {
  for (let attempt = 0; attempt < NAME_TRIES; attempt++) {
    const name = `${pick(random, ADJECTIVES)}_${pick(random, CREATURES)}`;
    const full = attempt < 2 ? name : `${name}${random.int(10 ** Math.min(attempt - 1, 9))}`;
    if (!taken(full)) return full;
  }
  throw new Error(`no free container name found in ${NAME_TRIES} tries`);
}
