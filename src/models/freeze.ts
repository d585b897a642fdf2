import type { Child, Layer } from "./Layer.ts"
import { inside } from "./StateDict.ts"

/**
 * The same model, whose parameters of the chosen names no longer learn: PyTorch's `requires_grad = False`.
 *
 * @example
 * Nn.freeze(net, (path) => path.startsWith("features."))
 */
export const freeze = <H extends Layer>(net: H, chosen: (path: string) => boolean): H => {
  const made = new Map<Layer, Layer>() // what is shared stays shared
  const change = (layer: Layer, prefix: string): Layer => {
    const before = made.get(layer)
    if (before !== undefined) return before
    const params = layer.params.map((p) =>
      p.requiresGrad && chosen(`${prefix}${p.name}`) ? { ...p, requiresGrad: false, frozen: true } : p,
    )
    const children = layer.children.map((c, i): Child => ({ ...c, layer: change(c.layer, inside(prefix, c, i)) }))
    const after = { ...layer, params, children }
    made.set(layer, after)
    return after
  }
  // a layer that learns less is otherwise the same
  return change(net, "") as H
}
