// Requests that two people sign. They sign where their keys are, never here: who serves a page can
// read what is typed into it. Here they take the request out and bring the signature in.
import { useRef } from "preact/hooks";
import { call, json } from "./api";
import { useAct, useKeys, useLoaded } from "./hooks";
import { download, Empty, Section, Shown, Trouble } from "./parts";
import { T, time } from "./texts";

interface Approval {
  id: string;
  requester: string;
  action: string;
  domain: string;
  reason: string;
  subjects: string[];
  digest: string;
  expires: number;
  signed: string[];
}

export function Approvals() {
  const held = useKeys();
  const rows = useLoaded<Approval[]>(() => json("v1/approvals", { action: "approvals.list" }), [held]);
  return (
    <Section title={T.approvals} note={T.approvalsNote}>
      <Shown loaded={rows}>
        {(found) =>
          found.length ? (
            <>
              <ul class="cards">{found.map((one) => <Card key={one.id} one={one} />)}</ul>
              <Bring brought={rows.again} />
            </>
          ) : (
            <Empty title={T.noApprovals} />
          )
        }
      </Shown>
    </Section>
  );
}

function Card({ one }: { one: Approval }) {
  const { busy, problem, act } = useAct();
  const name = `request-${one.id.slice(0, 12)}.json`;
  const save = () =>
    act(async () => download(await (await call(`v1/approvals/${one.id}`, { action: "approvals.list" })).blob(), name));
  return (
    <li>
      <p><strong>{one.requester}</strong> · <code>{one.action}</code> · {one.domain}</p>
      <p>{one.reason}</p>
      <p>{one.subjects.length ? one.subjects.join(", ") : T.tokens(one.digest)}</p>
      <p class="note">{T.approvalUntil(time(one.expires), one.signed)}</p>
      <div class="buttons"><button disabled={busy} onClick={save}>{T.saveRequest}</button></div>
      <pre tabIndex={0} role="region" aria-label={T.howToSign}>scrubjay approvals sign-file {name} \{"\n"}  --key YOURS.key --as YOU &gt; signature.json</pre>
      <Trouble problem={problem} />
    </li>
  );
}

/** A signature's file says itself whose it is, and of what. */
function Bring({ brought }: { brought: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const { busy, problem, act } = useAct();
  const picked = (event: Event & { currentTarget: HTMLInputElement }) => {
    const file = event.currentTarget.files?.[0];
    event.currentTarget.value = "";
    if (!file) return;
    act(async () => {
      await call("v1/signatures", { action: "approvals.list", body: await file.text(), type: "application/json" });
      brought();
    });
  };
  return (
    <>
      <div class="buttons">
        <button class="main" disabled={busy} onClick={() => field.current?.click()}>{T.bring}</button>
        <input ref={field} type="file" accept=".json,application/json" hidden aria-label={T.bring} onChange={picked} />
      </div>
      <Trouble problem={problem} />
    </>
  );
}
