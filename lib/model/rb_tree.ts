/** A node of the tree. */
export interface Node<T> {
  readonly value: T;
  parent: Node<T> | undefined;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
  red: boolean;
}

/**
 * A red-black tree that a caller searches by hand. Type1 keeps its mappings in one, and where an
 * address wraps around 2^64 what it finds depends on how the tree has grown: so this one grows alike.
 */
export class RbTree<T> {
  /** The topmost node. */
  root: Node<T> | undefined;
  /** How many nodes there are. */
  size = 0;

  /** Links a value where `goesLeft` leads, and balances the tree. */
  insert(value: T, goesLeft: (other: T) => boolean): Node<T> {
    let parent: Node<T> | undefined;
    let left = false;
    for (let at = this.root; at !== undefined; at = left ? at.left : at.right) {
      parent = at;
      left = goesLeft(at.value);
    }
    const node: Node<T> = { value, parent, left: undefined, right: undefined, red: true };
    if (parent === undefined) this.root = node;
    else if (left) parent.left = node;
    else parent.right = node;
    this.size += 1;
    this.#balanceInsert(node);
    return node;
  }

  #balanceInsert(start: Node<T>): void {
    let node = start;
    for (let parent = node.parent; parent?.red === true; parent = node.parent) {
      const above = parent.parent!;
      const onLeft = parent === above.left;
      const uncle = onLeft ? above.right : above.left;
      if (uncle?.red === true) {
        parent.red = false;
        uncle.red = false;
        above.red = true;
        node = above;
        continue;
      }
      if (node === (onLeft ? parent.right : parent.left)) {
        this.#rotate(parent, onLeft);
        [node, parent] = [parent, node];
      }
      parent.red = false;
      above.red = true;
      this.#rotate(above, !onLeft);
    }
    this.root!.red = false;
  }

  /** Lifts a child over its parent: the right one if it turns to the left. */
  #rotate(node: Node<T>, toLeft: boolean): void {
    const child = (toLeft ? node.right : node.left)!;
    const inner = toLeft ? child.left : child.right;
    if (toLeft) node.right = inner;
    else node.left = inner;
    if (inner !== undefined) inner.parent = node;
    this.#replace(node, child);
    if (toLeft) child.left = node;
    else child.right = node;
    node.parent = child;
  }

  #replace(old: Node<T>, by: Node<T> | undefined): void {
    const { parent } = old;
    if (parent === undefined) this.root = by;
    else if (parent.left === old) parent.left = by;
    else parent.right = by;
    if (by !== undefined) by.parent = parent;
  }

  /** Unlinks a node, and balances the tree. */
  delete(node: Node<T>): void {
    this.size -= 1;
    let { red } = node;
    let child: Node<T> | undefined;
    let parent: Node<T> | undefined;
    if (node.left === undefined || node.right === undefined) {
      child = node.left ?? node.right;
      parent = node.parent;
      this.#replace(node, child);
    } else {
      let next = node.right;
      while (next.left !== undefined) next = next.left;
      red = next.red;
      child = next.right;
      parent = next;
      if (next.parent !== node) {
        parent = next.parent;
        this.#replace(next, child);
        next.right = node.right;
        next.right.parent = next;
      }
      this.#replace(node, next);
      next.left = node.left;
      next.left.parent = next;
      next.red = node.red;
    }
    if (!red) this.#balanceDelete(child, parent);
  }

  #balanceDelete(start: Node<T> | undefined, above: Node<T> | undefined): void {
    let [node, parent] = [start, above];
    while (parent !== undefined && node?.red !== true) {
      const onLeft = parent.left === node;
      let sibling = (onLeft ? parent.right : parent.left)!;
      if (sibling.red) {
        sibling.red = false;
        parent.red = true;
        this.#rotate(parent, onLeft);
        sibling = (onLeft ? parent.right : parent.left)!;
      }
      const far = onLeft ? sibling.right : sibling.left;
      if (far?.red !== true) {
        const near = onLeft ? sibling.left : sibling.right;
        if (near?.red !== true) {
          sibling.red = true;
          [node, parent] = [parent, parent.parent];
          continue;
        }
        near.red = false;
        sibling.red = true;
        this.#rotate(sibling, !onLeft);
        sibling = near;
      }
      sibling.red = parent.red;
      parent.red = false;
      (onLeft ? sibling.right : sibling.left)!.red = false;
      this.#rotate(parent, onLeft);
      break;
    }
    if (node !== undefined) node.red = false;
  }

  /** The leftmost node. */
  get first(): Node<T> | undefined {
    let node = this.root;
    while (node?.left !== undefined) node = node.left;
    return node;
  }
}

/** The node after another in the order of the tree. */
export function nextNode<T>(start: Node<T>): Node<T> | undefined {
  let node = start;
  if (node.right !== undefined) {
    node = node.right;
    while (node.left !== undefined) node = node.left;
    return node;
  }
  while (node.parent !== undefined && node === node.parent.right) node = node.parent;
  return node.parent;
}
