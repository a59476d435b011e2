/** Rows of a cluster's tables, and what changed between two looks in words. */
import { h } from "./dom.js";

export const NODE_COLUMNS = ["Name", "Address", "State", "Role", "Resources", "Tags", "Action"];
export const MANAGER_COLUMNS = ["Address", "State", "Role", "Action"];

const cell = (label, text, node = () => text) => ({ label, text, node });
const nameOf = (node) => node.name ?? node.host ?? node.address;
const hostOf = (address) => address.replace(/:\d+$/, "");

/** @param {(node: { address: string }) => void} onRemove */
export function nodeRow(node, cluster, onRemove) {
  const state = node.state === "up" ? "up" : `silent for ${age(node.silentSeconds)}`;
  const labels = Object.entries(node.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const remove = () => h("button", { "aria-label": `Remove ${nameOf(node)}`, onclick: () => onRemove(node) }, "Remove");
  return {
    key: node.address,
    cells: [
      cell("Name", nameOf(node)),
      cell("Address", node.address, () => h("span", { class: "mono" }, node.address)),
      cell("State", state, () => h("span", { class: `state ${node.state}` }, state)),
      cell("Role", roleOf(node, cluster)),
      cell("Resources", resourcesOf(node)),
      cell("Tags", labels.join(), () => tags(labels)),
      cell("Action", `remove ${nameOf(node)}`, remove),
    ],
  };
}

/** @param {((manager: { address: string }) => void) | undefined} onPromote undefined: not for this reader */
export function managerRow(manager, cluster, onPromote) {
  const isMaster = cluster.master === manager.address;
  const promote = () =>
    onPromote &&
    !isMaster &&
    h("button", { "aria-label": `Promote ${manager.address}`, onclick: () => onPromote(manager) }, "Promote");
  return {
    key: manager.address,
    cells: [
      cell("Address", manager.address, () => h("span", { class: "mono" }, manager.address)),
      cell("State", manager.labels?.role ?? "up"),
      cell("Role", isMaster ? "master" : "manager"),
      cell("Action", `${isMaster} ${onPromote !== undefined}`, () => promote() || undefined),
    ],
  };
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
  return told.length === 0 ? "" : `${told.join(", ")}.`;
}

function roleOf({ address }, { managers, master }) {
  const manager = managers.find((one) => hostOf(one.address) === hostOf(address));
  if (!manager) return "node";
  return manager.address === master ? "master" : "manager";
}

function resourcesOf({ cpus, memory }) {
  if (cpus === undefined || memory === undefined) return "";
  return `${cpus} CPU${cpus === 1 ? "" : "s"}, ${(memory / 2 ** 30).toFixed(1)} GiB`;
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
