/** The `filters` query parameter: key → wanted values, in the map form and in the older list form. */
import { badRequest, invalidFilter } from "../../src/docker/errors.ts";

export class Filters {
  readonly #wanted = new Map<string, Set<string>>();

  /** Throws 400 for what cannot be read or, when `known` is given, for a filter that is not among them. */
  constructor(text: string | null, known?: readonly string[]) {
    if (text === null || text === "") return;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw badRequest(`invalid filter: ${text}`);
    }
    for (const [key, values] of Object.entries(parsed as Record<string, unknown>)) {
      if (known && !known.includes(key)) throw invalidFilter(key);
      const names = Array.isArray(values)
        ? values.map(String)
        : Object.entries(values as Record<string, unknown>)
            .filter(([, on]) => on === true)
            .map(([name]) => name);
      if (names.length > 0) this.#wanted.set(key, new Set(names));
    }
  }

  has(key: string): boolean {
    return this.#wanted.has(key);
  }

  values(key: string): string[] {
    return [...(this.#wanted.get(key) ?? [])];
  }

  /** True when the key was not asked for, or any wanted value fits. */
  any(key: string, fits: (value: string) => boolean): boolean {
    const wanted = this.#wanted.get(key);
    if (!wanted) return true;
    for (const value of wanted) if (fits(value)) return true;
    return false;
  }

  /** Every wanted `label` (`key` or `key=value`) is among the labels. */
  labels(labels: Readonly<Record<string, string>>): boolean {
    for (const wanted of this.#wanted.get("label") ?? []) {
      const at = wanted.indexOf("=");
      const value = labels[at < 0 ? wanted : wanted.slice(0, at)];
      if (value === undefined || (at >= 0 && value !== wanted.slice(at + 1))) return false;
    }
    return true;
  }
}
