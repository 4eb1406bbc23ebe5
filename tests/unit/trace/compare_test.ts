import {
  compareArguments,
  compareBitmaps,
  compareBytes,
  compareResults,
} from "../../../lib/trace/compare.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { bytesOf } from "./support.ts";

describe("comparing a call", () => {
  it("takes results by value, or by whether they went well", () => {
    equal(compareResults(3, 4, false), []);
    equal(compareResults(3, 4, true), [{ what: "result", wanted: "3", got: "4" }]);
    equal(compareResults(-22, -22, false), []);
    equal(compareResults(3, -22, false), [
      { what: "result", wanted: "success", got: "EINVAL" },
    ]);
    equal(compareResults(-12, -22, true), [{ what: "result", wanted: "ENOMEM", got: "EINVAL" }]);
  });

  it("names the fields of a struct", () => {
    const [a, b] = ["0x2000", "0x1000"].map((size) =>
      bytesOf("container", "VFIO_IOMMU_UNMAP_DMA", { size })
    );
    equal(compareArguments("container", 0x3b72, a!, b!), [
      { what: "size", wanted: "0x2000", got: "0x1000" },
    ]);
  });

  it("shows bytes where there are no names", () => {
    const [a, b] = [new Uint8Array(32), new Uint8Array(32)];
    b[25] = 7;
    equal(compareArguments("container", 0x3b70, a, b), [
      { what: "byte 24", wanted: "0000000000000000", got: "0007000000000000" },
    ]);
    equal(compareBytes(new Uint8Array(1000).fill(1), new Uint8Array(1000)).length, 16);
    equal(compareBytes(Uint8Array.of(1), new Uint8Array(0)), [
      { what: "byte 0", wanted: "01", got: "" },
    ]);
  });

  it("tells the bits that only one bitmap has", () => {
    const bits = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
    equal(compareBitmaps("data", bits(0xff, 1), bits(0xff, 1)), []);
    equal(compareBitmaps("data", bits(0b1111_0000, 0b11), bits(0, 0b1)), [{
      what: "bits of data",
      wanted: "5 bits more: 4..7, 9",
      got: "no other",
    }]);
    equal(compareBitmaps("data", bits(0, 0b1), bits(0b101, 0)), [{
      what: "bits of data",
      wanted: "1 bit more: 8",
      got: "2 bits more: 0, 2",
    }]);
    equal(
      compareBitmaps("data", bits(0x55, 0x55), bits(0, 0))[0]?.wanted, // seven runs and more
      "8 bits more: 0, 2, 4, 6, 8, 10, ...",
    );
  });
});
