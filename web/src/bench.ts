// What is on the bench: a text, what the service found in it, and what somebody decided about that.
import { useEffect, useReducer, useRef } from "preact/hooks";
import { call, post, type Problem } from "./api";
import { asProblem, useKeys } from "./hooks";
import { may } from "./keys";
import * as places from "./places";
import type { Choice, Clean, Finding, Found, Item, Piece } from "./places";

interface State {
  text: string;
  found: Finding[];
  choices: Choice[];
  /** The text that `found` is the answer for; only that may be shown as clean. */
  answered?: string;
  /** Whether it was cleaned, or only looked at. */
  cleaned: boolean;
  policy: string;
  took: number;
  problem?: Problem;
}

type Told =
  | { kind: "typed"; text: string }
  | { kind: "answered"; text: string; found: Finding[]; cleaned: boolean; policy: string; took: number }
  | { kind: "failed"; problem: Problem }
  | { kind: "chosen"; choices: Choice[] };

const NOTHING: State = { text: "", found: [], choices: [], cleaned: false, policy: "", took: 0 };

function next(state: State, told: Told): State {
  switch (told.kind) {
    case "typed":
      return {
        ...state,
        text: told.text,
        found: places.moved(state.found, state.text, told.text),
        choices: places.moved(state.choices, state.text, told.text),
      };
    case "answered":
      if (told.text !== state.text) return state;
      return { ...state, ...told, answered: told.text, problem: undefined };
    case "failed":
      return { ...state, found: [], answered: undefined, problem: told.problem };
    case "chosen":
      return { ...state, choices: told.choices };
  }
}

export interface Bench {
  text: string;
  items: Item[];
  pieces: Piece[];
  /** The clean text; nothing until it is that of what stands on the left. */
  clean?: string;
  /** What was shown before, while the next is on its way. */
  shown: Piece[];
  state: State;
  type: (text: string) => void;
  choose: (start: number, end: number, label: string) => void;
  /** Several places that are this label. */
  hide: (found: readonly { start: number; end: number }[], label: string) => void;
  forget: (item: Item) => void;
  again: () => void;
}

/** A bench whose text goes to the service as it is typed. */
export function useBench(policy: string): Bench {
  const [state, tell] = useReducer(next, NOTHING);
  const again = useAnswers(state.text, policy, tell);
  const shown = useRef<Piece[]>([]);
  const items = places.items(state.found, state.choices);
  const pieces = places.pieces(state.text, items);
  const fresh = state.answered === state.text && !state.problem;
  if (fresh || !state.text || state.problem) shown.current = fresh && state.cleaned ? pieces : [];
  const hide: Bench["hide"] = (found, label) => {
    const left = state.choices.filter((one) => !found.some((other) => places.same(one, other)));
    tell({ kind: "chosen", choices: [...left, ...found.map((one) => ({ ...one, label }))] });
  };
  return {
    text: state.text, items, pieces, state, again, shown: shown.current,
    clean: fresh && state.cleaned ? places.after(pieces) : undefined,
    type: (text) => tell({ kind: "typed", text }),
    hide,
    choose: (start, end, label) => hide([{ start, end }], label),
    forget: ({ start, end }) =>
      tell({ kind: "chosen", choices: state.choices.filter((one) => end <= one.start || one.end <= start) }),
  };
}

/** Asks for each text at once, or as soon as the one before is answered: who types sees what was
 * found at the pace of the service, and it is never asked twice at a time. */
function useAnswers(text: string, policy: string, tell: (told: Told) => void): () => void {
  const held = useKeys();
  const next = useRef<{ text: string; policy: string }>(null);
  const running = useRef<{ policy: string; over: AbortController }>(null);
  const run = async () => {
    for (let now = next.current; now; now = next.current) {
      next.current = null;
      const { policy, over } = (running.current = { policy: now.policy, over: new AbortController() });
      try {
        tell(await answer(now.text, policy, over.signal));
      } catch (failed) {
        if (!over.signal.aborted) tell({ kind: "failed", problem: asProblem(failed) });
      }
    }
    running.current = null;
  };
  const go = () => {
    next.current = { text, policy };
    if (!running.current) void run();
    else if (running.current.policy !== policy) running.current.over.abort();
  };
  useEffect(() => {
    if (text.trim()) return go();
    next.current = null;
    running.current?.over.abort();
    tell({ kind: "answered", text, found: [], cleaned: true, policy, took: 0 });
  }, [text, policy, held]);
  return go;
}

/** Clean, where a key may; else only looked at. Cleaning tells all that looking tells. */
async function answer(text: string, policy: string, signal: AbortSignal): Promise<Told> {
  const began = performance.now();
  const cleaned = may("anonymize.run");
  const asked = { text, policy };
  let found: Finding[];
  let by: string;
  if (cleaned) {
    const told = await post<Clean>("v1/anonymize", asked, { action: "anonymize.run", signal });
    [found, by] = [places.findings(text, told), told.policy];
  } else {
    const told = await post<Found>("v1/detect", asked, { action: "detect.run", signal });
    [found, by] = [places.only(text, told), told.policy];
  }
  return { kind: "answered", text, found, cleaned, policy: by, took: performance.now() - began };
}

/** A file as the service cleaned it. */
export interface CleanFile {
  name: string;
  blob: Blob;
  format: string;
  counts: Record<string, number>;
  left_out: Record<string, number>;
  policy: string;
}

/** Send a file of any kind, and wait until all of it is clean. */
export async function cleanFile(file: File, policy: string, signal: AbortSignal): Promise<CleanFile> {
  const asked = new URLSearchParams({ name: file.name });
  if (policy) asked.set("policy", policy);
  const answer = await call(`v1/files?${asked}`, {
    action: "anonymize.run", method: "POST", body: file, type: "application/octet-stream", signal,
  });
  const report = JSON.parse(answer.headers.get("Scrubjay-Report") ?? "{}");
  const named = nameIn(answer.headers.get("Content-Disposition") ?? "");
  const blob = await answer.blob();
  return { counts: {}, left_out: {}, policy, format: "", ...report, name: named || "clean", blob };
}

function nameIn(header: string): string {
  const coded = /filename\*=utf-8''([^;]+)/i.exec(header)?.[1];
  return coded ? decodeURIComponent(coded) : (/filename="?([^";]+)"?/i.exec(header)?.[1] ?? "");
}
