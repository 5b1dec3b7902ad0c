// Places in a text, and what stands there afterwards. The service counts code points and JavaScript
// UTF-16 units: here all is units, turned as it comes in.

/** What the service found: a place, and what its answer has there instead. */
export interface Finding {
  start: number;
  end: number;
  label: string;
  score: number;
  detector: string;
  operator: string;
  put: string;
}

/** What somebody decided about a place: that it is this label, or, when empty, nothing to hide. */
export interface Choice {
  start: number;
  end: number;
  label: string;
}

type Standing = "found" | "accepted" | "rejected" | "relabelled" | "added";

/** A place as it is shown: what was found, and what was decided about it. */
export interface Item {
  start: number;
  end: number;
  label: string;
  put: string;
  standing: Standing;
  finding?: Finding;
}

/** A text in pieces: those without an item stand as they are. */
export interface Piece {
  before: string;
  after: string;
  item: number;
}

interface Row {
  start: number;
  end: number;
  label: string;
  score: number;
  detector: string;
}

interface Replaced extends Row {
  new_start: number;
  new_end: number;
  operator: string;
}

/** As `/v1/anonymize` answers. */
export interface Clean {
  text: string;
  replacements: Replaced[];
  policy: string;
}

/** As `/v1/detect` answers. */
export interface Found {
  findings: Row[];
  policy: string;
}

/** Its findings, in units. Raises when text and places do not make what the service sent: nothing
 * may be shown as clean that it did not make. */
export function findings(text: string, clean: Clean): Finding[] {
  const from = units(text);
  const to = units(clean.text);
  const made = clean.replacements.map((one) => ({
    ...one,
    start: from(one.start),
    end: from(one.end),
    put: clean.text.slice(to(one.new_start), to(one.new_end)),
  }));
  made.sort((a, b) => a.start - b.start);
  if (after(pieces(text, items(made, []))) !== clean.text) throw new Error("the answer does not fit");
  return made;
}

/** The same where nothing was replaced. */
export function only(text: string, found: Found): Finding[] {
  const from = units(text);
  return found.findings.map((one) => ({
    ...one,
    start: from(one.start),
    end: from(one.end),
    operator: "",
    put: text.slice(from(one.start), from(one.end)),
  }));
}

/** What is shown, in order. What was added takes the place of what it touches, all of it. */
export function items(found: readonly Finding[], choices: readonly Choice[]): Item[] {
  const shown = found.map((one) => decided(one, choices.find((choice) => same(choice, one))));
  for (const choice of choices) {
    if (!choice.label || found.some((one) => same(choice, one))) continue;
    const touched = shown.filter((one) => one.start < choice.end && choice.start < one.end);
    for (const one of touched) shown.splice(shown.indexOf(one), 1);
    shown.push({
      start: Math.min(choice.start, ...touched.map((one) => one.start)),
      end: Math.max(choice.end, ...touched.map((one) => one.end)),
      label: choice.label,
      put: `[${choice.label}]`,
      standing: "added",
    });
  }
  return shown.sort((a, b) => a.start - b.start);
}

function decided(finding: Finding, choice?: Choice): Item {
  const { start, end, label, put } = finding;
  if (!choice) return { start, end, label, put, standing: "found", finding };
  if (choice.label === label) return { start, end, label, put, standing: "accepted", finding };
  if (!choice.label) return { start, end, label, put: "", standing: "rejected", finding };
  const other = choice.label;
  return { start, end, label: other, put: `[${other}]`, standing: "relabelled", finding };
}

/** A text cut at its items. */
export function pieces(text: string, shown: readonly Item[]): Piece[] {
  const cut: Piece[] = [];
  let at = 0;
  shown.forEach((one, item) => {
    const between = text.slice(at, one.start);
    if (between) cut.push({ before: between, after: between, item: -1 });
    const before = text.slice(one.start, one.end);
    cut.push({ before, after: one.standing === "rejected" ? before : one.put, item });
    at = one.end;
  });
  const rest = text.slice(at);
  if (rest) cut.push({ before: rest, after: rest, item: -1 });
  return cut;
}

/** The clean text. */
export function after(cut: readonly Piece[]): string {
  return cut.map((one) => one.after).join("");
}

/** Places of a text in the next one: those that the change touched are gone. */
export function moved<P extends { start: number; end: number }>(
  places: readonly P[],
  was: string,
  now: string,
): P[] {
  const most = Math.min(was.length, now.length);
  let head = 0;
  while (head < most && was[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && was[was.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const by = now.length - was.length;
  return places.flatMap((one) => {
    if (one.end <= head) return [one];
    if (one.start >= was.length - tail) return [{ ...one, start: one.start + by, end: one.end + by }];
    return [];
  });
}

/** Every place where these words stand by themselves. */
export function everywhere(text: string, words: string): { start: number; end: number }[] {
  const escaped = words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "gu");
  return [...text.matchAll(whole)].map((one) => ({ start: one.index, end: one.index + words.length }));
}

export function same(one: { start: number; end: number }, other: typeof one): boolean {
  return one.start === other.start && one.end === other.end;
}

/** From code points to units of one text. */
function units(text: string): (point: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (point) => point;
  const at = [0];
  for (const character of text) at.push(at[at.length - 1]! + character.length);
  return (point) => at[point] ?? text.length;
}
