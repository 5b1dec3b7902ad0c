// The service's numbers, read from what Prometheus reads, and what they say of a stretch of time.

export interface Sample {
  at: number;
  /** By name with its labels, as they stand in the text. */
  values: Map<string, number>;
}

/** One reading. */
export function sample(text: string, at: number): Sample {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const cut = line.lastIndexOf(" ");
    if (cut > 0 && line[0] !== "#") values.set(line.slice(0, cut), Number(line.slice(cut + 1)));
  }
  return { at, values };
}

/** How much each number of a family grew between two readings, by one of its labels. */
export function grown(from: Sample, to: Sample, family: string, by: string): Map<string, number> {
  const label = new RegExp(`${by}="([^"]*)"`);
  const sums = new Map<string, number>();
  for (const [name, value] of to.values) {
    if (name !== family && !name.startsWith(`${family}{`)) continue;
    const key = label.exec(name)?.[1] ?? "";
    const more = Math.max(0, value - (from.values.get(name) ?? 0)); // a restart counts from nothing
    sums.set(key, (sums.get(key) ?? 0) + more);
  }
  return sums;
}

/** All of a family together, each second. */
export function rate(from: Sample, to: Sample, family: string): number {
  const all = [...grown(from, to, family, "what").values()].reduce((sum, one) => sum + one, 0);
  return all / Math.max(0.001, (to.at - from.at) / 1000);
}

/** The seconds that so many of the requests between two readings took at most: between the bounds
 * of a bucket, as if they were spread evenly. Nothing where there were no requests. */
export function quantile(from: Sample, to: Sample, share: number): number | undefined {
  const buckets = [...grown(from, to, "scrubjay_request_seconds_bucket", "le")]
    .map(([bound, n]) => [bound === "+Inf" ? Infinity : Number(bound), n] as const)
    .sort((a, b) => a[0] - b[0]);
  const wanted = share * (buckets[buckets.length - 1]?.[1] ?? 0);
  if (!wanted) return undefined;
  let low = 0;
  let below = 0;
  for (const [bound, n] of buckets) {
    if (n >= wanted) return bound === Infinity ? low : low + ((bound - low) * (wanted - below)) / (n - below);
    low = bound;
    below = n;
  }
  return low;
}
