// The portal: a client of the public API and nothing more.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "./api/problem";
import { onSignedOut } from "./api/session";
import { Look } from "./look/Look";
import { router } from "./routes";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays one; what did not arrive is asked for twice more.
      retry: (tries, err) => tries < 2 && (asProblem(err).status === 0 || asProblem(err).status >= 500),
      staleTime: 1000,
    },
  },
});

onSignedOut(() => {
  queries.clear(); // the next member of this browser must find nothing of the last one
  void router.navigate({ to: "/signin" });
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Look>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </Look>
  </StrictMode>,
);
