import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";

/** useLinkToken gives the token of the link that led here, and takes it out of the address bar and the history. */
export function useLinkToken(): string {
  const router = useRouter();
  const { token: given } = useSearch({ strict: false });
  const [token] = useState(given ?? "");
  useEffect(() => {
    if (given !== undefined) router.history.replace(window.location.pathname);
  }, [given, router]);
  return token;
}
