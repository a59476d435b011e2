/** What a manager answers that stood still while another one was elected. */
import { describe, expect, it } from "vitest";
import type { Api } from "../../api/api.ts";
import type { Answer } from "../../api/listener/answer.ts";
import type { ApiRequest } from "../../api/listener/request.ts";
import { underLease } from "./under-lease.ts";

describe("what a leader is asked", () => {
  it("it answers while it leads, and refuses when it can no longer be sure of that", async () => {
    let asked = 0;
    const api: Api = {
      headers: [],
      handler: async () => void asked++,
      takesUpgrade: () => true,
      upgrade: async () => void asked++,
    };
    const lease = { remaining: 1 };
    const leader = underLease(api, lease);
    await leader.handler({} as ApiRequest, {} as Answer);
    expect(asked).toBe(1);
    lease.remaining = 0;
    await expect(leader.handler({} as ApiRequest, {} as Answer)).rejects.toMatchObject({ status: 503 });
    expect(asked).toBe(1);
  });
});
