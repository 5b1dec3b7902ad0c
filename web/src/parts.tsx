// Small pieces that several views are made of.
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useId, useState } from "preact/hooks";
import type { Problem } from "./api";
import type { Loaded } from "./hooks";
import { group } from "./labels";
import { T } from "./texts";

/** A label, with its group's colour and underline. */
export function Chip({ label }: { label: string }) {
  return <span class={`chip g-${group(label)}`}>{label}</span>;
}

/** What failed, and what to do. */
export function Trouble({ problem, again }: { problem?: Problem; again?: () => void }) {
  if (!problem) return null;
  // What a key may not do is nothing that has failed.
  if (problem.code === "access") return <Empty title={T.sentence(problem.what)}>{T.sentence(problem.todo)}</Empty>;
  return (
    <div class="trouble" role="alert">
      <p>
        <strong>{T.sentence(problem.what)}</strong>
        {problem.todo && <span> {T.sentence(problem.todo)}</span>}
      </p>
      {again && <button onClick={again}>{T.again}</button>}
    </div>
  );
}

/** Where there is nothing yet: why, and what would be here. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

/** What was loaded, or that it is loading, or that it could not be. */
export function Shown<V>(props: {
  loaded: Loaded<V>;
  children: (value: V) => ComponentChildren;
}) {
  const { value, problem, again } = props.loaded;
  return (
    <>
      <Trouble problem={problem} again={again} />
      {value !== undefined ? props.children(value) : !problem && <Loading />}
    </>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="hidden">{T.loading}</span>
    </div>
  );
}

/** A heading with what belongs beside it. */
export function Section(props: { title: string; note?: string; children: ComponentChildren }) {
  return (
    <section class="section">
      <h2>{props.title}</h2>
      {props.note && <p class="note">{props.note}</p>}
      {props.children}
    </section>
  );
}

/** Rows under headings. On a phone the cells of a row flow like words. */
export function Table(props: { heads: string[]; rows: ComponentChildren[][]; name: string }) {
  return (
    <div class="table rows" role="region" aria-label={props.name} tabIndex={0}>
      <table>
        <thead>
          <tr>{props.heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {props.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => <td key={column}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A field with its name above it. */
export function Field(props: { label: string; hint?: string } & InputHTMLAttributes) {
  const { label, hint, ...given } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input {...given} id={id} aria-describedby={hint && `${id}-hint`} />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

/** A choice with its name above it. */
export function Pick(props: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  pick: (value: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.pick(event.currentTarget.value)}>
        {props.options.map(([value, told]) => <option key={value} value={value}>{told}</option>)}
      </select>
    </div>
  );
}

/** A part of the page that files can be dropped on. */
export function Drop(props: { class: string; take: (data: DataTransfer) => void; children: ComponentChildren }) {
  const [over, setOver] = useState(false);
  return (
    <div
      class={`drop ${props.class}${over ? " over" : ""}`}
      data-told={T.dropHere}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        if (!event.dataTransfer?.files.length) return;
        event.preventDefault();
        props.take(event.dataTransfer);
      }}
    >
      {props.children}
    </div>
  );
}

/** Hand a file to whoever uses the page. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
