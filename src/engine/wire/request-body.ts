/** A caller's body stream on its way to an engine. Must not know who reads it. */
import { Readable } from "node:stream";

/**
 * A stream with the same bytes and the same back-pressure that may be destroyed without harm to `source`: an HTTP client
 * destroys the body when the engine answers early, and a destroyed client request would lose that very answer.
 * What is left in `source` then stays unread, paused. If `source` fails or closes early, so does the copy.
 */
export function sparedBody(source: Readable): Readable {
  const onData = (chunk: Buffer) => {
    if (!copy.push(chunk)) source.pause();
  };
  const onEnd = () => copy.push(null);
  const onError = (error: Error) => copy.destroy(error);
  const onClose = () => {
    if (!source.readableEnded) copy.destroy(new Error("the request body ended early"));
  };
  const copy = new Readable({
    read: () => {
      if (source.listenerCount("data", onData) === 0) source.on("data", onData);
      source.resume();
    },
    destroy: (error, done) => {
      source.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
      if (!source.readableEnded && !source.destroyed) source.pause();
      done(error);
    },
  });
  source.on("end", onEnd).on("error", onError).on("close", onClose);
  if (source.readableEnded) copy.push(null);
  else if (source.destroyed) copy.destroy(source.errored ?? new Error("the request body ended early"));
  return copy;
}
