// What views share: the route, the keys, and what is loaded from the service.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api";
import { keys, watch, type Held } from "./keys";
import { T } from "./texts";

/** The parts of the address after `#/`. */
export function useRoute(): string[] {
  const [route, setRoute] = useState(parts);
  useEffect(() => {
    const changed = () => setRoute(parts());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function parts(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

/** The keys that are held, as they change. */
export function useKeys(): readonly Held[] {
  const [held, setHeld] = useState(keys);
  useEffect(() => watch(() => setHeld(keys())), []);
  return held;
}

export interface Loaded<V> {
  value?: V;
  problem?: Problem;
  again: () => void;
}

/** What `load` gives, each time that `of` changes, and every so many milliseconds while somebody
 * looks. What came before stays until the next is there. */
export function useLoaded<V>(load: () => Promise<V>, of: unknown[], every = 0): Loaded<V> {
  const [value, setValue] = useState<V>();
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef(0);
  const again = useCallback(() => {
    const mine = ++latest.current;
    load().then(
      (now) => {
        if (mine === latest.current) {
          setValue(() => now);
          setProblem(undefined);
        }
      },
      (failed) => mine === latest.current && setProblem(asProblem(failed)),
    );
  }, of);
  useEffect(() => {
    again();
    const timer = every ? setInterval(() => document.hidden || again(), every) : 0;
    return () => {
      clearInterval(timer);
      latest.current++;
    };
  }, [again, every]);
  return { value, problem, again };
}

/** Something to do on a button: busy while it runs, and with its problem afterwards. */
export function useAct(): {
  busy: boolean;
  problem?: Problem;
  act: (what: () => Promise<unknown>) => void;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const act = (what: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(undefined);
    what()
      .catch((failed) => setProblem(asProblem(failed)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, act };
}

export function asProblem(failed: unknown): Problem {
  return failed instanceof Problem ? failed : new Problem("page", T.pageFailed, T.pageFailedTodo);
}
