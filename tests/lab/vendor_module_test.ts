import { equal, rejects, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Cache } from "./cache.ts";
import { kernels } from "./kernels.ts";
import { LabProblem } from "./problem.ts";
import { buildVendorModule, headerPackages } from "./vendor_module.ts";

describe("the headers of a kernel", () => {
  it("lie in three packages", () => {
    const available = [
      "linux-headers-6.12.95+deb12-amd64",
      "linux-headers-6.12.95+deb12-common",
      "linux-headers-6.12.95+deb12-common-rt",
      "linux-kbuild-6.12.95+deb12",
      "linux-kbuild-6.12.96+deb12",
    ];
    equal(headerPackages("6.12.95+deb12-amd64", available), [
      "linux-headers-6.12.95+deb12-amd64",
      "linux-headers-6.12.95+deb12-common",
      "linux-kbuild-6.12.95+deb12",
    ]);
  });

  it("take the tools by the series where there are none of the version", () => {
    const available = [
      "linux-headers-6.1.0-50-amd64",
      "linux-headers-6.1.0-50-common",
      "linux-kbuild-6.1",
    ];
    equal(headerPackages("6.1.0-50-amd64", available)[2], "linux-kbuild-6.1");
  });

  it("may be gone from the archive: it says what to do", () => {
    const gone = (): unknown => headerPackages("6.12.9+deb12-amd64", ["linux-kbuild-6.12"]);
    throws(gone, LabProblem, "no linux-headers-6.12.9+deb12-amd64 any more");
  });
});

describe("a build folder that was named", () => {
  it("counts for the archive's kernels too, and must be one", async () => {
    const tree = await Deno.makeTempDir();
    try {
      const cache = new Cache((name) => name === "PINSCOPE_LAB_CACHE" ? tree : undefined);
      const kernel = { image: "bzImage", modules: undefined, release: "6.12.0", config: undefined };
      const { signal } = new AbortController();
      const build = buildVendorModule({ cache, kernel, choice: kernels[0], tree, signal });
      await rejects(() => build, LabProblem, "is no folder in which a kernel was built");
    } finally {
      await Deno.remove(tree, { recursive: true });
    }
  });
});
