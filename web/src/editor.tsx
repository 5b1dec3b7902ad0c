// A text before and after, side by side, with the places that were found.
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Bench } from "./bench";
import { group } from "./labels";
import { Empty } from "./parts";
import type { Item } from "./places";
import { T } from "./texts";

/** What somebody looks at: an item, or a stretch of text that they selected. */
export interface Picked {
  item: number;
  start?: number;
  end?: number;
}

interface Given {
  bench: Bench;
  picked: Picked;
  pick: (picked: Picked) => void;
}

/** Where one types. Behind it lies the same text with the places marked: a field for text can
 * itself mark nothing. */
export function Before({ bench, picked, pick }: Given) {
  const field = useRef<HTMLTextAreaElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  useFollow(mirror, picked.item);
  const scrolled = () => {
    if (field.current && mirror.current) mirror.current.scrollTop = field.current.scrollTop;
  };
  const looked = () => {
    // Browsers tell of a selection that stays behind, too, when one has gone elsewhere.
    if (!field.current || document.activeElement !== field.current) return;
    const { selectionStart: start, selectionEnd: end } = field.current;
    if (start < end) pick({ item: -1, start, end });
    else pick({ item: bench.items.findIndex((one) => one.start <= start && start < one.end) });
  };
  return (
    <section class="pane">
      <h2><label for="before">{T.before}</label></h2>
      <div class="editor">
        <div class="mirror" ref={mirror} aria-hidden="true">
          {bench.pieces.map((one, at) =>
            one.item < 0 ? one.before : (
              <mark key={at} class={marked(bench.items[one.item]!, one.item === picked.item)}>
                {one.before}
              </mark>
            ),
          )}
          {"\n"}
        </div>
        <textarea
          id="before" ref={field} value={bench.text} placeholder={T.placeholder}
          spellcheck={false} autocomplete="off"
          onInput={(event) => bench.type(event.currentTarget.value)}
          onScroll={scrolled} onSelect={looked} onClick={looked}
        />
      </div>
    </section>
  );
}

/** What goes out. Never a text that the service has not answered. */
export function After({ bench, picked, pick }: Given) {
  const box = useRef<HTMLDivElement>(null);
  useFollow(box, picked.item);
  const waits = bench.clean === undefined && bench.shown.length > 0;
  const held = bench.state.answered !== undefined && !bench.state.cleaned;
  return (
    <section class="pane">
      <h2 id="after-title">{T.after}</h2>
      <div
        class={waits ? "after waits" : "after"} ref={box} role="region" tabIndex={0}
        aria-labelledby="after-title" aria-busy={waits}
      >
        {held && bench.text ? <Empty title={T.onlyDetect}>{T.onlyDetectNote}</Empty> : null}
        {!bench.text && <Empty title={T.nothingYet}>{T.nothingYetNote}</Empty>}
        {bench.shown.map((one, at) => {
          const item = waits ? undefined : bench.items[one.item];
          if (one.item < 0 || !item) return one.after;
          return (
            <mark key={at} class={marked(item, one.item === picked.item)} onClick={() => pick({ item: one.item })}>
              {one.after}
            </mark>
          );
        })}
      </div>
    </section>
  );
}

function marked(item: Item, picked: boolean): string {
  const kept = item.standing === "rejected" || item.finding?.operator === "keep.v1";
  return `g-${group(item.label)}${kept ? " kept" : ""}${picked ? " picked" : ""}`;
}

/** Bring what is picked into sight, within its own box. */
function useFollow(box: RefObject<HTMLElement | null>, item: number): void {
  useEffect(() => {
    const place = item < 0 ? null : box.current?.querySelector<HTMLElement>(".picked");
    if (!place || !box.current) return;
    const { top, height } = box.current.getBoundingClientRect();
    const at = place.getBoundingClientRect().top - top;
    if (at < 0 || at > height - 24) {
      const to = box.current.scrollTop + at - height / 2;
      box.current.scrollTop = to;
      const field = box.current.parentElement?.querySelector("textarea");
      if (field) field.scrollTop = to;
    }
  }, [item]);
}
