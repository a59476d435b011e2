import { expect, it } from "vitest";
import { QueueFull } from "../kit/limit.ts";
import { notFound, toDockerError } from "./errors.ts";

it("a full queue is told to a client as 503, to be tried again; what is Docker's stays so; anything else is 500", () => {
  expect(toDockerError(new QueueFull(7))).toMatchObject({ status: 503, retryAfter: 1 });
  expect(toDockerError(notFound("no"))).toMatchObject({ status: 404, message: "no", retryAfter: undefined });
  expect(toDockerError(new RangeError("oh"))).toMatchObject({ status: 500, message: "oh" });
});
