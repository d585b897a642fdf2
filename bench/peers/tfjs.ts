/** TensorFlow.js as a peer: `node tfjs.ts BACKEND THREADS`. Images are NHWC there, which is what it is fast with. */
import { fileURLToPath } from "node:url"
import * as tf from "@tensorflow/tfjs"
import type { Conv2d, MatMul } from "../../src/gpu/Contraction.ts"
import type { StepJob } from "../peers.ts"
import { models, type Spec } from "./models.ts"
import { batches, batchOf, inputOf, type Library, parametersByFormula, type Running, serve } from "./serve.ts"

const [backend = "cpu", threads = "1"] = process.argv.slice(2)

/** a permutation of the four dimensions of an array, in ordinary memory */
const permuted = (
  data: ArrayLike<number>,
  shape: ReadonlyArray<number>,
  order: ReadonlyArray<number>,
): Float32Array => {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1))
  const [d0 = 1, d1 = 1, d2 = 1, d3 = 1] = order.map((i) => shape[i] ?? 1)
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = order.map((i) => strides[i] ?? 0)
  const out = new Float32Array(data.length)
  let at = 0
  for (let a = 0; a < d0; a++)
    for (let b = 0; b < d1; b++)
      for (let c = 0; c < d2; c++) for (let d = 0; d < d3; d++) out[at++] = data[a * s0 + b * s1 + c * s2 + d * s3] ?? 0
  return out
}
const toNhwc = [0, 2, 3, 1]
const toHwio = [2, 3, 1, 0]
const image = (data: Float32Array, [n = 1, c = 1, h = 1, w = 1]: ReadonlyArray<number>): tf.Tensor4D =>
  tf.tensor4d(permuted(data, [n, c, h, w], toNhwc), [n, h, w, c])
const kernel = (data: Float32Array, [o = 1, i = 1, h = 1, w = 1]: ReadonlyArray<number>): tf.Tensor4D =>
  tf.tensor4d(permuted(data, [o, i, h, w], toHwio), [h, w, i, o])

/** a job from what does it once and gives a tensor, and from where the numbers of that are in our layout */
const repeated = (
  once: () => tf.Tensor,
  back: (data: ArrayLike<number>, shape: ReadonlyArray<number>) => ArrayLike<number>,
  inputs: ReadonlyArray<tf.Tensor>,
): Running => {
  let last: tf.Tensor | undefined
  return {
    once: () => {
      last?.dispose()
      last = once()
    },
    result: () => back(last?.dataSync() ?? [], last?.shape ?? []),
    drop: () => {
      last?.dispose()
      for (const x of inputs) x.dispose()
    },
  }
}

const matMul = (f: MatMul): Running => {
  const a = tf.tensor2d(inputOf(f.transposeA ? [f.k, f.m] : [f.m, f.k], 1), f.transposeA ? [f.k, f.m] : [f.m, f.k])
  const b = tf.tensor2d(inputOf(f.transposeB ? [f.n, f.k] : [f.k, f.n], 2), f.transposeB ? [f.n, f.k] : [f.k, f.n])
  return repeated(
    () => tf.matMul(a, b, f.transposeA, f.transposeB),
    (x) => x,
    [a, b],
  )
}

const convolution = (f: Conv2d): Running => {
  const [x, w, y] = [
    [f.n, f.c, f.h, f.w],
    [f.o, f.c / f.groups, ...f.kernel],
    [f.n, f.o, f.oh, f.ow],
  ]
  const depthwise = f.groups > 1
  if (depthwise && (f.groups !== f.c || f.o !== f.c)) throw new Error("it has no grouped convolutions")
  const attributes = {
    strides: f.stride,
    pad: f.padding[0],
    dataFormat: "NHWC",
    dimRoundingMode: "floor",
    dilations: 1,
  }
  const run = (name: string, inputs: Record<string, tf.Tensor>, more: object = {}): tf.Tensor =>
    tf.engine().runKernel(`${depthwise ? "DepthwiseConv2dNative" : "Conv2D"}${name}`, inputs, {
      ...attributes,
      ...more,
    }) as tf.Tensor
  // a depthwise kernel is [h, w, channels, 1]
  const weight = (data: Float32Array) =>
    depthwise ? tf.tidy(() => tf.transpose(kernel(data, w), [0, 1, 3, 2]) as tf.Tensor4D) : kernel(data, w)
  const fromNhwc = (data: ArrayLike<number>, shape: ReadonlyArray<number>) => permuted(data, shape, [0, 3, 1, 2])
  const fromHwio = (data: ArrayLike<number>, shape: ReadonlyArray<number>) =>
    permuted(data, shape, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1])
  if (f.pass === "forward") {
    const [a, b] = [image(inputOf(x, 1), x), weight(inputOf(w, 2))]
    return repeated(() => run("", { x: a, filter: b, input: a }), fromNhwc, [a, b])
  }
  if (f.pass === "inputGradient") {
    const [dy, b] = [image(inputOf(y, 1), y), weight(inputOf(w, 2))]
    return repeated(() => run("BackpropInput", { dy, filter: b }, { inputShape: [f.n, f.h, f.w, f.c] }), fromNhwc, [
      dy,
      b,
    ])
  }
  const [a, dy] = [image(inputOf(x, 1), x), image(inputOf(y, 2), y)]
  const filterShape = depthwise ? [...f.kernel, f.c, 1] : [...f.kernel, f.c, f.o]
  return repeated(() => run("BackpropFilter", { x: a, dy }, { filterShape }), fromHwio, [a, dy])
}

// ---------- models

interface Net {
  readonly forward: (x: tf.Tensor, training: boolean, dropout: boolean) => tf.Tensor
  readonly trained: Array<tf.Variable>
  readonly drop: () => void
}

const net = (model: string): Net => {
  const all = parametersByFormula(model)
  const variables = all.map(({ role, shape, data }) => {
    const value = shape.length === 4 ? kernel(data, shape) : tf.tensor(data, [...shape] as Array<number>)
    const variable = tf.variable(value, role !== "mean" && role !== "variance")
    value.dispose()
    return variable
  })
  const forward = (x: tf.Tensor, training: boolean, dropout: boolean): tf.Tensor => {
    let at = 0
    const next = (): tf.Variable => variables[at++]!
    const run = (specs: ReadonlyArray<Spec>, x: tf.Tensor): tf.Tensor =>
      specs.reduce((x, s): tf.Tensor => {
        switch (s.kind) {
          case "conv": {
            const y = tf.conv2d(x as tf.Tensor4D, next() as tf.Tensor4D, s.stride, s.padding, "NHWC", 1, "floor")
            return s.bias ? tf.add(y, next()) : y
          }
          case "linear": {
            const y = tf.matMul(x as tf.Tensor2D, next() as tf.Tensor2D, false, true)
            return tf.add(y, next())
          }
          case "norm": {
            const [scale, shift, mean, variance] = [next(), next(), next(), next()]
            if (!training)
              return tf.batchNorm(
                x as tf.Tensor4D,
                mean as tf.Tensor1D,
                variance as tf.Tensor1D,
                shift as tf.Tensor1D,
                scale as tf.Tensor1D,
                1e-5,
              )
            const own = tf.moments(x, [0, 1, 2])
            const count = x.size / (x.shape[3] ?? 1)
            mean.assign(tf.add(tf.mul(mean, 0.9), tf.mul(own.mean, 0.1)))
            variance.assign(tf.add(tf.mul(variance, 0.9), tf.mul(own.variance, (0.1 * count) / (count - 1))))
            return tf.batchNorm(
              x as tf.Tensor4D,
              own.mean as tf.Tensor1D,
              own.variance as tf.Tensor1D,
              shift as tf.Tensor1D,
              scale as tf.Tensor1D,
              1e-5,
            )
          }
          case "relu":
            return tf.relu(x)
          case "max":
            return tf.maxPool(x as tf.Tensor4D, s.k, s.stride, s.padding, "floor")
          case "globalAverage":
            return tf.mean(x, [1, 2], true)
          case "flatten":
            // linear layers count features as PyTorch does, channels first
            return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [x.shape[0] ?? 1, -1])
          case "dropout":
            return dropout ? tf.dropout(x, 0.5) : x
          case "residual": {
            const body = run(s.body, x)
            return tf.relu(tf.add(body, run(s.shortcut, x)))
          }
        }
      }, x)
    return run(models[model] ?? [], x)
  }
  return { forward, trained: variables.filter((v) => v.trainable), drop: () => variables.forEach((v) => v.dispose()) }
}

const stepper = (job: StepJob, dropout: boolean) => {
  const { forward, trained, drop } = net(job.model)
  const { type, lr, momentum = 0 } = job.optimizer
  const optimizer = type === "adam" ? tf.train.adam(lr, 0.9, 0.999, 1e-8) : tf.train.momentum(lr, momentum)
  const classes = job.model === "alexnet" || job.model === "vgg16" || job.model === "resnet18" ? 1000 : 10
  const data = Array.from({ length: batches }, (_, i) => {
    const { x, y } = batchOf(job, i)
    return {
      x: image(x, [job.batch, ...job.sample]),
      y: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(y, "int32"), classes), "float32")),
    }
  })
  let step = 0
  const take = (): number => {
    const { x, y } = data[step++ % batches]!
    const loss = optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(y, forward(x, true, dropout)) as tf.Scalar,
      true,
      trained,
    )
    const value = loss?.dataSync()[0] ?? Number.NaN
    loss?.dispose()
    return value
  }
  return {
    take,
    drop: () => {
      optimizer.dispose()
      drop()
      for (const { x, y } of data) tf.dispose([x, y])
    },
  }
}

const step = (job: StepJob): Running => {
  if (job.training) {
    const { take, drop } = stepper(job, true)
    let last = 0
    return { once: () => void (last = take()), result: () => [last], drop }
  }
  const { forward, drop } = net(job.model)
  const x = image(batchOf(job, 0).x, [job.batch, ...job.sample])
  const running = repeated(
    () => tf.tidy(() => forward(x, false, false)),
    (data) => data,
    [x],
  )
  return {
    ...running,
    // what a program that infers does: it reads the logits
    once: () => {
      void running.once()
      void running.result()
    },
    drop: () => {
      running.drop()
      drop()
    },
  }
}

const start = async (): Promise<Library> => {
  if (backend === "wasm") {
    const { setThreadsCount, setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm")
    setWasmPaths(fileURLToPath(new URL("../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url)))
    setThreadsCount(Number(threads))
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`)
  await tf.ready()
  const threaded = backend === "wasm" && (await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"))
  return {
    description: `TensorFlow.js ${tf.version.tfjs}, ${backend}, ${threaded ? threads : 1} threads${threaded ? "" : " (all that it has in Node)"}`,
    start: (job) => {
      if (job.kind === "bandwidth" || job.kind === "data") throw new Error(`${job.kind} is not written for tfjs`)
      if (job.kind === "step") return step(job)
      return job.form._tag === "MatMul" ? matMul(job.form) : convolution(job.form)
    },
    losses: async (job, steps) => {
      const { take, drop } = stepper(job, false)
      const losses = Array.from({ length: steps }, take)
      drop()
      return losses
    },
  }
}

await serve(start)
