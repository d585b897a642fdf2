import { dual } from "effect/Function"
import type { Shape } from "../../shapes/Shape.ts"
import { type Dataset, type EpochKey, refuse } from "./Dataset.ts"
import { readParts } from "./parts.ts"

/**
 * An epoch of `times` passes over the set, each in an order of its own and with random transforms of its own, as epochs
 * have.
 *
 * Fails, when it is read, with `DataError` (`BadOption`) where `times` is no whole number of at least 1.
 *
 * @example
 * fewPictures.pipe(Data.map(augment), Data.shuffle, Data.repeat(10))
 */
export const repeat: {
  (times: number): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, times: number): Dataset<S>
} = dual(2, <S extends Shape>(self: Dataset<S>, times: number): Dataset<S> => {
  if (!Number.isInteger(times) || times < 1) {
    return refuse(self, { _tag: "BadOption", option: "repeat", found: times, expected: "a whole number of at least 1" })
  }
  const passOf = ({ seed, epoch }: EpochKey, pass: number): EpochKey => ({
    seed,
    epoch: (epoch - 1) * times + pass + 1,
  })
  const { labels } = self
  return {
    ...self,
    length: self.length * times,
    // a sample of another pass has another number
    size: self.size * times,
    ...(labels === undefined ? {} : { labels: () => Array.from({ length: times }, () => Array.from(labels())).flat() }),
    order: (key) => {
      const order = new Uint32Array(self.length * times)
      for (let pass = 0; pass < times; pass++) {
        order.set(
          self.order(passOf(key, pass)).map((sample) => sample + pass * self.size),
          pass * self.length,
        )
      }
      return order
    },
    read: (samples, key) =>
      readParts(
        samples,
        (sample) => Math.floor(sample / self.size),
        (pass, some) =>
          self.read(
            some.map((sample) => sample % self.size),
            passOf(key, pass),
          ),
      ),
  }
})
