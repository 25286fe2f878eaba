// The desk in the middle of its day: signed for, and once wrongly.
import { ago, now, uuid, type S } from "./tenant.ts";

export const desk: S["Desk"] = {
  callback_url: "https://in.sidecard.app/hooks/brw_7Qm2xV9kLd84TzRn",
  secret_set: true,
  previous_secret_until: new Date(now + 20 * 3600_000).toISOString(),
  email: "dana@brightwater-bikes.com",
  api_key_set: true,
  api_key_hint: "4f1c",
  unsigned: "refuse",
  handshake_at: ago(500),
  first_signed_at: ago(400),
  last_notification_at: ago(20),
  paused: false,
  goal_ms: 1000,
  deadline_seconds: 600,
  problem: {
    at: ago(300),
    code: "wrong_signature",
    message: "LiveSupporti signed with another secret.",
    fix: "Copy the secret again and save it in LiveSupporti.",
  },
};

export const rejections: S["Rejection"][] = [
  {
    id: uuid(900),
    at: ago(300),
    code: "wrong_signature",
    reason: "The signature was made with another secret. Copy the secret again into LiveSupporti.",
    bytes: 612,
    body_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    headers: { "Content-Type": "application/json; charset=utf-8", "Ms-Signature": "sha256=…" },
  },
  {
    id: uuid(901),
    at: ago(90_000),
    code: "unsigned",
    reason: "The request has no signature. Put a secret into the WebHook in LiveSupporti.",
    bytes: 598,
    headers: { "Content-Type": "application/json" },
  },
];
