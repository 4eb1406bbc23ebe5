import { Container, createMdev, listMdevTypes, removeMdev, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run, tooWide } from "./capture.ts";

const UUID = "11111111-2222-3333-4444-555555555555";

describe("mediated devices", () => {
  it("are made, used and removed", () => {
    const kernel = new ModelKernel();
    const [offer] = listMdevTypes({ kernel });
    equal([offer?.available, offer?.devices], [3, [DEFAULT_MDEV]]);
    const made = createMdev("model_mdev", "model_mdev-pin", UUID, { kernel });
    equal(made, { uuid: UUID, group: 6 });
    equal(listMdevTypes({ kernel })[0]?.devices, [UUID, DEFAULT_MDEV]);
    {
      using container = Container.open({ kernel });
      using _group = container.attach(UUID);
      const error = throws(() => removeMdev(UUID, { kernel }), VfioError, "end it first");
      equal(error.code, "EBUSY");
    }
    removeMdev(UUID, { kernel });
    equal(listMdevTypes({ kernel })[0]?.available, 3);
    equal(throws(() => removeMdev(UUID, { kernel }), VfioError, "no such device").code, "ENOENT");
  });

  it("are refused with the reason", () => {
    const kernel = new ModelKernel();
    const make = (parent: string, type: string, uuid?: string) =>
      createMdev(parent, type, uuid, { kernel });
    const where = throws(() => make("x", "y"), VfioError, 'no parent "x"; there are: model_mdev');
    equal(where.code, "ENOENT");
    throws(() => make("../x", "model_mdev-pin"), VfioError, 'there is no parent "../x"');
    const what = throws(() => make("model_mdev", "y"), VfioError);
    equal(what.hint, "parent model_mdev has no such type; it has: model_mdev-pin");
    throws(() => make("model_mdev", "model_mdev-pin", "nonsense"), TypeError, 'got "nonsense"');
    const taken = throws(() => make("model_mdev", "model_mdev-pin", DEFAULT_MDEV), VfioError);
    equal([taken.code, taken.hint], ["EEXIST", "there is a device of that UUID already"]);
    for (let i = 0; i < 3; i += 1) make("model_mdev", "model_mdev-pin");
    equal(throws(() => make("model_mdev", "model_mdev-pin"), VfioError).code, "ENOSPC");
  });
});

describe("pinscope mdev", () => {
  it("lists types and devices", async () => {
    const { code, out } = await run(["mdev", "types", "--model"]);
    equal([code, tooWide(out)], [0, []]);
    match(out, /^model_mdev model_mdev-pin\n {2}pins and writes on command; vfio-pci; 3 more\n/);
  });

  it("makes one, and says how it is called", async () => {
    const args = ["mdev", "create", "model_mdev", "model_mdev-pin", UUID, "--model", "--json"];
    equal(records((await run(args)).out), [{ type: "created", uuid: UUID, group: 6 }]);
    const removed = await run(["mdev", "remove", DEFAULT_MDEV, "--model"]);
    equal([removed.code, removed.out], [0, `removed ${DEFAULT_MDEV}\n`]);
  });

  it("names the first thing that is wrong", async () => {
    const { code, err } = await run(["mdev", "create", "a", "b", "--model"]);
    equal(code, 1);
    match(
      err.replaceAll(/\s+/g, " "),
      /ENOENT \(2\): there is no parent "a"; there are: model_mdev/,
    );
  });

  it("says what it takes", async () => {
    for (
      const [args, text] of [
        [["list"], /mdev knows types, create and remove; got "list"/],
        [["create", "a"], /mdev create takes PARENT TYPE \[UUID\]; got a/],
        [["remove", "x"], /named by a UUID like .*; got "x"/],
      ] as const
    ) {
      const { code, err } = await run(["mdev", ...args, "--model"]);
      equal(code, 2);
      match(err.replaceAll(/\s+/g, " "), text);
    }
  });
});
