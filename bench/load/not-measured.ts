/** Why a figure could not be taken though nothing is broken: a server shed load, or the machine was too slow for the time there is. */
export class NotMeasured extends Error {
  override readonly name = "NotMeasured";
}

/** Throws `NotMeasured` when a server has failed requests: a rate that counts refusals says nothing. */
export function mustNotFail(server: string, failed: number, what: string): void {
  if (failed > 0) throw new NotMeasured(`${server} failed ${failed} ${what}`);
}
