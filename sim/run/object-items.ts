/** What clients do about networks and volumes, as data. Must not know how it is carried out. */
import type { ProjectPlan } from "./plan.ts";

export type ObjectKind = "network" | "volume";

interface Doing {
  /** Milliseconds after the beginning. */
  readonly at: number;
  readonly client: number;
  readonly kind: ObjectKind;
}

export interface ObjectCreateItem extends Doing {
  readonly do: "object create";
  readonly name: string;
  readonly project?: ProjectPlan | undefined;
  /** A network on every node. */
  readonly perNode: boolean;
}

export interface ObjectUseItem extends Doing {
  readonly do: "object remove" | "object inspect";
  readonly name: string;
  /** By the ID that somebody was told, where there is one. */
  readonly byId: boolean;
}

export interface ObjectPlainItem extends Doing {
  readonly do: "object list" | "object prune";
}

/** A container goes into a network, or out of it. */
export interface JoinItem extends Doing {
  readonly do: "connect" | "disconnect";
  readonly name: string;
  /** Index into the containers that somebody was told of. */
  readonly which: number;
}

export type ObjectItem = ObjectCreateItem | ObjectUseItem | ObjectPlainItem | JoinItem;
