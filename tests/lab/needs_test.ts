import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { explainMissing, needs, parseConfig } from "./needs.ts";

const builtInConfig = new Map(needs.map(({ config }) => [config, "y"]));
const allModules = new Map(needs.flatMap(({ module }) => module ? [[module, `${module}.ko`]] : []));

describe("what a kernel lacks", () => {
  it("is nothing where all is built in, or a module", () => {
    equal(explainMissing(builtInConfig, undefined), []);
    equal(explainMissing(undefined, { files: allModules, builtin: new Set() }), []);
  });

  it("is told by the name of the option", () => {
    const config = new Map(builtInConfig).set("VFIO_PCI", "n");
    config.delete("OVERLAY_FS");
    const lines = explainMissing(config, undefined);
    equal(lines.map((line) => line.split(" ")[0]), ["CONFIG_OVERLAY_FS", "CONFIG_VFIO_PCI"]);
  });

  it("may be modules that were not installed: it says how to bring them", () => {
    const lines = explainMissing(new Map(builtInConfig).set("9P_FS", "m"), undefined);
    equal(lines[0], "CONFIG_9P_FS=m, but there is no 9p.ko (shared folders)");
    ok(lines[1]?.includes("make modules_install"));
  });

  it("is told from the modules alone where there is no configuration", () => {
    const files = new Map(allModules);
    files.delete("vfio");
    const lines = explainMissing(undefined, { files, builtin: new Set() });
    equal(lines, ["CONFIG_VFIO: neither a module nor built in (VFIO)"]);
    equal(explainMissing(undefined, { files, builtin: new Set(["vfio"]) }), []);
    equal(explainMissing(undefined, { files, builtin: undefined }), []);
  });

  it("does not blame an old kernel for a younger option", () => {
    const config = new Map(builtInConfig);
    config.delete("VFIO_GROUP");
    equal(explainMissing(config, undefined), []);
    equal(explainMissing(config.set("VFIO_GROUP", "n"), undefined).length, 1);
  });

  it("is read from a configuration's text", () => {
    const config = parseConfig('CONFIG_VFIO=m\n# CONFIG_IOMMUFD is not set\nCONFIG_X="a"\n#\n');
    equal([...config], [["VFIO", "m"], ["IOMMUFD", "n"], ["X", '"a"']]);
  });
});
