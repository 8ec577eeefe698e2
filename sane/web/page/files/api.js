// Calls of the REST interface under /api/v1; what fails is a Problem with a code to translate.

const API = new URL("api/v1/", document.baseURI);

/** What a call could not do: code as the interface says, or "lost" without an answer. */
export class Problem extends Error {
  constructor(code, text = "", holder = "", status = 0) {
    super(text || code);
    Object.assign(this, { code, text, holder, status });
  }
}

let onUnauthorized = () => {};

/** Call *told* whenever the server wants a login. */
export function whenUnauthorized(told) {
  onUnauthorized = told;
}

/** The address of something under the interface; each part is quoted, query is an object. */
export function address(parts, query = {}) {
  const url = new URL(parts.map(encodeURIComponent).join("/"), API);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

async function problemOf(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // something between us and the server answered
  }
  const code = error.code ?? (response.status === 401 ? "unauthorized" : "failed");
  return new Problem(code, error.text ?? `HTTP ${response.status}`, error.holder ?? "", response.status);
}

// start.js has asked for some things already; each answer serves once.
function takeEarly(method, href) {
  const { early } = window.pysaneStart;
  const answer = method === "GET" ? early.get(href) : undefined;
  if (answer) early.delete(href);
  return answer;
}

/** Send a request; return the response, raise a Problem. */
export async function request(method, parts, { body, query, quiet } = {}) {
  let response;
  const href = address(parts, query);
  try {
    response = await (takeEarly(method, href) ?? fetch(href, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    }));
  } catch {
    throw new Problem("lost");
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && !quiet) onUnauthorized();
  throw problem;
}

async function json(method, parts, options) {
  const response = await request(method, parts, options);
  return response.status === 204 ? null : response.json();
}

export const get = (...parts) => json("GET", parts);
export const post = (parts, body) => json("POST", parts, { body });
export const patch = (parts, body) => json("PATCH", parts, { body });
export const put = (parts, body) => json("PUT", parts, { body });
export const remove = async (...parts) => {
  await request("DELETE", parts);
};

/** Log in; a wrong password is a Problem and opens no second login. */
export const logIn = (user, password) => {
  window.pysaneStart.early.clear(); // answers to somebody unknown
  return json("POST", ["session"], { body: { user, password }, quiet: true });
};

/** Fetch a file to keep; return its bytes and its name. */
export async function download(parts, query) {
  const response = await request("GET", parts, { query });
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition);
  const plain = /filename="?([^";]+)"?/i.exec(disposition);
  let name = plain?.[1] ?? "";
  if (encoded) name = decodeURIComponent(encoded[1]);
  return { blob: await response.blob(), name };
}
