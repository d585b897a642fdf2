/** Steps of LeNet from the ops alone, the same in Node and in a page. */
import * as Effect from "effect/Effect"
import { Device } from "../../src/gpu/Device.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

const batch = 16

/** numbers in (-bound, bound) by a small generator of the test's own */
const numbers = <const S extends ReadonlyArray<number>>(shape: S, bound: number, seed: number) => {
  let state = Math.imul(seed, 2654435761) >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return ((state >>> 8) / 8388608 - 1) * bound
  }
  const size = shape.reduce((n, d) => n * d, 1)
  return HostTensor.make<S>(shape, Float32Array.from({ length: size }, next))
}

const parameters = () => ({
  conv1: { weight: numbers([6, 1, 3, 3], 0.5, 1), bias: numbers([6], 0.3, 2) },
  conv2: { weight: numbers([16, 6, 5, 5], 0.14, 3), bias: numbers([16], 0.08, 4) },
  fc1: { weight: numbers([120, 400], 0.09, 5), bias: numbers([120], 0.05, 6) },
  fc2: { weight: numbers([84, 120], 0.16, 7), bias: numbers([84], 0.09, 8) },
  fc3: { weight: numbers([10, 84], 0.19, 9), bias: numbers([10], 0.1, 10) },
})

/** noise with a bright square whose place is the class */
const images = (step: number) => {
  const x = numbers([batch, 1, 28, 28], 0.3, 100 + step)
  const y = Float32Array.from({ length: batch }, (_, n) => (n * (step + 3)) % 10)
  y.forEach((label, n) => {
    for (let i = 0; i < 16; i++) {
      const [row, column] = [4 + Math.floor(label / 5) * 12 + Math.floor(i / 4), 2 + (label % 5) * 5 + (i % 4)]
      x.data[n * 784 + row * 28 + column] = 1
    }
  })
  return { x, y: HostTensor.make([batch], y) }
}

export interface Trained {
  readonly device: { readonly name: string; readonly threads: number; readonly backend: string }
  readonly losses: ReadonlyArray<number>
  /** what the device still holds afterwards: nothing */
  readonly live: { readonly handles: number; readonly bytes: number }
}

const losses = Effect.fnUntraced(function* (steps: number) {
  const initial = yield* State.make(parameters())
  const step = yield* Program.compile(
    { state: initial, x: Tensor.input(batch, 1, 28, 28), y: Tensor.input(batch) },
    ({ state: p, x, y }) => {
      const a = Ops.maxPool2d(Ops.relu(Ops.conv2d(x, p.conv1.weight, p.conv1.bias, { padding: 1 })), { kernelSize: 2 })
      const b = Ops.maxPool2d(Ops.relu(Ops.conv2d(a, p.conv2.weight, p.conv2.bias)), { kernelSize: 2 })
      const c = Ops.relu(Ops.linear(Ops.flatten(b), p.fc1.weight, p.fc1.bias))
      const d = Ops.relu(Ops.linear(c, p.fc2.weight, p.fc2.bias))
      const loss = Ops.crossEntropy(Ops.linear(d, p.fc3.weight, p.fc3.bias), y)
      const g = Ops.grad(loss, p)
      const moved = (key: keyof typeof p) => {
        const [w, b]: ReadonlyArray<Tensor.Tensor> = [p[key].weight, p[key].bias]
        const [dw, db]: ReadonlyArray<Tensor.Tensor> = [g[key].weight, g[key].bias]
        return { weight: Ops.sub(w!, Ops.mul(dw!, 0.05)), bias: Ops.sub(b!, Ops.mul(db!, 0.05)) }
      }
      return {
        state: {
          conv1: moved("conv1"),
          conv2: moved("conv2"),
          fc1: moved("fc1"),
          fc2: moved("fc2"),
          fc3: moved("fc3"),
        },
        loss,
      }
    },
  )
  const all: Array<number> = []
  let state = initial
  for (let i = 0; i < steps; i++) {
    const result = yield* step.run({ state, ...images(i) })
    state = result.state
    all.push(result.loss)
  }
  return all
})

/** the loss of each step of gradient descent */
export const train = Effect.fnUntraced(function* (steps: number) {
  const device = yield* Device
  const each = yield* Effect.scoped(losses(steps))
  const { name, threads, backend } = device.info
  const trained: Trained = { device: { name, threads, backend }, losses: each, live: yield* device.live }
  return trained
})
