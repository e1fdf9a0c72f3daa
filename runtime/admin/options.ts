/** What can be configured about the admin listener (section `admin`). */
import type { ListenAddress } from "../config/address.ts";

export interface AdminOptions {
  /** Where it listens; null for no listener. */
  readonly listen: ListenAddress | null;
  /** File with the tokens that let somebody in, one per line, read again for every request. A Unix socket may do without. */
  readonly tokenFile: string | null;
}

export const DEFAULT_ADMIN_OPTIONS: AdminOptions = { listen: null, tokenFile: null };
