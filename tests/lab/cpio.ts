/** Writes the archive form the kernel unpacks as its first root folder ("newc" cpio). */

/** One entry; a name without leading slash. */
export type Entry =
  | { kind: "file"; name: string; bytes: Uint8Array; mode: number }
  | { kind: "folder"; name: string; mode: number }
  | { kind: "link"; name: string; target: string };

const types = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;
const encoder = new TextEncoder();

/** Packs the entries in the given order: a folder comes before what is in it. */
export function cpio(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes, new Uint8Array(-bytes.length & 3));
    size += bytes.length + (-bytes.length & 3);
  };
  const add = (name: string, mode: number, inode: number, bytes: Uint8Array): void => {
    const label = encoder.encode(`${name}\0`);
    const numbers = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, label.length, 0];
    const text = numbers.map((n) => n.toString(16).padStart(8, "0")).join("");
    const head = new Uint8Array(110 + label.length);
    head.set(encoder.encode(`070701${text}`));
    head.set(label, 110);
    push(head);
    push(bytes);
  };
  entries.forEach((entry, index) => {
    const bytes = entry.kind === "file"
      ? entry.bytes
      : encoder.encode(entry.kind === "link" ? entry.target : "");
    const mode = entry.kind === "link" ? 0o777 : entry.mode;
    add(entry.name, types[entry.kind] | mode, index + 1, bytes);
  });
  add("TRAILER!!!", 0, 0, new Uint8Array());
  const archive = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
