/** One step of training of any model on made-up images, with its auxiliary heads where it has such. */
import * as Effect from "effect/Effect"
import { HostTensor, Nn, Ops, Optim, Program, State, Tensor } from "../../src/index.ts"

type Params = { readonly [name: string]: Tensor.Tensor }

/** so many numbers are drawn one by one; a model of more takes minutes of that */
const few = 5e6
const size = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/** Kaiming's numbers from a table that repeats, and each other parameter's own first number */
const quickInit = (net: Nn.Layer): { readonly [name: string]: HostTensor.HostTensor } => {
  const table = Float32Array.from({ length: 65_521 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 31 - 1)
  const numbers = ({ shape, init }: Nn.NamedParam): Float32Array => {
    const data = new Float32Array(size(shape))
    if (shape.length < 2) return data.fill(init._tag === "Fill" ? init.value : 0)
    const bound = Math.sqrt(6 / size(shape.slice(1)))
    const scaled = table.map((v) => v * bound)
    for (let at = 0; at < data.length; at += scaled.length) data.set(scaled.subarray(0, data.length - at), at)
    return data
  }
  return Object.fromEntries(Nn.parameters(net).map((p) => [p.path, HostTensor.make(p.shape, numbers(p))]))
}

/** the losses of steps on the same batch */
export const trainSteps = (net: Nn.AnyNet, { rows, steps }: { readonly rows: number; readonly steps: number }) =>
  Effect.gen(function* () {
    const drawn = Nn.parameters(net).reduce((n, p) => n + size(p.shape), 0) <= few
    const first: { readonly [name: string]: HostTensor.HostTensor } = drawn
      ? Nn.init<Nn.Layer>(net, { seed: 1 })
      : quickInit(net)
    const learns = new Set(Nn.parameters(net).flatMap((p) => (p.requiresGrad ? [p.path] : [])))
    const those = (yes: boolean) => Object.fromEntries(Object.entries(first).filter(([k]) => learns.has(k) === yes))
    const optimizer = Optim.sgd({ lr: 1e-3 })
    const params = those(true)
    let state = yield* State.make({ params, buffers: those(false), slots: Optim.init(optimizer, params) })
    const forward = (all: Params, x: Tensor.Tensor, options: Nn.ApplyOptions) =>
      Nn.forward<Nn.Layer, Tensor.Tensor["shape"]>(net, all, x, options)
    const image = net.in.slice(1).map(Number)
    const given = { x: Tensor.input("N", ...image), y: Tensor.labels("N"), seed: Tensor.input(4) }
    const step = yield* Program.compile(
      { state, ...given, scalars: optimizer.spec },
      ({ state: { params, buffers, slots }, x, y, seed, scalars }) => {
        const { output, updates, auxiliary } = forward({ ...params, ...buffers }, x, { training: true, seed })
        const asLogits = (t: Tensor.Tensor) => t as Tensor.Tensor<["N", number]> // every model here gives [N, classes]
        const aside = Object.values(auxiliary).map((t) => Ops.mul(Ops.crossEntropy(asLogits(t), y), 0.3))
        const loss = aside.reduce<Tensor.Tensor<[]>>((a, b) => Ops.add(a, b), Ops.crossEntropy(asLogits(output), y))
        const gradients = Ops.grad(loss, params)
        const next = Optim.update(optimizer, { params, gradients, slots, scalars })
        return { state: { ...next, buffers: { ...buffers, ...updates } }, loss }
      },
    )
    const numbers = Float32Array.from({ length: rows * image.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 0.37))
    const x = HostTensor.make([rows, ...image], numbers)
    const y = HostTensor.make(
      [rows],
      Array.from({ length: rows }, (_, i) => i),
    )
    const seed = HostTensor.make([4], [11, 22, 33, 44])
    const losses: Array<number> = []
    for (let i = 1; i <= steps; i++) {
      const done = yield* step.run({ state, x, y, seed, scalars: optimizer.scalars(i) })
      state = done.state
      losses.push(done.loss)
    }
    return losses
  }).pipe(Effect.scoped)
