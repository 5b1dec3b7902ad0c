// Charts, drawn by hand: lines over the last readings.
import { T } from "./texts";

export interface Line {
  name: string;
  /** A class: its colour and dashes. */
  kind: string;
  values: (number | undefined)[];
}

const [WIDTH, HEIGHT] = [600, 120];

/** Lines with one scale, the newest value on the right. `told`: a value, in words. */
export function Chart(props: { title: string; lines: Line[]; most: number; told: (value: number) => string }) {
  const { title, lines, most, told } = props;
  const top = Math.max(1e-9, ...lines.flatMap((line) => line.values.map((value) => value ?? 0)));
  const last = lines.map((line) => {
    const value = line.values.findLast((one) => one !== undefined);
    return `${line.name} ${value === undefined ? "–" : told(value)}`;
  });
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        {lines.map((line, at) => (
          <span key={line.name} class="key">
            <svg viewBox="0 0 24 8" aria-hidden="true"><path class={line.kind} d="M0 4H24" /></svg>
            {last[at]}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}, ${T.lastMinutes}: ${last.join(", ")}`}>
        <path class="grid" d={`M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}`} />
        {lines.map((line) => <path key={line.name} class={line.kind} d={drawn(line.values, most, top)} />)}
      </svg>
      <span class="top-value">{told(top)}</span>
    </figure>
  );
}

function drawn(values: Line["values"], most: number, top: number): string {
  let pen = "M";
  return values
    .map((value, at) => {
      if (value === undefined) {
        pen = "M";
        return "";
      }
      const x = WIDTH - ((values.length - 1 - at) * WIDTH) / (most - 1);
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
      const point = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return point;
    })
    .join("");
}
