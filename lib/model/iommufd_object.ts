import type { AccountMode } from "./iommufd_pages.ts";
import { IoPagetable } from "./iopt.ts";

/** Something that an iommufd knows by a number. */
export abstract class IommufdObject {
  /** What it is. */
  abstract readonly kind: "ioas" | "hwpt" | "device" | "access" | "mock";
  /** How many others keep it. */
  users = 0;

  /** What happens when it goes. */
  destroy(): void {}
}

/** An address space. */
export class IoasObject extends IommufdObject {
  readonly kind = "ioas";
  readonly iopt: IoPagetable = new IoPagetable();

  override destroy(): void {
    this.iopt.unmap(0n, (1n << 64n) - 1n);
  }
}

/** The objects of an iommufd, by numbers from 1 on: the lowest free one is taken. */
export class Objects {
  readonly #objects = new Map<number, IommufdObject>();
  /** Who is charged for what processes without CAP_IPC_LOCK map. */
  account: Exclude<AccountMode, "none"> = "user";

  /** How many there are. */
  get size(): number {
    return this.#objects.size;
  }

  /** Gives an object a number. */
  add(object: IommufdObject): number {
    let id = 1;
    while (this.#objects.has(id)) id += 1;
    this.#objects.set(id, object);
    return id;
  }

  /** The object of a number. */
  get(id: number): IommufdObject | undefined {
    return this.#objects.get(id);
  }

  /** The object of a number, if it is of a class. */
  find<T extends IommufdObject>(
    id: number,
    type: abstract new (...args: never[]) => T,
  ): T | undefined {
    const object = this.#objects.get(id);
    return object instanceof type ? object : undefined;
  }

  /** All objects. */
  [Symbol.iterator](): Iterator<IommufdObject> {
    return this.#objects.values();
  }

  /** The number of an object. */
  idOf(object: IommufdObject): number {
    for (const [id, other] of this.#objects) if (other === object) return id;
    return 0;
  }

  /** Takes an object out and destroys it, whoever uses it. */
  remove(object: IommufdObject): void {
    const id = this.idOf(object);
    if (id === 0) return;
    this.#objects.delete(id);
    object.destroy();
  }

  /** Destroys everything, what nobody uses first. @see iommufd_fops_release */
  clear(): void {
    for (let before = -1; this.#objects.size !== before && this.#objects.size > 0;) {
      before = this.#objects.size;
      for (const object of [...this.#objects.values()]) if (object.users === 0) this.remove(object);
    }
  }
}
