/** Makes the guest's first root folder: busybox, the init script, the modules. */
import { mustRun, which } from "./command.ts";
import { cpio, type Entry } from "./cpio.ts";
import type { LoadableModule } from "./modules.ts";
import { baseModules } from "./needs.ts";
import { LabProblem } from "./problem.ts";

const encoder = new TextEncoder();
const text = (name: string, content: string, mode = 0o644): Entry => ({
  kind: "file",
  name,
  bytes: encoder.encode(content),
  mode,
});

/** Finds a busybox that runs without libraries. */
export async function findBusybox(): Promise<string> {
  const file = which("busybox");
  if (file === undefined) {
    throw new LabProblem("busybox is not installed: apt-get install busybox-static");
  }
  const head = new TextDecoder("latin1").decode((await Deno.readFile(file)).subarray(0, 4096));
  if (head.includes("/ld-linux") || head.includes("/ld-musl")) {
    throw new LabProblem(`${file} needs libraries: apt-get install busybox-static`);
  }
  return file;
}

/** Reads the script that the guest runs first. */
export async function initScript(): Promise<string> {
  return await Deno.readTextFile(new URL("./init.sh", import.meta.url));
}

/** What goes into the initrd besides busybox and the script. */
export interface InitrdContent {
  /** All modules that any profile may load. */
  modules: readonly LoadableModule[];
  /** For each module that may be asked for: what is to be loaded, in this order, itself last. */
  orders: ReadonlyMap<string, readonly string[]>;
}

/** Packs the initrd. */
export async function packInitrd(
  content: InitrdContent,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const busybox = await findBusybox();
  const listing = await mustRun(busybox, ["--list"], { what: "list busybox's tools", signal });
  const applets = new TextDecoder().decode(listing).split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  const folders =
    "bin,dev,etc,home,job,lab,lab/modules,lab/order,proc,root,run,sys,tmp,usr,usr/bin,var";
  const entries: Entry[] = folders.split(",").map((name) => ({
    kind: "folder",
    name,
    mode: name === "tmp" ? 0o1777 : 0o755,
  }));
  entries.push(
    { kind: "file", name: "bin/busybox", bytes: await Deno.readFile(busybox), mode: 0o755 },
    ...applets.map((name): Entry => ({ kind: "link", name: `bin/${name}`, target: "busybox" })),
    ...["deno", "setpriv", "prlimit"].map((name): Entry => ({
      kind: "link",
      name: `usr/bin/${name}`,
      target: `/lab/runtime/bin/${name}`,
    })),
    // Every usual place of libraries is the one staged folder.
    ...["lib", "lib64", "usr/lib", "usr/lib64"].map((name): Entry => ({
      kind: "link",
      name,
      target: "/lab/runtime/lib",
    })),
    { kind: "link", name: "sbin", target: "bin" },
    text("init", await initScript(), 0o755),
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nlab:x:1000:1000:lab:/tmp:/bin/sh\n"),
    text("etc/group", "root:x:0:\nlab:x:1000:\n"),
    text("etc/hosts", "127.0.0.1 localhost lab\n"),
    text("lab/base", baseModules.map((name) => `${name}\n`).join("")),
    ...[...content.orders].map(([name, order]) =>
      text(`lab/order/${name}`, order.map((other) => `${other}\n`).join(""))
    ),
    ...content.modules.map(({ name, bytes }): Entry => ({
      kind: "file",
      name: `lab/modules/${name}.ko`,
      bytes,
      mode: 0o644,
    })),
  );
  return cpio(entries);
}
