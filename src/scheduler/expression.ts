/** Classic Swarm's expressions: `KEY==VALUE`, `KEY!=VALUE`, `~` for soft, globs and `/regex/`. */
import type { Matcher } from "./matcher.ts";

export interface Expression {
  readonly key: string;
  readonly operator: "==" | "!=";
  readonly soft: boolean;
  readonly matcher: Matcher;
  /** As the user wrote it. */
  readonly text: string;
}
