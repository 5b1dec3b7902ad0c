// The workbench: a text before and after, what was found, and why.
import { useRef, useState } from "preact/hooks";
import { json } from "./api";
import { useBench, type Bench } from "./bench";
import { After, Before, type Picked } from "./editor";
import { Files, isText } from "./files";
import { Findings } from "./findings";
import { useKeys, useLoaded } from "./hooks";
import type { LabelRow } from "./labels";
import { gathered, hand } from "./folders";
import { download, Drop, Pick, Trouble } from "./parts";
import { PolicyPanel } from "./policy";
import { T } from "./texts";

export interface PolicyRow {
  name: string;
  description: string;
  digest: string;
}

const MANY = 20; // files that are still shown one by one

export function Workbench({ labels }: { labels: LabelRow[] }) {
  const held = useKeys();
  const policies = useLoaded<PolicyRow[]>(() => json("v1/policies"), [held]);
  const [policy, setPolicy] = useState("");
  const [panel, setPanel] = useState(false);
  const [files, setFiles] = useState<File[]>([]);
  const [picked, setPicked] = useState<Picked>({ item: -1 });
  const bench = useBench(policy);
  const rows = policies.value ?? [];
  const inForce = policy || rows[0]?.name || "";

  const take = async (given: readonly File[]) => {
    const texts = given.filter(isText);
    const alone = given.length === 1 && texts.length === 1 ? await read(texts[0]!) : undefined;
    if (alone === undefined) setFiles([...given, ...files]);
    else bench.type(alone);
  };
  /** A folder, or many files, is a job. */
  const drop = async (data: DataTransfer) => {
    const all = await gathered(data);
    if (!all.folder && all.files.length <= MANY) return take(all.files.map((one) => one.file));
    hand(all.files);
    location.hash = "#/batch";
  };
  const saved = (name: string) => {
    policies.again();
    setPolicy(name);
    bench.again();
  };
  return (
    <Drop class="whole" take={drop}>
      <div class="bar">
        <Pick
          label={T.policy} value={inForce} pick={setPolicy}
          options={rows.map((row) => [row.name, row.name])}
        />
        <button aria-expanded={panel} aria-controls="policy" onClick={() => setPanel(!panel)}>
          {T.rules}
        </button>
        <Open take={take} />
        <Tally bench={bench} />
        <Take bench={bench} />
      </div>
      <p class="note bar-note">{rows.find((row) => row.name === inForce)?.description}</p>
      <div id="policy" hidden={!panel}>
        {panel && inForce && <PolicyPanel key={inForce} name={inForce} labels={labels} saved={saved} />}
      </div>
      <Trouble problem={policies.problem} again={policies.again} />
      <Trouble problem={bench.state.problem} again={bench.again} />
      <Files files={files} policy={inForce} close={(file) => setFiles(files.filter((one) => one !== file))} />
      <div class="bench">
        <Before bench={bench} picked={picked} pick={setPicked} />
        <After bench={bench} picked={picked} pick={setPicked} />
        <Findings bench={bench} picked={picked} pick={setPicked} labels={labels} />
      </div>
    </Drop>
  );
}

async function read(file: File): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return undefined; // in another encoding: the service knows more of them
  }
}

/** How many, and how fast, for eyes and for screen readers. */
function Tally({ bench }: { bench: Bench }) {
  const { items, state, text } = bench;
  const hidden = items.filter((one) => one.standing !== "rejected" && one.finding?.operator !== "keep.v1");
  const told = text && state.answered === text ? T.tally(items.length, hidden.length) : "";
  return (
    <p class="tally">
      <span role="status">{told}</span>
      {told && state.took > 0 && <span class="took">{T.took(state.took)}</span>}
    </p>
  );
}

function Take({ bench }: { bench: Bench }) {
  const [copied, setCopied] = useState(false);
  const clean = bench.text ? bench.clean : undefined;
  const copy = async () => {
    await navigator.clipboard.writeText(clean!);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="buttons">
      <button disabled={clean === undefined} onClick={copy}>{copied ? T.copied : T.copy}</button>
      <button
        class="main" disabled={clean === undefined}
        onClick={() => download(new Blob([clean!], { type: "text/plain" }), "clean.txt")}
      >
        {T.download}
      </button>
    </div>
  );
}

function Open({ take }: { take: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const picked = (event: Event & { currentTarget: HTMLInputElement }) => {
    take([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = "";
  };
  return (
    <>
      <button onClick={() => input.current?.click()}>{T.open}</button>
      <input ref={input} class="file" type="file" multiple hidden aria-label={T.open} onChange={picked} />
    </>
  );
}
