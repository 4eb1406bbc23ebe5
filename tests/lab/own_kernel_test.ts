import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { explainMissing, needs, parseConfig } from "./needs.ts";
import { chooseSource, lostOptions, ownConfig, releaseOf } from "./own_kernel.ts";
import { choosePackage, kernels, ownSourceNamed, ownSources } from "./kernels.ts";

const config = await ownConfig(ownSources[0]);

describe("the own kernel", () => {
  it("is configured to be a lab, with all built in that a lab needs", () => {
    const table = parseConfig(config);
    equal(explainMissing(table, undefined), []);
    equal(needs.filter((need) => table.get(need.config) !== "y"), []);
  });

  it("has what the archive's kernels lack", () => {
    const table = parseConfig(config);
    const asked = ["IOMMUFD", "IOMMUFD_TEST", "VFIO_DEVICE_CDEV", "SAMPLE_VFIO_MDEV_MTTY"];
    equal(asked.map((option) => table.get(option)), ["y", "y", "y", "m"]);
  });

  it("has options besides that only newer sources know", async () => {
    const seven = ownSourceNamed("7")!;
    const more = await ownConfig(seven);
    equal(more.startsWith(config), true);
    equal(parseConfig(config).has("IOMMU_PT_AMDV1"), false);
    equal(parseConfig(more).get("IOMMU_PT_AMDV1"), "y");
  });

  it("is of the package that is meant, or of the newest like it", () => {
    const seven = ownSourceNamed("7")!;
    equal(chooseSource(seven, ["linux-source-7.3", "linux-source-7.2"]), "linux-source-7.2");
    const later = ["linux-source-7.9", "linux-source", "linux-source-7.10", "linux-source-6.12"];
    equal(chooseSource(seven, later), "linux-source-7.10");
    equal(chooseSource(seven, ["linux-source", "linux-source-6.12"]), undefined);
    equal(chooseSource(ownSources[0], later), "linux-source-6.12");
    equal(new Set(ownSources.map(({ recording }) => recording)).size, ownSources.length);
  });

  it("says which options a source did not take", () => {
    const wanted = 'CONFIG_A=y\nCONFIG_B=m\nCONFIG_C="x"\n# CONFIG_D is not set\n';
    equal(lostOptions(wanted, 'CONFIG_A=y\nCONFIG_B=y\nCONFIG_C="x"\n'), ["CONFIG_B=m became y"]);
    equal(lostOptions(wanted, 'CONFIG_B=m\nCONFIG_C="x"\nCONFIG_D=y\n'), [
      "CONFIG_A=y became n",
      "CONFIG_D=n became y",
    ]);
  });

  it("is found by its configuration, whatever its release", () => {
    equal(releaseOf("own-6.12.95-pinscope-0011223344556677"), "6.12.95-pinscope");
    equal(releaseOf(undefined), undefined);
    // In the cache it is not taken for a kernel of the archive.
    for (const kernel of kernels) equal(choosePackage(kernel, ["6.12.95-pinscope"]), undefined);
  });
});
