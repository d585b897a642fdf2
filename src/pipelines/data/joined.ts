/** pictures one after the other */
export const joined = (pictures: ReadonlyArray<Float32Array>): Float32Array => {
  const all = new Float32Array(pictures.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of pictures) {
    all.set(p, at)
    at += p.length
  }
  return all
}
