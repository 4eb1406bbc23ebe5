/** Reads on a thread of their own: the same windows, nothing lost, and a way out when one is stuck. */
import { VfioError } from "../../../mod.ts";
import { equal, match, ok } from "../../std/assert.ts";
// The thread's event loop has files of its own for a second, so nothing counts them here.
import { describe, it } from "../../std/testing.ts";
import { LOW } from "../support/machine.ts";
import { rawTracking } from "./raw_ioctl.ts";
import { at, dirty, pages, PINS, Scene, show, VENDOR_PCI } from "./scene.ts";

const STUCK = new URL("./child/stuck.ts", import.meta.url).pathname;

/** A container with eight more mappings of 64 pages behind the first one. */
function eight(): Scene {
  const scene = new Scene();
  const { container, memory } = scene;
  for (let i = 1n; i < 8n; i += 1n) container.map(memory, { iova: LOW + i * pages(64) });
  return scene;
}

const SMALL = { maxBitmapBytes: 8 } as const;

describe("an asynchronous drain", () => {
  it("gives what a drain gives: the pinned and the written pages, then the pinned ones", async () => {
    using scene = eight();
    scene.vendor.pin(at(1), 3);
    using tracker = scene.container.trackDirty();
    scene.vendor.write(at(200), new Uint8Array(1));
    const rounds: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const numbers: number[] = [];
      for await (const window of tracker.drainAsync(SMALL)) {
        equal(window.label, "pinned-scope");
        window.forEachRun((first, end) => {
          for (let i = first; i < end; i += 1) {
            numbers.push(Number((window.iova - LOW) / pages(1)) + i);
          }
        });
      }
      rounds.push(show(numbers));
    }
    equal([...rounds, dirty(tracker)], ["1-3,200", "1-3", "1-3", "1-3"]);
  });

  it("loses nothing where it is stopped", async () => {
    using scene = eight();
    using tracker = scene.container.trackDirty();
    for (let i = 0; i < 8; i += 1) scene.vendor.write(at(i * 64 + i), new Uint8Array(1));
    const seen: number[] = [];
    const controller = new AbortController();
    const options = { ...SMALL, signal: controller.signal };
    try {
      for await (const window of tracker.drainAsync(options)) {
        for (const { iova } of window.runs()) seen.push(Number((iova - LOW) / pages(1)));
        if (seen.length === 3) controller.abort("enough");
      }
    } catch (error) {
      equal(error, "enough");
    }
    equal(show(seen), "0,65,130");
    const [kept] = tracker.drain(SMALL);
    equal([kept?.iova, kept?.count], [at(192), 1]); // it had been read, and so cleared
    equal(dirty(tracker), "260,325,390,455");
  });

  it("fails as a drain does, and the range is incomplete after that", async () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    equal(rawTracking(scene.container, 2), "OK"); // somebody else's STOP
    const error = await tracker.drainAsync().next().catch((error: unknown) => error);
    ok(error instanceof VfioError);
    equal([error.code, error.operation], ["EINVAL", "VFIO_IOMMU_DIRTY_PAGES"]);
    match(error.message, /another user of the container stopped its tracking/);
    equal(rawTracking(scene.container, 1), "OK");
    const [window] = tracker.drain();
    equal([window?.label, window?.count], ["incomplete", 64]);
  });

  it("is done before a group comes that makes every page dirty", async () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    const first = tracker.drainAsync().next();
    using _joined = scene.join(VENDOR_PCI);
    const { value } = await first;
    equal([value?.label, value?.count], ["pinned-scope", 0]);
  });

  it("reads rounds", async () => {
    using scene = new Scene();
    scene.vendor.pin(at(5), 2);
    using tracker = scene.container.trackDirty();
    const rounds: unknown[] = [];
    for await (const round of tracker.rounds({ interval: 1, count: 3 })) {
      const { pages, fresh, gone, labels } = round;
      rounds.push([pages, fresh, gone, ...labels]);
      if (round.round === 1) scene.vendor.write(at(9), new Uint8Array(1));
    }
    equal(rounds, [
      [2, 2, 0, "pinned-scope"],
      [3, 1, 0, "pinned-scope"],
      [2, 0, 1, "pinned-scope"],
    ]);
  });
});

describe("a read that is stuck in the kernel with the container's lock", () => {
  for (
    const command of [
      ["dirty", PINS, "--interval", "0"],
      ["pins", PINS, "--interval", "0"],
      ["scope", VENDOR_PCI],
    ]
  ) {
    it(`does not keep Ctrl-C from ending pinscope ${command[0]}`, async () => {
      await using child = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--cached-only", "--no-prompt", "--no-check", "-A"],
          ...[STUCK, ...command],
        ],
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let err = "";
      for (let more; !err.includes("reading") && !(more = await reader.read()).done;) {
        err += more.value;
      }
      match(err, /reading/);
      child.kill("SIGINT");
      for (let more; !(more = await reader.read()).done;) err += more.value;
      equal((await child.status).code, 130, err);
      match(err, /a read of dirty pages does not come back from the kernel/);
      match(err, /not released: dirty tracking, 1 mapping, 1 group, the container;/);
    });
  }
});
