/** Reads beside the kernel's defect of stale bits: at odd distances, and after somebody else's. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { rawWord } from "./raw_ioctl.ts";
import { at, dirty, pages, Scene } from "./scene.ts";

/** A has 4 pages from page 1 on, B 4 from page 5 on. */
function neighbours(scene: Scene): Disposable {
  const { container, mapping } = scene;
  mapping[Symbol.dispose]();
  using stack = new DisposableStack();
  const memory = stack.use(container.allocate(pages(8)));
  const size = pages(4);
  stack.use(container.map(memory, { iova: at(1), size }));
  stack.use(container.map(memory, { iova: at(5), size, offset: size }));
  return stack.move();
}

describe("our windows beside stale bits", () => {
  it("show none where mappings lie apart, at any distance below 64 pages", () => {
    using scene = new Scene();
    const { container, mapping, vendor } = scene;
    mapping[Symbol.dispose]();
    using memory = container.allocate(pages(3));
    using stack = new DisposableStack();
    const starts = [0, 7, 31, 40, 63, 66, 129, 192, 250];
    for (const page of starts) stack.use(container.map(memory, { iova: at(page) }));
    using tracker = container.trackDirty();
    for (const page of starts) {
      vendor.write(at(page + 1), Uint8Array.of(1));
      equal(dirty(tracker), `${page + 1}`);
      for (let i = 0; i < 3; i += 1) equal(dirty(tracker), "none");
    }
  });

  it("mask a bit past the mapping's end that another read has left behind", () => {
    using scene = new Scene();
    using _both = neighbours(scene);
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1), 4);
    scene.vendor.unpin(at(1), 4);
    equal(rawWord(scene.container, { iova: at(0), size: pages(64) }), "0x1e");
    equal(rawWord(scene.container, { iova: at(1), size: pages(4) }), "0x10");
    for (let i = 0; i < 3; i += 1) equal(dirty(tracker), "none");
  });

  it("show pins alone after such a read", () => {
    using scene = new Scene();
    using _both = neighbours(scene);
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(2));
    equal(rawWord(scene.container, { iova: at(0), size: pages(64) }), "0x4");
    for (let i = 0; i < 5; i += 1) equal(dirty(tracker), "2");
  });
});
