/** Asks the hub. The token lives in this tab alone, and goes to nobody but the hub that served the page. */

const KEY = "shoal-hub-token";

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

export class HubError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Resolves with the answer's JSON; rejects with HubError, status 0 when nobody answers. */
export async function ask(path, { method = "GET", body, as = token.get() } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { accept: "application/json", ...(as && { authorization: `Bearer ${as}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new HubError(0, "The hub does not answer.");
  }
  const text = await answer.text();
  let value;
  try {
    value = text === "" ? undefined : JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!answer.ok) throw new HubError(answer.status, value?.message ?? `The hub answered ${answer.status}.`);
  return value;
}
