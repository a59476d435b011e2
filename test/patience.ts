/**
 * How long tests wait for a condition before they give up, unless they say so themselves: vitest's own second is too short
 * for a machine that is busy with something else. Loaded before each test file.
 */
import { vi } from "vitest";

const WAIT_MS = 50_000;

type Options = number | { readonly timeout?: number; readonly interval?: number } | undefined;

const patient = (options: Options) => (typeof options === "number" ? options : { timeout: WAIT_MS, ...options });

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
