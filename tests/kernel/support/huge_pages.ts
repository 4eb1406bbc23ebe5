import { setting } from "./machine.ts";

const RESERVED = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const TRIES = 10;

const reserved = (): number => Number(Deno.readTextFileSync(RESERVED));

/**
 * Reserves huge pages of 2 MiB in the guest until the end of the scope. The kernel gives as many as
 * it finds and says nothing about the others: after earlier tests the guest's memory may be in pieces,
 * so caches are dropped and memory is moved together before it is asked once more.
 *
 * @throws {Error} If the guest has not as many, with what it has.
 * @see mm/hugetlb.c, set_max_huge_pages
 */
export function hugePages(count: number): Disposable {
  using stack = new DisposableStack();
  stack.use(setting(RESERVED, String(count)));
  for (let i = 0; reserved() !== count; i += 1) {
    if (i === TRIES) throw new Error(`The guest has ${reserved()} huge pages; wanted ${count}`);
    Deno.writeTextFileSync("/proc/sys/vm/drop_caches", "3");
    Deno.writeTextFileSync("/proc/sys/vm/compact_memory", "1");
    Deno.writeTextFileSync(RESERVED, String(count));
  }
  return stack.move();
}
