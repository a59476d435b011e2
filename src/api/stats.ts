/** The stats stream of a container whose cluster ID is not its engine's: the `id` in each object is translated. */
import { Transform } from "node:stream";
import type { ContainerRecord } from "../cluster/record.ts";
import { splice } from "../docker/json-text.ts";
import { JsonLines } from "../engine/json-lines.ts";
import { EVENT_LINE_BYTES } from "../kit/limits.ts";

export function statsTranslator(record: ContainerRecord): Transform {
  const lines = new JsonLines(EVENT_LINE_BYTES);
  const id = JSON.stringify(record.id);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (const text of lines.push(chunk)) this.push(`${splice(text, [{ path: ["id"], json: id }])}\n`);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
