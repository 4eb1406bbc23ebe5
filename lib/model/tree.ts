import { ERRNO } from "../base/errno.ts";
import { type ModelFile, TextFile } from "./file.ts";

/** A place in the file tree that is no folder. */
export type Node =
  | {
    readonly kind: "text";
    readonly text: () => string;
    readonly store?: (text: string) => number;
  }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "device"; readonly open: () => ModelFile | number };

/** The files of the model by their paths; folders follow from those. */
export class Tree {
  readonly #nodes = new Map<string, Node>();
  readonly #folders = new Map<string, Set<string>>();

  /** Puts a node at a path. */
  add(path: string, node: Node): void {
    this.#nodes.set(path, node);
    this.folder(path.slice(0, path.lastIndexOf("/"))).add(path.slice(path.lastIndexOf("/") + 1));
  }

  /** Makes a folder, which may stay empty. */
  folder(path: string): Set<string> {
    let names = this.#folders.get(path);
    if (names === undefined) {
      names = new Set();
      this.#folders.set(path, names);
      if (path !== "") {
        const cut = path.lastIndexOf("/");
        this.folder(path.slice(0, cut)).add(path.slice(cut + 1));
      }
    }
    return names;
  }

  /** A read-only text. */
  text(path: string, text: string | (() => string)): void {
    this.add(path, { kind: "text", text: typeof text === "string" ? () => text : text });
  }

  /** A symbolic link. */
  link(path: string, target: string): void {
    this.add(path, { kind: "link", target });
  }

  /** Opens what is at a path. */
  open(path: string): ModelFile | number {
    const node = this.#nodes.get(path);
    switch (node?.kind) {
      case "text":
        return new TextFile(node.text(), node.store);
      case "device":
        return node.open();
      default:
        return this.#folders.has(path) ? -ERRNO.EISDIR : -ERRNO.ENOENT;
    }
  }

  /** The target of a link. */
  readlink(path: string): string | number {
    const node = this.#nodes.get(path);
    if (node?.kind === "link") return node.target;
    return node !== undefined || this.#folders.has(path) ? -ERRNO.EINVAL : -ERRNO.ENOENT;
  }

  /** The names in a folder. */
  list(path: string): string[] | number {
    const names = this.#folders.get(path === "/" ? "" : path.replace(/\/$/, ""));
    if (names !== undefined) return [...names].sort();
    return this.#nodes.has(path) ? -ERRNO.ENOTDIR : -ERRNO.ENOENT;
  }
}
