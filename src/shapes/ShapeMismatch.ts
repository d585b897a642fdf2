import * as Data from "effect/Data"
import type { Shape } from "./Shape.ts"

/** Shapes that do not fit together, found at run time; a typed caller meets the same sentence as a compile error. */
export class ShapeMismatch extends Data.TaggedError("ShapeMismatch")<{
  /** the op's name or the layer's label: `matmul`, `linear(401, 120)` */
  readonly op: string
  /** where in the model, as in its state_dict: `layer3.fc1`; empty outside a model */
  readonly path: string
  /** the shapes that were given */
  readonly shapes: ReadonlyArray<Shape>
  /** the whole sentence: `matmul: 4×3 times 4×3: the inner sizes differ (3 and 4)` */
  readonly sentence: string
  /** what to do, where that is known */
  readonly remedy?: string
}> {
  override get message(): string {
    const where = this.path === "" ? "" : `${this.path}: `
    return `${where}${this.sentence}${this.remedy === undefined ? "" : `. ${this.remedy}`}`
  }
}
