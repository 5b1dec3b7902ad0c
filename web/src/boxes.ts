// Where two pictures of one page differ: that is where something was taken out.

/** A box in pixels of a picture of this size. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Differences {
  width: number;
  height: number;
  boxes: Box[];
}

const WIDE = 800; // pixels that are compared across
const CELL = 8; // pixels of a square that differs as a whole
const MUCH = 60; // of 255: what is packed anew as JPEG differs by less
const FEW = 4; // pixels of a square that may

/** The places, or none where the pictures are not of one shape. */
export async function differences(before: string, after: string): Promise<Differences> {
  const [one, other] = await Promise.all([loaded(before), loaded(after)]);
  const width = Math.min(WIDE, one.naturalWidth);
  const height = Math.round((width * one.naturalHeight) / one.naturalWidth);
  const shape = Math.abs(one.naturalWidth / one.naturalHeight - other.naturalWidth / other.naturalHeight);
  if (shape > 0.01) return { width, height, boxes: [] };
  return { width, height, boxes: joined(cells(drawn(one, width, height), drawn(other, width, height), width, height)) };
}

async function loaded(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

function drawn(image: HTMLImageElement, width: number, height: number): Uint8ClampedArray {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.drawImage(image, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height).data;
}

/** Squares that differ, by column and row. */
function cells(one: Uint8ClampedArray, other: Uint8ClampedArray, width: number, height: number): Map<string, [number, number]> {
  const counts = new Map<string, number>();
  for (let at = 0; at < width * height; at++) {
    const by = [0, 1, 2].some((colour) => Math.abs(one[4 * at + colour]! - other[4 * at + colour]!) > MUCH);
    if (!by) continue;
    const key = `${Math.floor((at % width) / CELL)} ${Math.floor(at / width / CELL)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const many = [...counts].filter(([, count]) => count > FEW);
  return new Map(many.map(([key]) => [key, key.split(" ").map(Number) as [number, number]]));
}

/** Neighbouring squares, two apart on a line at most, are one box. */
function joined(left: Map<string, [number, number]>): Box[] {
  const boxes: Box[] = [];
  for (const start of left.keys()) {
    const queue = [left.get(start)!];
    left.delete(start);
    let [x0, y0] = queue[0]!;
    let [x1, y1] = [x0, y0];
    for (let cell = queue.pop(); cell; cell = queue.pop()) {
      const [x, y] = cell;
      [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
      for (let dx = -2; dx <= 2; dx++) {
        for (let dy = -1; dy <= 1; dy++) {
          const next = left.get(`${x + dx} ${y + dy}`);
          if (next && left.delete(`${x + dx} ${y + dy}`)) queue.push(next);
        }
      }
    }
    boxes.push({ x: x0 * CELL, y: y0 * CELL, width: (x1 - x0 + 1) * CELL, height: (y1 - y0 + 1) * CELL });
  }
  return boxes;
}
