// Texts and files through `scrubjay serve`, with fetch alone: Node 24, Deno and Bun run it as it is.
//   SCRUBJAY_API_KEY=sjk_... node examples/client.ts

declare const process: { env: Record<string, string | undefined> };

export interface Replacement {
  start: number;
  end: number;
  new_start: number;
  new_end: number;
  label: string;
  entity: number;
  score: number;
  detector: string;
  operator: string;
}

export interface Clean {
  id: string;
  text: string;
  counts: Record<string, number>;
  replacements: Replacement[];
  policy: string;
  policy_digest: string;
}

export interface Text {
  text: string;
  id?: string;
  group?: string;
  field?: string;
  language?: string;
  known?: Record<string, string[]>;
  policy?: string;
}

export interface Problem {
  code: string;
  what: string;
  where: string;
  todo: string;
}

export interface Report {
  format: string;
  counts: Record<string, number>;
  left_out: Record<string, number>;
  policy: string;
}

export class ScrubjayError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.what}; ${problem.todo}`);
    this.problem = problem;
  }
}

const TRIES = 5;

export class Client {
  readonly url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.url = url.replace(/\/$/, "");
    this.#key = key;
  }

  /** The text without what identifies. */
  async anonymize(text: Text): Promise<Clean> {
    const answer = await this.#ask("/v1/anonymize", JSON.stringify(text), "application/json");
    return (await answer.json()) as Clean;
  }

  /** Any number of texts, in order; what cannot be cleaned is a problem in its place. */
  async batch(texts: Text[]): Promise<(Clean | ScrubjayError)[]> {
    const body = texts.map((text) => JSON.stringify(text)).join("\n");
    const answer = await this.#ask("/v1/batch", body, "application/x-ndjson");
    const lines = (await answer.text()).split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      const told = JSON.parse(line) as Clean | { error: Problem };
      return "error" in told ? new ScrubjayError(told.error) : told;
    });
  }

  /** A file of any kind, and what was done to it. */
  async file(name: string, data: Blob): Promise<{ clean: Blob; report: Report }> {
    const path = `/v1/files?name=${encodeURIComponent(name)}`;
    const answer = await this.#ask(path, data, "application/octet-stream");
    const report = JSON.parse(answer.headers.get("Scrubjay-Report") ?? "{}") as Report;
    return { clean: await answer.blob(), report };
  }

  /** Cleaning twice does no harm: what is refused for now is sent again. */
  async #ask(path: string, body: string | Blob, type: string): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const headers = { Authorization: `Bearer ${this.#key}`, "Content-Type": type };
      const answer = await fetch(this.url + path, { method: "POST", headers, body });
      if (answer.ok) return answer;
      if (tries === TRIES || (answer.status !== 429 && answer.status !== 503)) {
        throw new ScrubjayError(((await answer.json()) as { error: Problem }).error);
      }
      const seconds = Number(answer.headers.get("Retry-After") ?? tries);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

const url = process.env.SCRUBJAY_URL ?? "http://127.0.0.1:8600";
const client = new Client(url, process.env.SCRUBJAY_API_KEY ?? "");

const clean = await client.anonymize({ text: "Call Dr. Ann Lee at 555-010-7788" });
console.log(clean.text);

for (const answer of await client.batch([{ text: "SSN 536-90-4399" }, { text: "seen 2024-03-04" }])) {
  console.log(answer instanceof ScrubjayError ? answer.problem.code : answer.text);
}

const table = new Blob(["name,phone\nAnn Lee,555-010-7788\n"]);
const { clean: file, report } = await client.file("people.csv", table);
console.log(await file.text(), report.counts);
