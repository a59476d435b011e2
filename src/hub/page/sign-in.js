/** Signing in by a token: the admin's, a user's, or a cluster's own. */
import { ask, token } from "./api.js";
import { h, show } from "./dom.js";

/** @param {{ why?: string, check: (token: string) => Promise<unknown>, done: () => void }} options */
export function signIn({ why, check, done }) {
  const error = h("p", { class: "error", role: "alert", id: "sign-in-error" });
  const input = h("input", {
    id: "token",
    type: "password",
    autocomplete: "current-password",
    required: true,
    "aria-describedby": "sign-in-error",
  });
  const onsubmit = async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const value = input.value.trim();
      await check(value);
      token.set(value);
      done();
    } catch (failure) {
      error.textContent = failure.status === 401 ? "This token opens nothing here." : failure.message;
      input.select();
      input.focus();
    }
  };
  show(
    "Sign in",
    h("h1", {}, "Sign in"),
    h("p", { class: "quiet" }, why ?? "With your token, or the admin's that was printed when this hub first started."),
    h(
      "section",
      {},
      h(
        "form",
        { onsubmit },
        h("label", { for: "token" }, "Token", input),
        h("button", { class: "primary" }, "Sign in"),
        error,
      ),
    ),
  );
  input.focus();
}

/** The header's right side: who is signed in, and the way out. */
export function account(me) {
  const nav = document.getElementById("account");
  const out = () => {
    token.clear();
    location.assign("/");
  };
  nav.replaceChildren(
    ...[
      me?.admin && h("a", { href: "/#users" }, "Users"),
      h("span", { class: "quiet" }, me ? me.name : "cluster token"),
      h("button", { onclick: out }, "Sign out"),
    ].filter(Boolean),
  );
}

export const whoAmI = (as) => ask("/v1/me", { as });
