/**
 * Runs as a child of inherited_test.ts, whose shell opened a container as file 7 before this program
 * began, so that a child of this one has it too. Tells as JSON what VmLck was around its UNMAP.
 */
import { Container, type Kernel, rawLinux as linux } from "../../../../mod.ts";
import { rawMap } from "../raw_ioctl.ts";
import { at, locked, pages, PINS, VFIO_PCI } from "../scene.ts";
import { VendorDevice } from "../vendor_device.ts";

/** Linux, where the container is open already. */
const shared = new Proxy(linux, {
  get: (target, name) => {
    if (name === "open") {
      return (path: string, flags: number): number =>
        path === "/dev/vfio/vfio" ? 7 : target.open(path, flags);
    }
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  },
}) as Kernel;

const file = new URL("unmapping.ts", import.meta.url).pathname;
const deno = ["run", "--cached-only", "--no-check", "--no-lock", "-A", file];

async function unmapInChild(): Promise<unknown> {
  const args = [...deno, `${at(0)}`, `${pages(8)}`];
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

using container = Container.open({ kernel: shared });
using memory = container.allocate(pages(8));
using group = container.attach(PINS);
using vendor = new VendorDevice(group);
const map = (): string => rawMap(container, { iova: at(0), size: pages(8), vaddr: memory.address });

const answers: unknown[] = [map()];
vendor.pin(at(0), 3);
const counts = [locked(container)];
answers.push(await unmapInChild());
counts.push(locked(container));
const { pinned, returned, unmaps } = vendor.status();

using _plain = container.attach(VFIO_PCI);
answers.push(map());
counts.push(locked(container));
answers.push(await unmapInChild());
counts.push(locked(container));
const report = { answers, counts, pinned, returned, unmaps };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
