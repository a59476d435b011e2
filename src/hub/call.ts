/** One request to the hub, and what it may do: the caller's account, the cluster it names. Owns the rights. */
import type { Answer } from "../api/listener/answer.ts";
import { type ApiRequest, readTextBody } from "../api/listener/request.ts";
import { badRequest, DockerError, notFound } from "../docker/errors.ts";
import type { Clock } from "../kit/clock.ts";
import { HUB_BODY_BYTES, HUB_BODY_MS } from "../kit/limits.ts";
import { ADMIN } from "./accounts.ts";
import { credentialOf } from "./caller.ts";
import type { Cluster } from "./clusters.ts";
import type { HubState } from "./state.ts";

export class Call {
  readonly request: ApiRequest;
  readonly answer: Answer;
  /** What the route's pattern caught. */
  readonly params: readonly string[];
  readonly #state: HubState;
  readonly #clock: Clock;

  constructor(request: ApiRequest, answer: Answer, params: readonly string[], state: HubState, clock: Clock) {
    this.request = request;
    this.answer = answer;
    this.params = params;
    this.#state = state;
    this.#clock = clock;
  }

  /** The account that the request shows the token of. */
  get account(): string | undefined {
    const token = credentialOf(this.request);
    return token === undefined ? undefined : this.#state.accounts.holder(token);
  }

  /** Throws DockerError 401. */
  signedIn(): string {
    const { account } = this;
    if (account === undefined) throw refused("sign in: show a user's or the admin's token (SHOAL_HUB_TOKEN)");
    return account;
  }

  /** Throws DockerError 401 or 403. */
  admin(): void {
    if (this.signedIn() !== ADMIN) throw new DockerError(403, "only the admin may do that");
  }

  /**
   * The cluster that the path names, for one who may read it and put nodes in: who knows its token, its owner, the admin.
   * Throws DockerError: 404 for a token of none, 401 for a name without a token that opens it, whether it exists or not.
   */
  member(): Cluster {
    const [token, owner = "", name = ""] = this.params;
    const { clusters } = this.#state;
    if (token !== undefined) {
      const cluster = clusters.byToken(token);
      if (!cluster) throw new WrongToken(404, "no such cluster");
      return cluster;
    }
    const cluster = clusters.byName(owner, name);
    const shown = credentialOf(this.request);
    if (shown === undefined) {
      throw new DockerError(
        401,
        `${owner}/${name} is opened by its token, or its owner's: set SHOAL_HUB_TOKEN, or write https://TOKEN@… `,
      );
    }
    const byToken = clusters.byToken(shown);
    if (byToken && byToken === cluster) return cluster;
    const { account } = this;
    if (account === undefined) throw refused(`this token does not open ${owner}/${name}`);
    if (!cluster || (account !== ADMIN && account !== owner)) throw notFound(`no such cluster: ${owner}/${name}`);
    return cluster;
  }

  /** Likewise, for one who may change the cluster itself. A cluster without an owner belongs to who knows its token. */
  owner(): Cluster {
    const cluster = this.member();
    const { account } = this;
    if (cluster.owner === undefined || account === ADMIN || account === cluster.owner) return cluster;
    throw new DockerError(403, `only ${cluster.owner} and the admin may do that`);
  }

  text(): Promise<string> {
    return readTextBody(this.request, this.#clock, { bytes: HUB_BODY_BYTES, ms: HUB_BODY_MS });
  }

  /** A JSON object's members; none for an empty body. Throws DockerError 400. */
  async json(): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.text();
    if (text.trim() === "") return {};
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // Said below.
    }
    throw badRequest("the request's body is no JSON object");
  }
}

/** A token was shown that opens nothing: counted, so that nobody tries many. */
export class WrongToken extends DockerError {}

const refused = (message: string): DockerError => new WrongToken(401, message);
