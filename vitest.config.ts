import { defineConfig } from "vitest/config";

/**
 * With minted IDs these tell nothing new, for they are about bytes, other versions, floods and engines in trouble: only
 * `npm run full` has them twice.
 */
const withoutIds = ["compare/io", "faults", "hard/*", "trouble", "versions", "websocket"];
const skipped = process.env.SHOAL_E2E_MINT === "1" && process.env.SHOAL_FULL !== "1" ? withoutIds : [];

export default defineConfig({
  test: {
    // Of two processors vitest would leave one alone.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "sim/**/*.test.ts",
            "test/architecture.test.ts",
            "test/contracts/**/*.test.ts",
            "test/e2e/support/*.test.ts",
            "scripts/**/*.test.mjs",
          ],
          // No test waits for time to pass: these are for machines that are busy with something else.
          testTimeout: 60_000,
          setupFiles: ["test/patience.ts"],
          hookTimeout: 60_000,
        },
      },
      {
        // Makes and breaks machines of its own; needs no fleet.
        test: {
          name: "machine",
          include: ["test/e2e/machine.test.ts"],
          expect: { poll: { timeout: 60_000 } },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        // The hub's page in headless Chromium.
        test: {
          name: "page",
          include: ["test/page/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Real etcd, Consul and ZooKeeper servers, light ones, each file its own; needs no fleet.
        test: {
          name: "stores",
          include: ["test/stores/**/*.test.ts"],
          setupFiles: ["test/patience.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Run by scripts/test.mjs after an end-to-end run that was cut short.
        test: { name: "leftovers", include: ["test/e2e/leftovers.test.ts"], testTimeout: 300_000 },
      },
      {
        // One fleet for all files, one file at a time. SHOAL_E2E_MINT=1 runs it with minted IDs.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["machine", "leftovers", "support/*", ...skipped].map((name) => `test/e2e/${name}.test.ts`),
          globalSetup: ["test/e2e/fleet.setup.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
