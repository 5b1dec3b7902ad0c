// Calls to the service that served the page. Each says which action it takes, and goes with a key
// that may do it.
import { keyFor, lost } from "./keys";
import { T } from "./texts";

/** What went wrong, as the service tells it: what, where, and what to do. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly what: string,
    readonly todo: string,
    readonly status = 0,
  ) {
    super(what);
  }
}

interface Ask {
  /** What the key must be allowed to do; empty: any key will do. */
  action?: string;
  method?: string;
  body?: BodyInit;
  type?: string;
  accept?: string;
  signal?: AbortSignal;
}

/** The answer, or a `Problem`. */
export async function call(path: string, ask: Ask = {}): Promise<Response> {
  const key = keyFor(ask.action ?? "");
  if (!key) throw new Problem("access", T.noKeyFor(ask.action ?? ""), T.addAKey);
  return sent(path, key, ask);
}

/** The same with a key at hand. */
export async function sent(path: string, key: string, ask: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${key}` };
  if (ask.type) headers["Content-Type"] = ask.type;
  if (ask.accept) headers["Accept"] = ask.accept;
  const { method = ask.body ? "POST" : "GET", body, signal } = ask;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body, signal, credentials: "omit" });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new Problem("offline", T.offline, T.offlineTodo);
  }
  if (answer.ok) return answer;
  if (answer.status === 401) lost(key);
  throw await told(answer);
}

/** The answer as JSON. */
export async function json<A>(path: string, ask: Ask = {}): Promise<A> {
  return (await call(path, ask)).json();
}

/** Something sent as JSON, and the answer as JSON. */
export function post<A>(path: string, value: unknown, ask: Ask = {}): Promise<A> {
  return json(path, { ...ask, method: "POST", body: JSON.stringify(value), type: "application/json" });
}

/** A path with what it asks for; what is empty is left out. */
export function query(path: string, asked: Record<string, string | number>): string {
  const filled = Object.entries(asked).filter(([, value]) => value !== "");
  const told = new URLSearchParams(filled.map(([name, value]) => [name, String(value)]));
  return filled.length ? `${path}?${told}` : path;
}

/** Send something large, and hear how much of it has gone: `fetch` does not tell. */
export function upload<A>(
  path: string, body: Blob, ask: { action: string; signal: AbortSignal; told: (bytes: number) => void },
): Promise<A> {
  const key = keyFor(ask.action);
  if (!key) throw new Problem("access", T.noKeyFor(ask.action), T.addAKey);
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.setRequestHeader("Content-Type", "application/zip");
    request.upload.onprogress = (event) => ask.told(event.loaded);
    request.onload = () => {
      const answer = new Response(request.responseText, { status: request.status });
      if (answer.ok) answer.json().then(done, failed);
      else told(answer).then(failed);
    };
    request.onerror = () => failed(new Problem("offline", T.offline, T.offlineTodo));
    request.onabort = () => failed(ask.signal.reason);
    ask.signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

async function told(answer: Response): Promise<Problem> {
  try {
    const { code, what, todo } = (await answer.json()).error;
    return new Problem(code, what, todo, answer.status);
  } catch {
    return new Problem("http", T.status(answer.status), T.offlineTodo, answer.status);
  }
}
