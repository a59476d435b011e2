/** The connection to ZooKeeper that all callers share, while it is opened. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STORE_DIAL_MS } from "../../src/kit/store-limits.ts";
import { Sessions } from "../../src/store/drivers/zookeeper/sessions.ts";
import { SimClock } from "../clock.ts";

describe("a connection that is being opened", () => {
  let silent: Server;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    silent = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    silent.close();
  });

  it("is not given up for all because the first who asked had no more time", async () => {
    const clock = new SimClock();
    const { port } = silent.address() as AddressInfo;
    const servers = [{ host: "127.0.0.1", port }];
    const sessions = new Sessions({ servers, path: "", tls: undefined, user: "", password: "" }, clock);
    const impatient = new AbortController();
    const words = ({ message, uncertain }: Error & { uncertain?: boolean }) => ({ message, uncertain });
    const first = sessions.connection(impatient.signal).then(() => undefined, words);
    let told: object | undefined;
    const second = sessions.connection(new AbortController().signal).then(
      () => undefined,
      (error: Error) => {
        told = words(error);
      },
    );
    impatient.abort(new Error("enough"));
    const name = `ZooKeeper at 127.0.0.1:${port}`;
    expect(await first).toEqual({ message: `${name}: no connection in time`, uncertain: false });
    await clock.advance(STORE_DIAL_MS - 1);
    expect(told).toBeUndefined();
    await clock.advance(1);
    await second;
    expect(told).toMatchObject({ message: expect.stringContaining("no answer within 3 s"), uncertain: false });
    sessions.close();
  });
});
