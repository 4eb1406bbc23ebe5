/** A kernel of text files and links, for hosts that the model has not. */
import type { Kernel } from "../../mod.ts";

const ENOENT = -2;

/** What stands at a path: a text, the target of a link, or the answer to an attempt to open it. */
export type Entry = string | { readonly link: string } | { readonly errno: number };

/** Text files and links by path; folders follow from those. What is written is kept in `written`. */
export class FakeSysfs {
  readonly written: [string, string][] = [];
  readonly #entries: Map<string, Entry>;
  readonly #open = new Map<number, { path: string; rest: Uint8Array }>();

  constructor(entries: Readonly<Record<string, Entry>>) {
    this.#entries = new Map(Object.entries(entries));
  }

  /** As a kernel: only the calls that files need are there. */
  get kernel(): Kernel {
    return this as unknown as Kernel;
  }

  /** Changes a path. */
  set(path: string, entry: Entry): void {
    this.#entries.set(path, entry);
  }

  retain(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  open(path: string): number {
    const entry = this.#entries.get(path);
    if (entry === undefined) return ENOENT;
    if (typeof entry === "object" && "errno" in entry) return -entry.errno;
    const fd = 3 + this.#open.size;
    const text = typeof entry === "string" ? entry : "";
    this.#open.set(fd, { path, rest: new TextEncoder().encode(text) });
    return fd;
  }

  close(): number {
    return 0;
  }

  read(fd: number, into: Uint8Array): number {
    const file = this.#open.get(fd)!;
    const part = file.rest.subarray(0, into.length);
    into.set(part);
    file.rest = file.rest.subarray(part.length);
    return part.length;
  }

  write(fd: number, from: Uint8Array): number {
    this.written.push([this.#open.get(fd)!.path, new TextDecoder().decode(from)]);
    return from.length;
  }

  readlink(path: string): string | number {
    const entry = this.#entries.get(path);
    return typeof entry === "object" && "link" in entry ? entry.link : ENOENT;
  }

  list(path: string): string[] | number {
    const names = new Set<string>();
    for (const key of this.#entries.keys()) {
      if (key.startsWith(`${path}/`)) names.add(key.slice(path.length + 1).split("/")[0]!);
    }
    return names.size === 0 ? ENOENT : [...names].sort();
  }
}
