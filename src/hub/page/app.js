/** Which page is shown, and looking again every few seconds while somebody looks at it. */
import { ask, token } from "./api.js";
import { clusterPage } from "./cluster.js";
import { clustersPage } from "./clusters.js";
import { announce, h, show } from "./dom.js";
import { account, signIn, whoAmI } from "./sign-in.js";
import { usersPage } from "./users.js";

const LOOK_MS = 2_000;

/** The path of the cluster that the URL names; undefined for the list. */
function clusterPath() {
  if (location.pathname.startsWith("/u/")) return location.pathname;
  return location.hash.startsWith("#/v1/clusters/") ? location.hash.slice(1) : undefined;
}

/** Counts the pages shown: what an older one still waits for is not drawn into a newer one. */
let shown = 0;

async function start() {
  const turn = ++shown;
  const path = clusterPath();
  const me = token.get() ? await whoAmI().catch(() => undefined) : undefined;
  if (turn !== shown) return;
  if (!me && !(path && token.get())) return askForToken(path);
  account(me);
  try {
    const look = await open(path, me);
    if (turn === shown) void keepLooking(look, turn);
  } catch (failure) {
    if (failure.status === 401) askForToken(path);
    else show("Not found", h("h1", {}, failure.message), h("p", {}, h("a", { href: "/" }, "All clusters")));
  }
}

function open(path, me) {
  if (path) return clusterPage(path, me);
  return location.hash === "#users" && me.admin ? usersPage() : clustersPage(me);
}

function askForToken(path) {
  document.getElementById("account").replaceChildren();
  signIn({
    why: path ? "With your token, the admin's, or this cluster's own." : undefined,
    check: (as) => (path ? ask(`${path}/status`, { as }) : whoAmI(as)),
    done: start,
  });
}

async function keepLooking(look, turn) {
  let isAnswering = true;
  while (turn === shown) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (turn !== shown || document.hidden) continue;
    try {
      await look();
      if (!isAnswering) announce("The hub answers again.");
      isAnswering = true;
    } catch (failure) {
      if (isAnswering) announce(failure.message);
      isAnswering = false;
    }
  }
}

addEventListener("hashchange", start);
void start();
