// The log and what it rests on: whether it is whole, who waits for whom, how old the keys are.
import { useState } from "preact/hooks";
import { json, query } from "./api";
import { useKeys, useLoaded } from "./hooks";
import { Empty, Field, Section, Shown, Table } from "./parts";
import { Approvals } from "./approvals";
import { T, time } from "./texts";

interface LogState {
  size: number;
  root: string;
  whole: boolean;
  checked: number;
  problem: string;
}

interface Entry {
  who: string;
  role: string;
  action: string;
  outcome: string;
  time?: number;
  reason?: string;
  subject?: string;
  recipient?: string;
  counts?: Record<string, number>;
  about?: string;
}

const SHOWN = 100;

export function Trust() {
  return (
    <div class="page">
      <State />
      <Log />
      <div class="two">
        <Approvals />
        <Emergencies />
      </div>
      <KeyAges />
      <Disclosures />
    </div>
  );
}

function State() {
  const held = useKeys();
  const state = useLoaded<LogState>(() => json("v1/audit/state", { action: "audit.verify" }), [held]);
  return (
    <Shown loaded={state}>
      {({ size, root, whole, checked, problem }) => (
        <div class={whole ? "verdict whole" : "verdict broken"} role={whole ? "status" : "alert"}>
          <p class="figure">{whole ? T.whole : T.notWhole}</p>
          <p>
            {whole ? T.wholeNote : problem || T.notWholeNote}
            <br />
            <span class="note">{T.entries(size)}{checked ? `, ${T.checked(time(checked))}` : ""}</span>
          </p>
          <p class="root"><span>{T.root}</span> <code>{root}</code></p>
        </div>
      )}
    </Shown>
  );
}

function Log() {
  const held = useKeys();
  const [asked, setAsked] = useState<Record<string, string>>({});
  const entries = useLoaded<Entry[]>(
    () => json(query("v1/audit", { ...asked, count: SHOWN }), { action: "audit.query" }), [asked, held],
  );
  const filter = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const told = new FormData(event.currentTarget);
    setAsked(Object.fromEntries([...told].map(([name, value]) => [name, String(value).trim()])));
  };
  return (
    <Section title={T.log} note={T.logNote}>
      <form class="row" onSubmit={filter}>
        <Field label={T.action} name="action" autocomplete="off" />
        <Field label={T.who} name="who" autocomplete="off" />
        <Field label={T.since} name="since" type="date" />
        <Field label={T.until} name="until" type="date" />
        <button>{T.filter}</button>
      </form>
      <Shown loaded={entries}>
        {(rows) =>
          rows.length ? (
            <Table name={T.log} heads={[T.when, T.who, T.action, T.outcome, T.what]} rows={rows.map(told)} />
          ) : (
            <Empty title={T.noEntries}>{T.noEntriesNote}</Empty>
          )
        }
      </Shown>
    </Section>
  );
}

function told(entry: Entry) {
  const found = Object.entries(entry.counts ?? {}).map(([label, n]) => `${label} ${n}`);
  const about = [entry.reason, entry.about, entry.subject, entry.recipient, ...found].filter(Boolean);
  return [
    entry.time ? time(entry.time / 1000) : "",
    entry.who,
    <code>{entry.action}</code>,
    <span class={`state ${entry.outcome}`}>{entry.outcome}</span>,
    about.join(", "),
  ];
}

interface Emergency {
  id: string;
  person: string;
  domain: string;
  reason: string;
  started: number;
  ends: number;
  uses: number;
}

function Emergencies() {
  const held = useKeys();
  const rows = useLoaded<Emergency[]>(() => json("v1/emergencies", { action: "breakglass.list" }), [held]);
  return (
    <Section title={T.emergencies}>
      <Shown loaded={rows}>
        {(found) =>
          found.length ? (
            <ul class="cards">
              {found.map((one) => (
                <li key={one.id}>
                  <p><strong>{one.person}</strong> · {one.domain}</p>
                  <p>{one.reason}</p>
                  <p class="note">{time(one.started)} – {time(one.ends)}, {T.uses(one.uses)}</p>
                </li>
              ))}
            </ul>
          ) : (
            <Empty title={T.noEmergencies} />
          )
        }
      </Shown>
    </Section>
  );
}

interface Aged {
  name: string;
  version?: number;
  kind?: string;
  /** A day. */
  created: string;
}

interface KeyAges {
  keys: (Aged & { until: string })[];
  slots: Aged[];
  api_keys: { person: string; id: string; expires: number }[];
}

const DAY = 86_400_000; // milliseconds

function KeyAges() {
  const held = useKeys();
  const rows = useLoaded<KeyAges>(() => json("v1/keys", { action: "keys.show" }), [held]);
  return (
    <Section title={T.keyAges}>
      <Shown loaded={rows}>
        {({ keys, slots, api_keys }) => (
          <ul class="ages">
            {keys.map((one) => <Age key={one.name + one.version} one={one} told={one.until ? T.over : T.version + " " + one.version} />)}
            {slots.map((one) => <Age key={one.name} one={one} told={T.slot(one.kind ?? "")} />)}
            {api_keys.map((one) => (
              <li key={one.id}>
                <span><code>{one.person}</code> <small>{T.key}</small></span>
                <span>{T.expires(time(one.expires))}</span>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </Section>
  );
}

function Age({ one, told }: { one: Aged; told: string }) {
  const days = Math.max(0, Math.floor((Date.now() - Date.parse(one.created)) / DAY));
  return (
    <li>
      <span><code>{one.name}</code> <small>{told}</small></span>
      <span>{T.age(days)}</span>
      <meter value={days} max={Math.max(days, 365)} aria-label={T.age(days)} />
    </li>
  );
}

function Disclosures() {
  const [subject, setSubject] = useState("");
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    setSubject(String(new FormData(event.currentTarget).get("subject")).trim());
  };
  return (
    <Section title={T.disclosures} note={T.disclosuresNote}>
      <form class="row" onSubmit={submit}>
        <Field label={T.subject} name="subject" required autocomplete="off" />
        <button>{T.look}</button>
      </form>
      {subject && <Given key={subject} subject={subject} />}
    </Section>
  );
}

interface Disclosure {
  date: string;
  recipient: string;
  description: string;
  purpose: string;
  entry: number;
}

function Given({ subject }: { subject: string }) {
  const held = useKeys();
  const rows = useLoaded<Disclosure[]>(
    () => json(query("v1/audit/disclosures", { subject }), { action: "audit.query" }), [subject, held],
  );
  return (
    <Shown loaded={rows}>
      {(found) =>
        found.length ? (
          <Table
            name={T.disclosures} heads={[T.when, T.toWhom, T.what, T.why, T.entry]}
            rows={found.map((one) => [one.date, one.recipient, one.description, one.purpose, one.entry])}
          />
        ) : (
          <Empty title={T.noDisclosures} />
        )
      }
    </Shown>
  );
}
