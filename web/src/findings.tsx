// What was found, in order; for the one that is picked, why it stands and what can be done about it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Bench } from "./bench";
import type { Picked } from "./editor";
import type { LabelRow } from "./labels";
import { Chip, Empty, Pick } from "./parts";
import { everywhere, type Item } from "./places";
import { T } from "./texts";

const MOST = 500; // rows that are listed: more are marked in the text alone

interface Given {
  bench: Bench;
  picked: Picked;
  pick: (picked: Picked) => void;
  labels: LabelRow[];
}

export function Findings({ bench, picked, pick, labels }: Given) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>("[aria-expanded=true]")?.parentElement;
    if (row && list.current) list.current.scrollTop = row.offsetTop - 8;
  }, [picked.item]);
  return (
    <section class="pane findings" aria-labelledby="findings-title">
      <h2 id="findings-title">{T.findings}</h2>
      <AddOne bench={bench} picked={picked} pick={pick} labels={labels} />
      {bench.items.length ? (
        <ol ref={list}>
          {bench.items.slice(0, MOST).map((item, at) => (
            <li key={`${item.start} ${item.end}`} class={item.standing}>
              <button
                class="finding" aria-expanded={at === picked.item}
                onClick={() => pick({ item: at === picked.item ? -1 : at })}
              >
                <Chip label={item.label} />
                <span class="value">{bench.text.slice(item.start, item.end)}</span>
                {item.standing !== "found" && <em>{T.standing[item.standing]}</em>}
              </button>
              {at === picked.item && <Why item={item} bench={bench} labels={labels} />}
            </li>
          ))}
        </ol>
      ) : (
        <None bench={bench} />
      )}
      {bench.items.length > MOST && <p class="note">{T.more(bench.items.length - MOST)}</p>}
    </section>
  );
}

function None({ bench }: { bench: Bench }) {
  if (!bench.text) return <Empty title={T.noFindings}>{T.noFindingsNote}</Empty>;
  if (bench.state.answered !== bench.text) return null;
  return <Empty title={T.nothingFound}>{T.nothingFoundNote}</Empty>;
}

/** Why it stands, and to accept it, reject it, or call it something else. */
function Why({ item, bench, labels }: { item: Item; bench: Bench; labels: LabelRow[] }) {
  const { finding, start, end } = item;
  const meaning = labels.find((one) => one.name === item.label)?.meaning;
  const choose = (label: string) => bench.choose(start, end, label);
  return (
    <div class="why">
      {meaning && <p>{meaning}</p>}
      <dl>
        {finding && (
          <>
            <div><dt>{T.detector}</dt><dd>{T.detectorName(finding.detector)}</dd></div>
            <div><dt>{T.score}</dt><dd><meter value={finding.score} aria-label={T.score} /> {finding.score.toFixed(2)}</dd></div>
            {finding.operator && <div><dt>{T.rule}</dt><dd>{T.ruleOf(finding.operator, bench.state.policy)}</dd></div>}
          </>
        )}
        <div><dt>{T.becomes}</dt><dd>{item.standing === "rejected" ? T.stays : <code>{item.put}</code>}</dd></div>
      </dl>
      <div class="buttons">
        {finding && item.standing !== "accepted" && (
          <button onClick={() => choose(finding.label)}>{T.accept}</button>
        )}
        {finding && item.standing !== "rejected" && <button onClick={() => choose("")}>{T.reject}</button>}
        {item.standing !== "found" && <button onClick={() => bench.forget(item)}>{T.undo}</button>}
      </div>
      <Pick label={T.relabel} value={item.label} options={named(labels, item.label)} pick={choose} />
    </div>
  );
}

/** A stretch of text that was selected: to be hidden, here and wherever else it stands. */
function AddOne({ bench, picked, pick, labels }: Given) {
  const [label, setLabel] = useState("PERSON");
  const { start, end } = picked;
  if (start === undefined || end === undefined) return null;
  const words = bench.text.slice(start, end).trim();
  const found = words ? everywhere(bench.text, words) : [];
  if (!found.length) return null;
  const add = () => {
    bench.hide(found, label);
    pick({ item: -1 });
  };
  return (
    <div class="add-one">
      <p>{T.selected} <q>{words.length > 60 ? `${words.slice(0, 60)}…` : words}</q></p>
      <Pick label={T.label} value={label} options={named(labels, label)} pick={setLabel} />
      <button class="main" onClick={add}>{T.hide(found.length)}</button>
    </div>
  );
}

function named(labels: LabelRow[], now: string): [string, string][] {
  const names = labels.map((one) => one.name);
  return (names.includes(now) ? names : [now, ...names]).map((name) => [name, name]);
}
