// What was dropped or chosen, folders with all that is in them.
import type { Named } from "./zip";

export interface Gathered {
  files: Named[];
  /** Whether any of it was a folder. */
  folder: boolean;
}

/** All of a drop. What is read of it must be asked for before the event is over. */
export async function gathered(data: DataTransfer): Promise<Gathered> {
  const plain = [...data.files].map((file) => ({ path: file.name, file }));
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some((one) => one.isDirectory)) return { files: plain, folder: false };
  return { files: (await Promise.all(entries.map(walked))).flat(), folder: true };
}

/** Those of a field, by their paths where a folder was chosen. */
export function chosen(files: FileList | null): Named[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function walked(entry: FileSystemEntry): Promise<Named[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Named[] = [];
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const one of some) found.push(...(await walked(one)));
  }
}

let handed: Named[] = [];

/** Leave files for the view of jobs. */
export function hand(files: Named[]): void {
  handed = files;
}

/** Those that were left, once. */
export function taken(): Named[] {
  const files = handed;
  handed = [];
  return files;
}
