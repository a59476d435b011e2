/**
 * Reading a parsed create body as Go would: the names of fields fold case, null is absent, a wrong type is nothing (the
 * engine refuses it in its own words). Must not know which fields there are.
 */
import { badRequest } from "../docker/errors.ts";

/** An object whose field names fold case (a Go struct). */
export class Fields {
  readonly #values = new Map<string, unknown>();
  readonly #twice = new Set<string>();

  constructor(value: unknown) {
    for (const [name, field] of entriesOf(value)) {
      const folded = name.toLowerCase();
      if (this.#values.has(folded)) this.#twice.add(folded);
      this.#values.set(folded, field);
    }
  }

  /**
   * The value as it came; undefined when absent or null. DockerError 400 when the body spells the field in two ways:
   * an engine takes the last of them, and what was judged here must be what runs there.
   */
  get(name: string): unknown {
    const folded = name.toLowerCase();
    if (this.#twice.has(folded)) throw badRequest(`field ${name} is given more than once in different letter case`);
    return this.#values.get(folded) ?? undefined;
  }

  object(name: string): Fields {
    return new Fields(this.get(name));
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === "string" ? value : "";
  }

  /** A whole number above zero; 0 for everything else (unset, -1 for unlimited, not a number). */
  amount(name: string): number {
    const value = this.get(name);
    return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
  }

  texts(name: string): readonly string[] {
    return this.list(name).filter((item) => typeof item === "string");
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** A Go map: its keys are data and do not fold. */
  map(name: string): readonly (readonly [string, unknown])[] {
    return entriesOf(this.get(name));
  }
}

export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}
