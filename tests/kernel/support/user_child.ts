/** The whole life of a container, and what is left of it, for whoever runs this. */

import { Container } from "../../../mod.ts";
import { Edu, EDU_ID, REGISTER } from "./edu.ts";
import { messageOf, report } from "./child.ts";
import { openFiles } from "./guard.ts";
import { EDU, EDU2, LOW, PAGE } from "./machine.ts";

async function life(size: bigint): Promise<Record<string, unknown>> {
  using container = Container.open();
  using group = container.attach(EDU);
  const before = container.pins();
  const notOurs = messageOf(() => container.attach(EDU2));
  using memory = container.allocate(size);
  using mapping = container.map(memory, { iova: LOW });
  const oneMore = messageOf(() => {
    using more = container.allocate(PAGE);
    using _mapping = container.map(more, { iova: 2n * LOW });
  });
  using edu = new Edu(group);
  memory.bytes.set([4, 5, 6]);
  await edu.fromMemory({ iova: LOW, count: 3 });
  await edu.toMemory({ iova: LOW + 0x100n, count: 3 });
  using tracker = container.trackDirty();
  const runs = [...tracker.runs()];
  using event = container.event();
  edu.device.enableIrq(1, [event]);
  edu.device.triggerIrq(1);
  return {
    id: edu.bar.read32(REGISTER.id) === EDU_ID,
    bytes: [...memory.bytes.subarray(0x100, 0x104)],
    runs,
    event: event.take(),
    locked: container.pins().since(before).locked,
    ipcLock: before.ipcLock,
    oneMore,
    notOurs,
    last: mapping.unmapWithBitmap().count,
  };
}

if (import.meta.main) {
  const [what, size] = Deno.args;
  if (what === "attach") {
    report({
      message: messageOf(() => {
        using container = Container.open();
        container.attach(EDU);
      }),
    });
  } else {
    const before = openFiles();
    const seen = await life(BigInt(size ?? 0));
    const left = [...openFiles()].filter(([fd, name]) => before.get(fd) !== name);
    report({ ...seen, left: left.map(([, name]) => name) });
  }
}
