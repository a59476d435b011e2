/**
 * Requests about what is not there, on routes where dockerd looks at the parameters first: an engine says what is wrong
 * with them. Must not know which parameters there are.
 */
import { judge, NOBODY } from "../cluster/judge.ts";
import { queryOf } from "./forward.ts";
import { readJsonBody } from "./listener/request.ts";
import type { Context, Route } from "./route.ts";

/** Throws the DockerError of an engine that refuses them; the 404 is the handler's to say. */
export async function checkFirst({ cluster, params, request }: Context, route: Route): Promise<void> {
  if (route.checksFirst === undefined) return;
  const { id = "", name } = params;
  const known = name === undefined ? cluster.execs.get(id) : cluster.inventory.find(name);
  if (known) return;
  const { method, version } = request;
  const text = route.checksFirst === "body" ? await readJsonBody(request, cluster.clock) : undefined;
  await judge(cluster, { method, path: route.path.replace(/\{\w+\}/g, NOBODY) + queryOf(request), version }, text);
}
