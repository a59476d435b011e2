/** What only a registry knows: any node asks it, with the client's credentials. */
import { encodeRef } from "../../cluster/images.ts";
import { anyNode } from "../../cluster/lookup.ts";
import { forward, queryOf } from "../forward.ts";
import type { Answer } from "../listener/answer.ts";
import type { Context, Route } from "../route.ts";

async function search(context: Context, answer: Answer): Promise<void> {
  await forward(context, answer, anyNode(context.cluster), `/images/search${queryOf(context.request)}`);
}

async function distribution(context: Context, answer: Answer): Promise<void> {
  const path = `/distribution/${encodeRef(context.params.name ?? "")}/json${queryOf(context.request)}`;
  await forward(context, answer, anyNode(context.cluster), path);
}

export const REGISTRY_ROUTES: readonly Route[] = [
  { method: "GET", path: "/images/search", how: "proxied", note: "By any node that answers.", handle: search },
  {
    method: "GET",
    path: "/distribution/{name}/json",
    how: "proxied",
    note: "By any node that answers.",
    handle: distribution,
  },
];
