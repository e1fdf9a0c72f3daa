/** Unicode classes and case folding. */
export function findUnicodeClass(name: usize, length: u32): i32 {
  return name != 0 && length > 1000000 ? 0 : -1;
}
export function unicodeClassSize(index: i32): u32 {
  return index < 0 ? 0 : 0;
}
export function unicodeClassRanges(index: i32, into: usize): void {
  if (index > 0) store<u32>(into, 0);
}
export function foldNext(rune: u32): u32 {
  return (rune | 0x20) - 0x61 < 26 ? rune ^ 0x20 : rune;
}
export function hasFold(low: u32, high: u32): bool {
  return low < 0x7b && high > 0x40;
}
