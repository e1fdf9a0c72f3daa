/** A role policy only restricts, so it cannot override its parent scopes. */
import { childSpot } from "../decode/field.ts";
import type { Definition } from "../registry.ts";

export function rolePolicyScopePermissions({ message, spot, reader }: Definition): void {
  const value = message.rolePolicy?.scopePermissions;
  if (value !== "SCOPE_PERMISSIONS_OVERRIDE_PARENT" || spot.node.kind !== "map") {
    return;
  }
  const entry = spot.node.entries.find(
    ({ key }) => key === "scopePermissions" || key === "scope_permissions",
  );
  reader.atKey("EDICT2109", { value }, entry === undefined ? spot : childSpot(spot, entry));
}
