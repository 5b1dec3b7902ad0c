// Folders, files and archives of whoever uses the page: gathered, packed, sent, as one job.
import { useEffect, useRef, useState } from "preact/hooks";
import { upload, type Problem } from "./api";
import { chosen, gathered, taken } from "./folders";
import { asProblem } from "./hooks";
import { Drop, Trouble } from "./parts";
import { T } from "./texts";
import { zipped, type Named } from "./zip";

interface Step {
  what: "packing" | "sending";
  done: number;
  of: number;
  since: number;
}

export function Upload({ policy, started }: { policy: string; started: () => void }) {
  const [files, setFiles] = useState<Named[]>(taken);
  const { step, problem, send, stop } = useSending(policy, () => {
    setFiles([]);
    started();
  });
  const take = (more: Named[]) => setFiles([...files, ...more]);
  return (
    <Drop class="take" take={(data) => void gathered(data).then((all) => take(all.files))}>
      <h3>{T.here}</h3>
      {step ? <Going step={step} stop={stop} /> : <Choose files={files} take={take} />}
      {!step && files.length > 0 && (
        <div class="buttons">
          <button class="main" onClick={() => send(files)}>{T.cleanAll}</button>
          <button class="quiet" onClick={() => setFiles([])}>{T.clear}</button>
        </div>
      )}
      <Trouble problem={problem} />
    </Drop>
  );
}

function Choose({ files, take }: { files: Named[]; take: (files: Named[]) => void }) {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <>
      <p role="status">{files.length ? T.gathered(files.length, bytes) : <span class="note">{T.uploadNote}</span>}</p>
      <div class="buttons">
        <Choice label={T.chooseFolder} take={take} folder />
        <Choice label={T.chooseFiles} take={take} />
      </div>
    </>
  );
}

function Choice({ label, take, folder }: { label: string; take: (files: Named[]) => void; folder?: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (folder) field.current!.webkitdirectory = true;
  }, []);
  const picked = (event: Event & { currentTarget: HTMLInputElement }) => {
    take(chosen(event.currentTarget.files));
    event.currentTarget.value = "";
  };
  return (
    <>
      <button onClick={() => field.current?.click()}>{label}</button>
      <input ref={field} type="file" multiple hidden aria-label={label} onChange={picked} />
    </>
  );
}

/** How far it is, and how fast. */
function Going({ step, stop }: { step: Step; stop: () => void }) {
  const seconds = (performance.now() - step.since) / 1000;
  const rate = seconds > 0.5 ? step.done / seconds : 0;
  return (
    <>
      <p role="status">{T.step[step.what]}</p>
      <progress value={step.of ? step.done / step.of : undefined} aria-label={T.step[step.what]} />
      <p class="job-numbers">
        <span>{T.sent(step.done, step.of)}</span>
        {rate > 0 && <span>{T.rate(rate)}</span>}
        {rate > 0 && <span>{T.left((step.of - step.done) / rate)}</span>}
      </p>
      <div class="buttons"><button onClick={stop}>{T.cancel}</button></div>
    </>
  );
}

function useSending(policy: string, sent: () => void) {
  const [step, setStep] = useState<Step>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef<AbortController>(null);
  useEffect(() => () => running.current?.abort(), []);
  const send = (files: readonly Named[]) => {
    const { signal } = (running.current = new AbortController());
    const begin = (what: Step["what"], of: number) => {
      const since = performance.now();
      const told = (done: number) => signal.aborted || setStep({ what, done, of, since });
      told(0);
      return told;
    };
    setProblem(undefined);
    packed(files, begin, signal)
      .then((zip) => upload(`v1/jobs?${new URLSearchParams({ policy })}`, zip, {
        action: "jobs.start", signal, told: begin("sending", zip.size),
      }))
      .then(sent, (failed) => signal.aborted || setProblem(asProblem(failed)))
      .finally(() => setStep(undefined));
  };
  return { step, problem, send, stop: () => running.current?.abort() };
}

type Begin = (what: Step["what"], of: number) => (done: number) => void;

/** An archive goes as it is. */
async function packed(files: readonly Named[], begin: Begin, signal: AbortSignal): Promise<Blob> {
  const [first] = files;
  if (files.length === 1 && first && /\.zip$/i.test(first.path)) return first.file;
  const told = begin("packing", files.reduce((sum, { file }) => sum + file.size, 0));
  return zipped(files, told, signal);
}
