// The frame: who is signed in, where one is, light or dark.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { json } from "./api";
import { Batch } from "./batch";
import { useKeys, useLoaded, useRoute } from "./hooks";
import { recall } from "./keys";
import { learn, type LabelRow } from "./labels";
import { Live } from "./live";
import { Loading } from "./parts";
import { Review } from "./review";
import { Keys, SignIn } from "./signin";
import { T } from "./texts";
import { Trust } from "./trust";
import { Workbench } from "./workbench";

const LOOK = 10_000; // milliseconds between a look for an alarm and the next
const VIEWS = ["text", "batch", "review", "trust", "live"] as const;

export function App() {
  const held = useKeys();
  const [recalled, setRecalled] = useState(false);
  const labels = useLabels(held.length > 0);
  useEffect(() => void recall().finally(() => setRecalled(true)), []);
  if (!recalled) return <Loading />;
  if (!held.length) return <SignIn />;
  return <Signed labels={labels} />;
}

function useLabels(signed: boolean): LabelRow[] {
  const [rows, setRows] = useState<LabelRow[]>([]);
  useEffect(() => {
    if (!signed) return;
    json<LabelRow[]>("v1/labels").then((told) => {
      learn(told);
      setRows(told);
    }, () => undefined); // without them every label is shown alike
  }, [signed]);
  return rows;
}

function Signed({ labels }: { labels: LabelRow[] }) {
  const [view = "text", ...rest] = useRoute();
  const [open, setOpen] = useState(false);
  const title = T.views[view as (typeof VIEWS)[number]] ?? T.views.text;
  useEffect(() => void (document.title = `${title} · Scrubjay`), [title]);
  useEffect(() => setOpen(false), [view]);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>{T.skip}</a>
      <header class="top">
        <a class="brand" href="#/text">scrubjay</a>
        <nav aria-label={T.nav}>
          {VIEWS.map((name) => (
            <a key={name} href={`#/${name}`} aria-current={title === T.views[name] ? "page" : undefined}>
              {T.views[name]}
            </a>
          ))}
        </nav>
        <div class="top-end">
          <Theme />
          <button class="quiet" aria-expanded={open} aria-controls="keys" onClick={() => setOpen(!open)}>
            {T.keys}
          </button>
        </div>
      </header>
      <Alarm />
      <div id="keys" hidden={!open}>{open && <Keys />}</div>
      <main id="main" tabIndex={-1}>
        <h1 class="hidden">{title}</h1>
        {/* What is on the bench stays there while one looks elsewhere. */}
        <Kept shown={title === T.views.text}><Workbench labels={labels} /></Kept>
        {view === "batch" && <Batch />}
        {view === "review" && <Review job={rest[0] ?? ""} />}
        {view === "trust" && <Trust />}
        {view === "live" && <Live />}
      </main>
    </>
  );
}

/** That a planted identifier came out of an engine, whatever one looks at. */
function Alarm() {
  const { problem } = useLoaded(() => json("readyz"), [], LOOK);
  if (problem?.code !== "leaking") return null;
  return (
    <div class="alarm" role="alert">
      <strong>{T.alarm}</strong> {T.sentence(problem.what)} {T.sentence(problem.todo)}
    </div>
  );
}

function Kept({ shown, children }: { shown: boolean; children: ComponentChildren }) {
  return <div hidden={!shown}>{children}</div>;
}

/** The address is the route, so that a link to a part of the page must not change it. */
function toMain(event: Event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

const PLACE = "scrubjay-theme";

/** The system's, until somebody turns it here. */
function Theme() {
  const [chosen, setChosen] = useState(() => localStorage.getItem(PLACE) ?? "");
  useEffect(() => void (document.documentElement.dataset.theme = chosen), [chosen]);
  const other = (chosen || system()) === "dark" ? "light" : "dark";
  const turn = () => {
    localStorage.setItem(PLACE, other);
    setChosen(other);
  };
  return <button class="quiet" onClick={turn}>{T.theme[other]}</button>;
}

function system(): "dark" | "light" {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
