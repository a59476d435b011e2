import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameDecoder, STDERR, STDOUT, type StreamNumber } from "./frames.ts";

const frame = fc.tuple(fc.constantFrom<StreamNumber>(0, 1, 2, 3), fc.uint8Array({ maxLength: 40 }));

describe("frames", () => {
  it("have the documented header", () => {
    expect(encodeFrame(STDERR, Buffer.from("hi")).toString("hex")).toBe("02000000000000026869");
    expect(encodeFrame(STDOUT, new Uint8Array(0)).toString("hex")).toBe("0100000000000000");
  });

  it("are read back whatever way the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(([stream, payload]) => encodeFrame(stream, payload)));
          const decoder = new FrameDecoder();
          const back: [StreamNumber, Buffer][] = [];
          let open = false;
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            for (const { stream, payload, last } of decoder.push(bytes.subarray(at, at + size))) {
              const previous = back.at(-1);
              if (open && previous) previous[1] = Buffer.concat([previous[1], payload]);
              else back.push([stream, payload]);
              open = !last;
            }
            at += size;
          }
          expect(back).toEqual(frames.map(([stream, payload]) => [stream, Buffer.from(payload)]));
          expect(decoder.isBetweenFrames).toBe(true);
        },
      ),
    );
  });

  it("hand on what has come of a frame of 4 GiB", () => {
    const decoder = new FrameDecoder();
    const header = Buffer.from("01000000ffffffff", "hex");
    expect(decoder.push(Buffer.concat([header, Buffer.from("abc")]))).toEqual([
      { stream: 1, payload: Buffer.from("abc"), last: false },
    ]);
    expect(decoder.isBetweenFrames).toBe(false);
  });

  it("refuse a stream that is not framed", () => {
    expect(() => new FrameDecoder().push(Buffer.from("plain text"))).toThrow("not a multiplexed stream");
    expect(() => new FrameDecoder().push(Buffer.from("0100010000000000", "hex"))).toThrow("not a multiplexed stream");
  });
});
