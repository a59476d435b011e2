/** Every route, in the order in which they are tried. */
import { RouteTable } from "./route.ts";
import { ATTACH_ROUTES } from "./routes/attach.ts";
import { CHECKPOINT_ROUTES } from "./routes/checkpoints.ts";
import { CONTAINER_ROUTES } from "./routes/containers.ts";
import { IMAGE_TRANSFER_ROUTES } from "./routes/image-transfer.ts";
import { IMAGE_ROUTES } from "./routes/images.ts";
import { NETWORK_ROUTES } from "./routes/networks.ts";
import { OPERATION_ROUTES } from "./routes/operations.ts";
import { PLUGIN_ROUTES } from "./routes/plugins.ts";
import { PRUNE_ROUTES } from "./routes/prune.ts";
import { REGISTRY_ROUTES } from "./routes/registry.ts";
import { SWARM_ROUTES } from "./routes/swarm.ts";
import { SYSTEM_ROUTES } from "./routes/system.ts";
import { UNSUPPORTED_ROUTES } from "./routes/unsupported.ts";
import { VOLUME_ROUTES } from "./routes/volumes.ts";

export const ROUTES = new RouteTable([
  ...SYSTEM_ROUTES,
  ...OPERATION_ROUTES,
  ...ATTACH_ROUTES,
  ...PRUNE_ROUTES,
  ...CHECKPOINT_ROUTES,
  ...CONTAINER_ROUTES,
  ...PLUGIN_ROUTES,
  ...REGISTRY_ROUTES,
  ...IMAGE_TRANSFER_ROUTES,
  ...IMAGE_ROUTES,
  ...NETWORK_ROUTES,
  ...SWARM_ROUTES,
  ...VOLUME_ROUTES,
  ...UNSUPPORTED_ROUTES,
]);
