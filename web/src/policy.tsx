// The rules of the policy in force, and to change one and save it under a name of one's own.
import { useState } from "preact/hooks";
import { call, json } from "./api";
import { useAct, useLoaded } from "./hooks";
import { may } from "./keys";
import type { LabelRow } from "./labels";
import { Chip, Field, Pick, Shown, Trouble } from "./parts";
import { buildsOn, changed, extending, OPERATORS } from "./policyfile";
import { T } from "./texts";

interface Rule {
  operator: string;
}

interface Policy {
  default: Rule;
  rules: Record<string, Rule>;
  /** As it was written, without what it builds on. */
  text: string;
}

interface Given {
  name: string;
  labels: LabelRow[];
  saved: (name: string) => void;
}

export function PolicyPanel({ name, labels, saved }: Given) {
  const loaded = useLoaded(() => read(name), [name]);
  return (
    <section class="policy" aria-label={T.rulesOf(name)}>
      <Shown loaded={loaded}>
        {(policy) => (
          <>
            <Rules policy={policy} />
            {may("policy.change") ? (
              <Change name={name} policy={policy} labels={labels} saved={(as) => { loaded.again(); saved(as); }} />
            ) : (
              <p class="note">{T.noChange}</p>
            )}
          </>
        )}
      </Shown>
    </section>
  );
}

async function read(name: string): Promise<Policy> {
  const path = `v1/policies/${encodeURIComponent(name)}`;
  const [inForce, text] = await Promise.all([
    json<Policy>(path, { accept: "application/json", action: "policy.show" }),
    call(path, { action: "policy.show" }).then((answer) => answer.text()),
  ]);
  return { ...inForce, text };
}

/** What happens to which labels. */
function Rules({ policy }: { policy: Policy }) {
  const by = new Map<string, string[]>();
  for (const [label, { operator }] of Object.entries(policy.rules)) {
    by.set(operator, [...(by.get(operator) ?? []), label]);
  }
  return (
    <dl class="rules">
      {[...by].map(([operator, names]) => (
        <div key={operator}>
          <dt>{T.operator(operator)}</dt>
          <dd>{names.map((label) => <Chip key={label} label={label} />)}</dd>
        </div>
      ))}
      <div><dt>{T.operator(policy.default.operator)}</dt><dd>{T.allOthers}</dd></div>
    </dl>
  );
}

function Change({ name, policy, labels, saved }: Given & { policy: Policy }) {
  const [label, setLabel] = useState("PERSON");
  const [operator, setOperator] = useState("label.v1");
  // Those that ship build on nothing; what is saved here builds on one of them.
  const [as, setAs] = useState(buildsOn(policy.text) ? name : `${name}-own`);
  const { busy, problem, act } = useAct();
  const save = (event: Event) => {
    event.preventDefault();
    const text = changed(as === name ? policy.text : extending(name), label, operator);
    act(async () => {
      await call(`v1/policies/${encodeURIComponent(as)}`, {
        action: "policy.change", method: "PUT", body: text, type: "application/toml",
      });
      saved(as);
    });
  };
  return (
    <form class="row" onSubmit={save}>
      <Pick label={T.label} value={label} pick={setLabel} options={["default", ...labels.map((one) => one.name)].map((one) => [one, one] as const)} />
      <Pick label={T.operatorField} value={operator} pick={setOperator} options={OPERATORS.map((one) => [one, T.operator(one)] as const)} />
      <Field
        label={T.saveAs} value={as} required pattern="[a-z0-9][a-z0-9\-]*" title={T.policyName}
        onInput={(event) => setAs(event.currentTarget.value)}
      />
      <button class="main" disabled={busy}>{T.save}</button>
      <Trouble problem={problem} />
    </form>
  );
}
