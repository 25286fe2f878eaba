// Who the made-up tenant is, and what everything else here is made with. Typed by the contract, so that it cannot
// drift from it.
import type { components } from "../src/api/schema.gen";

export type S = components["schemas"];

export const now = Date.now();
export const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
export const uuid = (n: number) => `0192f3a4-7c1e-7000-8000-${n.toString(16).padStart(12, "0")}`;

export const me: S["Me"] = {
  user: { id: uuid(1), name: "Dana Okafor", email: "dana@brightwater-bikes.com", second_factor: false },
  tenant: { id: uuid(2), name: "Brightwater Bikes" },
  role: "owner",
  tenants: [
    { tenant: { id: uuid(2), name: "Brightwater Bikes" }, role: "owner" },
    { tenant: { id: uuid(3), name: "Harbour Couriers" }, role: "viewer" },
  ],
};

export const postgresId = uuid(10);
export const csvId = uuid(11);
export const brokenId = uuid(12);
export const hubspotId = uuid(13);
export const endedId = uuid(14);
export const emptyId = uuid(15);
export const unknownId = uuid(16);
