import { dual } from "effect/Function"
import type { Shape } from "../../shapes/Shape.ts"
import { fitsShape } from "../../shapes/Shape.ts"
import { type Dataset, make, type Ordering, refuse } from "./Dataset.ts"
import { readParts } from "./parts.ts"

const joint = (a: Ordering, b: Ordering): Ordering =>
  a === "sampled" || b === "sampled" ? "sampled" : a === "shuffled" || b === "shuffled" ? "shuffled" : "fixed"

/**
 * The samples of one set, then those of another with the same classes and shape. PyTorch's `ConcatDataset`.
 *
 * Fails, when it is read, with `DataError` (`BadOption`) where classes or shapes differ.
 *
 * @example
 * Data.concat(mnist.train, mnist.test).length // => 70000
 */
export const concat: {
  <S extends Shape>(that: Dataset<NoInfer<S>>): (self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, that: Dataset<NoInfer<S>>): Dataset<S>
} = dual(2, <S extends Shape>(self: Dataset<S>, that: Dataset<S>): Dataset<S> => {
  const refusal = self.refusal ?? that.refusal
  const set = make<S>({
    name: `${self.name} and ${that.name}`,
    shape: self.shape,
    classes: self.classes,
    length: self.length + that.length,
    size: self.size + that.size,
    ordering: joint(self.ordering, that.ordering),
    maps: Math.max(self.maps, that.maps),
    random: self.random || that.random,
    order: (key) => {
      const order = new Uint32Array(self.length + that.length)
      order.set(self.order(key))
      order.set(
        that.order(key).map((sample) => sample + self.size),
        self.length,
      )
      return order
    },
    read: (samples, key) =>
      readParts(
        samples,
        (sample) => (sample < self.size ? 0 : 1),
        (part, some) =>
          part === 0
            ? self.read(some, key)
            : that.read(
                some.map((sample) => sample - self.size),
                key,
              ),
      ),
    ...(self.labels === undefined || that.labels === undefined
      ? {}
      : { labels: () => [...Array.from(self.labels?.() ?? []), ...Array.from(that.labels?.() ?? [])] }),
    ...(refusal === undefined ? {} : { refusal }),
  })
  const differ = (option: string, found: ReadonlyArray<unknown>, expected: ReadonlyArray<unknown>) =>
    refuse(set, {
      _tag: "BadOption",
      option: `concat of ${option}`,
      found: `[${found.join(", ")}]`,
      expected: `the same ${option}: [${expected.join(", ")}]`,
    })
  if (!fitsShape(self.shape, that.shape)) return differ("shape", that.shape, self.shape)
  const same = self.classes.length === that.classes.length && self.classes.every((name, i) => name === that.classes[i])
  return same ? set : differ("classes", that.classes, self.classes)
})
