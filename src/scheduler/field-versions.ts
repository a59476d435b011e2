/**
 * Which Engine API version first knew a field of the create body, from 1.41 (Engine 20.10) to 1.51 (Engine 28).
 * Source: the Engine API's version history. Owns the table; must not know nodes.
 *
 * Only values that are not zero count: newer clients always send some new fields empty. Nor does what is newer than the
 * version that the client speaks: every engine drops that (clients copy it from an inspect). Left out on purpose:
 * `HostConfig.ConsoleSize` (1.42: the CLI sends it from every terminal, older engines ignore it and the CLI resizes anyway)
 * and several endpoints at create (1.44: shoal connects the others itself).
 */
import { compareVersions } from "../docker/version.ts";
import { Fields } from "./body.ts";
import type { FieldNeed, RequestQuery } from "./request.ts";

interface Row extends FieldNeed {
  /** The value that needs it; every value that is not zero without it. */
  readonly value?: string;
}

/** In a path `[]` is every element of a list and `*` every value of a map. */
const ROWS: readonly Row[] = [
  { field: "HostConfig.CgroupnsMode", version: "1.41" },
  { field: "HostConfig.Mounts[].BindOptions.CreateMountpoint", version: "1.42" },
  { field: "HostConfig.Mounts[].Type", value: "cluster", version: "1.42" },
  { field: "HostConfig.Annotations", version: "1.43" },
  { field: "HostConfig.Mounts[].BindOptions.ReadOnlyNonRecursive", version: "1.44" },
  { field: "HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive", version: "1.44" },
  { field: "Healthcheck.StartInterval", version: "1.44" },
  { field: "NetworkingConfig.EndpointsConfig.*.MacAddress", version: "1.44" },
  { field: "HostConfig.Mounts[].VolumeOptions.Subpath", version: "1.45" },
  { field: "HostConfig.Mounts[].TmpfsOptions.Options", version: "1.46" },
  {
    field: "NetworkingConfig.EndpointsConfig.*.DriverOpts.com.docker.network.endpoint.sysctls",
    version: "1.46",
  },
  { field: "HostConfig.Mounts[].Type", value: "image", version: "1.48" },
  { field: "HostConfig.Mounts[].ImageOptions.Subpath", version: "1.48" },
  { field: "NetworkingConfig.EndpointsConfig.*.GwPriority", version: "1.48" },
];

/** The key of a map that has dots of its own. */
const SYSCTLS = "com.docker.network.endpoint.sysctls";

const STEPS = ROWS.map((row) => ({ row, steps: stepsOf(row.field) }));

/** What the body (and the `platform` of the query) needs of an engine. DockerError 400 as Fields. */
export function fieldNeeds(body: unknown, { platform, version }: RequestQuery): readonly FieldNeed[] {
  const needs: FieldNeed[] = [];
  if (platform !== undefined && platform !== "") needs.push({ field: "platform", version: "1.41" });
  for (const { row, steps } of STEPS) {
    if (version !== undefined && compareVersions(row.version, version) > 0) continue;
    if (!valuesAt(body, steps).some((value) => (row.value === undefined ? !isZero(value) : value === row.value)))
      continue;
    needs.push({ field: row.value === undefined ? row.field : `${row.field}=${row.value}`, version: row.version });
  }
  return needs;
}

function stepsOf(path: string): readonly string[] {
  const dotted = path.replace(SYSCTLS, "\0");
  return dotted
    .replaceAll("[]", ".[]")
    .split(".")
    .map((step) => (step === "\0" ? SYSCTLS : step));
}

function valuesAt(value: unknown, steps: readonly string[]): readonly unknown[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [value];
  if (typeof value !== "object" || value === null) return [];
  if (step === "[]" || step === "*") return Object.values(value).flatMap((item) => valuesAt(item, rest));
  return valuesAt(new Fields(value).get(step), rest);
}

/** Go's zero value, or an empty list or map. */
function isZero(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
