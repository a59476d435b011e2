/** Lists in sentences: the first few, and how many more there are. */
import { NAMED } from "./limits.ts";

export function someOf(names: readonly string[]): string {
  const some = names.slice(0, NAMED).join(", ");
  return names.length > NAMED ? `${some} and ${names.length - NAMED} more` : some;
}
