/** A hub's requests: the page, the routes, and how often one address may ask. Must not know sockets. */
import type { Answer } from "../api/listener/answer.ts";
import type { ApiRequest } from "../api/listener/request.ts";
import { DockerError, notFound, unavailable } from "../docker/errors.ts";
import { DeadlineError } from "../kit/deadline.ts";
import { HUB_CREATES, HUB_REFUSALS, HUB_REQUESTS } from "../kit/limits.ts";
import { StoreError } from "../store/store.ts";
import type { Assets } from "./assets.ts";
import { Call, WrongToken } from "./call.ts";
import { RateLimit } from "./rate-limit.ts";
import { hubRoutes } from "./routes.ts";
import type { HubContext, HubState } from "./state.ts";

export interface ServiceOptions extends Pick<HubContext, "clock" | "log"> {
  readonly state: HubState;
  readonly assets: Assets;
  readonly anonymous: boolean;
}

export type Handler = (request: ApiRequest, answer: Answer) => Promise<void>;

export function hubService({ state, assets, clock, log, anonymous }: ServiceOptions): Handler {
  const requests = new RateLimit(clock, HUB_REQUESTS);
  const refusals = new RateLimit(clock, HUB_REFUSALS);
  const creates = new RateLimit(clock, HUB_CREATES);
  const check = (rate: RateLimit, address: string, what: string): void => {
    if (rate.take(address)) return;
    throw new DockerError(429, `too many ${what}: try again in ${rate.pauseSeconds} s`, {
      retryAfter: rate.pauseSeconds,
    });
  };
  const routes = hubRoutes(
    state,
    { anonymous, checkCreates: (address) => check(creates, address, "clusters from one address") },
    log,
  );

  return async (request, answer) => {
    const { address } = request.remote;
    check(requests, address, "requests from one address");
    if (assets.serve(request, answer)) return;
    const found = routes.filter(({ pattern }) => pattern.test(request.path));
    const route = found.find(({ method }) => method === request.method);
    if (!route) {
      throw found.length > 0
        ? new DockerError(405, `${request.method} is not for this page`)
        : notFound("page not found");
    }
    const params = route.pattern.exec(request.path)?.slice(1) ?? [];
    try {
      await route.handle(new Call(request, answer, params, state, clock));
    } catch (error) {
      if (error instanceof WrongToken) check(refusals, address, "wrong tokens from one address");
      if (error instanceof StoreError || error instanceof DeadlineError) {
        log.warn("the hub's store does not take a change", { error: error.message });
        throw unavailable("the hub's store does not take it now: try again in a moment");
      }
      throw error;
    }
  };
}
