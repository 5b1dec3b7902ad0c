// Jobs: folders and archives that are cleaned while one does something else.
import { useState } from "preact/hooks";
import { call, json, post } from "./api";
import { useAct, useKeys, useLoaded } from "./hooks";
import { may } from "./keys";
import { download, Empty, Field, Pick, Section, Shown, Table, Trouble } from "./parts";
import { T, time } from "./texts";
import { Upload } from "./upload";
import type { PolicyRow } from "./workbench";

export interface Job {
  id: string;
  state: string;
  files: number;
  done: number;
  bytes: number;
  rate: number;
  left_seconds: number | null;
  quarantined: number;
  started: number;
  policy: string;
  upload: boolean;
  why: string;
}

const OFTEN = 1000; // milliseconds between a look at the jobs and the next, while one runs
const SELDOM = 5000; // and while none does

export function Batch() {
  const held = useKeys();
  const [often, setOften] = useState(true);
  const load = async () => {
    const rows = await json<Job[]>("v1/jobs", { action: "jobs.show" });
    setOften(rows.some(runs));
    return rows;
  };
  const jobs = useLoaded(load, [held], often ? OFTEN : SELDOM);
  return (
    <div class="page">
      <NewJob started={jobs.again} />
      <Section title={T.jobs}>
        <Shown loaded={jobs}>
          {(rows) =>
            rows.length ? (
              <ul class="jobs">{rows.map((job) => <JobRow key={job.id} job={job} changed={jobs.again} />)}</ul>
            ) : (
              <Empty title={T.noJobs}>{T.noJobsNote}</Empty>
            )
          }
        </Shown>
      </Section>
    </div>
  );
}

function runs(job: Job): boolean {
  return job.state === "running" || job.state === "waiting";
}

function NewJob({ started }: { started: () => void }) {
  const held = useKeys();
  const policies = useLoaded<PolicyRow[]>(() => json("v1/policies"), [held]);
  const [picked, setPicked] = useState("");
  const rows = policies.value ?? [];
  const policy = picked || rows[0]?.name || "";
  return (
    <Section title={T.newJob}>
      <Pick label={T.policy} value={policy} pick={setPicked} options={rows.map((row) => [row.name, row.name])} />
      <div class="new-job">
        <Upload policy={policy} started={started} />
        <Folders policy={policy} started={started} />
      </div>
    </Section>
  );
}

/** Folders of the service's own machine. */
function Folders({ policy, started }: { policy: string; started: () => void }) {
  const { busy, problem, act } = useAct();
  const folder = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const { input, output } = Object.fromEntries(new FormData(event.currentTarget));
    act(async () => {
      await post("v1/jobs", { input, output, policy, only: [], skip: [] }, { action: "jobs.start" });
      started();
    });
  };
  return (
    <form onSubmit={folder}>
      <h3>{T.there}</h3>
      <Field label={T.inputFolder} name="input" required autocomplete="off" />
      <Field label={T.outputFolder} name="output" required autocomplete="off" hint={T.folderNote} />
      <button disabled={busy}>{T.start}</button>
      {busy && <p role="status" class="note">{T.starting}</p>}
      <Trouble problem={problem} />
    </form>
  );
}

function JobRow({ job, changed }: { job: Job; changed: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <li class={`job ${job.state}`}>
      <div class="job-head">
        <h3><code>{job.id}</code></h3>
        <span class={`state ${job.state}`}>{T.jobState[job.state] ?? job.state}</span>
        <span class="note">{job.policy}{job.started ? ` · ${time(job.started)}` : ""}</span>
      </div>
      <progress value={job.files ? job.done / job.files : runs(job) ? undefined : 0} aria-label={T.jobFiles(job.done, job.files)} />
      <p class="job-numbers">
        <span>{T.jobFiles(job.done, job.files)}</span>
        {job.state === "running" && job.rate > 0 && <span>{T.rate(job.rate)}</span>}
        {job.state === "running" && job.left_seconds !== null && <span>{T.left(job.left_seconds)}</span>}
        {job.quarantined > 0 && (
          <button class="link" aria-expanded={open} onClick={() => setOpen(!open)}>{T.quarantined(job.quarantined)}</button>
        )}
      </p>
      {job.why && <p class="note">{job.why}</p>}
      <JobButtons job={job} changed={changed} />
      {open && <Quarantine job={job} />}
    </li>
  );
}

function JobButtons({ job, changed }: { job: Job; changed: () => void }) {
  const { busy, problem, act } = useAct();
  const path = `v1/jobs/${encodeURIComponent(job.id)}`;
  const turn = (what: string, action: string) =>
    act(async () => {
      await call(`${path}/${what}`, { method: "POST", action });
      changed();
    });
  const forget = () =>
    act(async () => {
      await call(path, { method: "DELETE", action: "jobs.start" });
      changed();
    });
  const fetched = (what: string, name: string, action: string) =>
    act(async () => download(await (await call(`${path}/${what}`, { action })).blob(), name));
  return (
    <div class="buttons">
      {runs(job) && may("jobs.stop") && <button disabled={busy} onClick={() => turn("stop", "jobs.stop")}>{T.stop}</button>}
      {(job.state === "stopped" || job.state === "failed") && may("jobs.start") && (
        <button disabled={busy} onClick={() => turn("resume", "jobs.start")}>{T.resume}</button>
      )}
      {job.state === "done" && (
        <>
          <button disabled={busy} onClick={() => fetched("report?page=1", `${job.id}.html`, "jobs.show")}>{T.report}</button>
          {job.upload && (
            <button disabled={busy} onClick={() => fetched("output", `${job.id}.zip`, "jobs.start")}>{T.output}</button>
          )}
          <a class="button" href={`#/review/${encodeURIComponent(job.id)}`}>{T.secondLook}</a>
        </>
      )}
      {!runs(job) && may("jobs.start") && <Forget busy={busy} forget={forget} />}
      <Trouble problem={problem} />
    </div>
  );
}

/** Asked twice: outputs that were not fetched are gone with it. */
function Forget({ busy, forget }: { busy: boolean; forget: () => void }) {
  const [sure, setSure] = useState(false);
  if (!sure) return <button class="quiet" onClick={() => setSure(true)}>{T.forget}</button>;
  return (
    <>
      <span>{T.forgetAll}</span>
      <button disabled={busy} onClick={forget}>{T.forgetSure}</button>
      <button class="quiet" onClick={() => setSure(false)}>{T.keep}</button>
    </>
  );
}

/** The list is whole when the job is done: it is read again when something has changed. */
function Quarantine({ job }: { job: Job }) {
  const listed = useLoaded(async () => {
    const path = `v1/jobs/${encodeURIComponent(job.id)}/quarantine`;
    const lines = (await (await call(path, { action: "jobs.start" })).text()).split("\n");
    return lines.filter(Boolean).map((line) => line.split("\t"));
  }, [job.id, job.state, job.quarantined]);
  return (
    <Shown loaded={listed}>
      {(rows) => <Table name={T.quarantine} heads={[T.file, T.why]} rows={rows} />}
    </Shown>
  );
}
