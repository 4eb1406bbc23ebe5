import { FRAME_HEADER, frameHead, unpackFrame } from "../dirty/frame.ts";

/** A frame that is whole. */
export interface FoundFrame {
  readonly type: "frame";
  readonly kind: string;
  /** It is valid until the next call only. */
  readonly payload: Uint8Array;
  /** Where it begins, in bytes from the beginning. */
  readonly at: number;
}

/** Bytes that are no whole frame. */
export interface FoundGap {
  readonly type: "gap";
  readonly at: number;
  /** How many bytes. */
  readonly size: number;
  /** `cut`: the last frame is not complete; `damaged`: there is more behind, or no frame at all. */
  readonly state: "cut" | "damaged";
}

/** Larger frames are not taken: a round of 16 TiB of scattered pages has 512 MiB. */
const MOST = 1n << 30n;
const MAGIC = [0x50, 0x53, 0x46, 0x31]; // PSF1

/**
 * Finds whole frames of some kinds in bytes that come in pieces. Behind damage it looks for the next
 * whole frame. It takes the memory of the largest frame.
 */
export class FrameScan {
  readonly #kinds: readonly string[];
  #bytes = new Uint8Array(1 << 16);
  #from = 0;
  #to = 0;
  /** Bytes from the beginning until `#from`. */
  #at = 0;
  #skipped = 0;
  #isEnded = false;

  /** Other kinds are taken for damage: parts of a frame are frames too. */
  constructor(kinds: readonly string[]) {
    this.#kinds = kinds;
  }

  /** Adds the next piece. */
  push(piece: Uint8Array): void {
    const length = this.#to - this.#from;
    if (this.#to + piece.length > this.#bytes.length) {
      const wanted = length + piece.length;
      const old = this.#bytes;
      if (wanted > old.length) this.#bytes = new Uint8Array(2 * wanted);
      this.#bytes.set(old.subarray(this.#from, this.#to));
      this.#from = 0;
      this.#to = length;
    }
    this.#bytes.set(piece, this.#to);
    this.#to += piece.length;
  }

  /** Says that nothing follows. */
  end(): void {
    this.#isEnded = true;
  }

  /** Gives what is found next; undefined where more bytes are needed, or nothing is left. */
  next(): FoundFrame | FoundGap | undefined {
    for (;;) {
      const found = this.#look();
      if (found === "wait") {
        if (!this.#isEnded) return undefined;
        // What is left is no whole frame: a damaged length may hide frames, so go on by a byte.
        if (this.#from < this.#to) this.#skip();
        else return this.#gap();
      } else if (found === "bad") this.#skip();
      else {
        const gap = this.#gap();
        if (gap !== undefined) return gap;
        const { kind, length } = found;
        const bytes = this.#bytes.subarray(this.#from, this.#from + length);
        const at = this.#at;
        this.#from += length;
        this.#at += length;
        return { type: "frame", kind, payload: unpackFrame(kind, bytes), at };
      }
    }
  }

  /** Looks at the place: a whole frame, something that cannot be one, or too few bytes to tell. */
  #look(): "wait" | "bad" | { readonly kind: string; readonly length: number } {
    const rest = this.#bytes.subarray(this.#from, this.#to);
    const magic = rest.subarray(0, 4);
    if (magic.some((byte, i) => byte !== MAGIC[i])) return "bad";
    const head = frameHead(rest);
    if (head === undefined) return "wait";
    if (!this.#kinds.includes(head.kind) || head.length > MOST) return "bad";
    const length = Number(head.length);
    if (rest.length < length) return "wait";
    try {
      unpackFrame(head.kind, rest.subarray(0, length));
      return { kind: head.kind, length };
    } catch {
      return "bad";
    }
  }

  /** Goes on to the next place where a frame may begin. */
  #skip(): void {
    const next = this.#bytes.subarray(0, this.#to).indexOf(MAGIC[0]!, this.#from + 1);
    const to = next === -1 ? this.#to : next;
    this.#skipped += to - this.#from;
    this.#at += to - this.#from;
    this.#from = to;
  }

  #gap(): FoundGap | undefined {
    const size = this.#skipped;
    if (size === 0) return undefined;
    this.#skipped = 0;
    const isTail = this.#isEnded && this.#from === this.#to;
    return { type: "gap", at: this.#at - size, size, state: isTail ? "cut" : "damaged" };
  }
}

/** The frames that stand one behind another; each is valid. */
export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const length = frameHead(rest)?.length ?? BigInt(FRAME_HEADER);
    if (length > BigInt(rest.length)) {
      throw new RangeError(`A frame must have ${length} bytes; got ${rest.length}`);
    }
    frames.push(rest.subarray(0, Number(length)));
    at += Number(length);
  }
  return frames;
}
