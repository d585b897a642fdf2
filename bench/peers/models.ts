/** The models of the benchmark as plain data, for libraries that have none of their own. */

export type Spec =
  | {
      readonly kind: "conv"
      readonly i: number
      readonly o: number
      readonly k: number
      readonly stride: number
      readonly padding: number
      readonly bias: boolean
    }
  | { readonly kind: "norm"; readonly c: number }
  | { readonly kind: "linear"; readonly i: number; readonly o: number }
  | { readonly kind: "max"; readonly k: number; readonly stride: number; readonly padding: number }
  | { readonly kind: "relu" | "flatten" | "dropout" | "globalAverage" }
  | { readonly kind: "residual"; readonly body: ReadonlyArray<Spec>; readonly shortcut: ReadonlyArray<Spec> }

const conv = (i: number, o: number, k: number, { stride = 1, padding = 0, bias = true } = {}): Spec => ({
  kind: "conv",
  i,
  o,
  k,
  stride,
  padding,
  bias,
})
const norm = (c: number): Spec => ({ kind: "norm", c })
const linear = (i: number, o: number): Spec => ({ kind: "linear", i, o })
const max = (k: number, stride = k, padding = 0): Spec => ({ kind: "max", k, stride, padding })
const relu: Spec = { kind: "relu" }
const flatten: Spec = { kind: "flatten" }
const dropout: Spec = { kind: "dropout" }

const digits = (i: number, o: number): ReadonlyArray<Spec> => [conv(i, o, 3), norm(o), relu]
const vgg = (...channels: ReadonlyArray<number | "max">): ReadonlyArray<Spec> => {
  let last = 3
  return channels.flatMap((c) => {
    if (c === "max") return [max(2)]
    const made = [conv(last, c, 3, { padding: 1 }), relu]
    last = c
    return made
  })
}
const basic = (i: number, o: number, stride = 1): Spec => ({
  kind: "residual",
  body: [
    conv(i, o, 3, { stride, padding: 1, bias: false }),
    norm(o),
    relu,
    conv(o, o, 3, { padding: 1, bias: false }),
    norm(o),
  ],
  shortcut: stride === 1 ? [] : [conv(i, o, 1, { stride, bias: false }), norm(o)],
})

export const models: { readonly [name: string]: ReadonlyArray<Spec> } = {
  lenet: [
    conv(1, 6, 3, { padding: 1 }),
    max(2),
    conv(6, 16, 5),
    max(2),
    flatten,
    linear(400, 120),
    linear(120, 84),
    linear(84, 10),
  ],
  tinyvgg: [
    ...[1, 10].flatMap((i) => [conv(i, 10, 3, { padding: 1 }), relu, conv(10, 10, 3, { padding: 1 }), relu, max(2)]),
    flatten,
    linear(490, 10),
  ],
  mnistcnn: [
    ...digits(1, 16),
    ...digits(16, 32),
    max(2),
    ...digits(32, 64),
    ...digits(64, 128),
    max(2),
    flatten,
    linear(2048, 1024),
    relu,
    linear(1024, 128),
    linear(128, 10),
  ],
  // the average over windows of one does nothing at 224 × 224
  alexnet: [
    conv(3, 64, 11, { stride: 4, padding: 2 }),
    relu,
    max(3, 2),
    conv(64, 192, 5, { padding: 2 }),
    relu,
    max(3, 2),
    conv(192, 384, 3, { padding: 1 }),
    relu,
    conv(384, 256, 3, { padding: 1 }),
    relu,
    conv(256, 256, 3, { padding: 1 }),
    relu,
    max(3, 2),
    flatten,
    dropout,
    linear(9216, 4096),
    relu,
    dropout,
    linear(4096, 4096),
    relu,
    linear(4096, 1000),
  ],
  vgg16: [
    ...vgg(64, 64, "max", 128, 128, "max", 256, 256, 256, "max", 512, 512, 512, "max", 512, 512, 512, "max"),
    flatten,
    linear(25088, 4096),
    relu,
    dropout,
    linear(4096, 4096),
    relu,
    dropout,
    linear(4096, 1000),
  ],
  resnet18: [
    conv(3, 64, 7, { stride: 2, padding: 3, bias: false }),
    norm(64),
    relu,
    max(3, 2, 1),
    basic(64, 64),
    basic(64, 64),
    ...[64, 128, 256].flatMap((c) => [basic(c, 2 * c, 2), basic(2 * c, 2 * c)]),
    { kind: "globalAverage" },
    flatten,
    linear(512, 1000),
  ],
}

export interface Parameter {
  readonly role: "weight" | "bias" | "scale" | "shift" | "mean" | "variance"
  readonly shape: ReadonlyArray<number>
}

/** the numbers of each layer, in the order of PyTorch's state_dict; the body of a residual block before its shortcut */
export const parametersOf = (specs: ReadonlyArray<Spec>): ReadonlyArray<Parameter> =>
  specs.flatMap((s): ReadonlyArray<Parameter> => {
    switch (s.kind) {
      case "conv": {
        const weight: Parameter = { role: "weight", shape: [s.o, s.i, s.k, s.k] }
        return s.bias ? [weight, { role: "bias", shape: [s.o] }] : [weight]
      }
      case "linear":
        return [
          { role: "weight", shape: [s.o, s.i] },
          { role: "bias", shape: [s.o] },
        ]
      case "norm":
        return (["scale", "shift", "mean", "variance"] as const).map((role) => ({ role, shape: [s.c] }))
      case "residual":
        return [...parametersOf(s.body), ...parametersOf(s.shortcut)]
      default:
        return []
    }
  })
