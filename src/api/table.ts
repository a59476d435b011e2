/** Every route, in the order in which they are tried. */
import { RouteTable } from "./route.ts";
import { ATTACH_ROUTES } from "./routes/attach.ts";
import { CONTAINER_ROUTES } from "./routes/containers.ts";
import { IMAGE_ROUTES } from "./routes/images.ts";
import { PRUNE_ROUTES } from "./routes/prune.ts";
import { SYSTEM_ROUTES } from "./routes/system.ts";
import { UNSUPPORTED_ROUTES } from "./routes/unsupported.ts";

export const ROUTES = new RouteTable([
  ...SYSTEM_ROUTES,
  ...ATTACH_ROUTES,
  ...PRUNE_ROUTES,
  ...CONTAINER_ROUTES,
  ...IMAGE_ROUTES,
  ...UNSUPPORTED_ROUTES,
]);
