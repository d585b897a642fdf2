import { flip } from "./flips.ts"
import type { ImageRule, Transform } from "./Transform.ts"

/**
 * Left and right exchanged, with probability `p` (a half unless told).
 *
 * **Shapes** `[C, H, W] → [C, H, W]`. torchvision's `RandomHorizontalFlip`.
 */
export const randomHorizontalFlip = (p = 0.5): Transform<ImageRule> => flip("randomHorizontalFlip", p, "columns")
