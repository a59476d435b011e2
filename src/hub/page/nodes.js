/** Rows of a cluster's tables, and what changed between two looks in words. */
import { h } from "./dom.js";

export const NODE_COLUMNS = ["Name", "Address", "State", "Role", "Resources", "Tags", "Action"];
export const MANAGER_COLUMNS = ["Address", "State", "Role", "Nodes", "Reserved", "Action"];

const cell = (label, text, node = () => text) => ({ label, text, node });
const nameOf = (node) => node.name ?? node.host ?? node.address;
const hostOf = (address) => address.replace(/:\d+$/, "");

/** @param {(node: { address: string }) => void} onRemove */
export function nodeRow(node, cluster, onRemove) {
  const labels = Object.entries(node.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const remove = () => h("button", { "aria-label": `Remove ${nameOf(node)}`, onclick: () => onRemove(node) }, "Remove");
  return {
    key: node.address,
    cells: [
      cell("Name", nameOf(node)),
      cell("Address", node.address, () => h("span", { class: "mono" }, node.address)),
      stateCell(node),
      cell("Role", roleOnNode(node, cluster)),
      cell("Resources", resourcesOf(node)),
      cell("Tags", labels.join(), () => tags(labels)),
      cell("Action", `remove ${nameOf(node)}`, remove),
    ],
  };
}

/**
 * @param {{ promote: Act, release: Act, remove: Act } | undefined} may undefined: not for this reader
 * @typedef {(manager: { address: string }) => void} Act
 */
export function managerRow(manager, cluster, may) {
  const what = may && actionOn(manager, cluster);
  const button = () => h("button", { "aria-label": `${what} ${manager.address}`, onclick }, what);
  const onclick = () => may[what.toLowerCase()](manager);
  const size = manager.manager?.cluster;
  return {
    key: manager.address,
    cells: [
      cell("Address", manager.address, () => h("span", { class: "mono" }, manager.address)),
      stateCell(manager),
      cell("Role", roleOf(manager, cluster)),
      cell("Nodes", size ? nodesOf(size) : ""),
      cell("Reserved", size ? reservedOf(size) : ""),
      cell("Action", what ?? "", () => (what ? button() : undefined)),
    ],
  };
}

/** What its owner can do about a manager now. */
function actionOn(manager, cluster) {
  if (manager.state !== "up") return "Remove";
  return isToLead(manager, cluster) ? "Release" : "Promote";
}

/** Whether it is the master: by the last promotion until managers have heard of it, then as it says itself. */
function isToLead({ address, manager }, { master, promotion, managers }) {
  const isHeard = managers.some((one) => one.state === "up" && one.manager?.promotion === (promotion ?? undefined));
  return isHeard ? manager?.isMaster === true : master === address;
}

/** `primary` or `replica` is what a manager does; the master is the one that is to lead. */
function roleOf(manager, cluster) {
  const role = manager.state === "up" ? (manager.manager?.role ?? "manager") : "manager";
  return isToLead(manager, cluster) ? `${role}, master` : role;
}

function stateCell({ state, silentSeconds }) {
  const text = state === "up" ? "up" : `silent for ${age(silentSeconds)}`;
  return cell("State", text, () => h("span", { class: `state ${state}` }, text));
}

/** What a reader who does not see the tables must be told; empty when nothing happened. */
export function changes(before, now) {
  const told = [];
  const old = new Map(before.nodes.map((node) => [node.address, node]));
  for (const node of now.nodes) {
    const was = old.get(node.address);
    old.delete(node.address);
    if (!was) told.push(`${nameOf(node)} joined`);
    else if (was.state !== node.state) told.push(`${nameOf(node)} is ${node.state === "up" ? "up again" : "silent"}`);
  }
  for (const node of old.values()) told.push(`${nameOf(node)} is gone`);
  if (before.master !== now.master && now.master) told.push(`${now.master} is the master`);
  const [was, leads] = [primaryOf(before), primaryOf(now)];
  if (was !== leads && leads) told.push(`${leads} leads`);
  return told.length === 0 ? "" : `${told.join(", ")}.`;
}

const primaryOf = ({ managers }) =>
  managers.find(({ state, manager }) => state === "up" && manager?.role === "primary")?.address;

/** A machine may have an engine and a manager. */
function roleOnNode({ address }, cluster) {
  const manager = cluster.managers.find((one) => hostOf(one.address) === hostOf(address));
  return manager ? roleOf(manager, cluster) : "node";
}

const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const gib = (bytes) => (bytes / 2 ** 30).toFixed(1);

function resourcesOf({ cpus, memory }) {
  if (cpus === undefined || memory === undefined) return "";
  return `${many(cpus, "CPU")}, ${gib(memory)} GiB`;
}

function nodesOf({ nodes, healthy, containers }) {
  const which = healthy === nodes ? many(nodes, "node") : `${healthy} of ${many(nodes, "node")} healthy`;
  return `${which}, ${many(containers, "container")}`;
}

function reservedOf({ cpus, reservedCpus, memory, reservedMemory }) {
  return `${reservedCpus} of ${many(cpus, "CPU")}, ${gib(reservedMemory)} of ${gib(memory)} GiB`;
}

function tags(labels) {
  if (labels.length === 0) return undefined;
  return h("span", {}, ...labels.map((label) => h("span", { class: "tag mono" }, label)));
}

/** Coarse, so that it does not change at each look. */
function age(seconds) {
  if (seconds < 60) return "less than a minute";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
