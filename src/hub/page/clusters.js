/** The clusters of who is signed in, and making another one. */
import { ask } from "./api.js";
import { announce, fill, h, show, table } from "./dom.js";

/** Named clusters have a page at their own URL; others are known by their token, which a fragment keeps in the browser. */
const pageOf = ({ path }) => (path.startsWith("/u/") ? path : `/#${path}`);

export async function clustersPage(me) {
  const list = table("Clusters", ["Name", "Owner", "Nodes"]);
  const none = h("p", { class: "quiet" }, "No cluster yet. Give one a name, and join nodes to it.");
  const section = h("section", {}, h("h2", {}, "Clusters"), list.element, none);
  show("Clusters", h("h1", {}, "Clusters"), creator(), section);

  const load = async () => {
    const clusters = await ask("/v1/clusters");
    list.element.hidden = clusters.length === 0;
    none.hidden = clusters.length > 0;
    fill(list.body, clusters.map(rowOf));
  };
  await load();
  announce(`Signed in as ${me.name}.`);
  return load;
}

function rowOf(cluster) {
  const name = cluster.name ?? "(no name)";
  const nodes = `${cluster.up} up${cluster.silent > 0 ? `, ${cluster.silent} silent` : ""}`;
  const cell = (label, text, node = () => text) => ({ label, text, node });
  return {
    key: cluster.path,
    cells: [
      cell("Name", name, () => h("a", { href: pageOf(cluster) }, name)),
      cell("Owner", cluster.owner ?? "nobody"),
      cell("Nodes", nodes),
    ],
  };
}

function creator() {
  const error = h("p", { class: "error", role: "alert", id: "create-error" });
  const input = h("input", {
    id: "name",
    required: true,
    maxlength: 63,
    pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*",
    title: "Letters, digits, and . _ - inside",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "create-error",
  });
  const onsubmit = async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const cluster = await ask("/v1/clusters", { method: "POST", body: { name: input.value.trim() } });
      location.assign(cluster.path);
    } catch (failure) {
      error.textContent = failure.message;
      input.focus();
    }
  };
  return h(
    "section",
    {},
    h("h2", {}, "Create a cluster"),
    h(
      "form",
      { onsubmit },
      h("label", { for: "name" }, "Name", input),
      h("button", { class: "primary" }, "Create cluster"),
      error,
    ),
  );
}
