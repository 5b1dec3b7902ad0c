// The API keys that were pasted. They stay in this tab, in sessionStorage, and go nowhere but to the
// service that served the page.
import { Problem, sent } from "./api";
import { T } from "./texts";

interface Me {
  person: string;
  roles: string[];
  actions: string[];
}

export interface Held {
  key: string;
  me: Me;
}

const PLACE = "scrubjay-keys";
let held: Held[] = [];
const listeners = new Set<() => void>();

/** Those that are held now. */
export function keys(): readonly Held[] {
  return held;
}

/** Call when they change; gives what ends it. */
export function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hold one more, when the service knows it. */
export async function add(key: string): Promise<void> {
  const one = await known(key);
  hold([...held.filter((other) => other.key !== key), one]);
}

async function known(key: string): Promise<Held> {
  // A header takes only these; a key has no others.
  if (!/^[\x20-\x7e]+$/.test(key)) throw new Problem("entry", T.notAKey, T.notAKeyTodo);
  return { key, me: await (await sent("v1/me", key)).json() };
}

/** Forget one. */
export function drop(key: string): void {
  hold(held.filter((one) => one.key !== key));
}

/** The service does not know it any more. */
export const lost = drop;

/** A key that may do this, or nothing. */
export function keyFor(action: string): string {
  return held.find((one) => !action || one.me.actions.includes(action))?.key ?? "";
}

/** Whether one of them may. */
export function may(action: string): boolean {
  return keyFor(action) !== "";
}

/** Those of this tab, from before it was loaded anew, that the service still knows. */
export async function recall(): Promise<void> {
  const told = await Promise.allSettled(stored().map(known));
  hold(told.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
}

function stored(): string[] {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE) ?? "[]");
  } catch {
    return [];
  }
}

function hold(now: Held[]): void {
  held = now;
  sessionStorage.setItem(PLACE, JSON.stringify(held.map((one) => one.key)));
  listeners.forEach((listener) => listener());
}
