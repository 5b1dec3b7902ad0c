// Every word of the page, in one place: to translate it, translate this file.

const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

const OPERATORS: Record<string, string> = {
  "keep.v1": "kept as it is",
  "label.v1": "replaced by its label and a number",
  "redact.v1": "blacked out",
  "mask.v1": "masked",
  "generalize.v1": "made coarser",
  "surrogate.v1": "replaced by something invented",
  "hash.v1": "replaced by a code",
  "fpe.v1": "encrypted in its own form",
  "token.v1": "replaced by a token",
  "code.v1": "replaced by a code from the vault",
};

const ACTIONS: Record<string, string> = {
  "detect.run": "look for identifiers",
  "anonymize.run": "clean texts",
  "policy.change": "change policies",
  "jobs.start": "start jobs",
  "jobs.show": "see jobs",
  "jobs.stop": "stop jobs",
  "review.run": "review",
  "audit.query": "read the log",
  "audit.verify": "check the log",
  "approvals.list": "see approvals",
  "breakglass.list": "see emergencies",
  "keys.show": "see how old keys are",
  "policy.show": "read policies",
};

/** With a capital and a full stop. */
const sentence = (told: string) => `${(told[0] ?? "").toUpperCase()}${told.slice(1).replace(/\.$/, "")}.`;

export const T = {
  views: { text: "Text", batch: "Batch", review: "Review", trust: "Trust", live: "Live" },
  nav: "Views",
  skip: "Skip to the view",
  theme: { light: "Light", dark: "Dark" },
  loading: "Loading",
  again: "Try again",
  close: "Close",
  save: "Save",
  undo: "Undo",
  add: "Add key",

  // Signing in, and what goes wrong
  keys: "Keys",
  key: "API key",
  exampleBefore: ["", "Quentin Quarles", ", seen ", "4 March 2024", ", MRN ", "00482913"],
  exampleAfter: ["", "[PERSON 1]", ", seen ", "2024", ", MRN ", "[MRN 1]"],
  signInTitle: "Sign in with a key",
  signInNote:
    "The service printed its keys when it first started. A key stays in this tab and is forgotten when you close it. You can add more than one: each call goes with a key that may make it.",
  signOut: (person: string) => `Sign ${person} out`,
  notAKey: "This is no key",
  notAKeyTodo: "paste all of it, as it was shown: sjk_…",
  noKeyFor: (action: string) => `None of your keys may ${ACTIONS[action] ?? (action || "do anything")}`,
  addAKey: "add one that may, under Keys",
  offline: "The service does not answer",
  offlineTodo: "see whether it still runs, then try again",
  status: (status: number) => `The service answered ${status}`,
  pageFailed: "The page failed on this",
  pageFailedTodo: "nothing was shown as clean; load the page again",
  sentence,

  // The workbench
  policy: "Policy",
  rules: "Rules",
  rulesOf: (policy: string) => `Rules of ${policy}`,
  open: "Open files",
  dropHere: "Drop to clean",
  copy: "Copy",
  copied: "Copied",
  download: "Download",
  before: "Before",
  after: "After",
  findings: "Found",
  placeholder: "Type or paste a text, or drop files of any kind here.",
  nothingYet: "The clean text",
  nothingYetNote: "It stands here as you type. Nothing leaves this machine but to the service that served this page.",
  noFindings: "What is found",
  noFindingsNote: "Each place with its label. Pick one to see why it stands; select text to hide what was missed.",
  nothingFound: "Nothing was found",
  nothingFoundNote: "If something should have been, select it in the text and hide it.",
  onlyDetect: "Looked at, not cleaned",
  onlyDetectNote: "None of your keys may clean texts. Add one that may, under Keys.",
  tally: (all: number, hidden: number) => (all ? `${count(all, "place")} found, ${hidden} changed` : "Nothing found"),
  took: (ms: number) => `${ms.toFixed(0)} ms`,
  more: (n: number) => `${count(n, "more place")} marked in the text.`,
  detector: "Found by",
  detectorName: (name: string) => {
    const [by = "", which = ""] = name.split(":");
    return which ? `${which.replaceAll("_", " ")} (${by})` : by;
  },
  score: "Score",
  rule: "Rule",
  ruleOf: (operator: string, policy: string) => `${OPERATORS[operator] ?? operator}, by ${policy}`,
  becomes: "Becomes",
  stays: "stays as it is",
  accept: "Accept",
  reject: "Not an identifier",
  relabel: "Call it",
  label: "Label",
  selected: "Selected:",
  hide: (n: number) => (n === 1 ? "Hide it" : `Hide it in ${n} places`),
  standing: { accepted: "accepted", rejected: "rejected", relabelled: "relabelled", added: "added" },

  // Policies
  operator: (name: string) => OPERATORS[name] ?? name,
  operatorField: "Is",
  allOthers: "everything else that is found",
  saveAs: "Save as",
  policyName: "small letters, digits and -",
  noChange: "To change a rule, add a key that may change policies.",

  // Files
  files: "Files",
  cleaning: "Cleaning. Nothing is shown before all of it is clean.",
  notCleaned: "Not cleaned: nothing came out.",
  cleaned: (format: string, bytes: number) => `${format ? `${format}, ` : ""}${size(bytes)}, clean`,
  downloadAs: (name: string) => `Download ${name}`,
  closeFile: (name: string) => `Close ${name}`,
  leftOut: (n: number) => `${count(n, "part")} left out`,
  nothingToSee: "There is nothing in it that can be shown.",
  pageOf: (page: number, name: string) => `Page ${page} of ${name}`,
  tableOf: (table: number, name: string) => `Table ${table} of ${name}`,
  boxes: (n: number) => count(n, "change"),

  // Jobs
  newJob: "New job",
  here: "From this computer",
  there: "On the service's machine",
  uploadNote: "Drop folders, files or a zip here. They are packed, sent and cleaned as one job; the outputs come back as a zip.",
  chooseFolder: "Choose a folder",
  chooseFiles: "Choose files",
  gathered: (n: number, bytes: number) => `${count(n, "file")}, ${size(bytes)}`,
  cleanAll: "Clean all",
  clear: "Clear",
  cancel: "Cancel",
  step: { packing: "Packing", sending: "Sending" },
  sent: (done: number, of: number) => `${size(done)} of ${size(of)}`,
  tooMuch: "This is more than a browser can pack",
  tooMuchTodo: "put it on the service's machine, or send it in parts of 65,000 files and 4 GB",
  unreadable: (path: string) => `${path} could not be read`,
  unreadableTodo: "see that it still exists and that you may read it",
  folderNote: "Under the folders that it was started with (--jobs-in).",
  inputFolder: "Folder to clean",
  outputFolder: "Folder for the outputs",
  start: "Start",
  starting: "Starting",
  jobs: "Jobs",
  noJobs: "No jobs yet",
  noJobsNote: "Start one above. It goes on while you are away, and after a restart of the service.",
  jobState: {
    waiting: "waiting", running: "running", done: "done", stopped: "stopped", failed: "failed",
  } as Record<string, string>,
  jobFiles: (done: number, files: number) =>
    !files ? "Counting files" : `${done.toLocaleString("en")} of ${count(files, "file")}`,
  rate: (bytes: number) => `${size(bytes)}/s`,
  left: (seconds: number) => `${span(seconds)} left`,
  quarantined: (n: number) => `${n.toLocaleString("en")} in quarantine`,
  stop: "Stop",
  resume: "Resume",
  report: "Report",
  output: "Output",
  secondLook: "Second look",
  quarantine: "Quarantine",
  forget: "Forget",
  forgetAll: "Forget this job, with its upload and its outputs here?",
  forgetSure: "Forget it",
  keep: "Keep it",
  why: "Why",
  file: "File",

  // Review
  review: "Second look",
  reviewNote: "Read passages of a job's outputs and say how many identifiers are left in each. The more you read, the closer the bound.",
  pickJob: "Job",
  jobOf: (started: number, files: number, id: string) => `${time(started)}, ${count(files, "file")}, ${id.slice(0, 4)}`,
  noReview: "No job to look at",
  noReviewNote: "When a job is done, its outputs can be looked at here.",
  nothingToReview: "Nothing in this job can be read",
  passage: (at: number, of: number) => `Passage ${at} of ${of}`,
  howMany: "How many identifiers are left in this passage?",
  marked: (n: number) => (n < 0 ? "not looked at" : n === 0 ? "clean" : `${n} left`),
  reviewKeys: { j: "next", k: "back", u: "undo" } as Record<string, string>,
  reviewKey: (key: string) => T.reviewKeys[key] ?? (key === "0" ? "none are left" : `${key} left`),
  atMost: "At most",
  bound: "left in 10,000 words,",
  boundNote: "with 95 % confidence",
  looked: (n: number) => `${count(n, "passage")} looked at`,
  noBound: "Nothing was looked at yet: nothing can be said.",

  // Trust
  log: "Log",
  logNote: "Everything that was done, the newest first. No text of any document.",
  whole: "Whole",
  notWhole: "Not whole",
  wholeNote: "Every entry is there, unchanged.",
  notWholeNote: "Entries are missing or were changed. Run scrubjay audit verify.",
  entries: (n: number) => count(n, "entry", "entries"),
  root: "Root",
  checked: (when: string) => `checked ${when}`,
  action: "Action",
  who: "Who",
  since: "Since",
  until: "Until",
  filter: "Filter",
  when: "When",
  outcome: "Outcome",
  toWhom: "To whom",
  entry: "Entry",
  what: "What",
  noEntries: "No entries like this",
  noEntriesNote: "Take a filter away to see more.",
  approvals: "Approvals to sign",
  approvalsNote: "Two people with the role review sign, each where their own key is. Neither the service nor this page is shown a key.",
  saveRequest: "Save the request",
  howToSign: "How to sign it",
  bring: "Bring a signature",
  tokens: (digest: string) => `Tokens with the digest ${digest.slice(0, 12)}`,
  noApprovals: "Nobody waits for an approval",
  approvalUntil: (when: string, signed: string[]) =>
    `Until ${when}. ${signed.length ? `Signed by ${signed.join(", ")}.` : "Nobody has signed."}`,
  emergencies: "Emergencies",
  noEmergencies: "No emergency was declared",
  keyAges: "Ages of keys",
  age: (days: number) => (days ? `${count(days, "day")} old` : "made today"),
  over: "out of use",
  slot: (kind: string) => `opens the vault, ${kind}`,
  expires: (when: string) => `until ${when}`,
  uses: (n: number) => `looked at ${count(n, "time")}`,
  disclosures: "Disclosures of a subject",
  disclosuresNote: "What of a person was given to whom: what they have a right to be told.",
  subject: "Subject (a code, never a name)",
  look: "Look up",
  noDisclosures: "Nothing of this subject was given to anybody",

  // Live
  throughput: "Requests a second",
  characters: "Characters a second",
  latency: "Latency",
  waiting: "Waiting",
  labelsOver: "Labels",
  identifiers: "Identifiers a second",
  inForce: "In force",
  probes: "Leak probes",
  probesNote: "Each minute the service plants invented identifiers in its own engines and looks for them in what comes out.",
  held: "held",
  through: "came through",
  probed: (held: number, through: number) => `${held.toLocaleString("en")} held, ${through.toLocaleString("en")} came through`,
  noProbes: "Nothing was planted yet",
  noProbesNote: "The policy in force hides nothing that could be tried, or the service has just begun.",
  alarm: "Do not use what comes out.",
  noTraffic: "No requests yet",
  noTrafficNote: "Numbers appear here as soon as somebody asks for something.",
  lastMinutes: "The last two minutes",
  milliseconds: (seconds: number) => (seconds < 0.01 ? `${(seconds * 1000).toFixed(1)} ms` : `${Math.round(seconds * 1000)} ms`),
  perSecond: (n: number) => (n < 10 ? n.toFixed(1) : Math.round(n).toLocaleString("en")),
  version: "Version",
  model: "Detectors",
};

/** Bytes, for people. */
export function size(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let at = 0;
  for (; bytes >= 1000 && at < units.length - 1; at++) bytes /= 1000;
  return `${at ? bytes.toPrecision(3) : Math.round(bytes)} ${units[at]}`;
}

/** Seconds, for people. */
export function span(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A time of the log or of a job, in seconds since 1970, as it is here. */
export function time(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
