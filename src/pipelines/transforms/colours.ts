/** Changes of colour, as torchvision makes them on tensors of floats from 0 to 1; each in place, one plane per channel. */

const clamp = (x: number): number => (x < 0 ? 0 : x > 1 ? 1 : x)

/** the share that each colour has in what is seen as grey */
export const luma = (r: number, g: number, b: number): number => 0.2989 * r + 0.587 * g + 0.114 * b

/** `factor` 1 changes nothing, 0 gives black */
export const adjustBrightness = (image: Float32Array, factor: number): void => {
  for (let i = 0; i < image.length; i++) image[i] = clamp(image[i]! * factor)
}

/** `factor` 1 changes nothing, 0 gives the mean grey everywhere */
export const adjustContrast = (image: Float32Array, pixels: number, factor: number): void => {
  let sum = 0
  if (image.length === 3 * pixels) {
    for (let i = 0; i < pixels; i++) sum += luma(image[i]!, image[pixels + i]!, image[2 * pixels + i]!)
  } else for (let i = 0; i < image.length; i++) sum += image[i]!
  const rest = (1 - factor) * (sum / pixels)
  for (let i = 0; i < image.length; i++) image[i] = clamp(image[i]! * factor + rest)
}

/** `factor` 1 changes nothing, 0 gives a picture in grey; nothing to do for one channel */
export const adjustSaturation = (image: Float32Array, pixels: number, factor: number): void => {
  if (image.length !== 3 * pixels) return
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [image[i]!, image[pixels + i]!, image[2 * pixels + i]!]
    const grey = (1 - factor) * luma(r, g, b)
    image[i] = clamp(r * factor + grey)
    image[pixels + i] = clamp(g * factor + grey)
    image[2 * pixels + i] = clamp(b * factor + grey)
  }
}

/** turns the circle of colours by `shift`, where 1 is once around; nothing to do for one channel */
export const adjustHue = (image: Float32Array, pixels: number, shift: number): void => {
  if (image.length !== 3 * pixels) return
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [image[i]!, image[pixels + i]!, image[2 * pixels + i]!]
    const most = Math.max(r, g, b)
    const range = most - Math.min(r, g, b)
    if (range === 0) continue
    const sixth = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range
    const turned = sixth / 6 + shift
    const hue = turned - Math.floor(turned)
    const sector = Math.floor(hue * 6)
    const f = hue * 6 - sector
    const s = range / most
    const p = clamp(most * (1 - s))
    const q = clamp(most * (1 - s * f))
    const t = clamp(most * (1 - s * (1 - f)))
    const k = sector % 6
    image[i] = k === 0 || k === 5 ? most : k === 1 ? q : k === 4 ? t : p
    image[pixels + i] = k === 1 || k === 2 ? most : k === 0 ? t : k === 3 ? q : p
    image[2 * pixels + i] = k === 3 || k === 4 ? most : k === 2 ? t : k === 5 ? q : p
  }
}
