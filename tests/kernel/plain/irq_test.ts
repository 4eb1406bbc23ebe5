/** Interrupts: what the device has, signals of the device itself, signals by software. */
import { Container, type EventFd } from "../../../mod.ts";
import {
  VFIO_DEVICE_SET_IRQS,
  vfio_irq_set,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_NONE,
} from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { DMA_DONE, Edu, REGISTER } from "../support/edu.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, PAGE } from "../support/machine.ts";
import { must } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

const INTX = 0;
const MSI = 1;
const MSIX = 2;
/** Milliseconds after which an interrupt is not late but missing. */
const PATIENCE = 20_000;

type Body = (edu: Edu, event: EventFd, container: Container) => void | Promise<void>;

const withEvent = (body: Body) => async (): Promise<void> => {
  using container = Container.open();
  using group = container.attach(EDU);
  using edu = new Edu(group);
  using event = container.event();
  await body(edu, event, container);
};

describe("interrupts", () => {
  it(
    "are INTx, MSI and the request to give the device back",
    withEvent(({ device }) => {
      const one = { count: 1, eventfd: true };
      const fixed = { maskable: false, automasked: false, fixed: true };
      equal(device.irqs(), [
        { index: INTX, ...one, maskable: true, automasked: true, fixed: false },
        { index: MSI, ...one, ...fixed },
        { index: 4, ...one, ...fixed },
      ]);
      equal(device.irq(MSIX).count, 0);
      refused(() => device.irq(3), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_GET_IRQ_INFO",
        rule: "device.irq-index",
        text: "Cannot read interrupt 3 of 0000:00:10.0: VFIO_DEVICE_GET_IRQ_INFO failed with " +
          "EINVAL (22): the device has no interrupt 3",
      });
    }),
  );

  it(
    "MSI: the device raises, the eventfd counts",
    withEvent(({ device, bar }, event) => {
      device.enableIrq(MSI, [event]);
      equal(event.take(), 0n);
      for (const bit of [1, 2, 4]) {
        bar.write32(REGISTER.irqRaise, bit);
        equal(event.wait(PATIENCE), 1n);
        equal(bar.read32(REGISTER.irqStatus), bit);
        bar.write32(REGISTER.irqAck, bit);
        equal(bar.read32(REGISTER.irqStatus), 0);
      }
      device.disableIrq(MSI);
    }),
  );

  it(
    "MSI at the end of a DMA",
    withEvent(async (edu, event, container) => {
      using memory = container.allocate(PAGE);
      using _mapping = container.map(memory, { iova: LOW });
      edu.device.enableIrq(MSI, [event]);
      await edu.toMemory({ iova: LOW, count: 16, raise: true });
      equal(event.wait(PATIENCE), 1n);
      equal(edu.bar.read32(REGISTER.irqStatus), DMA_DONE);
      edu.bar.write32(REGISTER.irqAck, DMA_DONE);
    }),
  );

  it(
    "INTx is masked when it fires, and fires again once it is unmasked",
    withEvent(({ device, bar }, event) => {
      device.enableIrq(INTX, [event]);
      bar.write32(REGISTER.irqRaise, 1);
      equal(event.wait(PATIENCE), 1n);
      equal(event.take(), 0n, "masked: the line is still up, and tells no more");
      const unmask = (): void => {
        const { fields, bytes } = vfio_irq_set.create();
        const flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
        Object.assign(fields, { argsz: bytes.length, flags, index: INTX, start: 0, count: 1 });
        must(device.rawIoctl(VFIO_DEVICE_SET_IRQS, bytes), "unmask");
      };
      unmask();
      equal(event.wait(PATIENCE), 1n, "the line was never taken back");
      bar.write32(REGISTER.irqAck, 1);
      unmask();
      equal(event.take(), 0n);
      device.disableIrq(INTX);
    }),
  );

  for (const index of [INTX, MSI]) {
    it(
      `of kind ${index} can be fired by software, and no more after they are off`,
      withEvent(({ device }, event) => {
        device.enableIrq(index, [event]);
        for (let i = 0; i < 3; i += 1) device.triggerIrq(index);
        equal(event.take(), 3n);
        device.disableIrq(index);
        refused(() => device.triggerIrq(index), {
          code: "EINVAL",
          operation: "VFIO_DEVICE_SET_IRQS",
          text: `Cannot trigger interrupt ${index} of 0000:00:10.0: VFIO_DEVICE_SET_IRQS failed ` +
            "with EINVAL (22): give it an eventfd first, with enableIrq",
        });
        equal(event.take(), 0n);
      }),
    );
  }

  it(
    "exclude each other",
    withEvent(({ device }, event) => {
      device.enableIrq(INTX, [event]);
      refused(() => device.enableIrq(MSI, [event]), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_SET_IRQS",
        text: "only one of INTx, MSI and MSI-X can be on",
      });
      device.disableIrq(INTX);
      device.enableIrq(MSI, [event]);
    }),
  );

  it(
    "that the device lacks cannot be enabled",
    withEvent(({ device }, event, container) => {
      using second = container.event();
      refused(() => device.enableIrq(MSIX, [event]), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_SET_IRQS",
        text: "the device has 0 vectors of interrupt 2; got 0 up to 1",
      });
      refused(() => device.enableIrq(MSI, [event, second]), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_SET_IRQS",
        text: "the device has 1 vectors of interrupt 1; got 0 up to 2",
      });
    }),
  );

  it(
    "end with the device, although nobody switched them off",
    withEvent(({ device }, event) => {
      device.enableIrq(MSI, [event]);
    }),
  );
});
