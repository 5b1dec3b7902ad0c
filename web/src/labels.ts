// Labels in six groups, each with a colour and, for whoever sees none, an underline of its own.

export interface LabelRow {
  name: string;
  meaning: string;
  parent: string;
  hipaa: string;
  gdpr: string;
}

type Group = "person" | "date" | "place" | "contact" | "number" | "trait";

const ROOTS: Record<string, Group> = {
  PERSON: "person", TITLE: "person", USERNAME: "person",
  DATE: "date", TIME: "date", AGE: "date",
  LOCATION: "place", ORGANIZATION: "place",
  PHONE: "contact", EMAIL: "contact", URL: "contact", IP: "contact",
  PROFESSION: "trait", NATIONALITY: "trait", GENDER: "trait", MARITAL_STATUS: "trait",
  ETHNICITY: "trait", RELIGION: "trait", POLITICS: "trait", TRADE_UNION: "trait",
  ORIENTATION: "trait", SENSITIVE: "trait", PHOTO: "trait", BIOMETRIC: "trait",
};

let parents = new Map<string, string>();

/** Learn which label is a kind of which. */
export function learn(rows: readonly LabelRow[]): void {
  parents = new Map(rows.map((row) => [row.name, row.parent]));
}

/** The group that a label is shown with. */
export function group(label: string): Group {
  for (let name = label; name; name = parents.get(name) ?? "") {
    const found = ROOTS[name];
    if (found) return found;
  }
  return "number";
}
