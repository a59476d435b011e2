/** Who asks, by the token that a request shows. Owns reading it; must not know what it opens. */
import type { ApiRequest } from "../api/listener/request.ts";

/** `Authorization: Bearer TOKEN`, or Basic with the token as its password; undefined without one. */
export function credentialOf({ headers }: Pick<ApiRequest, "headers">): string | undefined {
  const { authorization } = headers;
  if (typeof authorization !== "string") return undefined;
  const [, scheme = "", value = ""] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value;
    case "basic": {
      const [user = "", password = ""] = Buffer.from(value, "base64").toString("utf8").split(":", 2);
      return password || user || undefined;
    }
  }
  return undefined;
}
