import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { choosePackage, compareVersions, kernelNamed, kernels } from "./kernels.ts";

describe("the list of kernels", () => {
  const choice = kernelNamed("6.12");
  ok(choice);
  const [pinned = ""] = choice.packages;

  it("takes the pinned package while the archive has it", () => {
    equal(choosePackage(choice, ["linux-image-6.12.99+deb12-amd64", pinned]), pinned);
  });

  it("takes the newest of the same series when the pinned one is gone", () => {
    const names = [
      "linux-image-6.12.9+deb12-amd64",
      "linux-image-6.12.101+deb12-amd64",
      "linux-image-6.12.43+deb12.1-amd64",
      "linux-image-6.13.1+deb12-amd64",
      "linux-image-6.12.102+deb12-rt-amd64",
      "linux-image-6.12.102+deb12-cloud-amd64",
      "linux-image-6.12.102+deb12-amd64-dbg",
    ];
    equal(choosePackage(choice, names), "linux-image-6.12.101+deb12-amd64");
  });

  it("prefers the signed package of the same version, and takes the unsigned one alone", () => {
    const signed = "linux-image-6.12.101+deb12-amd64";
    equal(choosePackage(choice, [`${signed}-unsigned`, signed]), signed);
    equal(choosePackage(choice, [`${signed}-unsigned`]), `${signed}-unsigned`);
  });

  it("chooses nothing where nothing fits", () => {
    equal(choosePackage(choice, ["linux-image-6.1.0-50-amd64"]), undefined);
  });

  it("takes of sid the kernel and the package with its image, and not the unsigned one", () => {
    const sid = kernelNamed("7");
    const chosen = sid && choosePackage(sid, [
      "linux-binary-7.3.1+deb14-amd64",
      "linux-binary-7.3.12+deb14-amd64",
      "linux-binary-unsigned-7.3.12+deb14-amd64",
      "linux-binary-7.3.12+deb14-cloud-amd64",
    ]);
    equal(chosen, "linux-binary-7.3.12+deb14-amd64");
    equal(sid?.parts?.(chosen ?? ""), ["linux-modules-7.3.12+deb14-amd64"]);
  });

  it("names every kernel once, and every pinned package fits its own pattern", () => {
    equal(new Set(kernels.map(({ name }) => name)).size, kernels.length);
    for (const { packages, newest } of kernels) ok(packages.every((name) => newest.test(name)));
  });

  it("compares the numbers in names, not their digits", () => {
    ok(compareVersions("a-6.12.9", "a-6.12.10") < 0);
    ok(compareVersions("a-6.12.9.1", "a-6.12.9") > 0);
  });
});
