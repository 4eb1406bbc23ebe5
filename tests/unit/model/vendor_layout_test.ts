import * as model from "../../../lib/model/vendor_layout.ts";
import * as lab from "../../kernel/vendor/layout.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("the command region of the model", () => {
  it("is that of the lab's driver", () => {
    const { REGION_SIZE, ...rest } = model;
    equal(rest, { ...lab });
    equal(REGION_SIZE, 0x2000);
  });
});
