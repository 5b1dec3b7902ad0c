// What the service does just now: a reading each second, two minutes of them.
import { useEffect, useState } from "preact/hooks";
import { call, json, type Problem } from "./api";
import { Chart, type Line } from "./chart";
import { asProblem, useKeys, useLoaded } from "./hooks";
import { may } from "./keys";
import { group } from "./labels";
import { grown, quantile, rate, sample, type Sample } from "./numbers";
import { Chip, Empty, Loading, Section, Trouble } from "./parts";
import { T } from "./texts";
import type { PolicyRow } from "./workbench";

const KEPT = 120; // readings
const WINDOW = 10; // readings that a rate is taken over: one alone jumps

export function Live() {
  const { samples, problem } = useSamples();
  const first = samples[0];
  const last = samples[samples.length - 1];
  return (
    <div class="page">
      <Trouble problem={problem} />
      {!last && !problem && <Loading />}
      {first && last && (
        <>
          <Figures samples={samples} />
          <Section title={T.lastMinutes}>
            <Chart
              title={T.latency} most={KEPT} told={T.milliseconds}
              lines={[[0.5, "p50", "line-1"], [0.95, "p95", "line-2"], [0.99, "p99", "line-3"]].map(([share, name, kind]) =>
                line(samples, String(name), String(kind), (from, to) => quantile(from, to, Number(share))))}
            />
            <Chart
              title={T.throughput} most={KEPT} told={T.perSecond}
              lines={[line(samples, "", "line-1", (from, to) => rate(from, to, "scrubjay_requests_total"))]}
            />
          </Section>
          <Labels first={first} last={last} samples={samples} />
          <Probes last={last} />
        </>
      )}
      <InForce />
    </div>
  );
}

function useSamples(): { samples: Sample[]; problem?: Problem } {
  const [samples, setSamples] = useState<Sample[]>([]);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    let open = true;
    const look = async () => {
      try {
        const text = await (await call("metrics")).text();
        if (!open) return;
        setSamples((before) => [...before, sample(text, Date.now())].slice(-KEPT));
        setProblem(undefined);
      } catch (failed) {
        if (open) setProblem(asProblem(failed));
      }
    };
    look();
    const timer = setInterval(() => document.hidden || look(), 1000);
    return () => {
      open = false;
      clearInterval(timer);
    };
  }, []);
  return { samples, problem };
}

type Told = (from: Sample, to: Sample) => number | undefined;

/** A value for each reading, of the stretch before it. */
function line(samples: Sample[], name: string, kind: string, told: Told): Line {
  const values = samples.map((to, at) => (at ? told(samples[Math.max(0, at - WINDOW)]!, to) : undefined));
  return { name, kind, values };
}

function Figures({ samples }: { samples: Sample[] }) {
  const last = samples[samples.length - 1]!;
  const from = samples[Math.max(0, samples.length - 1 - WINDOW)]!;
  const at = (share: number) => {
    const found = quantile(from, last, share);
    return found === undefined ? "–" : T.milliseconds(found);
  };
  const told: [string, string][] = [
    [T.throughput, T.perSecond(rate(from, last, "scrubjay_requests_total"))],
    [T.characters, T.perSecond(rate(from, last, "scrubjay_characters_total"))],
    ["p50", at(0.5)],
    ["p95", at(0.95)],
    ["p99", at(0.99)],
    [T.waiting, String(last.values.get("scrubjay_waiting") ?? 0)],
  ];
  return (
    <dl class="figures">
      {told.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

/** All there were since the service began, and how each grew meanwhile. */
function Labels({ first, last, samples }: { first: Sample; last: Sample; samples: Sample[] }) {
  const none: Sample = { at: 0, values: new Map() };
  const all = [...grown(none, last, "scrubjay_identifiers_total", "label")].sort((a, b) => b[1] - a[1]);
  const most = all[0]?.[1] ?? 1;
  const top = [...grown(first, last, "scrubjay_identifiers_total", "label")]
    .sort((a, b) => b[1] - a[1]).slice(0, 4);
  const lines = top.map(([label], n) =>
    line(samples, label, `line-${n + 1}`, (from, to) => (grown(from, to, "scrubjay_identifiers_total", "label").get(label) ?? 0) / seconds(from, to)));
  return (
    <Section title={T.labelsOver}>
      {all.length ? (
        <>
          {samples.length > 1 && <Chart title={T.identifiers} most={KEPT} told={T.perSecond} lines={lines} />}
          <ul class="bars">
            {all.slice(0, 12).map(([label, n]) => (
              <li key={label}>
                <Chip label={label} />
                <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                  <rect class={`bar-${group(label)}`} width={(100 * n) / most} height="1" />
                </svg>
                <span>{n.toLocaleString("en")}</span>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <Empty title={T.noTraffic}>{T.noTrafficNote}</Empty>
      )}
    </Section>
  );
}

/** What the service planted in its own engines, and whether it came out. */
function Probes({ last }: { last: Sample }) {
  const none: Sample = { at: 0, values: new Map() };
  const leaking = grown(none, last, "scrubjay_leaking", "label");
  const count = (label: string, how: string) =>
    last.values.get(`scrubjay_probes_total{label="${label}",how="${how}"}`) ?? 0;
  const tried = [...leaking.keys()].filter((label) => count(label, "held") + count(label, "through") > 0);
  return (
    <Section title={T.probes} note={T.probesNote}>
      {tried.length ? (
        <ul class="probes">
          {tried.map((label) => (
            <li key={label}>
              <Chip label={label} />
              <span class={`state ${leaking.get(label) ? "failed" : "done"}`}>{leaking.get(label) ? T.through : T.held}</span>
              <span class="note">{T.probed(count(label, "held"), count(label, "through"))}</span>
            </li>
          ))}
        </ul>
      ) : (
        <Empty title={T.noProbes}>{T.noProbesNote}</Empty>
      )}
    </Section>
  );
}

function seconds(from: Sample, to: Sample): number {
  return Math.max(0.001, (to.at - from.at) / 1000);
}

function InForce() {
  const held = useKeys();
  const policies = useLoaded<PolicyRow[]>(() => json("v1/policies"), [held]);
  const health = useLoaded<{ version: string }>(() => json("healthz"), []);
  const entries = useLoaded<{ model?: string }[]>(
    async () => (may("audit.query") ? json("v1/audit?action=anonymize&count=1", { action: "audit.query" }) : []),
    [held],
  );
  const policy = policies.value?.[0];
  const model = entries.value?.[0]?.model;
  return (
    <Section title={T.inForce}>
      <dl class="in-force">
        {policy && <div><dt>{T.policy}</dt><dd>{policy.name} <code>{policy.digest.slice(0, 12)}</code></dd></div>}
        {model && <div><dt>{T.model}</dt><dd><code>{model}</code></dd></div>}
        {health.value && <div><dt>{T.version}</dt><dd>{health.value.version}</dd></div>}
      </dl>
    </Section>
  );
}
