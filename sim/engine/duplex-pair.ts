/** Two ends of an in-memory connection, half-open like a socket; when one end breaks, so does the other. */
import { type Duplex, duplexPair } from "node:stream";

export function connectionPair(): [Duplex, Duplex] {
  const [a, b] = duplexPair({ allowHalfOpen: true });
  const link = (from: Duplex, to: Duplex): void => {
    from.on("error", () => undefined);
    from.once("close", () => {
      const whole = from.readableEnded && from.writableFinished;
      if (!whole && !to.destroyed) to.destroy(from.errored ?? undefined);
    });
  };
  link(a, b);
  link(b, a);
  return [a, b];
}
