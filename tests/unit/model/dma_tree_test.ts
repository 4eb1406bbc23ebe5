import { MemlockAccount } from "../../../lib/model/account.ts";
import { Descriptors } from "../../../lib/model/descriptors.ts";
import { Dma } from "../../../lib/model/dma.ts";
import { DmaTree } from "../../../lib/model/dma_tree.ts";
import { AddressSpace } from "../../../lib/model/memory.ts";
import { type Node, RbTree } from "../../../lib/model/rb_tree.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

/** Black nodes down to the leaves, the same on every way; throws where the colours are wrong. */
function blackHeight(node: Node<number> | undefined): number {
  if (node === undefined) return 1;
  for (const child of [node.left, node.right]) {
    if (child === undefined) continue;
    ok(child.parent === node, "a child knows its parent");
    ok(!(node.red && child.red), "no red node is below another");
  }
  const [left, right] = [blackHeight(node.left), blackHeight(node.right)];
  equal(left, right, "every way has as many black nodes");
  return left + (node.red ? 0 : 1);
}

function inOrder(node: Node<number> | undefined): number[] {
  return node === undefined ? [] : [...inOrder(node.left), node.value, ...inOrder(node.right)];
}

describe("RbTree", () => {
  it("stays sorted and balanced", () => {
    const random = new Random(3);
    const tree = new RbTree<number>();
    const nodes = new Map<number, Node<number>>();
    for (let step = 0; step < 2000; step += 1) {
      const value = random.below(150);
      const node = nodes.get(value);
      if (node === undefined) nodes.set(value, tree.insert(value, (other) => value <= other));
      else {
        tree.delete(node);
        nodes.delete(value);
      }
      if (step % 20 !== 0) continue;
      equal(tree.root?.red ?? false, false, "the root is black");
      blackHeight(tree.root);
      equal(inOrder(tree.root), [...nodes.keys()].sort((a, b) => a - b));
      equal(tree.size, nodes.size);
    }
  });
});

const TOP = 1n << 64n;
const PAGE = 4096n;
const owner = {
  pid: 1,
  account: new MemlockAccount(0n, true),
  user: { locked: 0n },
  memory: new AddressSpace(),
  files: new Descriptors(),
};

function tree(wraps: boolean, ...ranges: readonly (readonly [bigint, bigint])[]): DmaTree {
  const result = new DmaTree(wraps);
  for (const [iova, size] of ranges) {
    result.add(new Dma({ iova, size, vaddr: 0n, flags: 3 }, owner));
  }
  return result;
}

describe("DmaTree", () => {
  it("finds what a range meets, and what it cuts", () => {
    const mappings = tree(true, [PAGE, 2n * PAGE], [8n * PAGE, PAGE]);
    equal(mappings.overlapping(0n, PAGE), undefined);
    equal(mappings.overlapping(0n, 2n * PAGE)?.iova, PAGE);
    equal(mappings.inRange(2n * PAGE, 100n * PAGE).map(({ iova }) => iova), [PAGE, 8n * PAGE]);
    equal([...mappings.beginningIn(2n * PAGE, 100n * PAGE)].map(({ iova }) => iova), [8n * PAGE]);
    equal([PAGE, 2n * PAGE, 3n * PAGE].map((iova) => mappings.cutAt(iova)?.iova), [
      undefined,
      PAGE,
      undefined,
    ]);
  });

  it("loses a mapping that ends at 2^64, where addresses wrap around", () => {
    const at = TOP - 4n * PAGE;
    for (const wraps of [true, false]) {
      const mappings = tree(wraps, [at, 4n * PAGE]);
      equal(mappings.length, 1);
      equal(mappings.find(at, PAGE) === undefined, wraps);
      equal(mappings.firstOf(0n, TOP - 1n) === undefined, wraps);
    }
  });

  it("then finds nothing for a range that ends there either", () => {
    const mappings = tree(true, [PAGE, PAGE]);
    equal(mappings.find(0n, TOP - PAGE)?.iova, PAGE);
    equal(mappings.find(PAGE, TOP - PAGE), undefined);
    equal(tree(false, [PAGE, PAGE]).find(PAGE, TOP - PAGE)?.iova, PAGE);
  });

  it("and others with it, if it came to stand above them", () => {
    const ghost = [TOP - PAGE, PAGE] as const;
    // Of three, the one in the middle is at the top of the tree: all below it stay to be found.
    const middle = tree(true, [PAGE, PAGE], [4n * PAGE, PAGE], ghost);
    equal(middle.firstOf(0n, TOP - 1n)?.iova, PAGE);
    // Of two, it is the first that came.
    equal(tree(true, [PAGE, PAGE], ghost).firstOf(0n, TOP - 1n)?.iova, PAGE);
    equal(tree(true, ghost, [PAGE, PAGE]).firstOf(0n, TOP - 1n), undefined);
  });
});
