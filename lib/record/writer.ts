import { crc32, packFrame } from "../dirty/frame.ts";
import type { ViewRound } from "../view/round.ts";
import { accountJson, headJson, KINDS, layoutJson, type RecordingHead } from "./format.ts";

const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

/**
 * Turns rounds into the bytes of a recording; whoever calls appends them to a file. Each piece is a
 * whole record: what was appended before a crash stays readable.
 *
 * @example A recording in memory, written and read
 * ```ts
 * import { DirtyMap } from "@pinscope/vfio";
 * import { readRecording, RecordingWriter } from "@pinscope/vfio/record";
 *
 * const mappings = [{ iova: 0x10000n, size: 0x8000n }];
 * const writer = new RecordingWriter({ devices: [], source: "type1", pageSize: 4096n, mappings });
 * const dirty = new DirtyMap(4096n).addRange(0x12000n, 2);
 * const pieces = [writer.begin(), writer.add({
 *   round: 1, at: 1000, elapsed: 1000, dirty, labels: ["written"], mappings, readTime: 0,
 * }), writer.end("done")];
 * const types = (await Array.fromAsync(readRecording(pieces))).map(({ type }) => type);
 * if (`${types}` !== "head,round,end") throw new Error("all of it is there");
 * ```
 */
export class RecordingWriter {
  readonly #head: RecordingHead;
  readonly #bytes: Uint8Array;
  readonly #session: number;
  #rounds = 0;
  #layout = "";
  #layoutRound = 0;

  /** Takes what is measured on. */
  constructor(head: RecordingHead) {
    this.#head = head;
    this.#bytes = encode(headJson(head));
    this.#session = crc32(this.#bytes);
  }

  /** Gives the first record. */
  begin(): Uint8Array<ArrayBuffer> {
    return packFrame(KINDS.head, this.#bytes);
  }

  /**
   * Gives the record of a round.
   *
   * @throws {RangeError} If its pages have another size than the head says.
   */
  add(round: ViewRound): Uint8Array<ArrayBuffer> {
    const { dirty, pinned, account, at, elapsed, readTime, labels } = round;
    for (const { pageSize } of pinned === undefined ? [dirty] : [dirty, pinned]) {
      if (pageSize === this.#head.pageSize) continue;
      throw new RangeError(`Pages must have ${this.#head.pageSize} bytes; got ${pageSize}`);
    }
    const layout = layoutJson(round);
    const text = JSON.stringify(layout);
    const isNew = text !== this.#layout;
    if (isNew) [this.#layout, this.#layoutRound] = [text, round.round];
    const json = encode({
      session: this.#session,
      round: round.round,
      at,
      elapsed,
      readTime,
      labels,
      layout: this.#layoutRound,
      ...(isNew ? layout : {}),
      ...(account === undefined ? {} : { account: accountJson(account) }),
    });
    const frames = [dirty.toBytes(), ...(pinned === undefined ? [] : [pinned.toBytes()])];
    const length = frames.reduce((sum, frame) => sum + frame.length, 4 + json.length);
    const payload = new Uint8Array(length);
    new DataView(payload.buffer).setUint32(0, json.length, true);
    payload.set(json, 4);
    let to = 4 + json.length;
    for (const frame of frames) {
      payload.set(frame, to);
      to += frame.length;
    }
    this.#rounds += 1;
    return packFrame(KINDS.round, payload);
  }

  /**
   * Gives the last record.
   *
   * @param reason As "done" or "interrupted".
   */
  end(reason: string): Uint8Array<ArrayBuffer> {
    return packFrame(KINDS.end, encode({ session: this.#session, rounds: this.#rounds, reason }));
  }
}
