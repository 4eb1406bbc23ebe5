import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { LabProblem } from "./problem.ts";
import { headerPackages } from "./vendor_module.ts";

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
