/** jax-js as a peer: `node jax.ts BACKEND THREADS`. Every array is consumed where it is used, unless `.ref` keeps it. */
import * as jax from "@jax-js/jax"
import type { Conv2d, MatMul } from "../../src/gpu/Contraction.ts"
import type { StepJob } from "../peers.ts"
import { models, type Spec } from "./models.ts"
import { batches, batchOf, inputOf, type Library, parametersByFormula, type Running, serve } from "./serve.ts"

const { lax, nn, numpy: np } = jax
const backend = process.argv[2] === "webgpu" ? "webgpu" : "wasm"

const array = (data: Float32Array | Int32Array, shape: ReadonlyArray<number>): jax.Array =>
  np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] })

const repeated = (
  once: (...inputs: ReadonlyArray<jax.Array>) => jax.Array,
  inputs: ReadonlyArray<jax.Array>,
): Running => {
  let last: jax.Array | undefined
  return {
    once: async () => {
      last?.dispose()
      last = await once(...inputs.map((x) => x.ref)).blockUntilReady()
    },
    result: async () => {
      const data = await last?.ref.data()
      return Float32Array.from(data ?? [])
    },
    drop: () => {
      last?.dispose()
      for (const x of inputs) x.dispose()
    },
  }
}

const matMul = (f: MatMul): Running => {
  const [a, b] = [f.transposeA ? [f.k, f.m] : [f.m, f.k], f.transposeB ? [f.n, f.k] : [f.k, f.n]]
  const product = jax.jit((a: jax.Array, b: jax.Array) =>
    np.matmul(f.transposeA ? np.transpose(a) : a, f.transposeB ? np.transpose(b) : b),
  )
  return repeated((a, b) => product(a!, b!), [array(inputOf(a, 1), a), array(inputOf(b, 2), b)])
}

const convolution = (f: Conv2d): Running => {
  const [x, w, y] = [
    [f.n, f.c, f.h, f.w],
    [f.o, f.c / f.groups, ...f.kernel],
    [f.n, f.o, f.oh, f.ow],
  ]
  const forward = (x: jax.Array, w: jax.Array): jax.Array =>
    lax.convGeneralDilated(
      x,
      w,
      [...f.stride],
      f.padding.map((p): [number, number] => [p, p]),
      { featureGroupCount: f.groups },
    )
  if (f.pass === "forward") {
    const run = jax.jit(forward)
    return repeated((x, w) => run(x!, w!), [array(inputOf(x, 1), x), array(inputOf(w, 2), w)])
  }
  /** the gradient of the sum of y · dy is that of y at dy; nothing needs y itself */
  const product = (x: jax.Array, w: jax.Array, dy: jax.Array): jax.Array => np.sum(forward(x, w).mul(dy))
  const gradient = jax.jit(jax.grad(product, { argnums: f.pass === "inputGradient" ? 0 : 1 }))
  if (f.pass === "inputGradient")
    return repeated(
      (dy, w, x) => gradient(x!, w!, dy!),
      [array(inputOf(y, 1), y), array(inputOf(w, 2), w), np.zeros(x)],
    )
  return repeated((x, dy, w) => gradient(x!, w!, dy!), [array(inputOf(x, 1), x), array(inputOf(y, 2), y), np.zeros(w)])
}

// ---------- models

/** logits, with the statistics of the batch where a norm trains; a model keeps none of them here */
const forward = (model: string, params: ReadonlyArray<jax.Array>, x: jax.Array, training: boolean): jax.Array => {
  let at = 0
  const next = (): jax.Array => params[at++]!
  const wide = (t: jax.Array): jax.Array => t.reshape([1, -1, 1, 1])
  const run = (specs: ReadonlyArray<Spec>, x: jax.Array): jax.Array =>
    specs.reduce((x, s): jax.Array => {
      switch (s.kind) {
        case "conv": {
          const padding: [number, number] = [s.padding, s.padding]
          const y = lax.convGeneralDilated(x, next(), [s.stride, s.stride], [padding, padding])
          return s.bias ? y.add(wide(next())) : y
        }
        case "linear": {
          const y = np.matmul(x, np.transpose(next()))
          return y.add(next())
        }
        case "norm": {
          const [scale, shift, mean, variance] = [next(), next(), next(), next()]
          let [m, v] = [wide(mean), wide(variance)]
          if (training) {
            m.dispose()
            v.dispose()
            m = np.mean(x.ref, [0, 2, 3], { keepdims: true })
            v = np.mean(np.square(x.ref.sub(m.ref)), [0, 2, 3], { keepdims: true })
          }
          return x
            .sub(m)
            .div(np.sqrt(v.add(1e-5)))
            .mul(wide(scale))
            .add(wide(shift))
        }
        case "relu":
          return nn.relu(x)
        case "max": {
          // what stands before is never negative where there is padding
          const p: [number, number] = [s.padding, s.padding]
          const padded = s.padding === 0 ? x : np.pad(x, [[0, 0], [0, 0], p, p])
          return lax.reduceWindow(padded, (w) => np.max(w), [s.k, s.k], [s.stride, s.stride])
        }
        case "globalAverage":
          return np.mean(x, [2, 3], { keepdims: true })
        case "flatten":
          return x.reshape([x.shape[0] ?? 1, -1])
        case "dropout":
          return x
        case "residual": {
          const body = run(s.body, x.ref)
          return nn.relu(body.add(run(s.shortcut, x)))
        }
      }
    }, x)
  return run(models[model] ?? [], x)
}

const stepper = (job: StepJob) => {
  const classes = job.sample[0] === 1 ? 10 : 1000
  const all = parametersByFormula(job.model)
  let params = all.map(({ shape, data }) => array(data, shape))
  const { type, lr, momentum = 0 } = job.optimizer
  const zeros = () => all.map(({ shape }) => np.zeros([...shape]))
  // the running statistics have no gradient, and stay
  let slots = type === "adam" ? [zeros(), zeros()] : [zeros()]
  const loss = (params: ReadonlyArray<jax.Array>, x: jax.Array, y: jax.Array): jax.Array =>
    np.sum(nn.logSoftmax(forward(job.model, params, x, true), -1).mul(y)).mul(-1 / job.batch)
  const step = jax.jit(
    (
      params: Array<jax.Array>,
      slots: Array<Array<jax.Array>>,
      x: jax.Array,
      y: jax.Array,
      c1: jax.Array,
      c2: jax.Array,
    ) => {
      const [value, gradients] = jax.valueAndGrad(loss)(
        params.map((p) => p.ref),
        x,
        y,
      ) as [jax.Array, Array<jax.Array>]
      const [first = [], second = []] = slots
      if (type === "adam") {
        const m = first.map((m, i) => m.mul(0.9).add(gradients[i]!.ref.mul(0.1)))
        const v = second.map((v, i) => v.mul(0.999).add(np.square(gradients[i]!).mul(0.001)))
        const next = params.map((p, i) =>
          p.sub(
            m[i]!.ref.mul(c1.ref)
              .mul(lr)
              .div(np.sqrt(v[i]!.ref.mul(c2.ref)).add(1e-8)),
          ),
        )
        c1.dispose()
        c2.dispose()
        return { value, params: next, slots: [m, v] }
      }
      c1.dispose()
      c2.dispose()
      const m = first.map((m, i) => m.mul(momentum).add(gradients[i]!))
      return { value, params: params.map((p, i) => p.sub(m[i]!.ref.mul(lr))), slots: [m] }
    },
  )
  const data = Array.from({ length: batches }, (_, i) => {
    const { x, y } = batchOf(job, i)
    const hot = new Float32Array(job.batch * classes)
    y.forEach((c, row) => (hot[row * classes + c] = 1))
    return { x: array(x, [job.batch, ...job.sample]), y: array(hot, [job.batch, classes]) }
  })
  let taken = 0
  const take = async (): Promise<number> => {
    const { x, y } = data[taken++ % batches]!
    const corrections = [0.9, 0.999].map((beta) => np.array(1 / (1 - beta ** taken)))
    const next = step(params, slots, x.ref, y.ref, corrections[0]!, corrections[1]!) as {
      value: jax.Array
      params: Array<jax.Array>
      slots: Array<Array<jax.Array>>
    }
    params = next.params
    slots = next.slots
    await jax.blockUntilReady(params)
    return Number((await next.value.data())[0])
  }
  const drop = (): void => {
    for (const a of [...params, ...slots.flat(), ...data.flatMap(({ x, y }) => [x, y])]) a.dispose()
  }
  return { take, drop }
}

const step = (job: StepJob): Running => {
  if (job.training) {
    const { take, drop } = stepper(job)
    let last = 0
    return {
      once: async () => {
        last = await take()
      },
      result: () => [last],
      drop,
    }
  }
  const params = parametersByFormula(job.model).map(({ shape, data }) => array(data, shape))
  const infer = jax.jit((x: jax.Array, ...params: ReadonlyArray<jax.Array>) => forward(job.model, params, x, false))
  return repeated(
    (...inputs) => infer(...(inputs as [jax.Array, ...Array<jax.Array>])),
    [array(batchOf(job, 0).x, [job.batch, ...job.sample]), ...params],
  )
}

/** WebGPU in Node: an adapter that is no software renderer */
const installWebGpu = async (): Promise<void> => {
  const { create, globals } = await import("webgpu")
  Object.assign(globalThis, globals)
  const gpu = create([])
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true })
  const adapter = await gpu.requestAdapter()
  if (adapter === null) throw new Error("there is no WebGPU adapter")
  if (
    /swiftshader|llvmpipe|software/i.test(
      `${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.device} ${adapter.info.description}`,
    )
  )
    throw new Error("the only WebGPU adapter is a software renderer")
}

const start = async (): Promise<Library> => {
  if (backend === "webgpu") await installWebGpu()
  const devices = await jax.init(backend)
  if (!devices.includes(backend)) throw new Error(`jax-js has no ${backend} here`)
  jax.defaultDevice(backend)
  return {
    description: `jax-js 0.1.25, ${backend}`,
    start: (job) => {
      if (job.kind === "bandwidth" || job.kind === "data") throw new Error(`${job.kind} is not written for jax-js`)
      if (job.kind === "step") return step(job)
      return job.form._tag === "MatMul" ? matMul(job.form) : convolution(job.form)
    },
    losses: async (job, steps) => {
      const { take, drop } = stepper(job)
      const losses: Array<number> = []
      for (let i = 0; i < steps; i++) losses.push(await take())
      drop()
      return losses
    },
  }
}

await serve(start)
