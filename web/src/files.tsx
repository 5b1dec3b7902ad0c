// Files that were dropped: each cleaned whole by the service, shown before and after where it can be.
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "./api";
import { cleanFile, type CleanFile } from "./bench";
import { asProblem } from "./hooks";
import { Chip, download, Trouble } from "./parts";
import { T } from "./texts";

const ON_THE_BENCH = 1 << 19; // bytes: what is larger is cleaned as a file
const PREVIEW = 20_000; // characters of a text, and of a table's, that are shown
const ROWS = 30;

/** Whether it is text, and short enough to be worked on by hand. */
export function isText(file: File): boolean {
  const named = /\.(txt|text|md|log)$/i.test(file.name) || (file.type === "text/plain" && !file.name.includes("."));
  return named && file.size <= ON_THE_BENCH;
}

export function Files(props: { files: File[]; policy: string; close: (file: File) => void }) {
  if (!props.files.length) return null;
  return (
    <ul class="files" aria-label={T.files}>
      {props.files.map((file) => (
        <OneFile key={`${file.name} ${file.lastModified} ${file.size}`} file={file} policy={props.policy} close={() => props.close(file)} />
      ))}
    </ul>
  );
}

function OneFile({ file, policy, close }: { file: File; policy: string; close: () => void }) {
  const [clean, setClean] = useState<CleanFile>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    const asked = new AbortController();
    setClean(undefined);
    setProblem(undefined);
    cleanFile(file, policy, asked.signal).then(setClean, (failed) => {
      if (!asked.signal.aborted) setProblem(asProblem(failed));
    });
    return () => asked.abort();
  }, [file, policy]);
  return (
    <li class="file-result">
      <div class="file-head">
        <h2>{file.name}</h2>
        <span class="note" role="status">{clean ? T.cleaned(clean.format, clean.blob.size) : problem ? T.notCleaned : T.cleaning}</span>
        <div class="buttons">
          {clean && <button class="main" onClick={() => download(clean.blob, clean.name)}>{T.downloadAs(clean.name)}</button>}
          <button class="quiet" onClick={close} aria-label={T.closeFile(file.name)}>{T.close}</button>
        </div>
      </div>
      {!clean && !problem && <progress aria-label={T.cleaning} />}
      <Trouble problem={problem} />
      {clean && <Counts clean={clean} />}
      {clean && <Sides file={file} clean={clean} />}
    </li>
  );
}

function Counts({ clean }: { clean: CleanFile }) {
  const counts = Object.entries(clean.counts).sort((a, b) => b[1] - a[1]);
  const left = Object.entries(clean.left_out);
  return (
    <>
      <p class="counts">
        {counts.map(([label, count]) => <span key={label}><Chip label={label} /> {count}</span>)}
        {!counts.length && T.nothingFound}
      </p>
      {left.length > 0 && (
        <details open>
          <summary>{T.leftOut(left.reduce((sum, [, n]) => sum + n, 0))}</summary>
          <ul>{left.map(([what, n]) => <li key={what}>{what}{n > 1 && `, ${n}`}</li>)}</ul>
        </details>
      )}
    </>
  );
}

function Sides({ file, clean }: { file: File; clean: CleanFile }) {
  return (
    <div class="sides">
      <figure><figcaption>{T.before}</figcaption><Preview blob={file} name={file.name} /></figure>
      <figure><figcaption>{T.after}</figcaption><Preview blob={clean.blob} name={clean.name} /></figure>
    </div>
  );
}

const IMAGES: Record<string, string> = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif",
  webp: "image/webp", bmp: "image/bmp",
};
const TEXTS = ["txt", "md", "log", "json", "ndjson", "jsonl", "xml", "yaml", "yml", "hl7", "html", "eml", "sql", "rtf"];

/** A file as what it is. Its kind is its name's, never one that it says of itself. */
function Preview({ blob, name }: { blob: Blob; name: string }) {
  const kind = name.split(".").pop()!.toLowerCase();
  const image = IMAGES[kind];
  if (image) return <Framed blob={blob} type={image} name={name} />;
  if (kind === "pdf") return <Framed blob={blob} type="application/pdf" name={name} />;
  if (kind === "csv" || kind === "tsv") return <Lines blob={blob} name={name} cells={kind === "csv" ? "," : "\t"} />;
  if (TEXTS.includes(kind)) return <Lines blob={blob} name={name} />;
  return <p class="note">{T.noPreview}</p>;
}

function Framed({ blob, type, name }: { blob: Blob; type: string; name: string }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([blob], { type }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob, type]);
  if (!address) return null;
  if (type === "application/pdf") return <iframe src={`${address}#toolbar=0&navpanes=0&view=FitH`} title={name} />;
  return <img src={address} alt={T.imageOf(name)} />;
}

function Lines({ blob, name, cells }: { blob: Blob; name: string; cells?: string }) {
  const [text, setText] = useState<string>();
  useEffect(() => void blob.slice(0, PREVIEW).text().then(setText), [blob]);
  if (text === undefined) return null;
  if (!cells) return <pre tabIndex={0} role="region" aria-label={name}>{text}</pre>;
  const [head = [], ...rows] = parsed(text, cells).slice(0, ROWS + 1);
  return (
    <div class="table" tabIndex={0} role="region" aria-label={name}>
      <table>
        <thead><tr>{head.map((cell, at) => <th key={at} scope="col">{cell}</th>)}</tr></thead>
        <tbody>{rows.map((row, at) => <tr key={at}>{row.map((cell, n) => <td key={n}>{cell}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

/** The cells of a table in text (RFC 4180). */
function parsed(text: string, comma: string): string[][] {
  const rows: string[][] = [[]];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${comma}\\r\\n][^${comma}\\r\\n]*|))(${comma}|\\r?\\n|\\r|$)`, "y");
  for (let one = cell.exec(text); one; one = cell.exec(text)) {
    rows[rows.length - 1]!.push(one[1]?.replaceAll('""', '"') ?? one[2] ?? "");
    if (cell.lastIndex >= text.length) break;
    if (one[3] !== comma) rows.push([]);
  }
  return rows;
}
