// Files that were dropped: each cleaned whole by the service, shown before and after where it can be.
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "./api";
import { cleanFile, type CleanFile } from "./bench";
import { asProblem } from "./hooks";
import { Chip, download, Trouble } from "./parts";
import { T } from "./texts";
import { Sides } from "./views";

const ON_THE_BENCH = 1 << 19; // bytes: what is larger is cleaned as a file

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
      {clean && <Sides before={file} name={file.name} after={clean.blob} clean={clean.name} />}
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
