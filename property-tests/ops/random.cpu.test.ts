/** The same bits on every device that is here. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { deviceLayer } from "../../src/gpu/devices.ts"
import * as K from "../../src/gpu/Kernel.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Op from "../../src/ops/Op.ts"
import * as Program from "../../src/ops/Program.ts"
import * as Random from "../../src/ops/random.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

const shape = [3, 1000] as const
/** reaches into the part of an element's number above 22 bits */
const first = 2 ** 22 - 1500
const stream = Random.stream("classifier.0")

const uniform: Op.Primitive<object> = Op.primitive({
  name: "uniform",
  shape: () => shape,
  kernel: ({ at: [row = K.int(0), column = K.int(0)] }) => {
    const limbs = Array.from({ length: Random.keyLimbs }, (_, i) => K.toIndex(K.load(0, [K.int(i)])))
    const element = K.iadd(K.iadd(K.imul(row, shape[1]), column), first)
    return [Random.uniformValue(limbs, stream, element)]
  },
  gradient: Op.zero,
})

it.live.each(["reference", "wasm", "gpujs-cpu", "gpujs-webasm"] as const)(
  "%s draws what the function draws",
  (name) =>
    Effect.gen(function* () {
      const key = Random.key(1234, 56)
      const x = Tensor.constant(HostTensor.make([Random.keyLimbs], key))
      const y = yield* Program.evaluate(Op.call<object, readonly [3, 1000]>(uniform, [x], {}))
      const u = Random.uniform(key, stream)
      expect(y.data).toEqual(Float32Array.from({ length: 3000 }, (_, i) => u(first + i)))
    }).pipe(Effect.provide(deviceLayer(name))),
  60_000,
)
