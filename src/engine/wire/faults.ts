/** Which fault a socket's or HTTP client's error is, in plain words. The only place that knows their error codes. */
import { DeadlineError } from "../../kit/deadline.ts";
import { WireError, type WireFault } from "./wire.ts";

const REFUSED: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "no such socket",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOTSOCK: "not a socket",
};

const SILENT: Record<string, string> = {
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  EHOSTDOWN: "host is down",
};

const BROKEN: Record<string, string> = {
  ECONNRESET: "connection reset by the engine",
  EPIPE: "connection closed by the engine",
  UND_ERR_SOCKET: "connection closed by the engine",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name cannot be resolved",
  UND_ERR_HEADERS_OVERFLOW: "the answer's headers are too large",
};

/**
 * The WireError for anything that went wrong with a connection to `address`. A WireError is returned as it is.
 * @param sent whether a part of the request may have reached the engine
 * @param handshake true while TLS is being agreed upon: what has no other name is then a TLS fault
 */
export function toWireError(error: unknown, address: string, sent: boolean, handshake = false): WireError {
  if (error instanceof WireError) return error;
  const { fault, words } = classify(error, handshake);
  return new WireError(fault, sent, `${address}: ${words}`, { cause: error });
}

/** The WireError for a caller's abort: `silent` when its time ran out, `aborted` otherwise. */
export function abortError(reason: unknown, address: string, sent: boolean): WireError {
  if (reason instanceof WireError) return reason;
  if (reason instanceof DeadlineError) {
    return new WireError("silent", sent, `${address}: no answer within ${reason.afterMs / 1000} s`, { cause: reason });
  }
  return new WireError("aborted", sent, `${address}: the call was given up`, { cause: reason });
}

function classify(error: unknown, handshake: boolean): { fault: WireFault; words: string } {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const code = String((inner as { code?: unknown } | undefined)?.code ?? "");
  const message = inner instanceof Error ? inner.message : String(inner);
  if (REFUSED[code]) return { fault: "refused", words: REFUSED[code] };
  if (SILENT[code]) return { fault: "silent", words: SILENT[code] };
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return { fault: "tls", words: "the engine does not speak TLS" };
  }
  if (handshake || /^ERR_(SSL|TLS)_/.test(code)) return { fault: "tls", words: `TLS: ${message || code}` };
  if (code.startsWith("HPE_") || code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") {
    return { fault: "broken", words: `the answer is not valid HTTP (${message})` };
  }
  return { fault: "broken", words: BROKEN[code] ?? (message || code || "connection failed") };
}
