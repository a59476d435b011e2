/** The name of one request, by which its answer, its log lines and its audit line find each other. */
import { REQUEST_ID_CHARS } from "../../kit/limits.ts";
import type { Random } from "../../kit/random.ts";

export const REQUEST_ID_HEADER = "X-Request-Id";

/** The client's own ID if it is of use in a log (a short word of letters, digits and `_.:+/=@-`), else a new one. */
export function requestId(given: string | readonly string[] | undefined, random: Random): string {
  if (typeof given === "string" && given.length <= REQUEST_ID_CHARS && /^[\w.:+/=@-]+$/.test(given)) return given;
  return random.hex(8);
}
