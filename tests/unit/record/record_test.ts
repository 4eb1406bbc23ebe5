import { readRecording, type RecordingEntry, RecordingWriter } from "../../../lib/record/mod.ts";
import type { ViewRound } from "../../../lib/view/mod.ts";
import { DirtyMap } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { HEAD, MAPPINGS, PAGE, ROUNDS } from "../view/fixture.ts";

const WINDOWS = MAPPINGS.map((extent) => ({ ...extent, label: "pinned-scope" as const }));
/** The mappings change with the third round. */
const SHOWN: readonly ViewRound[] = ROUNDS.map((round, i) => ({
  ...round,
  windows: i < 2 ? WINDOWS : WINDOWS.slice(0, 1),
  mappings: i < 2 ? MAPPINGS : MAPPINGS.slice(0, 1),
}));

/** The records of a recording, each as its bytes. */
function pieces(): Uint8Array<ArrayBuffer>[] {
  const writer = new RecordingWriter({ ...HEAD, mappings: MAPPINGS });
  return [writer.begin(), ...SHOWN.map((round) => writer.add(round)), writer.end("done")];
}

function joined(list: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(list.flatMap((piece) => [...piece]));
}

const read = async (...source: Uint8Array[]): Promise<RecordingEntry[]> =>
  await Array.fromAsync(readRecording(source));

/** Everything that an entry says, as text that can be compared. */
function plain(entry: RecordingEntry): string {
  return JSON.stringify(
    entry,
    (_, value) =>
      typeof value === "bigint"
        ? `${value}n`
        : value instanceof DirtyMap
        ? [...value.runs()]
        : value,
  );
}

const WHOLE = [
  { type: "head", head: { ...HEAD, mappings: MAPPINGS } },
  ...SHOWN.map((round) => ({ type: "round", round })),
  { type: "end", end: { rounds: 3, reason: "done" } },
] as const;

/** Members stand in another order in what was read: so they are compared sorted. */
const sorted = (text: string): string => JSON.stringify(sort(JSON.parse(text)));
function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([name, member]) => [name, sort(member)]));
}
const same = (entry: RecordingEntry): string => sorted(plain(entry));

describe("a recording", () => {
  const wanted = WHOLE.map((entry) => same(entry as RecordingEntry));

  it("gives back what was written, in pieces of any size", async () => {
    const bytes = joined(pieces());
    for (const size of [1, 7, 20, 4096]) {
      const parts: Uint8Array[] = [];
      for (let i = 0; i < bytes.length; i += size) parts.push(bytes.subarray(i, i + size));
      equal((await read(...parts)).map(same), wanted);
    }
  });

  it("cut at every byte, keeps what was whole, and tells of the rest", async () => {
    const list = pieces();
    const bytes = joined(list);
    const ends = list.map((_, i) => joined(list.slice(0, i + 1)).length);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const whole = ends.filter((end) => end <= cut).length;
      const from = ends[whole - 1] ?? 0;
      const entries = await read(bytes.subarray(0, cut));
      equal(entries.slice(0, whole).map(same), wanted.slice(0, whole), `cut at ${cut}`);
      const gap = { type: "gap", at: from, size: cut - from, state: "cut" };
      equal(entries.slice(whole), cut > from ? [gap] : [], `cut at ${cut}`);
    }
  });

  it("goes on with a new session behind a cut one, from every byte", async () => {
    const bytes = joined(pieces());
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const entries = await read(bytes.subarray(0, cut), bytes);
      equal(entries.slice(-wanted.length).map(same), wanted, `cut at ${cut}`);
    }
  });

  it("with any byte changed, invents nothing and tells of it", async () => {
    const bytes = joined(pieces());
    for (let at = 0; at < bytes.length; at += 1) {
      const copy = bytes.slice();
      copy[at]! ^= 0x55;
      const entries = await read(copy);
      ok(entries.some(({ type }) => type === "gap"), `byte ${at}`);
      for (const entry of entries) {
        ok(entry.type === "gap" || wanted.includes(same(entry)), `byte ${at}: ${plain(entry)}`);
      }
    }
  });

  it("does not take a round with the mappings of another", async () => {
    const [head, first, second, third, end] = pieces();
    const types = async (...list: (Uint8Array | undefined)[]): Promise<string[]> =>
      (await read(...list.map((piece) => piece!))).map(({ type }) => type);
    // The second leans on the first; the third stands alone.
    equal(await types(head, second, third, end), ["head", "gap", "round", "end"]);
    equal(await types(head, first, third, end), ["head", "round", "round", "end"]);
    equal(await types(first, end), ["gap", "gap"]);
  });

  it("does not take a round for one of another session, whose head is lost", async () => {
    const other = new RecordingWriter({ ...HEAD, started: "later", mappings: MAPPINGS });
    const [head, first] = pieces();
    const entries = await read(head!, first!, other.add(SHOWN[0]!), other.end("done"));
    equal(entries.map(({ type }) => type), ["head", "round", "gap", "gap"]);
  });

  it("takes no pages of another size", () => {
    const writer = new RecordingWriter({ ...HEAD, mappings: MAPPINGS });
    const dirty = new DirtyMap(2n * PAGE);
    throws(() => writer.add({ ...ROUNDS[0]!, dirty }), RangeError, "8192");
  });
});
