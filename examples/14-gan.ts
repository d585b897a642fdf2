/**
 * One step past 13: two networks that learn against each other. A discriminator tells drawn digits from made-up ones; a
 * generator makes some, of random numbers, that the discriminator takes for drawn (Goodfellow et al., 2014; the layers are
 * those of DCGAN, Radford, Metz and Chintala, 2015, but fewer and narrower). Each has its own optimiser and its own step.
 * Leaves a sheet of digits after each epoch as a PNG.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import sharp from "sharp"
import { Data, HostTensor, Nn, Ops, Optim, Program, State, Tensor, Transforms } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

const noise = 64
const generator = Nn.sequential(
  Nn.input("N", noise, 1, 1),
  ["up1", Nn.convTranspose2d(noise, 64, { kernelSize: 7, bias: false })],
  ["norm1", Nn.batchNorm2d(64)],
  Nn.relu(),
  ["up2", Nn.convTranspose2d(64, 32, { kernelSize: 4, stride: 2, padding: 1, bias: false })],
  ["norm2", Nn.batchNorm2d(32)],
  Nn.relu(),
  ["up3", Nn.convTranspose2d(32, 1, { kernelSize: 4, stride: 2, padding: 1 })],
  Nn.tanh(),
)
const discriminator = Nn.sequential(
  Nn.input("N", 1, 28, 28),
  ["down1", Nn.conv2d(1, 32, { kernelSize: 4, stride: 2, padding: 1 })],
  Nn.leakyRelu({ negativeSlope: 0.2 }),
  ["down2", Nn.conv2d(32, 64, { kernelSize: 4, stride: 2, padding: 1 })],
  Nn.leakyRelu({ negativeSlope: 0.2 }),
  Nn.flatten(),
  ["head", Nn.linear(3136, 1)],
)
export const adam = Optim.adam({ lr: 5e-4, betas: [0.5, 0.999] })

/** Two networks with what their optimisers keep, and the step of each: it changes its own and reads the other's. */
export const rivals = Effect.gen(function* () {
  const made = Nn.init(generator, { seed: 1 })
  const judging = Nn.init(discriminator, { seed: 2 })
  const maker = yield* State.make({ params: made, slots: Optim.init(adam, made) })
  const judge = yield* State.make({ params: judging, slots: Optim.init(adam, judging) })
  const z = Tensor.input("N", noise, 1, 1)
  const inputs = { maker, judge, z, scalars: adam.spec }
  const discriminate = yield* Program.compile(
    { ...inputs, x: Tensor.input("N", 1, 28, 28) },
    ({ maker, judge: { params, slots }, z, x, scalars }) => {
      // gradients are asked for the discriminator alone: nothing need be detached
      const fake = Nn.apply(generator, maker.params, z, { training: true })
      // softplus(−l) is −log of the probability that the logit l stands for
      const drawn = Ops.mean(Ops.softplus(Ops.neg(Nn.apply(discriminator, params, x))))
      const loss = Ops.add(drawn, Ops.mean(Ops.softplus(Nn.apply(discriminator, params, fake))))
      return { judge: Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars }), loss }
    },
  )
  const generate = yield* Program.compile(inputs, ({ maker: { params, slots }, judge, z, scalars }) => {
    const { output, updates } = Nn.forward(generator, params, z, { training: true })
    const loss = Ops.mean(Ops.softplus(Ops.neg(Nn.apply(discriminator, judge.params, output))))
    const next = Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars })
    return { maker: { ...next, params: { ...next.params, ...updates } }, loss }
  })
  const draw = yield* Program.compile({ maker, z }, ({ maker, z }) => ({
    pictures: Nn.apply(generator, maker.params, z),
  }))
  return { maker, judge, discriminate, generate, draw }
})

/** what a generator makes pictures of: random numbers from −1 to 1 */
export const randomNoise = (count: number) =>
  Effect.map(Effect.replicateEffect(Random.nextBetween(-1, 1), count * noise), (numbers) =>
    HostTensor.make([count, noise, 1, 1], numbers),
  )

/** pictures of numbers from −1 to 1 beside each other, so many in a row, as a PNG */
const sheet = (pictures: Float32Array, columns: number) => {
  const rows = pictures.length / 784 / columns
  const pixels = new Uint8Array(pictures.length)
  for (const [i, value] of pictures.entries()) {
    const [n, y, x] = [Math.floor(i / 784), Math.floor(i / 28) % 28, i % 28]
    pixels[((Math.floor(n / columns) * 28 + y) * columns + (n % columns)) * 28 + x] = 127.5 * (value + 1)
  }
  return Effect.promise(() =>
    sharp(pixels, { raw: { width: 28 * columns, height: 28 * rows, channels: 1 } })
      .png()
      .toBuffer(),
  )
}

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = `${budget.out}/gan`
    yield* fs.makeDirectory(folder, { recursive: true })
    const { train } = limited(yield* Data.mnist(), { ...budget, limit: Math.min(budget.limit ?? Infinity, 24_000) })
    const drawn = train.pipe(Data.map(Transforms.normalize([0.5], [0.5])), Data.shuffle)
    const batches = drawn.pipe(Data.batch(64, { last: "drop" }), Data.prefetch(1))
    const { discriminate, generate, draw, ...first } = yield* rivals
    let { maker, judge } = first
    const shown = yield* randomNoise(100)
    const losses: Array<{ readonly generator: number; readonly discriminator: number }> = []
    for (let epoch = 1, done = 0; epoch <= 5; epoch++) {
      const sums = { generator: 0, discriminator: 0 }
      yield* Stream.runForEach(batches.epoch({ seed: 1, epoch }), (batch) =>
        Effect.gen(function* () {
          const x = HostTensor.make([batch.rows, 1, 28, 28], batch.images)
          const z = yield* randomNoise(batch.rows)
          const scalars = adam.scalars(++done)
          const judged = yield* discriminate.run({ maker, judge, z, x, scalars })
          judge = judged.judge
          const made = yield* generate.run({ maker, judge, z, scalars })
          maker = made.maker
          sums.generator += made.loss / batches.steps
          sums.discriminator += judged.loss / batches.steps
          yield* Effect.yieldNow
        }),
      )
      losses.push(sums)
      const { pictures } = yield* draw.run({ maker, z: shown })
      yield* fs.writeFile(`${folder}/epoch-${epoch}.png`, yield* sheet(pictures.data, 10))
      console.log(
        `epoch ${epoch}, generator ${sums.generator.toFixed(3)}, discriminator ${sums.discriminator.toFixed(3)}`,
      )
    }
    console.log(`digits      ${folder}/epoch-${losses.length}.png`)
    return losses
  }).pipe(Random.withSeed("digits"), Effect.scoped)
