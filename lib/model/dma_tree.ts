import { ExtentSet } from "../base/extent.ts";
import type { Dma } from "./dma.ts";
import { nextNode, type Node, RbTree } from "./rb_tree.ts";

/**
 * The mappings of a container, found as the kernel finds them.
 *
 * Before Linux v6.18 the end of a range was computed in 64 bits: one that ends at 2^64 ends at 0 there.
 * So a mapping at the top is found by nothing, a request up to the top finds nothing, and a search that
 * meets that mapping on its way down the tree may miss others.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_find_dma and vfio_find_dma_first_node
 */
export class DmaTree extends ExtentSet<Dma> {
  readonly #tree = new RbTree<Dma>();
  readonly #nodes = new Map<Dma, Node<Dma>>();
  readonly #wraps: boolean;

  /** No mappings; `wraps` for a kernel whose addresses wrap around. */
  constructor(wraps: boolean) {
    super();
    this.#wraps = wraps;
  }

  /** The address after a range, as this kernel computes it. */
  end(iova: bigint, size: bigint): bigint {
    return this.#wraps ? BigInt.asUintN(64, iova + size) : iova + size;
  }

  override get length(): number {
    return this.#tree.size;
  }

  override *[Symbol.iterator](): Generator<Dma> {
    for (let node = this.#tree.first; node !== undefined; node = nextNode(node)) yield node.value;
  }

  override at(index: number): Dma | undefined {
    return [...this][index];
  }

  override indexFrom(iova: bigint): number {
    const index = [...this].findIndex((dma) => dma.iova + dma.size > iova);
    return index < 0 ? this.length : index;
  }

  /** A mapping that the range meets. @see vfio_find_dma */
  find(iova: bigint, size: bigint): Dma | undefined {
    const end = this.end(iova, size);
    for (let node = this.#tree.root; node !== undefined;) {
      const dma = node.value;
      if (end <= dma.iova) node = node.left;
      else if (iova >= this.end(dma.iova, dma.size)) node = node.right;
      else return dma;
    }
    return undefined;
  }

  /** The first mapping of a range that is to be unmapped. @see vfio_find_dma_first_node */
  firstOf(iova: bigint, size: bigint): Dma | undefined {
    let found: Dma | undefined;
    for (let node = this.#tree.root; node !== undefined;) {
      const dma = node.value;
      if (iova < this.end(dma.iova, dma.size)) {
        found = dma;
        if (iova >= dma.iova) break;
        node = node.left;
      } else node = node.right;
    }
    return found !== undefined && found.iova < this.end(iova, size) ? found : undefined;
  }

  /** The mapping after another. */
  after(dma: Dma): Dma | undefined {
    const node = this.#nodes.get(dma);
    return node === undefined ? undefined : nextNode(node)?.value;
  }

  /** The mappings that begin in a range, by rising address. */
  *beginningIn(iova: bigint, size: bigint): Generator<Dma> {
    let first: Node<Dma> | undefined;
    for (let node = this.#tree.root; node !== undefined;) {
      if (node.value.iova < iova) node = node.right;
      else {
        first = node;
        node = node.left;
      }
    }
    for (let node = first; node !== undefined; node = nextNode(node)) {
      if (node.value.iova > iova + size - 1n) return;
      yield node.value;
    }
  }

  override overlapping(iova: bigint, size: bigint): Dma | undefined {
    return this.find(iova, size);
  }

  override cutAt(iova: bigint): Dma | undefined {
    if (iova === 0n) return undefined;
    const dma = this.find(iova - 1n, 0n);
    return dma !== undefined && this.end(dma.iova, dma.size) !== this.end(iova, 0n)
      ? dma
      : undefined;
  }

  override inRange(iova: bigint, size: bigint, into: Dma[] = []): Dma[] {
    into.length = 0;
    const first = this.find(iova, 1n);
    if (first !== undefined && first.iova < iova) into.push(first);
    into.push(...this.beginningIn(iova, size));
    return into;
  }

  override add(dma: Dma): void {
    // The kernel links a mapping while its size is still 0.
    this.#nodes.set(dma, this.#tree.insert(dma, (other) => dma.iova <= other.iova));
  }

  override delete(dma: Dma): boolean {
    const node = this.#nodes.get(dma);
    if (node === undefined) return false;
    this.#nodes.delete(dma);
    this.#tree.delete(node);
    return true;
  }

  override clear(): void {
    for (const dma of [...this]) this.delete(dma);
  }
}
