/**
 * Runs as a child of limits_test.ts without CAP_IPC_LOCK: its limit changes between the forecast and
 * the mapping, and while pages are locked.
 */
import { Container, VfioError } from "../../../../mod.ts";
import { report } from "../../support/child.ts";
import { at, pages, VFIO_PCI } from "../scene.ts";

/** Sets the soft limit of this process, as an administrator does from outside. */
function limit(count: number): void {
  const soft = `--memlock=${pages(count)}:${pages(64)}`;
  const args = ["--pid", `${Deno.pid}`, soft];
  const { success, stderr } = new Deno.Command("/usr/bin/prlimit", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

using container = Container.open();
using _group = container.attach(VFIO_PCI);
using memory = container.allocate(pages(64));
memory.bytes.fill(1);
const plan = [{ iova: at(0), size: pages(32) }];
const before = container.forecast(plan);
limit(16);
let message = "no error";
try {
  container.map(memory, plan[0]);
} catch (error) {
  if (!(error instanceof VfioError)) throw error;
  message = error.message;
}
const after = container.forecast(plan);
limit(64);
using _mapping = container.map(memory, { ...plan[0], size: pages(32) });
limit(16);
const above = container.pins();
report({
  before: before.fits,
  message,
  after: [after.fits, after.stop?.code],
  above: [above.locked, above.limit.soft, above.room],
});
