import {
  act,
  type Action,
  actionsOf,
  newState,
  type WatchState,
  withRound,
} from "../../cli/watch_state.ts";
import { bar, renderWatch, roundLine } from "../../cli/watch_view.ts";
import { frame } from "../../cli/screen.ts";
import { DirtyMap } from "../../mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { HEAD, MAPPINGS, PAGE, roundOf, ROUNDS } from "../unit/view/fixture.ts";

const PLAIN = { color: false, ascii: false };
const state = ROUNDS.reduce((before, round) => withRound(before, round), newState(HEAD));
const after = (from: WatchState, ...actions: Action[]): WatchState => actions.reduce(act, from);
const draw = (of: WatchState, columns = 80, rows = 20, look = PLAIN): string[] =>
  renderWatch(of, { columns, rows }, look);

// deno-lint-ignore no-control-regex
const uncolored = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, "");

describe("a frame of pinscope watch", () => {
  it("looks like this in 80 columns", () => {
    equal(draw(state, 80, 17), [
      "pinscope watch 0000:00:10.0                                              round 3",
      "3 pages dirty (12 KiB), 2 pinned; 1 new, 1 gone",
      "VmLck 8 KiB (of 8 MiB, 0 %); ioctl 0.5 ms; 65,533 mappings left",
      "rate  12 KiB/s     ███  most 12 KiB/s",
      "> 0x100000 64 KiB: 2 dirty, 1 pinned of 16 pages, pinned-scope",
      "  dirty  ·········█████·············█████·······································",
      "  pinned ·········█████·························································",
      "  0x40000000 16 KiB: 1 dirty, 1 pinned of 4 pages, pinned-scope",
      "  dirty  ··················██████████████████···································",
      "  pinned ··················██████████████████···································",
      "",
      "",
      "",
      "· clean  ░ some  ▒ 1/3  ▓ 2/3  █ all pages of a cell",
      "pinned-scope: pages that a driver has or had pinned, or wrote: maybe written",
      "pinned: what a second read, right behind the first, still has",
      "space pause  s step  + - zoom  left right move  0 whole  up down mapping  q quit",
    ]);
  });

  it("fits into any terminal", () => {
    const many = Array.from(
      { length: 50 },
      (_, i) => ({ iova: BigInt(i) << 32n, size: 4n * PAGE }),
    );
    const full = withRound(newState(HEAD), roundOf(1, [[0n, 2]], { mappings: many }));
    for (const columns of [1, 7, 20, 79, 80, 200]) {
      for (const rows of [1, 2, 5, 8, 24, 60, 200]) {
        for (const one of [newState(HEAD), state, full, after(full, "down", "in", "in")]) {
          const lines = draw(one, columns, rows);
          ok(lines.length <= rows, `${columns} x ${rows}: ${lines.length} lines`);
          equal(lines.filter((line) => line.length > columns), []);
        }
      }
    }
    const seen = draw(after(full, ...Array<Action>(49).fill("down")), 80, 24).join("\n");
    match(seen, /> 0x3100000000 16 KiB/);
    match(seen, /50 mappings, 44 to 50 shown/);
  });

  it("does not jump when numbers get longer", () => {
    const size = 16n << 30n;
    const mappings = [{ iova: 0n, size }];
    const account = { locked: size, pinned: 0n, limit: undefined, dmaAvailable: 65534 };
    const more = { mappings, account, readTime: 1.08, elapsed: 777 };
    const frames = [1, 999, 65_536, 4_194_304].map((pages) => {
      const round = roundOf(1, [[0n, pages]], more);
      return withRound(newState(HEAD), { ...round, pinned: round.dirty });
    });
    for (const columns of [60, 80, 81, 90, 100, 200]) {
      const places = frames.map((one) =>
        draw(one, columns).findIndex((text) => text.startsWith("  0x0 16 GiB"))
      );
      equal(places, Array(4).fill(places[0]), `${columns} columns`);
    }
  });

  it("keeps bars where there are few rows", () => {
    const [first, , , dirty, pinned] = draw(state, 80, 5);
    match(first!, /^pinscope watch .* round 3$/);
    match(dirty!, /^ {2}dirty {2}·+█/);
    match(pinned!, /^ {2}pinned ·+█/);
    equal(draw(state, 80, 3).map((text) => text.slice(0, 8)), ["pinscope", "> 0x1000", "  dirty "]);
  });

  it("says that type1 tells what is pinned, where it is not the source", () => {
    const text = draw(withRound(newState({ ...HEAD, source: "log" }), ROUNDS[0]!)).join("\n");
    match(text, /^pinned: what a second read of type1, right behind the first, still has$/m);
  });

  it("uses the width of a wide one", () => {
    const wide = draw(state, 200);
    equal(wide[5]?.length, 200);
    equal(wide[5]?.match(/█/g)?.length, 24);
  });

  it("says the same with colour as without", () => {
    const look = { color: true, ascii: false };
    equal(draw(state, 80, 20, look).map(uncolored).map((line) => line.trimEnd()), draw(state));
    ok(draw(state, 80, 20, look).join("").includes("\x1b[35m"));
    ok(!draw(state).join("").includes("\x1b"));
  });

  it("does without characters beyond ASCII", () => {
    const text = draw(state, 80, 20, { color: false, ascii: true }).join("\n");
    ok(/^[\x20-\x7e\n]*$/.test(text), text);
    match(text, /pinned \.{9}#####\./);
  });

  it("says why pinned pages cannot be told apart, and has no bar for them then", () => {
    const round = roundOf(1, [[0x100000n, 16]], { label: "all-mapped" });
    const text = draw(withRound(newState(HEAD), round, "group 3 never pins")).join("\n");
    match(text, /^pinned pages cannot be told apart: group 3 never pins$/m);
    match(text, /^all-mapped: every mapped page, by rule/m);
    ok(!/^ {2}pinned /m.test(text));
  });

  it("loses neither reasons, nor times, nor labels at 80 columns", () => {
    const size = 1n << 40n;
    const mapping = { iova: 1n << 40n, size };
    const pages = Number(size / 4096n);
    const base = roundOf(1, [[mapping.iova, pages]]);
    const round = { ...base, pinned: base.dirty, mappings: [mapping] };
    const why =
      "group 3 keeps it from being pinned pages only: it is behind an IOMMU and none can pin";
    const lines = draw(withRound(newState(HEAD), round, why), 80, 30);
    ok(lines.every((line) => line.length <= 80));
    const text = lines.join("\n").replaceAll("\n  ", " ");
    match(text, /^268,435,456 pages dirty \(1 TiB\), 268,435,456 pinned$/m);
    match(text, /^268,435,456 new, 0 gone$/m);
    match(text, /^ioctl 0.5 ms$/m);
    const named = "  0x10000000000 1 TiB: 268,435,456 dirty, 268,435,456 pinned, pinned-scope";
    ok(lines.includes(named), lines.join("\n"));
    ok(text.includes(`cannot be told apart: ${why}`), text);
  });

  it("cuts names, not the round", () => {
    const head = { ...HEAD, devices: Array.from({ length: 5 }, (_, i) => `0000:00:1${i}.0`) };
    const from = "/a/path/host.psr";
    const round = roundOf(7, []);
    const first = draw(withRound(newState(head, { from, total: 9 }), round), 60)[0]!;
    equal(first.length, 60);
    match(first, /^pinscope watch from host\.psr: 0000:00:10.0.*~ round 7 of 9$/);
    const wide = draw(withRound(newState(head, { from, total: 7 }), round), 120)[0]!;
    match(wide, /from host\.psr: .* 0000:00:14\.0 +END {2}round 7 of 7$/);
  });

  it("names the label of each mapping where they differ", () => {
    const windows = [
      { ...MAPPINGS[0]!, label: "incomplete" as const },
      { ...MAPPINGS[1]!, label: "pinned-scope" as const },
    ];
    const round = { ...roundOf(1, []), windows, labels: windows.map(({ label }) => label) };
    const text = draw(withRound(newState(HEAD), round)).join("\n");
    match(text, /0x100000 64 KiB: .*, incomplete$/m);
    match(text, /0x40000000 16 KiB: .*, pinned-scope$/m);
  });

  it("warns in words near the limit", () => {
    const account = { locked: 90n, pinned: 0n, limit: 100n, dmaAvailable: undefined };
    const at = (locked: bigint): string =>
      draw(withRound(newState(HEAD), roundOf(1, [], { account: { ...account, locked } }))).join(
        "\n",
      );
    match(at(90n), /VmLck 90 bytes \(of 100 bytes, 90 %\) {2}NEAR THE LIMIT; ioctl 0.5 ms$/m);
    ok(!at(89n).includes("NEAR"));
  });

  it("tells that it is paused", () => {
    match(draw(after(state, "pause"))[0]!, /PAUSED {2}round 3$/);
    ok(!draw(after(state, "pause", "pause"))[0]!.includes("PAUSED"));
  });

  it("sums a round up on a line", () => {
    equal(
      roundLine(state),
      "round 3: 3 pages dirty, 2 pinned, +1 -1, 12 KiB/s, VmLck 8 KiB (of 8 MiB), " +
        "ioctl 0.5 ms, pinned-scope",
    );
  });
});

describe("keys of pinscope watch", () => {
  it("are taken from what a terminal sends", () => {
    equal(actionsOf(" s+-0q"), ["pause", "step", "in", "out", "whole", "quit"]);
    equal(actionsOf("\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA"), ["up", "down", "right", "left", "up"]);
    equal(actionsOf("x\x1b[5~\x1b[1;5Cé"), []);
  });

  it("zoom into a mapping, and out again", () => {
    const zoomed = after(state, "in");
    match(draw(zoomed)[4]!, /^zoom 2: 0x104000 to 0x10bfff, 32 KiB: 1 dirty, 0 pinned$/);
    match(
      draw(after(zoomed, "left"))[4]!,
      /^zoom 2: 0x102000 to 0x109fff, 32 KiB: 2 dirty, 1 pinned$/,
    );
    match(draw(after(zoomed, "left", "left", "left"))[4]!, /^zoom 2: 0x100000 to/);
    match(draw(after(zoomed, "right", "right", "right"))[4]!, /to 0x10ffff,/);
    equal(draw(after(zoomed, "out")), draw(state));
    equal(draw(after(zoomed, "in", "in", "whole")), draw(state));
  });

  it("end at a page, and show it where it is", () => {
    const one = after(state, ...Array<Action>(10).fill("in"));
    match(draw(one)[4]!, /^zoom 16: 0x108000 to 0x108fff, 4 KiB: 0 dirty, 0 pinned$/);
    equal(after(one, "in"), one);
    const there = after(one, ...Array<Action>(6).fill("left"));
    match(draw(there)[4]!, /^zoom 16: 0x102000 /);
    match(draw(there)[6]!, /^ {2}dirty {2}█{71}$/);
    match(draw(after(one, "out"))[4]!, /^zoom 8: /);
  });

  it("choose a mapping, at its whole", () => {
    const second = after(state, "in", "down");
    match(draw(second)[7]!, /^> 0x40000000/);
    equal(after(second, "down"), second);
    equal(after(second, "up").selected, 0);
    equal(after(newState(HEAD), "down", "in", "left", "up").selected, 0);
  });

  it("follow mappings that go", () => {
    const fewer = roundOf(4, [], { mappings: MAPPINGS.slice(0, 1) });
    equal(withRound(after(state, "down"), fewer).selected, 0);
  });
});

describe("a bar", () => {
  const range = { iova: 0n, pages: 12 };
  it("has a step for each third of a cell", () => {
    const set = new DirtyMap(PAGE).addRange(0n, 3).addRange(3n * PAGE, 2).addRange(6n * PAGE, 1);
    equal(bar(set, range, 4, false), "█▓▒·");
    equal(bar(set, { iova: 0n, pages: 1200 }, 4, true), "+...".replace("+", ":"));
  });

  it("shows a single page of very many", () => {
    const set = new DirtyMap(PAGE).addRange(0x7_0000_0000n, 1);
    equal(bar(set, { iova: 0n, pages: 1 << 23 }, 8, false), "·······░");
  });
});

describe("a frame on the terminal", () => {
  it("is written over the one before, without clearing what is written again", () => {
    const text = frame(["a", "b"]);
    equal(text, "\x1b[?2026h\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J\x1b[?2026l");
    ok(!text.includes("\x1b[2J"));
  });
});
