// The command line on a kernel that never answers a long call. usage: stuck_child.ts ARGUMENT...
import { main } from "../../cli/main.ts";
import { ModelKernel } from "../../lib/model/mod.ts";

ModelKernel.prototype.ioctlAside = () => {
  console.error("reading");
  return {
    done: new Promise(() => {}),
    wait: () => {
      for (;;); // as a call that waits for a lock of the kernel does
    },
  };
};
Deno.exitCode = await main(Deno.args);
