/** The accounts of this hub, for the admin. */
import { ask } from "./api.js";
import { announce, confirm, fill, h, show, table } from "./dom.js";

export async function usersPage() {
  const list = table("Users", ["Name", "Action"]);
  const none = h("p", { class: "quiet" }, "No user yet. The admin can do everything a user can.");
  const made = h("div", { role: "status" });
  show("Users", h("h1", {}, "Users"), creator(), h("section", {}, h("h2", {}, "Users"), list.element, none));

  const load = async () => {
    const names = await ask("/v1/users");
    list.element.hidden = names.length === 0;
    none.hidden = names.length > 0;
    fill(list.body, names.map(rowOf));
  };

  function rowOf(name) {
    const onclick = async () => {
      if (!(await confirm(`Remove ${name}? Clusters and their nodes stay.`, "Remove"))) return;
      try {
        await ask(`/v1/users/${name}`, { method: "DELETE" });
        await load();
        announce(`${name} is removed.`);
      } catch (failure) {
        announce(failure.message);
      }
    };
    const remove = () => h("button", { "aria-label": `Remove ${name}`, onclick }, "Remove");
    return {
      key: name,
      cells: [
        { label: "Name", text: name, node: () => name },
        { label: "Action", text: "remove", node: remove },
      ],
    };
  }

  function creator() {
    const error = h("p", { class: "error", role: "alert" });
    const input = h("input", { id: "user", required: true, maxlength: 39, autocomplete: "off", spellcheck: "false" });
    const onsubmit = async (event) => {
      event.preventDefault();
      error.textContent = "";
      try {
        const user = await ask("/v1/users", { method: "POST", body: { name: input.value.trim() } });
        made.replaceChildren(
          h("p", {}, `The token of ${user.name}, shown this once:`),
          h("code", { id: "user-token" }, user.token),
        );
        input.value = "";
        await load();
      } catch (failure) {
        error.textContent = failure.message;
        input.focus();
      }
    };
    const field = h("label", { for: "user" }, "Name", input);
    const form = h("form", { onsubmit }, field, h("button", { class: "primary" }, "Add user"), error);
    return h("section", {}, h("h2", {}, "Add a user"), form, made);
  }

  await load();
  return load;
}
