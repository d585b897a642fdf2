import { isRefusal, type Refusal, refuse } from "../../shapes/Refusal.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { elements, known, type SampleShape } from "../data/Dataset.ts"
import { type Apply, type Bound, type Rule, type Transform } from "./Transform.ts"

export interface ComposeRule<Ts extends ReadonlyArray<unknown>> extends Rule {
  readonly out: Chain<Ts, this["in"]>
}
type Chain<Ts extends ReadonlyArray<unknown>, S> = S extends Refusal
  ? S
  : Ts extends readonly [Transform<infer R>, ...infer Rest]
    ? Chain<Rest, Apply<R, S>>
    : Ts extends readonly []
      ? S
      : Shape

/** the shapes before, between and after, or the first refusal with the transform that makes it */
const shapesOf = (transforms: ReadonlyArray<Transform>, input: Shape): ReadonlyArray<Shape> | Refusal => {
  const shapes: Array<Shape> = [input]
  for (const t of transforms) {
    const next = t.shape(shapes.at(-1) ?? input)
    if (isRefusal(next)) return refuse(`${next.sentence} (in ${t.name})`)
    shapes.push(next)
  }
  return shapes
}

/**
 * One transform after the other, each with random numbers of its own.
 *
 * **Shapes** those of the last. torchvision's `Compose`.
 *
 * @example
 * Transforms.compose(Transforms.resize([224, 224]), Transforms.randomHorizontalFlip(), Transforms.normalize([0.5], [0.5]))
 */
export const compose = <const Ts extends ReadonlyArray<Transform>>(...transforms: Ts): Transform<ComposeRule<Ts>> => ({
  _tag: "Transform",
  name: `compose(${transforms.map((t) => t.name).join(", ")})`,
  random: transforms.some((t) => t.random),
  shape: (input) => {
    const shapes = shapesOf(transforms, input)
    return isRefusal(shapes) ? shapes : (shapes.at(-1) ?? input)
  },
  bind: (input, _output, stream): Bound => {
    const shapes = shapesOf(transforms, input)
    // a shape that is refused, or not all known, never comes here: whoever binds has asked
    const sizes = isRefusal(shapes) ? [] : shapes.map((s): SampleShape => known(s) ?? [])
    const steps = transforms.map((t, i) => ({
      run: t.bind(sizes[i]!, sizes[i + 1]!, `${stream}/${i}.${t.name}`),
      // each has scratch memory of its own; the last one writes where the result is wanted
      to: i + 1 < transforms.length ? new Float32Array(elements(sizes[i + 1]!)) : undefined,
    }))
    return (from, to, key) => {
      if (steps.length === 0) to.set(from)
      let current = from
      for (const step of steps) {
        const next = step.to ?? to
        step.run(current, next, key)
        current = next
      }
    }
  },
})
