/** Loaded into a daemon before anything else: a system clock that jumps ten years back and forth, twice a second. */
const real = Date;
const YEARS = 10 * 365 * 24 * 3_600_000;
const offset = () => ((Math.floor(performance.now() / 500) % 3) - 1) * YEARS;

globalThis.Date = class extends real {
  constructor(...given) {
    if (given.length === 0) super(real.now() + offset());
    else super(...given);
  }

  static now() {
    return real.now() + offset();
  }
};
