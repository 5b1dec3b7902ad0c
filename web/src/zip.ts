// Files put into one zip in the browser, stored as they are. The zip refers to them: they are read
// once for their checksums and once when they are sent, and never lie in memory whole.
import { Problem } from "./api";
import { T } from "./texts";

/** A file with its path in the folder that it came from. */
export interface Named {
  path: string;
  file: File;
}

const MOST = 65_535; // members, and
const LARGEST = 0xffff_ffff; // bytes: what a plain zip can count
const FACTS = [2, 2, 2, 2, 4, 4, 4, 2, 2]; // how many bytes each fact of a file has
const UTF8 = 0x0800; // names are
const DAY = 0x21; // the first that a zip knows: whose file it was, and when, goes nowhere

/** `told` hears how many bytes were read. */
export async function zipped(
  files: readonly Named[], told: (bytes: number) => void, signal: AbortSignal,
): Promise<Blob> {
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  if (files.length > MOST || size > LARGEST - 200 * MOST) throw new Problem("input", T.tooMuch, T.tooMuchTodo);
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  let read = 0;
  for (const { path, file } of files) {
    const before = read;
    const sum = await checksum(file, path, signal, (bytes) => told((read = before + bytes)));
    const name = new TextEncoder().encode(path);
    const facts = [UTF8, 0, 0, DAY, sum, file.size, file.size, name.length, 0];
    const head = packed([4, 2, ...FACTS], [0x04034b50, 20, ...facts]);
    directory.push(packed([4, 2, 2, ...FACTS, 2, 2, 2, 4, 4], [0x02014b50, 20, 20, ...facts, 0, 0, 0, 0, at]), name);
    parts.push(head, name, file);
    at += head.length + name.length + file.size;
  }
  const length = directory.reduce((sum, one) => sum + one.length, 0);
  const end = packed([4, 2, 2, 2, 2, 4, 4, 2], [0x06054b50, 0, 0, files.length, files.length, length, at, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Numbers as a zip has them, the least byte first, each of so many bytes. */
function packed(sizes: readonly number[], numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(sizes.reduce((sum, one) => sum + one, 0)));
  let at = 0;
  sizes.forEach((size, n) => {
    if (size === 2) view.setUint16(at, numbers[n]!, true);
    else view.setUint32(at, numbers[n]!, true);
    at += size;
  });
  return new Uint8Array(view.buffer);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

/** CRC-32 of a file. */
async function checksum(
  file: File, path: string, signal: AbortSignal, told: (bytes: number) => void,
): Promise<number> {
  let [sum, read] = [0xffffffff, 0];
  const reader = file.stream().getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return (sum ^ 0xffffffff) >>> 0;
      for (let at = 0; at < value.length; at++) sum = TABLE[(sum ^ value[at]!) & 255]! ^ (sum >>> 8);
      told((read += value.length));
    }
  } catch {
    signal.throwIfAborted();
    throw new Problem("input", T.unreadable(path), T.unreadableTodo);
  }
}
