/**
 * Runs an example on the model with every system call traced, and the trace again on a model of its
 * own. usage: trace_child.ts DEVICE [ARGUMENT...] EXAMPLE
 */
import { Container, type ContainerOptions } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";
import { formatLine, parseTrace, replay, tracing } from "@pinscope/vfio/trace";

// The example about the memory limit takes away the capability that lifts it.
const scene = { ipcLock: Deno.args.at(-1) !== "06_memlock.ts" };
let text = "";
const open = Container.open;
Container.open = (options: ContainerOptions = {}): Container => {
  const kernel = tracing(
    options.kernel ?? new ModelKernel(scene),
    (line) => text += formatLine(line),
  );
  return open.call(Container, { ...options, kernel });
};
await import(new URL(`../../examples/${Deno.args.at(-1)}`, import.meta.url).href);

const { header, records } = parseTrace(text);
const model = new ModelKernel(scene);
const { different, ...counts } = await replay(records, model, { registers: true, all: true });
console.log(JSON.stringify({
  kernel: header.kernel,
  records: records.length,
  ...counts,
  different,
  left: [model.openFiles, model.openMappings],
}));
