// A file as what it is, before and after: pages with what was changed in boxes, tables, or text.
import { useEffect, useState } from "preact/hooks";
import { json, type Problem } from "./api";
import { differences, type Differences } from "./boxes";
import { asProblem } from "./hooks";
import { Loading, Trouble } from "./parts";
import { T } from "./texts";

const PREVIEW = 20_000; // characters of a text that are shown
const ROWS = 50;

interface Rows {
  names: string[];
  rows: string[][];
}

interface View {
  /** Addresses of pictures. */
  pages: string[];
  tables: Rows[];
  text: string;
}

const IMAGES: Record<string, string> = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", webp: "image/webp",
};
const TEXTS = ["txt", "md", "log", "json", "ndjson", "jsonl", "xml", "yaml", "yml", "hl7", "html", "eml", "sql", "ics", "vcf", "toml", "srt", "vtt"];
const NOTHING: View = { pages: [], tables: [], text: "" };

/** A file beside its clean copy. */
export function Sides(props: { before: Blob; name: string; after: Blob; clean: string }) {
  const { before, name, after, clean } = props;
  const [sides, setSides] = useState<[View, View]>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    const over = new AbortController();
    const made: string[] = [];
    Promise.all([seen(before, name, made, over.signal), seen(after, clean, made, over.signal)]).then(
      setSides, (failed) => over.signal.aborted || setProblem(asProblem(failed)));
    return () => {
      over.abort();
      made.forEach((address) => URL.revokeObjectURL(address));
    };
  }, [before, after]);
  if (problem) return <Trouble problem={problem} />;
  if (!sides) return <Loading />;
  return <Pair sides={sides} names={[name, clean]} />;
}

function Pair({ sides, names }: { sides: [View, View]; names: [string, string] }) {
  const found = useDifferences(sides);
  const count = found.reduce((sum, one) => sum + one.boxes.length, 0);
  return (
    <div class="sides">
      {sides.map((view, side) => (
        <figure key={side}>
          <figcaption>
            {side ? T.after : T.before}
            {count > 0 && `, ${T.boxes(count)}`}
          </figcaption>
          <One view={view} name={names[side]!} found={found} />
        </figure>
      ))}
    </div>
  );
}

function One({ view, name, found }: { view: View; name: string; found: Differences[] }) {
  if (view.pages.length) {
    return (
      <div class="pages" tabIndex={0} role="region" aria-label={name}>
        {view.pages.map((address, at) => (
          <div class="sheet" key={address}>
            <img src={address} alt={T.pageOf(at + 1, name)} />
            {found[at] && <Boxes found={found[at]} />}
          </div>
        ))}
      </div>
    );
  }
  if (view.tables.length) {
    return <>{view.tables.map((table, at) => <Cells key={at} table={table} name={T.tableOf(at + 1, name)} />)}</>;
  }
  if (!view.text) return <p class="note">{T.nothingToSee}</p>;
  return <pre tabIndex={0} role="region" aria-label={name}>{view.text}</pre>;
}

function Boxes({ found }: { found: Differences }) {
  return (
    <svg class="boxes" viewBox={`0 0 ${found.width} ${found.height}`} preserveAspectRatio="none" aria-hidden="true">
      {found.boxes.map((box, at) => <rect key={at} {...box} rx="2" />)}
    </svg>
  );
}

function Cells({ table, name }: { table: Rows; name: string }) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label={name}>
      <table>
        <thead><tr>{table.names.map((cell, at) => <th key={at} scope="col">{cell}</th>)}</tr></thead>
        <tbody>{table.rows.map((row, at) => <tr key={at}>{row.map((cell, n) => <td key={n}>{cell}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

/** Of each page that both sides have. */
function useDifferences([before, after]: [View, View]): Differences[] {
  const [found, setFound] = useState<Differences[]>([]);
  useEffect(() => {
    let open = true;
    const pairs = before.pages.slice(0, after.pages.length);
    Promise.all(pairs.map((page, at) => differences(page, after.pages[at]!))).then(
      (told) => open && setFound(told),
      () => undefined, // a picture that the browser cannot read is shown without boxes
    );
    return () => void (open = false);
  }, [before, after]);
  return found;
}

/** What a browser can show it shows; the rest the service draws. The kind is the name's, never one
 * that a file says of itself. `made`: addresses that must be let go. */
async function seen(blob: Blob, name: string, made: string[], signal: AbortSignal): Promise<View> {
  const kind = name.split(".").pop()!.toLowerCase();
  if (IMAGES[kind]) {
    made.push(URL.createObjectURL(new Blob([blob], { type: IMAGES[kind] })));
    return { ...NOTHING, pages: made.slice(-1) };
  }
  if (kind === "csv" || kind === "tsv") {
    const [names = [], ...rows] = parsed(await start(blob), kind === "csv" ? "," : "\t");
    return { ...NOTHING, tables: [{ names, rows: rows.slice(0, ROWS) }] };
  }
  if (TEXTS.includes(kind)) return { ...NOTHING, text: await start(blob) };
  const view = await json<View>(`v1/views?${new URLSearchParams({ name })}`, {
    action: "anonymize.run", method: "POST", body: blob, type: "application/octet-stream", signal,
  });
  return { ...view, pages: view.pages.map((page) => `data:image/png;base64,${page}`) };
}

function start(blob: Blob): Promise<string> {
  return blob.slice(0, PREVIEW).text();
}

/** The cells of a table in text (RFC 4180). */
function parsed(text: string, comma: string): string[][] {
  const rows: string[][] = [[]];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${comma}\\r\\n][^${comma}\\r\\n]*|))(${comma}|\\r?\\n|\\r|$)`, "y");
  for (let one = cell.exec(text); one; one = cell.exec(text)) {
    rows[rows.length - 1]!.push(one[1]?.replaceAll('""', '"') ?? one[2] ?? "");
    if (cell.lastIndex >= text.length) break;
    if (one[3] !== comma) rows.push([]);
  }
  return rows;
}
