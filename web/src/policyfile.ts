// A policy's text with one rule changed. The service checks what is saved; this needs only to find
// its way.

/** What operators there are to choose from; each works without options. */
export const OPERATORS = [
  "keep.v1", "label.v1", "redact.v1", "mask.v1", "generalize.v1", "surrogate.v1", "hash.v1",
];

const HEAD = /^\s*\[([^\]]+)\]/;

/** The text with another operator for a label. Its options went with the one before. */
export function changed(text: string, label: string, operator: string): string {
  const head = label === "default" ? "default" : `rules.${label}`;
  const lines = text.replace(/\n*$/, "").split("\n");
  const at = lines.findIndex((line) => HEAD.exec(line)?.[1]?.trim() === head);
  const rule = `operator = "${operator}"`;
  if (at < 0) return [...lines, "", `[${head}]`, rule, ""].join("\n");
  const after = lines.findIndex((line, n) => n > at && HEAD.test(line));
  const end = after < 0 ? lines.length : after;
  const kept = lines.slice(at + 1, end).filter((line) => !/^\s*(operator|options)\s*=/.test(line));
  return [...lines.slice(0, at + 1), rule, ...kept, ...lines.slice(end), ""].join("\n");
}

/** A new policy that builds on another. */
export function extending(base: string): string {
  return `extends = "${base}"\n`;
}

/** Whether a policy builds on another, as those that are saved here do. */
export function buildsOn(text: string): boolean {
  return /^\s*extends\s*=/m.test(text);
}
