/** Where the words of old and new dockerds differ: checked against 20.10.24; newer ones begin in lower case. */
import { compareVersions } from "../../src/docker/version.ts";
import type { SimFacts } from "./facts.ts";

/** Engines before API 1.44 (Docker Engine 25). */
export const isOld = (facts: Pick<SimFacts, "apiVersion">): boolean => compareVersions(facts.apiVersion, "1.44") < 0;

/** The message as this engine would begin it. */
export function say(facts: Pick<SimFacts, "apiVersion">, message: string): string {
  return isOld(facts) ? `${message.charAt(0).toUpperCase()}${message.slice(1)}` : message;
}

/** 409 of anything that needs a running container. */
export const notRunningText = (facts: SimFacts, id: string): string => say(facts, `container ${id} is not running`);
