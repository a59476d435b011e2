/** One cluster: how to join it, who is in it now, which manager leads. */
import { ask } from "./api.js";
import { announce, confirm, fill, h, show, table } from "./dom.js";
import { changes, MANAGER_COLUMNS, managerRow, NODE_COLUMNS, nodeRow } from "./nodes.js";

/** @param me undefined: signed in with the cluster's own token, which joins nodes and no more */
export async function clusterPage(path, me) {
  let cluster = await ask(`${path}/status`);
  const isOwner = me !== undefined;
  const nodes = table("Nodes", NODE_COLUMNS);
  const managers = table("Managers", MANAGER_COLUMNS);
  const count = h("p", { class: "quiet", id: "count" });
  const noNode = h("p", { class: "quiet" }, "No node yet: run the join command on each machine.");
  const noManager = h("p", { class: "quiet" }, "No manager yet: run the manage command.");
  show(
    cluster.name ?? "Cluster",
    h("h1", {}, cluster.name ?? "Cluster"),
    count,
    commands(cluster),
    h("section", {}, h("h2", {}, "Nodes"), nodes.element, noNode),
    h("section", {}, h("h2", {}, "Managers"), managers.element, noManager),
    isOwner && danger(),
  );

  const draw = () => {
    const silent = cluster.silent > 0 ? `, ${cluster.silent} silent` : "";
    count.textContent = `${cluster.up} node${cluster.up === 1 ? "" : "s"} up${silent}`;
    nodes.element.hidden = cluster.nodes.length === 0;
    noNode.hidden = cluster.nodes.length > 0;
    managers.element.hidden = cluster.managers.length === 0;
    noManager.hidden = cluster.managers.length > 0;
    fill(
      nodes.body,
      cluster.nodes.map((node) => nodeRow(node, cluster, remove)),
    );
    fill(
      managers.body,
      cluster.managers.map((manager) =>
        managerRow(manager, cluster, isOwner ? { promote, release, remove: forget } : undefined),
      ),
    );
  };
  const load = async () => {
    const before = cluster;
    cluster = await ask(`${path}/status`);
    draw();
    const told = changes(before, cluster);
    if (told !== "") announce(told);
  };
  const act = async (work) => {
    try {
      await work();
      await load();
    } catch (failure) {
      announce(failure.message);
    }
  };
  async function remove({ address, name }) {
    const question = `Remove ${name ?? address} from the list? Its containers stay. It comes back when its agent still runs.`;
    if (!(await confirm(question, "Remove"))) return;
    await act(() => ask(`${path}/nodes/${encodeURIComponent(address)}`, { method: "DELETE" }));
    document.getElementById("main").focus();
  }
  async function promote({ address }) {
    await act(() => ask(`${path}/master`, { method: "PUT", body: { address } }));
    document.getElementById("main").focus();
  }
  async function release({ address }) {
    await act(() => ask(`${path}/master`, { method: "DELETE" }));
    announce(`${address} is the master no more: whichever manager is elected leads.`);
    document.getElementById("main").focus();
  }
  async function forget({ address }) {
    if (!(await confirm(`Remove ${address} from the list? It comes back when it still runs.`, "Remove"))) return;
    await act(() => ask(`${path}/managers/${encodeURIComponent(address)}`, { method: "DELETE" }));
    document.getElementById("main").focus();
  }
  function danger() {
    const onclick = async () => {
      if (!(await confirm("Delete this cluster? Its nodes go on running, and join nothing any more.", "Delete")))
        return;
      try {
        await ask(path, { method: "DELETE" });
        location.assign("/");
      } catch (failure) {
        announce(failure.message);
      }
    };
    return h("section", {}, h("h2", {}, "Delete"), h("button", { class: "danger", onclick }, "Delete cluster"));
  }

  draw();
  return load;
}

function commands(cluster) {
  const url = (secret) => `${location.protocol}//${secret}@${location.host}${cluster.path}`;
  const isNamed = cluster.path.startsWith("/u/");
  const at = (secret) => (isNamed ? url(secret) : `${location.origin}/v1/clusters/${secret}`);
  const join = (secret) => `shoal join --advertise ADDRESS:2375 ${at(secret)}`;
  const manage = (secret) => `shoal manage --advertise ADDRESS:3375 -H tcp://0.0.0.0:3375 ${at(secret)}`;
  return h(
    "section",
    {},
    h("h2", {}, "Join"),
    command("On each machine, with the address that managers reach its engine by:", "join", join, cluster.token),
    command("The manager, with the address that clients and this page reach it by:", "manage", manage, cluster.token),
  );
}

/** A command whose token is hidden until it is asked for; copying gives the whole of it. */
function command(what, name, write, secret) {
  const hidden = "•".repeat(8);
  const code = h("code", { id: `${name}-command` }, write(hidden));
  const toggle = h(
    "button",
    { "aria-pressed": "false", "aria-label": `Show the token in the ${name} command` },
    "Show",
  );
  toggle.addEventListener("click", () => {
    const isShown = toggle.getAttribute("aria-pressed") === "true";
    toggle.setAttribute("aria-pressed", String(!isShown));
    toggle.textContent = isShown ? "Show" : "Hide";
    code.textContent = write(isShown ? hidden : secret);
  });
  const onclick = async () => {
    announce((await copy(write(secret))) ? `The ${name} command is copied.` : "The browser does not let pages copy.");
  };
  const button = h("button", { class: "primary", "aria-label": `Copy the ${name} command`, onclick }, "Copy");
  return h("div", { class: "command" }, h("p", { class: "quiet" }, what), code, toggle, button);
}

/** Without TLS browsers keep the clipboard from pages; the old way still works there. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { "aria-hidden": "true", class: "skip" });
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}
