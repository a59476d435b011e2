/** What a request of a client came to. */
import type { ApiAnswer } from "./api-call.ts";

/** An answer, or nothing that tells whether it was carried out. */
export type Outcome = ApiAnswer | "refused" | "no answer";

export const isAnswer = (outcome: Outcome): outcome is ApiAnswer => typeof outcome === "object";

export const succeeded = (outcome: Outcome): boolean => isAnswer(outcome) && outcome.status < 400;

/** Says for certain that nothing was done. */
export const declined = (outcome: Outcome): boolean =>
  outcome === "refused" || (isAnswer(outcome) && outcome.status >= 400 && outcome.status < 500);
