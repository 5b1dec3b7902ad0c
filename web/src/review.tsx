// The second look: passages of a job's outputs, read one after the other with the keyboard alone.
import { useEffect, useRef, useState } from "preact/hooks";
import { json, post, type Problem } from "./api";
import type { Job } from "./batch";
import { asProblem, useKeys, useLoaded } from "./hooks";
import { Empty, Pick, Shown, Trouble } from "./parts";
import { T } from "./texts";

interface Passage {
  item: string;
  file: string;
  text: string;
  /** What was said of it before; nothing if it was not looked at. */
  missed: number | null;
}

interface Bound {
  bound_per_10000_words: number | null;
  looked: number;
}

interface Sample {
  items: Passage[];
  reviewed: Bound;
}

const SAMPLE = 50;
const KEYS = ["k", "j", "u", ..."0123456789"]; // what can be pressed, for whoever has no keyboard

export function Review({ job }: { job: string }) {
  const held = useKeys();
  const jobs = useLoaded<Job[]>(
    async () => (await json<Job[]>("v1/jobs", { action: "jobs.show" })).filter((one) => one.state === "done"),
    [held],
  );
  return (
    <div class="page">
      <h2>{T.review}</h2>
      <p class="note">{T.reviewNote}</p>
      <Shown loaded={jobs}>
        {(rows) => {
          const id = job || rows[0]?.id;
          if (!id) return <Empty title={T.noReview}>{T.noReviewNote}</Empty>;
          const known = rows.map((one) => [one.id, T.jobOf(one.started, one.files, one.id)] as const);
          const options = rows.some((one) => one.id === id) ? known : [[id, id] as const, ...known];
          return (
            <>
              <Pick
                label={T.pickJob} value={id} options={options}
                pick={(one) => (location.hash = `#/review/${encodeURIComponent(one)}`)}
              />
              <Queue key={id} id={id} />
            </>
          );
        }}
      </Shown>
    </div>
  );
}

function Queue({ id }: { id: string }) {
  const path = `v1/review/${encodeURIComponent(id)}`;
  const sample = useLoaded<Sample>(() => json(`${path}?count=${SAMPLE}`, { action: "review.run" }), [id]);
  return (
    <Shown loaded={sample}>
      {(drawn) => (drawn.items.length ? <Desk sample={drawn} path={path} /> : <Empty title={T.nothingToReview} />)}
    </Shown>
  );
}

/** One passage at a time. Keys count only while it has the focus, so that they disturb nobody. */
function Desk({ sample, path }: { sample: Sample; path: string }) {
  const passages = sample.items;
  const [at, setAt] = useState(0);
  const { marks, bound, problem, mark, undo } = useMarks(sample, path);
  const desk = useRef<HTMLDivElement>(null);
  useEffect(() => desk.current?.focus(), []);
  const passage = passages[at]!;
  const go = (by: number) => setAt((now) => Math.max(0, Math.min(passages.length - 1, now + by)));
  /** Whether this key does something here. */
  const press = (key: string): boolean => {
    if (key === "j" || key === "ArrowDown") go(1);
    else if (key === "k" || key === "ArrowUp") go(-1);
    else if (key === "u") {
      const item = undo();
      if (item) setAt(passages.findIndex((one) => one.item === item));
    } else if (/^[0-9]$/.test(key)) {
      mark(passage.item, Number(key));
      go(1);
    } else return false;
    return true;
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (press(event.key)) event.preventDefault();
  };
  return (
    <div class="review">
      <div class="desk" ref={desk} tabIndex={0} role="group" aria-label={T.howMany} onKeyDown={pressed}>
        <p class="desk-head">
          <strong>{T.passage(at + 1, passages.length)}</strong>
          <span>{passage.file}</span>
          <span class={marks.has(passage.item) ? "mark" : "note"}>{T.marked(marks.get(passage.item) ?? -1)}</span>
        </p>
        <blockquote aria-live="polite">{passage.text}</blockquote>
        <Strip passages={passages} marks={marks} at={at} />
        <div class="hints">
          {KEYS.map((key) => (
            <button key={key} onClick={() => press(key)} aria-label={T.reviewKey(key)}>
              <kbd>{key}</kbd>{T.reviewKeys[key] && ` ${T.reviewKeys[key]}`}
            </button>
          ))}
        </div>
      </div>
      <aside class="bound" aria-live="polite">
        {bound.bound_per_10000_words !== null ? (
          <>
            <p>{T.atMost}</p>
            <p class="figure">{bound.bound_per_10000_words.toFixed(1)}</p>
            <p>{T.bound}<br />{T.boundNote}</p>
            <p class="note">{T.looked(bound.looked)}</p>
          </>
        ) : (
          <p class="note">{T.noBound}</p>
        )}
        <Trouble problem={problem} />
      </aside>
    </div>
  );
}

/** What was said of which passage. It is sent in the order in which it was said, while one reads on. */
function useMarks(sample: Sample, path: string) {
  const [marks, setMarks] = useState<ReadonlyMap<string, number>>(
    () => new Map(sample.items.flatMap((one) => (one.missed === null ? [] : [[one.item, one.missed]]))),
  );
  const [bound, setBound] = useState(sample.reviewed);
  const [problem, setProblem] = useState<Problem>();
  const said = useRef<string[]>([]);
  const sending = useRef(Promise.resolve());
  const say = (item: string, missed: number | null) => {
    const told = (was: ReadonlyMap<string, number>) => {
      const now = new Map(was);
      if (missed === null) now.delete(item);
      else now.set(item, missed);
      return now;
    };
    sending.current = sending.current
      .then(() => post<Bound>(`${path}/marks`, { item, missed }, { action: "review.run" }))
      .then((now) => {
        setBound(now);
        setMarks(told);
        setProblem(undefined);
      })
      .catch((failed) => setProblem(asProblem(failed)));
  };
  const mark = (item: string, missed: number) => {
    said.current = [...said.current.filter((one) => one !== item), item];
    say(item, missed);
  };
  const undo = () => {
    const item = said.current.pop();
    if (item) say(item, null);
    return item;
  };
  return { marks, bound, problem, mark, undo };
}

/** How far one is: a bar for each passage, the higher the worse. */
function Strip(props: { passages: Passage[]; marks: ReadonlyMap<string, number>; at: number }) {
  const { passages, marks, at } = props;
  return (
    <svg class="strip" viewBox={`0 0 ${passages.length * 4} 10`} preserveAspectRatio="none" aria-hidden="true">
      {passages.map((one, n) => {
        const missed = marks.get(one.item);
        const [kind, high] = missed === undefined ? ["open", 4] : missed ? ["left", 10] : ["clean", 7];
        return <rect key={one.item} class={n === at ? "now" : kind} x={n * 4} y={10 - high} width="3" height={high} />;
      })}
    </svg>
  );
}
