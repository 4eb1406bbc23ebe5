import { gzipSync } from "node:zlib";
import { equal, rejects, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import {
  collectModules,
  indexModules,
  loadOrder,
  moduleDepends,
  moduleInfo,
  moduleName,
} from "./modules.ts";
import { LabProblem } from "./problem.ts";

const encoder = new TextEncoder();
const module = (depends: string): Uint8Array =>
  encoder.encode(`\x7fELF\0license=GPL\0depends=${depends}\0vermagic=6.12 SMP \0`);

describe("modules", () => {
  it("are named as the kernel names them", () => {
    equal(moduleName("kernel/drivers/vfio/pci/vfio-pci.ko.xz"), "vfio_pci");
    equal(moduleName("9p.ko"), "9p");
  });

  it("say what they need", () => {
    equal(moduleDepends(module("vfio-pci-core,vfio")), ["vfio_pci_core", "vfio"]);
    equal(moduleDepends(module("")), []);
    equal(moduleDepends(encoder.encode("no module")), []);
    equal(moduleInfo(module(""), "vermagic"), "6.12 SMP ");
  });

  it("are loaded after what they need, each once, in the order of wish", () => {
    const table: Record<string, string[]> = {
      pci: ["core", "vfio"],
      core: ["vfio", "irq"],
      vfio: [],
      irq: [],
      type1: ["vfio"],
    };
    equal(loadOrder(["pci", "type1", "vfio"], (name) => table[name]), [
      "vfio",
      "irq",
      "core",
      "pci",
      "type1",
    ]);
  });

  it("that do not exist are left out: they may be built in", () => {
    equal(loadOrder(["a", "b"], (name) => name === "a" ? ["builtin"] : undefined), ["a"]);
  });

  it("that need each other are refused", () => {
    throws(() => loadOrder(["a"], (name) => [name === "a" ? "b" : "a"]), LabProblem, "circle");
  });

  it("are found in a folder, decompressed, with what they need", async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${folder}/kernel/pci`, { recursive: true });
      await Deno.writeFile(`${folder}/kernel/pci/vfio-pci.ko.gz`, gzipSync(module("vfio")));
      await Deno.writeFile(`${folder}/kernel/vfio.ko`, module(""));
      await Deno.writeTextFile(`${folder}/modules.builtin`, "kernel/lib/in-it.ko\n");
      const index = await indexModules(folder);
      equal([...index.files.keys()].sort(), ["vfio", "vfio_pci"]);
      equal([...index.builtin ?? []], ["in_it"]);
      const { modules, orders } = await collectModules(index, ["vfio_pci", "mdev"]);
      equal(modules.map(({ name }) => name).sort(), ["vfio", "vfio_pci"]);
      equal([...orders], [["vfio_pci", ["vfio", "vfio_pci"]]]);
      await Deno.writeFile(`${folder}/kernel/vfio.ko`, module("irqbypass"));
      await rejects(() => collectModules(index, ["vfio"]), LabProblem, "needs irqbypass");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
