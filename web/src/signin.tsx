// API keys: pasted once, held by this tab.
import { useState } from "preact/hooks";
import { useAct, useKeys } from "./hooks";
import { add, drop } from "./keys";
import { Field, Trouble } from "./parts";
import { T } from "./texts";

export function SignIn() {
  return (
    <main class="sign-in">
      <p class="brand">scrubjay</p>
      <Example />
      <h1>{T.signInTitle}</h1>
      <p class="note">{T.signInNote}</p>
      <AddKey />
    </main>
  );
}

/** What the service does, in two lines. */
function Example() {
  return (
    <div class="example">
      {[T.exampleBefore, T.exampleAfter].map((words, line) => (
        <p key={line}>
          {words.map((word, at) =>
            at % 2 ? <mark key={at} class={EXAMPLE[(at - 1) / 2]}>{word}</mark> : word,
          )}
        </p>
      ))}
    </div>
  );
}

const EXAMPLE = ["g-person", "g-date", "g-number"];

/** Who is signed in, with what they may do. */
export function Keys() {
  const held = useKeys();
  return (
    <section class="keys" aria-label={T.keys}>
      <ul>
        {held.map(({ key, me }) => (
          <li key={key}>
            <strong>{me.person}</strong>
            <span>{me.roles.join(", ")}</span>
            <button class="quiet" onClick={() => drop(key)}>{T.signOut(me.person)}</button>
          </li>
        ))}
      </ul>
      <AddKey />
    </section>
  );
}

function AddKey() {
  const [key, setKey] = useState("");
  const { busy, problem, act } = useAct();
  const submit = (event: Event) => {
    event.preventDefault();
    act(async () => {
      await add(key.trim());
      setKey("");
    });
  };
  return (
    <form class="add-key" onSubmit={submit}>
      <Field
        label={T.key} type="password" autocomplete="off" spellcheck={false} required
        placeholder="sjk_…" value={key} onInput={(event) => setKey(event.currentTarget.value)}
      />
      <button class="main" disabled={busy}>{T.add}</button>
      <Trouble problem={problem} />
    </form>
  );
}
